"""Win rate, average deal, cycle and velocity, from what was won and lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from domain.errors import Invalid
from domain.forecast.asking import ClosedSum, ClosedSums, WonDeal, WonDeals
from domain.forecast.shares import (
    Spread,
    WhyUnknown,
    mean_days,
    share_of,
    spread,
    velocity,
    whole_minor,
)
from domain.goals.progress import working_week
from domain.identity import Actor, Permission, Team, TeamMember, Tenant
from domain.ports import Work
from domain.sla.agreeing import calendar_version_at, hours_of
from domain.sla.calendar import WorkingHours, always_open
from domain.stages import Side
from domain.values import Money

# How long back figures look, unless somebody says otherwise.
LOOK_BACK_DAYS = 365
# Of more deals than these, the latest say how long deals take.
MOST_CYCLES = 10_000
_A_TURN = 250
_FIRST_DAY = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """How long the deals took that were won: by the clock, and in the team's working time."""

    deals: int
    elapsed: Spread | None
    working: Spread | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesFigures:
    """How deals went since a day, each figure with what it is made of.

    Money is in the tenant's currency, each deal by the rate of the day it was closed on.
    """

    as_of: datetime
    since_on: date
    open_count: int
    won_count: int
    lost_count: int
    won_amount: Money
    lost_amount: Money
    win_rate: Decimal | None
    value_win_rate: Decimal | None
    average_deal: Money | None
    cycle: Cycle
    lead_cycle: Cycle
    velocity_per_day: Money | None
    velocity_unknown: WhyUnknown | None


async def sales_figures(work: Work, actor: Actor, *, since_on: date | None = None) -> SalesFigures:
    """Return how deals went since a day, a year ago if none is named.

    Raises:
        RateMissing: if something was closed in a currency that has no rate for that day.
    """
    actor.require(Permission.VIEW)
    tenant = await work.get(Tenant, work.tenant_id)
    since_on, calendar = first_day(tenant, since_on, work.now), always_open(tenant.time_zone)
    since = calendar.day_starts_at(since_on)
    closed = await work.ask(
        ClosedSums(
            since=since,
            today=calendar.local_day(work.now),
            time_zone=tenant.time_zone,
            currency=tenant.currency,
        )
    )
    won = await work.ask(WonDeals(since=since, limit=MOST_CYCLES))
    cycle, lead_cycle = await _cycles(work, tenant.time_zone, won)
    took = mean_days([deal.closed_at - deal.opened_at for deal in won])
    per_day = _per_day(closed, took)
    return SalesFigures(
        as_of=work.now,
        since_on=since_on,
        **_sums(closed, tenant.currency),
        cycle=cycle,
        lead_cycle=lead_cycle,
        velocity_per_day=None if per_day is None else Money(per_day, tenant.currency),
        velocity_unknown=None if per_day is not None else _why_no_velocity(closed),
    )


def first_day(tenant: Tenant, since_on: date | None, now: datetime) -> date:
    """Return the day that figures look back to.

    Raises:
        Invalid: if it lies in the future, or before 1970.
    """
    today = always_open(tenant.time_zone).local_day(now)
    if since_on is None:
        return today - timedelta(LOOK_BACK_DAYS)
    if not _FIRST_DAY <= since_on <= today:
        raise Invalid("Look back to a day from 1970 to today.", path=("since",))
    return since_on


def average_deal(closed: ClosedSum) -> Fraction | None:
    """Return the mean of the deals won whose amount is known, in minor units and exactly."""
    if closed.priced_won_count == 0:
        return None
    return Fraction(closed.won_minor, closed.priced_won_count)


async def teams_of(work: Work, owner_ids: Iterable[UUID | None]) -> Mapping[UUID | None, UUID]:
    """Return the sales team of each owner who is in exactly one."""
    owners = [owner_id for owner_id in owner_ids if owner_id is not None]
    if not owners:
        return {}
    sales = {team.id for team in await work.find(Team, side=Side.SALES)}
    found: dict[UUID | None, list[UUID]] = {}
    for member in await work.find(TeamMember, user_id=owners):
        if member.team_id in sales:
            found.setdefault(member.user_id, []).append(member.team_id)
    return {owner: teams[0] for owner, teams in found.items() if len(teams) == 1}


def _sums(closed: ClosedSum, currency: str) -> dict[str, Any]:
    """Return what follows from the sums alone."""
    average, ended = average_deal(closed), closed.won_count + closed.lost_count
    return {
        "open_count": closed.open_count,
        "won_count": closed.won_count,
        "lost_count": closed.lost_count,
        "won_amount": Money(closed.won_minor, currency),
        "lost_amount": Money(closed.lost_minor, currency),
        "win_rate": share_of(closed.won_count, ended),
        "value_win_rate": share_of(closed.won_minor, closed.won_minor + closed.lost_minor),
        "average_deal": None if average is None else Money(whole_minor(average), currency),
    }


def _per_day(closed: ClosedSum, took: Fraction | None) -> int | None:
    """Return what the pipeline brings a day, by how many days deals took; None if nobody knows."""
    average = average_deal(closed)
    if average is None or not took:
        return None
    return velocity(
        opportunities=closed.open_count,
        win_rate=Fraction(closed.won_count, closed.won_count + closed.lost_count),
        average_deal=average,
        cycle_days=took,
    )


def _why_no_velocity(closed: ClosedSum) -> WhyUnknown:
    """Say why nobody knows what the pipeline brings a day."""
    if closed.won_count == 0:
        return WhyUnknown.NOTHING_WON if closed.lost_count else WhyUnknown.NOTHING_CLOSED
    return WhyUnknown.NO_AMOUNTS if closed.priced_won_count == 0 else WhyUnknown.NO_TIME


async def _cycles(work: Work, time_zone: str, won: Sequence[WonDeal]) -> tuple[Cycle, Cycle]:
    """Return how long deals took since they were opened, and since the lead was first seen."""
    teams = await teams_of(work, {deal.owner_id for deal in won if deal.team_id is None})
    whose = [deal.team_id or teams.get(deal.owner_id) for deal in won]
    hours = await _hours(work, time_zone, set(whose))
    worked: list[tuple[timedelta, timedelta]] = []
    for deal, team in zip(won, whose, strict=True):
        if len(worked) % _A_TURN == 0:
            await asyncio.sleep(0)  # ten thousand take a tenth of a second: others first
        between = hours[team].between
        worked.append(
            (between(deal.opened_at, deal.closed_at), between(deal.seen_at, deal.closed_at))
        )
    since_opened = [deal.closed_at - deal.opened_at for deal in won]
    since_seen = [deal.closed_at - deal.seen_at for deal in won]
    return (
        _cycle(since_opened, [opened for opened, _ in worked]),
        _cycle(since_seen, [seen for _, seen in worked]),
    )


def _cycle(elapsed: Sequence[timedelta], worked: Sequence[timedelta]) -> Cycle:
    return Cycle(deals=len(elapsed), elapsed=spread(elapsed), working=spread(worked))


async def _hours(
    work: Work, time_zone: str, team_ids: Iterable[UUID | None]
) -> Mapping[UUID | None, WorkingHours]:
    """Return the working hours of teams; of none, or one without a calendar, the usual week."""
    hours: dict[UUID | None, WorkingHours] = {None: working_week(time_zone)}
    wanted = [team_id for team_id in team_ids if team_id is not None]
    for team in await work.find(Team, id=wanted) if wanted else ():
        if team.calendar_id is None:
            hours[team.id] = hours[None]
        else:
            version = await calendar_version_at(work, team.calendar_id, work.now)
            hours[team.id] = await hours_of(work, version.id)
    return hours
