"""Sums over opportunities, for forecasts and for how deals went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from domain.forecast import (
    ClosedSum,
    ClosedSums,
    DealSum,
    PipelineSums,
    StageRecord,
    StageRecords,
    WonDeal,
    WonDeals,
)
from domain.handoff import Handoff
from domain.leads import Lead
from domain.opportunities import (
    AmountsWon,
    Opportunity,
    OpportunityStatus,
    OpportunityStep,
    WonAmounts,
)
from domain.sla.calendar import always_open
from infra.database import PostgresWork
from infra.queries import answers
from infra.queries.exchange import (
    Amount,
    earliest_lacking,
    exchanged,
    lacks_rate,
    local_day,
    missing_rate,
    refuse_missing,
)
from infra.rows import table_of

opportunities = table_of(Opportunity)
steps = table_of(OpportunityStep)
handoffs = table_of(Handoff)
leads = table_of(Lead)

_OPEN, _WON, _LOST = (status.value for status in OpportunityStatus)


@answers(PipelineSums)
async def pipeline_sums(work: PostgresWork, question: PipelineSums) -> Sequence[DealSum]:
    """Return sums by stage, owner, team and status, in no order; lost and won by when they closed.

    Two statements: open ones by the index opportunities_by_expected, closed ones by
    opportunities_by_status.  The rest is a row for each group.
    """
    calendar, period = always_open(question.time_zone), question.period
    expected = sa.and_(
        opportunities.c.status == _OPEN,
        opportunities.c.expected_close_on >= period.first,
        opportunities.c.expected_close_on < period.end,
    )
    ended = sa.and_(
        _is_closed(),
        opportunities.c.closed_at >= calendar.day_starts_at(period.first),
        opportunities.c.closed_at < calendar.day_starts_at(period.end),
    )
    today = sa.literal(question.on, sa.Date())
    closed_on = local_day(opportunities.c.closed_at, question.time_zone)
    found = await _sums(work, expected, today, to=question.currency)
    return [*found, *await _sums(work, ended, closed_on, to=question.currency)]


@answers(StageRecords)
async def stage_records(work: PostgresWork, question: StageRecords) -> Mapping[UUID, StageRecord]:
    """Return how the opportunities ended that were ever in each stage.

    Closed ones by the index opportunities_by_status, their steps by
    opportunity_steps_by_opportunity; each counts once for a stage, however often it was there.
    """
    entered = (
        sa.select(steps.c.stage_id, opportunities.c.id, opportunities.c.status)
        .distinct()
        .select_from(steps.join(opportunities, opportunities.c.id == steps.c.opportunity_id))
        .where(
            steps.c.tenant_id == work.tenant_id,
            opportunities.c.tenant_id == work.tenant_id,
            steps.c.status == _OPEN,
            _is_closed(),
            opportunities.c.closed_at >= question.since,
        )
        .subquery()
    )
    won = sa.func.count().filter(entered.c.status == _WON)
    statement = sa.select(entered.c.stage_id, sa.func.count(), won).group_by(entered.c.stage_id)
    return {row[0]: StageRecord(closed=row[1], won=row[2]) for row in await work.rows(statement)}


@answers(ClosedSums)
async def closed_sums(work: PostgresWork, question: ClosedSums) -> ClosedSum:
    """Return what was won and lost since an instant, and what is open.

    Two statements, both by the index opportunities_by_status.
    """
    closed_on = local_day(opportunities.c.closed_at, question.time_zone)
    amount = _amount(work, closed_on, to=question.currency)
    statement = (
        sa.select(
            opportunities.c.status,
            sa.func.count(),
            sa.func.count(opportunities.c.amount_minor),
            sa.func.coalesce(sa.func.sum(exchanged(amount)), 0),
            earliest_lacking(amount),
        )
        .where(_is_closed(), opportunities.c.closed_at >= question.since)
        .group_by(opportunities.c.status)
    )
    rows = {row[0]: row for row in await work.rows(statement)}
    refuse_missing(
        min((row[4] for row in rows.values() if row[4]), default=None), to=question.currency
    )
    waiting: list[sa.ColumnElement[Any]] = [
        sa.func.count(),
        sa.func.count().filter(opportunities.c.expected_close_on.is_(None)),
        sa.func.count().filter(opportunities.c.expected_close_on < question.today),
    ]
    [opened] = await work.rows(sa.select(*waiting).where(opportunities.c.status == _OPEN))
    won, lost = (rows.get(status, (status, 0, 0, 0, None)) for status in (_WON, _LOST))
    return ClosedSum(
        open_count=opened[0],
        undated_count=opened[1],
        overdue_count=opened[2],
        won_count=won[1],
        lost_count=lost[1],
        priced_won_count=won[2],
        won_minor=int(won[3]),
        lost_minor=int(lost[3]),
    )


@answers(WonDeals)
async def won_deals(work: PostgresWork, question: WonDeals) -> Sequence[WonDeal]:
    """Return the deals won since an instant, the latest first, by opportunities_by_status."""
    statement = (
        sa.select(
            leads.c.created_at,
            opportunities.c.opened_at,
            opportunities.c.closed_at,
            opportunities.c.owner_id,
            handoffs.c.to_team_id,
        )
        .select_from(
            opportunities.join(
                leads,
                sa.and_(
                    leads.c.tenant_id == opportunities.c.tenant_id,
                    leads.c.id == opportunities.c.lead_id,
                ),
            ).outerjoin(handoffs, _behind())
        )
        .where(opportunities.c.tenant_id == work.tenant_id, opportunities.c.status == _WON)
        .where(opportunities.c.closed_at >= question.since)
        .order_by(opportunities.c.closed_at.desc(), opportunities.c.id.desc())
        .limit(sa.literal(question.limit, sa.BigInteger()))
        .subquery()
    )
    return [_won_deal(row) for row in await work.rows(sa.select(statement))]


@answers(AmountsWon)
async def amounts_won(work: PostgresWork, question: AmountsWon) -> WonAmounts:
    """Add up what was won in a time, in one statement by the index opportunities_by_status."""
    amount = Amount(
        work.tenant_id,
        opportunities.c.amount_minor,
        opportunities.c.currency,
        local_day(opportunities.c.closed_at, question.time_zone),
        to=question.currency,
        through=question.own,
    )
    minor = exchanged(amount)
    statement = sa.select(
        sa.func.count(minor),
        sa.func.coalesce(sa.func.sum(minor), 0),
        sa.func.count(lacks_rate(amount)),
        earliest_lacking(amount),
    ).where(opportunities.c.status == _WON, opportunities.c.closed_at >= question.since)
    if question.until is not None:
        statement = statement.where(opportunities.c.closed_at < question.until)
    ((deals, total, unrated, lacking),) = await work.rows(statement)
    return WonAmounts(
        deals=deals,
        minor=int(total),
        unrated=unrated,
        missing=missing_rate(lacking, to=question.currency),
    )


def _won_deal(row: Sequence[Any]) -> WonDeal:
    # Whoever has a deal with us was seen by then, also where only the deal tells of it.
    return WonDeal(
        seen_at=min(row[0], row[1]),
        opened_at=row[1],
        closed_at=row[2],
        owner_id=row[3],
        team_id=row[4],
    )


async def _sums(
    work: PostgresWork,
    which: sa.ColumnElement[bool],
    on: sa.ColumnElement[date],
    *,
    to: str,
) -> list[DealSum]:
    amount = _amount(work, on, to=to)
    group = (
        opportunities.c.stage_id,
        opportunities.c.owner_id,
        handoffs.c.to_team_id,
        opportunities.c.status,
    )
    grouped = (
        sa.select(
            *group,
            sa.func.count().label("deals"),
            sa.func.count(opportunities.c.amount_minor).label("priced"),
            sa.func.coalesce(sa.func.sum(exchanged(amount)), 0).label("minor"),
            earliest_lacking(amount).label("missing"),
        )
        .select_from(opportunities.outerjoin(handoffs, _behind()))
        .where(opportunities.c.tenant_id == work.tenant_id, which)
        .group_by(*group)
        .subquery()
    )
    rows = await work.rows(sa.select(grouped))
    refuse_missing(min((row[7] for row in rows if row[7]), default=None), to=to)
    return [_deal_sum(row) for row in rows]


def _deal_sum(row: Sequence[Any]) -> DealSum:
    return DealSum(
        stage_id=row[0],
        owner_id=row[1],
        team_id=row[2],
        status=OpportunityStatus(row[3]),
        deals=row[4],
        unpriced=row[4] - row[5],
        minor=int(row[6]),
    )


def _amount(work: PostgresWork, on: sa.ColumnElement[date], *, to: str) -> Amount:
    minor, currency = opportunities.c.amount_minor, opportunities.c.currency
    return Amount(work.tenant_id, minor, currency, on, to=to)


def _behind() -> sa.ColumnElement[bool]:
    return sa.and_(
        handoffs.c.tenant_id == opportunities.c.tenant_id,
        handoffs.c.id == opportunities.c.handoff_id,
    )


def _is_closed() -> sa.ColumnElement[bool]:
    return sa.or_(opportunities.c.status == _WON, opportunities.c.status == _LOST)
