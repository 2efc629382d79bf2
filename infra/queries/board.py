"""Reads for the board on the wall.  None of them reads who a lead is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from domain.board import (
    BoardClock,
    DealsWon,
    DealsWonSince,
    GoalsOn,
    RecentBreaches,
    SlasAround,
    UrgentClocks,
)
from domain.events import ClockTransitioned
from domain.feed import LoggedEvent
from domain.goals.targets import Goal
from domain.handoff import Handoff
from domain.identity import Team
from domain.leads import Lead
from domain.opportunities import Opportunity, OpportunityStatus
from domain.sla.agreement import Commitment, Sla
from domain.sla.clock import ClockState
from domain.sla.clocks import SlaClock
from infra.database import PostgresWork, rows_of
from infra.queries import answers
from infra.queries.exchange import (
    Amount,
    earliest_lacking,
    exchanged,
    lacks_rate,
    local_day,
    missing_rate,
)
from infra.rows import table_of

slas = table_of(Sla)
goals = table_of(Goal)
clocks = table_of(SlaClock)
leads = table_of(Lead)
teams = table_of(Team)
commitments = table_of(Commitment)
event_log = table_of(LoggedEvent)
opportunities = table_of(Opportunity)
handoffs = table_of(Handoff)

# No time zone is further than this from UTC.
_A_DAY = timedelta(days=1)
# How many of the newest changes of clocks are looked through for breaches.
_NEWEST = 1000


@answers(SlasAround)
async def slas_around(work: PostgresWork, question: SlasAround) -> Sequence[Sla]:
    """Return signed agreements that had taken effect and not ceased, by start; usually a handful.

    Uses the indexes slas_by_start and slas_by_team.
    """
    day = question.at.date()
    statement = rows_of(Sla).where(
        slas.c.marketing_signed_at.is_not(None),
        slas.c.sales_signed_at.is_not(None),
        slas.c.starts_on <= day + _A_DAY,
        slas.c.ends_on >= day - _A_DAY,
        slas.c.effective_at <= question.at,
        sa.or_(slas.c.ceased_at.is_(None), slas.c.ceased_at > question.at),
    )
    if question.sales_team_id is not None:
        statement = statement.where(slas.c.sales_team_id == question.sales_team_id)
    return await work.fetch(Sla, statement.order_by(slas.c.starts_on, slas.c.id))


@answers(UrgentClocks)
async def urgent_clocks(work: PostgresWork, question: UrgentClocks) -> Sequence[BoardClock]:
    """Return open clocks around an instant: at most so many due from then on, and before.

    Both ways along the partial index sla_clocks_by_due (due_at, id).
    """
    found: list[Sequence[Any]] = []
    for side, order in (
        (clocks.c.due_at >= question.at, (clocks.c.due_at, clocks.c.id)),
        (clocks.c.due_at < question.at, (clocks.c.due_at.desc(), clocks.c.id.desc())),
    ):
        statement = _board_clocks(question.sales_team_id).where(clocks.c.ended_at.is_(None), side)
        found += await work.rows(statement.order_by(*order).limit(question.most))
    return [_board_clock(row) for row in found]


@answers(RecentBreaches)
async def recent_breaches(work: PostgresWork, question: RecentBreaches) -> Sequence[BoardClock]:
    """Return the clocks of the newest breaches in the log that are still late, newest first.

    Two statements, so that no plan can begin at the wrong end.  The first looks through the newest
    changes only, by the index event_log_by_kind (kind, number): its cost does not grow with the
    log.  The second reads clocks by their primary key.
    """
    newest = (
        sa.select(event_log.c.payload, event_log.c.at)
        .where(
            event_log.c.tenant_id == work.tenant_id,
            event_log.c.kind == ClockTransitioned.__name__,
        )
        .order_by(event_log.c.number.desc())
        .limit(_NEWEST)
        .subquery()
    )
    broken = sa.select(newest.c.payload["clock_id"].astext).where(
        newest.c.payload["state"].astext == ClockState.BREACHED.value,
        newest.c.at >= question.since,
    )
    ids = sorted({UUID(row[0]) for row in await work.rows(broken)})
    if not ids:
        return []
    statement = (
        _board_clocks(question.sales_team_id)
        .where(
            clocks.c.id == sa.any_(sa.literal(ids, sa.ARRAY(sa.Uuid))),
            sa.or_(
                clocks.c.state == ClockState.BREACHED.value,
                clocks.c.state == ClockState.MET_LATE.value,
            ),
        )
        .order_by(clocks.c.due_at.desc(), clocks.c.id)
        .limit(question.limit)
    )
    return [_board_clock(row) for row in await work.rows(statement)]


@answers(GoalsOn)
async def goals_on(work: PostgresWork, question: GoalsOn) -> Sequence[Goal]:
    """Return the goals that run on a day, what ends first in front, by the index goals_by_start."""
    statement = (
        rows_of(Goal)
        .where(
            goals.c.starts_on <= question.on,
            goals.c.ends_on > question.on,
            goals.c.archived_at.is_(None),
        )
        .order_by(goals.c.ends_on, goals.c.id)
        .limit(question.limit)
    )
    return await work.fetch(Goal, statement)


@answers(DealsWonSince)
async def deals_won_since(work: PostgresWork, question: DealsWonSince) -> DealsWon | None:
    """Add up the deals won since an instant whose lead was handed off, by opportunities_by_status.

    Whether there is any deal at all is one look at an index.
    """
    any_deal = await work.rows(sa.select(opportunities.c.id).limit(1))
    if not any_deal:
        return None
    handed_off = (
        sa.select(sa.literal(1))
        .where(
            handoffs.c.tenant_id == work.tenant_id, handoffs.c.lead_id == opportunities.c.lead_id
        )
        .exists()
    )
    amount = Amount(
        work.tenant_id,
        opportunities.c.amount_minor,
        opportunities.c.currency,
        local_day(opportunities.c.closed_at, question.time_zone),
        to=question.currency,
    )
    statement = sa.select(
        sa.func.count(),
        sa.func.coalesce(sa.func.sum(exchanged(amount)), 0),
        sa.func.count(lacks_rate(amount)),
        earliest_lacking(amount),
    ).where(
        opportunities.c.status == OpportunityStatus.WON.value,
        opportunities.c.closed_at >= question.since,
        handed_off,
    )
    ((deals, minor, unrated, lacking),) = await work.rows(statement)
    missing = missing_rate(lacking, to=question.currency)
    return DealsWon(deals=deals, minor=int(minor), unrated=unrated, missing=missing)


def _board_clocks(sales_team_id: Any) -> sa.Select[Any]:
    statement = sa.select(
        clocks.c.id,
        leads.c.origin_source,
        teams.c.name,
        commitments.c.name,
        clocks.c.state,
        clocks.c.due_at,
        clocks.c.warn_at,
        clocks.c.ended_at,
    ).select_from(
        clocks.join(leads, leads.c.id == clocks.c.lead_id)
        .join(teams, teams.c.id == clocks.c.team_id)
        .join(commitments, commitments.c.id == clocks.c.commitment_id)
    )
    if sales_team_id is not None:
        statement = statement.where(clocks.c.team_id == sales_team_id)
    return statement


def _board_clock(row: Sequence[Any]) -> BoardClock:
    return BoardClock(
        clock_id=row[0],
        origin_source=row[1],
        team_name=row[2],
        commitment_name=row[3],
        state=ClockState(row[4]),
        due_at=row[5],
        warn_at=row[6],
        ended_at=row[7],
    )
