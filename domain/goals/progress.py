"""How goals stand, by the same pacing as the promises of an agreement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from domain.goals.targets import Goal, Metric, MetricTally, counted_for
from domain.identity import Actor, Permission, Team, Tenant
from domain.ports import Question, Work, by_id
from domain.sla.agreeing import calendar_version_at, hours_of
from domain.sla.calendar import Window, WorkingHours
from domain.sla.pacing import Pace, pace, share, weights
from domain.sla.standing import Moment, SeriesDay, Unit, moment_of, next_look

_CENT, _BASIS_POINT = Decimal("0.01"), Decimal("0.0001")
_DAY_MINUTES = 1440

# What a rate is made of: the counts above the line, and those below it.
RATES: Mapping[Metric, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Metric.RESPONSE_RATE: (("RESPONSES_MET",), ("RESPONSES_CLOSED",)),
    Metric.ACCEPTANCE_RATE: (
        ("HANDOFFS_ACCEPTED",),
        ("HANDOFFS_ACCEPTED", "HANDOFFS_REJECTED"),
    ),
}

Counts = Mapping[date, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalProgress:
    """How a goal stands at an instant.

    Counts are paced through the working days of the owner's calendar.  The p10 and p90 are those
    of the total, or of the true share.  `next_at` is when it is worth looking again if nothing
    happens.
    """

    goal: Goal
    as_of: datetime
    status: Pace
    unit: Unit
    target: Decimal
    attained: Decimal | None
    expected: Decimal
    gap: Decimal | None
    probability: Decimal | None
    p10: Decimal
    p90: Decimal
    series: tuple[SeriesDay, ...]
    counted_for: UUID
    projected: Decimal | None = None
    needed_per_working_day: Decimal | None = None
    remaining_working_days: int | None = None
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricCounts(Question[Sequence[MetricTally]]):
    """The daily counts of some metrics of some teams, from one day up to another (excluded)."""

    metrics: tuple[str, ...]
    team_ids: tuple[UUID, ...]
    first: date
    end: date


async def goal_progress(work: Work, actor: Actor, goal_id: UUID) -> GoalProgress:
    """Return how one goal stands now."""
    actor.require(Permission.VIEW)
    found = await progress_of(work, [await work.get(Goal, goal_id)])
    return found[0]


async def progress_of(work: Work, goals: Sequence[Goal]) -> list[GoalProgress]:
    """Return how goals stand now, in order, from one read of the daily counts."""
    if not goals:
        return []
    tenant = await work.get(Tenant, work.tenant_id)
    teams = by_id(await work.find(Team, id=tuple({goal.team_id for goal in goals})))
    hours = {
        team_id: await _hours(work, team.calendar_id, tenant.time_zone)
        for team_id, team in teams.items()
    }
    whose = {goal.id: counted_for(goal, teams[goal.team_id]) for goal in goals}
    tallies = await work.ask(
        MetricCounts(
            metrics=tuple(sorted({name for goal in goals for name in _counted(goal.metric)})),
            team_ids=tuple(sorted(set(whose.values()))),
            first=min(goal.starts_on for goal in goals),
            end=max(goal.ends_on for goal in goals),
        )
    )
    by_place: dict[tuple[str, UUID], dict[date, int]] = {}
    for tally in tallies:
        by_place.setdefault((tally.metric, tally.team_id), {})[tally.on] = tally.amount
    return [
        progress(
            goal,
            counted_for=whose[goal.id],
            counts={n: by_place.get((n, whose[goal.id]), {}) for n in _counted(goal.metric)},
            hours=hours[goal.team_id],
            zone=tenant.time_zone,
            now=work.now,
        )
        for goal in goals
    ]


def progress(
    goal: Goal,
    *,
    counted_for: UUID,
    counts: Mapping[str, Counts],
    hours: WorkingHours,
    zone: str,
    now: datetime,
) -> GoalProgress:
    """Say how a goal stands.  `counts` are those of every metric it is made of, by local day."""
    moment = moment_of(goal.period, hours, zone, now)
    next_at = next_look(moment, hours=hours, zone=zone, now=now)
    if goal.metric.is_rate:
        return _rate(goal, counts, moment, now=now, counted_for=counted_for, next_at=next_at)
    own = counts[goal.metric.value]
    return _count(goal, own, hours, moment, now=now, counted_for=counted_for, next_at=next_at)


def working_week(time_zone: str) -> WorkingHours:
    """Return the calendar of a team that has none: Monday to Friday, around the clock."""
    return WorkingHours(time_zone, tuple(Window(day, 0, _DAY_MINUTES) for day in range(5)))


def _count(
    goal: Goal,
    counts: Counts,
    hours: WorkingHours,
    moment: Moment,
    *,
    now: datetime,
    counted_for: UUID,
    next_at: datetime | None,
) -> GoalProgress:
    within = {day: amount for day, amount in counts.items() if day in goal.period}
    reading = pace(
        target=goal.target,
        attained=Decimal(sum(within.values())),
        period=goal.period,
        on=moment.on,
        share_of_day=moment.share_of_day,
        hours=hours,
    )
    return GoalProgress(
        goal=goal,
        as_of=now,
        status=reading.pace,
        unit=Unit.COUNT,
        target=goal.target,
        attained=reading.attained,
        expected=reading.expected,
        gap=reading.gap,
        projected=reading.projected,
        needed_per_working_day=reading.needed_per_day,
        remaining_working_days=reading.remaining_days,
        probability=reading.probability,
        p10=reading.total_p10,
        p90=reading.total_p90,
        series=_count_series(goal, within, hours, moment),
        counted_for=counted_for,
        next_at=next_at,
    )


def _count_series(
    goal: Goal, counts: Counts, hours: WorkingHours, moment: Moment
) -> tuple[SeriesDay, ...]:
    weighted = weights(goal.period, hours)
    whole = sum((weight for _, weight in weighted), Decimal(0))
    line, passed, total = [], Decimal(0), 0
    for day, weight in weighted:
        passed += weight
        total += counts.get(day, 0)
        expected = (goal.target * passed / whole).quantize(_CENT, ROUND_HALF_UP)
        line.append(SeriesDay(day, Decimal(total) if day <= moment.on else None, expected))
    return tuple(line)


def _rate(
    goal: Goal,
    counts: Mapping[str, Counts],
    moment: Moment,
    *,
    now: datetime,
    counted_for: UUID,
    next_at: datetime | None,
) -> GoalProgress:
    above, below = RATES[goal.metric]
    series: list[SeriesDay] = []
    met = decided = 0
    for day in goal.period:
        met += sum(counts[name].get(day, 0) for name in above)
        decided += sum(counts[name].get(day, 0) for name in below)
        so_far = (Decimal(met) / decided).quantize(_BASIS_POINT, ROUND_HALF_UP) if decided else None
        series.append(SeriesDay(day, so_far if day <= moment.on else None, goal.target))
    reading = share(
        met=met,
        decided=decided,
        target_share=goal.target,
        period=goal.period,
        on=moment.on,
        share_of_day=moment.share_of_day,
    )
    attained = reading.met_share
    return GoalProgress(
        goal=goal,
        as_of=now,
        status=reading.pace,
        unit=Unit.SHARE,
        target=goal.target,
        attained=attained,
        expected=goal.target,
        gap=None if attained is None else attained - goal.target,
        probability=reading.probability,
        p10=reading.low,
        p90=reading.high,
        series=tuple(series),
        counted_for=counted_for,
        next_at=next_at,
    )


def _counted(metric: Metric) -> tuple[str, ...]:
    """Return the names of the counts a metric is made of."""
    above, below = RATES.get(metric, ((metric.value,), ()))
    return tuple(dict.fromkeys((*above, *below)))


async def _hours(work: Work, calendar_id: UUID | None, time_zone: str) -> WorkingHours:
    if calendar_id is None:
        return working_week(time_zone)
    version = await calendar_version_at(work, calendar_id, work.now)
    return await hours_of(work, version.id)
