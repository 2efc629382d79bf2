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
    added up once each by lead, so no figure is counted twice.
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
    each = _each(work, question)
    return sa.select(
        each.c.source,
        each.c.campaign,
        sa.func.count().label("leads"),
        sa.func.count().filter(each.c.mql).label("mqls"),
        sa.func.count().filter(each.c.sql).label("sqls"),
        *(
            sa.func.coalesce(sa.func.sum(counted), 0).label(name)
            for name, counted in (
                ("opportunities", each.c.opened),
                ("won", each.c.won),
                ("revenue", each.c.amount),
                ("foreign", each.c.foreign),
            )
        ),
    ).group_by(each.c.source, each.c.campaign)


def _each(work: PostgresWork, question: EffortCounts) -> Any:
    """Return one row a lead that is meant.

    What is known of leads is stacked and added up by lead instead of being joined, so that it takes
    as long as there are rows, whatever PostgreSQL believes of their number.
    """
    stacked = sa.union_all(_came(work, question), _deals(work), _money(work, question)).subquery(
        "stacked"
    )
    known = (
        *(sa.func.max(stacked.c[name]).label(name) for name in ("source", "campaign")),
        *(sa.func.bool_or(stacked.c[name]).label(name) for name in ("mql", "sql")),
        *(sa.func.sum(stacked.c[name]).label(name) for name in _ADDED),
    )
    is_meant = sa.func.bool_or(stacked.c.is_meant)
    return sa.select(*known).group_by(stacked.c.lead_id).having(is_meant).subquery("each_lead")


_ADDED = ("opened", "won", "amount", "foreign")


def _part(lead_id: sa.ColumnElement[Any], **known: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """Return a SELECT of what is stacked; what it does not know is null."""
    kinds: dict[str, Any] = {
        **dict.fromkeys(("is_meant", "mql", "sql"), sa.Boolean()),
        **dict.fromkeys(("source", "campaign"), sa.Text()),
        **dict.fromkeys(_ADDED, sa.Numeric()),
    }
    columns = {name: known.get(name, sa.cast(sa.null(), kind)) for name, kind in kinds.items()}
    return sa.select(lead_id.label("lead_id"), *(c.label(n) for n, c in columns.items()))


def _came(work: PostgresWork, question: EffortCounts) -> sa.Select[Any]:
    """Return the leads that are meant, and whether each ever came as far as MQL and SQL."""
    history = leads.outerjoin(
        entries,
        sa.and_(entries.c.tenant_id == work.tenant_id, entries.c.lead_id == leads.c.id),
    )

    def came(stage: Stage) -> sa.ColumnElement[bool]:
        far = sa.literal([each.value for each in stage.onward], _TEXTS)
        reached = sa.or_(entries.c.stage == sa.any_(far), leads.c.stage == sa.any_(far))
        return sa.func.bool_or(sa.func.coalesce(reached, sa.false()))

    return (
        _part(
            leads.c.id,
            is_meant=sa.true(),
            source=leads.c.origin_source,
            campaign=leads.c.origin_campaign,
            mql=came(Stage.MQL),
            sql=came(Stage.SQL),
        )
        .select_from(history)
        .where(
            leads.c.tenant_id == work.tenant_id,
            leads.c.created_at >= question.since,
            leads.c.created_at < question.until,
        )
        .group_by(leads.c.tenant_id, leads.c.id)
    )


_TEXTS = postgresql.ARRAY(sa.Text())


def _deals(work: PostgresWork) -> sa.Select[Any]:
    won = opportunities.c.status == OpportunityStatus.WON.value
    return _part(
        opportunities.c.lead_id,
        opened=sa.literal(1, sa.Numeric()),
        won=sa.case((won, sa.literal(1, sa.Numeric())), else_=sa.literal(0, sa.Numeric())),
    ).where(opportunities.c.tenant_id == work.tenant_id)


def _money(work: PostgresWork, question: EffortCounts) -> sa.Select[Any]:
    amount = _exchanged(work, question)
    one, none = sa.literal(1, sa.Numeric()), sa.literal(0, sa.Numeric())
    return (
        _part(
            customers.c.lead_id,
            amount=amount,
            foreign=sa.case((amount.is_(None), one), else_=none),
        )
        .select_from(customers.join(events, events.c.customer_id == customers.c.id))
        .where(
            customers.c.tenant_id == work.tenant_id,
            events.c.tenant_id == work.tenant_id,
            events.c.kind != RevenueKind.CHURN.value,
        )
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
