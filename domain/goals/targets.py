"""Goals: a metric, a team that owns it, a period and a number both teams can see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from domain.errors import DomainError, Invalid, NotFound
from domain.events import GoalChanged
from domain.filters import FieldType, FilterField, FilterFields
from domain.identity import Actor, Permission, Team
from domain.ids import new_id
from domain.ports import Work, first
from domain.stages import Side
from domain.values import Period, PeriodKind, requested_period, require_text

_LONGEST_DAYS = 731
_MOST = 10**12


class Metric(StrEnum):
    """What a goal counts, each on the local day it happened.

    MQLS, SQLS, OPPORTUNITIES and CUSTOMERS count a lead once: when it first came so far.
    """

    LEADS_CREATED = "LEADS_CREATED"
    MQLS = "MQLS"
    HANDOFFS = "HANDOFFS"
    HANDOFFS_ACCEPTED = "HANDOFFS_ACCEPTED"
    HANDOFFS_REJECTED = "HANDOFFS_REJECTED"
    SQLS = "SQLS"
    OPPORTUNITIES = "OPPORTUNITIES"
    CUSTOMERS = "CUSTOMERS"
    RESPONSE_RATE = "RESPONSE_RATE"
    ACCEPTANCE_RATE = "ACCEPTANCE_RATE"

    @property
    def is_rate(self) -> bool:
        return self in {Metric.RESPONSE_RATE, Metric.ACCEPTANCE_RATE}


# The side whose teams each count is credited to.  What is not named here is the tenant's: a lead
# that becomes an MQL is nobody's alone.
CREDITED_TO: Mapping[Metric, Side] = {
    Metric.HANDOFFS: Side.MARKETING,
    Metric.HANDOFFS_ACCEPTED: Side.SALES,
    Metric.HANDOFFS_REJECTED: Side.SALES,
    Metric.RESPONSE_RATE: Side.SALES,
    Metric.ACCEPTANCE_RATE: Side.SALES,
}

# The team that stands for "the whole tenant" in a tally.
EVERYBODY = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A number to reach in a period.  A rate's target is a share of 0-1, any other a count."""

    id: UUID
    name: str
    metric: Metric
    team_id: UUID
    starts_on: date
    ends_on: date
    target: Decimal
    created_by: UUID
    created_at: datetime
    archived_at: datetime | None = None
    version: int = 1

    @property
    def period(self) -> Period:
        return Period(self.starts_on, self.ends_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricTally:
    """How often something happened on one local day, for one team or for EVERYBODY."""

    metric: str
    team_id: UUID
    on: date
    amount: int = 0


def _field(name: str, attribute: str, type: FieldType, description: str) -> FilterField:
    return FilterField(name=name, attribute=attribute, type=type, description=description)


GOAL_FIELDS = FilterFields(
    "goal",
    (
        _field("name", "name", FieldType.TEXT, "What people call it."),
        FilterField(
            name="metric",
            attribute="metric",
            type=FieldType.CHOICE,
            choices=Metric,
            description="What it counts.",
        ),
        FilterField(
            name="teamId",
            attribute="team_id",
            type=FieldType.ID,
            kind="Team",
            description="The team that owns it.",
        ),
        _field("startsOn", "starts_on", FieldType.DAY, "Its first day."),
        _field("endsOn", "ends_on", FieldType.DAY, "The day after its last one."),
        _field(
            "archivedAt", "archived_at", FieldType.INSTANT, "When it was put away; missing before."
        ),
    ),
)


class BadTarget(Invalid):
    """A number that cannot be a target of its metric."""

    code = "BAD_TARGET"


class BadPeriod(Invalid):
    """Days that nobody sets goals for."""

    code = "BAD_PERIOD"


class GoalIsArchived(DomainError):
    """Nothing can be changed about a goal that was put away."""

    code = "GOAL_IS_ARCHIVED"

    def __init__(self) -> None:
        super().__init__("The goal is archived and no longer changes.", path=("goal",))


def goal_period(kind: PeriodKind, starts_on: date, ends_on: date | None) -> Period:
    """Return the period that a request names.

    Raises:
        Invalid: as `period_of`, with the path below `period`; BadPeriod for one that is longer
            than two years, or centuries away.
    """
    return requested_period(
        kind,
        starts_on,
        ends_on,
        longest=_LONGEST_DAYS,
        too_long=f"A goal runs for at most {_LONGEST_DAYS} days.",
        refusal=BadPeriod,
    )


async def create_goal(
    work: Work,
    actor: Actor,
    *,
    name: str,
    metric: Metric,
    team_id: UUID,
    period: Period,
    target: Decimal,
) -> Goal:
    """Set a goal that both teams can see."""
    actor.require(Permission.SET_GOALS)
    goal = Goal(
        id=new_id(),
        name=require_text(name, name="The name", path=("name",)),
        metric=metric,
        team_id=await _team(work, team_id),
        starts_on=period.first,
        ends_on=period.end,
        target=target,
        created_by=actor.require_user(),
        created_at=work.now,
    )
    _check(goal)
    goal = await work.add(goal)
    work.record(GoalChanged(at=work.now, goal_id=goal.id))
    return goal


async def update_goal(
    work: Work,
    actor: Actor,
    goal_id: UUID,
    *,
    name: str | None = None,
    team_id: UUID | None = None,
    period: Period | None = None,
    target: Decimal | None = None,
) -> Goal:
    """Change a goal, all but what it counts; None leaves a thing as it is."""
    actor.require(Permission.SET_GOALS)
    goal = await _locked(work, goal_id)
    if goal.archived_at is not None:
        raise GoalIsArchived
    if name is not None:
        goal = replace(goal, name=require_text(name, name="The name", path=("name",)))
    if team_id is not None:
        goal = replace(goal, team_id=await _team(work, team_id))
    if period is not None:
        goal = replace(goal, starts_on=period.first, ends_on=period.end)
    if target is not None:
        goal = replace(goal, target=target)
    _check(goal)
    goal = await work.save(goal)
    work.record(GoalChanged(at=work.now, goal_id=goal.id))
    return goal


async def archive_goal(work: Work, actor: Actor, goal_id: UUID) -> Goal:
    """Put a goal away: it stays readable, and leaves the board.  Once more changes nothing."""
    actor.require(Permission.SET_GOALS)
    goal = await _locked(work, goal_id)
    if goal.archived_at is not None:
        return goal
    goal = await work.save(replace(goal, archived_at=work.now))
    work.record(GoalChanged(at=work.now, goal_id=goal.id))
    return goal


def counted_for(goal: Goal, team: Team) -> UUID:
    """Return whose counts a goal goes by: its team's own, or EVERYBODY's.

    A count goes by the team if it is credited to teams of that side.  A marketing team whose goal
    is accepted hand-offs looks at all of them, because it is sales who accepts.
    """
    return team.id if CREDITED_TO.get(goal.metric) is team.side else EVERYBODY


def _check(goal: Goal) -> None:
    """Refuse a target that cannot be one of the goal's metric."""
    if goal.metric.is_rate and not 0 < goal.target <= 1:
        raise BadTarget(
            "The target of a rate is a share above 0 and at most 1 (not a percentage).",
            path=("target",),
        )
    whole = goal.target == goal.target.to_integral_value()
    if not goal.metric.is_rate and not (whole and 1 <= goal.target <= _MOST):
        raise BadTarget(f"A target is a whole number from 1 to {_MOST:,}.", path=("target",))


async def _locked(work: Work, goal_id: UUID) -> Goal:
    goal = await first(work, Goal, id=goal_id, lock=True)
    if goal is None:
        raise NotFound("goal", path=("goal",))
    return goal


async def _team(work: Work, team_id: UUID) -> UUID:
    if await first(work, Team, id=team_id) is None:
        raise NotFound("team", path=("team",))
    return team_id
