"""Reads for the closed loop: what came of leads, added up, and never a lead itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from domain.closed_loop import EffortCount, EffortCounts, RevenueCount, RevenueCounts
from domain.customers import Customer, RevenueEvent, RevenueKind
from domain.leads import Lead
from domain.lifecycle import StageEntry
from domain.opportunities import Opportunity, OpportunityStatus
from domain.stages import Stage
from infra.database import PostgresWork
from infra.queries import answers
from infra.queries.exchange import Amount, exchanged, local_day
from infra.rows import table_of

leads = table_of(Lead)
entries = table_of(StageEntry)
opportunities = table_of(Opportunity)
customers = table_of(Customer)
events = table_of(RevenueEvent)

_COUNTERS = ("leads", "mqls", "sqls", "opportunities", "won", "revenue", "foreign")


@answers(EffortCounts)
async def effort_counts(work: PostgresWork, question: EffortCounts) -> Sequence[EffortCount]:
    """Return the sources and campaigns that brought most, and one row for all the others.

    One statement.  Leads are found by the index leads_by_created; stages, deals and revenue are
    added up once each and joined by lead, so no figure is counted twice.
    """
    efforts = _efforts(work, question).subquery("efforts")
    figures = [efforts.c[name] for name in _COUNTERS]
    fruit = (efforts.c.revenue, efforts.c.won, efforts.c.opportunities, efforts.c.leads)
    place = sa.func.row_number().over(
        order_by=[*(each.desc() for each in fruit), efforts.c.source, efforts.c.campaign]
    )
    ranked = sa.select(efforts.c.source, efforts.c.campaign, *figures, place.label("place"))
    ranked_rows = ranked.subquery("ranked")
    # What has no place of its own shares the one after them.
    shared = sa.func.least(ranked_rows.c.place, question.most + 1, type_=sa.BigInteger())
    columns: list[sa.ColumnElement[Any]] = [
        shared,
        sa.func.min(ranked_rows.c.source),
        sa.func.min(ranked_rows.c.campaign),
        *(sa.func.sum(ranked_rows.c[name]) for name in _COUNTERS),
    ]
    statement = sa.select(*columns).group_by(shared).order_by(shared)
    return [_effort(row, question.most) for row in await work.rows(statement)]


def _effort(row: Sequence[Any], most: int) -> EffortCount:
    place, source, campaign, *figures = row
    numbers = dict(zip(_COUNTERS, map(int, figures), strict=True))
    is_other = place > most
    return EffortCount(
        source=None if is_other else source,
        campaign=None if is_other else campaign,
        is_other=is_other,
        revenue_minor=numbers.pop("revenue"),
        **numbers,
    )


def _efforts(work: PostgresWork, question: EffortCounts) -> sa.Select[Any]:
    meant = (
        leads.c.tenant_id == work.tenant_id,
        leads.c.created_at >= question.since,
        leads.c.created_at < question.until,
    )
    far = _furthest(work, meant).subquery("far")
    deals = _deals(work).subquery("deals")
    money = _money(work, question).subquery("money")
    return (
        sa.select(
            leads.c.origin_source.label("source"),
            leads.c.origin_campaign.label("campaign"),
            sa.func.count().label("leads"),
            sa.func.count().filter(far.c.mql).label("mqls"),
            sa.func.count().filter(far.c.sql).label("sqls"),
            *(
                sa.func.coalesce(sa.func.sum(counted), 0).label(name)
                for name, counted in (
                    ("opportunities", deals.c.opened),
                    ("won", deals.c.won),
                    ("revenue", money.c.amount),
                    ("foreign", money.c.foreign),
                )
            ),
        )
        .select_from(
            leads.join(far, far.c.id == leads.c.id)
            .outerjoin(deals, deals.c.lead_id == leads.c.id)
            .outerjoin(money, money.c.lead_id == leads.c.id)
        )
        .where(*meant)
        .group_by(leads.c.origin_source, leads.c.origin_campaign)
    )


def _furthest(work: PostgresWork, meant: Sequence[sa.ColumnElement[bool]]) -> sa.Select[Any]:
    """Return whether each lead ever came as far as MQL and SQL."""
    history = leads.outerjoin(
        entries,
        sa.and_(entries.c.tenant_id == work.tenant_id, entries.c.lead_id == leads.c.id),
    )

    def came(stage: Stage) -> sa.ColumnElement[bool]:
        far = sa.literal([each.value for each in stage.onward], _TEXTS)
        reached = sa.or_(entries.c.stage == sa.any_(far), leads.c.stage == sa.any_(far))
        return sa.func.bool_or(sa.func.coalesce(reached, sa.false()))

    return (
        sa.select(leads.c.id, came(Stage.MQL).label("mql"), came(Stage.SQL).label("sql"))
        .select_from(history)
        .where(*meant)
        .group_by(leads.c.id)
    )


_TEXTS = postgresql.ARRAY(sa.Text())


def _deals(work: PostgresWork) -> sa.Select[Any]:
    won = opportunities.c.status == OpportunityStatus.WON.value
    return (
        sa.select(
            opportunities.c.lead_id,
            sa.func.count().label("opened"),
            sa.func.count().filter(won).label("won"),
        )
        .where(opportunities.c.tenant_id == work.tenant_id)
        .group_by(opportunities.c.lead_id)
    )


def _money(work: PostgresWork, question: EffortCounts) -> sa.Select[Any]:
    amount = _exchanged(work, question)
    return (
        sa.select(
            customers.c.lead_id,
            sa.func.coalesce(sa.func.sum(amount), 0).label("amount"),
            sa.func.count().filter(amount.is_(None)).label("foreign"),
        )
        .select_from(customers.join(events, events.c.customer_id == customers.c.id))
        .where(
            customers.c.tenant_id == work.tenant_id,
            events.c.tenant_id == work.tenant_id,
            events.c.kind != RevenueKind.CHURN.value,
        )
        .group_by(customers.c.lead_id)
    )


def _exchanged(work: PostgresWork, question: EffortCounts | RevenueCounts) -> sa.ColumnElement[Any]:
    """Return an event's amount by the rate of its day, NULL where there is none."""
    day, to = local_day(events.c.at, question.time_zone), question.currency
    minor, currency = events.c.amount_minor, events.c.currency
    return exchanged(Amount(work.tenant_id, minor, currency, day, to=to))


@answers(RevenueCounts)
async def revenue_counts(work: PostgresWork, question: RevenueCounts) -> Sequence[RevenueCount]:
    """Return the revenue of each span that has any, by the index revenue_events_by_instant."""
    starts = sa.literal(list(question.starts), postgresql.ARRAY(sa.DateTime(timezone=True)))
    span = sa.func.width_bucket(events.c.at, starts, type_=sa.Integer())
    amount = _exchanged(work, question)
    kind = events.c.kind
    came = sa.func.sum(amount)
    parts = (
        kind == RevenueKind.NEW.value,
        sa.or_(kind == RevenueKind.EXPANSION.value, kind == RevenueKind.RENEWAL.value),
        kind == RevenueKind.CHURN.value,
    )
    statement = (
        sa.select(
            span,
            *(sa.func.coalesce(came.filter(part), 0) for part in parts),
            sa.func.count().filter(amount.is_(None)),
        )
        .where(events.c.at >= question.starts[0], events.c.at < question.until)
        .group_by(span)
        .order_by(span)
    )
    return [
        RevenueCount(
            span=row[0],
            new_minor=int(row[1]),
            again_minor=int(row[2]),
            lost_minor=int(row[3]),
            foreign=row[4],
        )
        for row in await work.rows(statement)
    ]
