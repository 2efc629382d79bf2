"""The weighted forecast of a period, and whether the pipeline covers the quota."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from domain.errors import Invalid, NotFound
from domain.exchange import converted
from domain.forecast.asking import ClosedSum, ClosedSums, DealSum, PipelineSums, StageRecords
from domain.forecast.figures import average_deal, first_day, teams_of
from domain.forecast.shares import (
    StageRecord,
    WhyUnknown,
    observed_chance,
    rounded,
    share_of,
    whole_minor,
)
from domain.goals.targets import Goal, Metric
from domain.identity import CURRENCIES, Actor, Permission, Tenant, UnknownCurrency
from domain.opportunities import OpportunityStatus, PipelineStage
from domain.ports import Work, first
from domain.sla.calendar import always_open
from domain.values import Money, Period


class QuotaUnknown(Invalid):
    """Something from which no quota in money follows."""

    code = "QUOTA_UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastPart:
    """What is expected of some opportunities: of all, a stage's, an owner's or a team's.

    `weighted_agreed` is the sum of amount * chance by the chances agreed for the stages,
    `weighted_observed` by those that history gives them.  Lost ones are in neither.
    """

    open_count: int
    unpriced_count: int
    open_amount: Money
    weighted_agreed: Money
    weighted_observed: Money
    won_count: int
    won_amount: Money
    lost_count: int
    lost_amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class StageForecast:
    """What is expected of a stage's opportunities, by which chances, and where these come from."""

    stage_id: UUID
    part: ForecastPart
    agreed_win_rate: Decimal
    observed_win_rate: Decimal
    closed_count: int
    won_of_closed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerForecast:
    """What is expected of an owner's opportunities; None for those that nobody owns."""

    owner_id: UUID | None
    part: ForecastPart


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamForecast:
    """What is expected of a team's opportunities.

    A team's are those of the leads it was handed, and of those who are in no other sales team.
    """

    team_id: UUID | None
    part: ForecastPart


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Whether the open pipeline that closes in the period is enough for the rest of the quota.

    `coverage` = open pipeline / remaining quota, where remaining = quota - won.  `needed` = 1 / win
    rate by value: so many times the rest must be in the pipeline for the rest to be won.
    `goal_id` is the goal that the quota follows from.
    """

    quota: Money | None
    won_amount: Money
    remaining: Money | None
    open_amount: Money
    coverage: Decimal | None
    value_win_rate: Decimal | None
    needed: Decimal | None
    goal_id: UUID | None = None
    coverage_unknown: WhyUnknown | None = None
    needed_unknown: WhyUnknown | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineForecast:
    """What a period should bring, at an instant.

    `undated_count` are open and in no period, because nobody said when they should close;
    `overdue_count` should have closed before today, and are in the period only if that day is.
    `since_on` is how far back the observed chances and win rates look.
    """

    as_of: datetime
    starts_on: date
    ends_on: date
    since_on: date
    undated_count: int
    overdue_count: int
    total: ForecastPart
    stages: tuple[StageForecast, ...]
    owners: tuple[OwnerForecast, ...]
    teams: tuple[TeamForecast, ...]
    coverage: Coverage


async def pipeline_forecast(
    work: Work,
    actor: Actor,
    *,
    period: Period,
    quota: Money | None = None,
    goal_id: UUID | None = None,
    since_on: date | None = None,
) -> PipelineForecast:
    """Return what a period should bring, by what was agreed and by history side by side.

    Open opportunities count if they are expected to close in the period, and are worth what they
    are today; what was won in it is told apart, by the rate of the day it was won on.  A quota is
    an amount, or a goal for customers times the average deal; none named, it follows from the one
    goal for customers that is set for exactly this period, if there is one.

    Raises:
        RateMissing: if there is no rate for an amount.
        QuotaUnknown: for a goal that counts something else, or with no deal won to tell its worth.
    """
    actor.require(Permission.VIEW)
    tenant = await work.get(Tenant, work.tenant_id)
    calendar = always_open(tenant.time_zone)
    since_on, today = first_day(tenant, since_on, work.now), calendar.local_day(work.now)
    since = calendar.day_starts_at(since_on)
    sums = await work.ask(
        PipelineSums(period=period, time_zone=tenant.time_zone, currency=tenant.currency, on=today)
    )
    records = await work.ask(StageRecords(since=since))
    closed = await work.ask(
        ClosedSums(since=since, today=today, time_zone=tenant.time_zone, currency=tenant.currency)
    )
    if quota is not None:
        _check(quota)
        [quota] = await converted(work, [(quota, today)], to=tenant.currency)
    elif goal_id is None and average_deal(closed) is not None:
        goal_id = await _goal_of(work, period)
    if goal_id is not None:
        quota = await _quota(work, goal_id, closed, tenant.currency)
    teams = await teams_of(work, {each.owner_id for each in sums if each.team_id is None})
    view = _Weighing(await work.find(PipelineStage), records, tenant.currency)
    total = view.part(sums)
    return PipelineForecast(
        as_of=work.now,
        starts_on=period.first,
        ends_on=period.end,
        since_on=since_on,
        undated_count=closed.undated_count,
        overdue_count=closed.overdue_count,
        total=total,
        stages=view.stages(sums),
        owners=tuple(
            OwnerForecast(owner_id=owner_id, part=part)
            for owner_id, part in view.parts(sums, lambda each: each.owner_id)
        ),
        teams=tuple(
            TeamForecast(team_id=team_id, part=part)
            for team_id, part in view.parts(
                sums, lambda each: each.team_id or teams.get(each.owner_id)
            )
        ),
        coverage=coverage(total, closed, quota, goal_id=goal_id),
    )


def coverage(
    total: ForecastPart, closed: ClosedSum, quota: Money | None, *, goal_id: UUID | None = None
) -> Coverage:
    """Say whether the open pipeline is enough; a quota that is reached needs none."""
    value_rate = share_of(closed.won_minor, closed.won_minor + closed.lost_minor)
    needed = None
    if closed.won_minor > 0:
        needed = rounded(Fraction(closed.won_minor + closed.lost_minor, closed.won_minor))
    remaining = None
    if quota is not None:
        left = max(quota.minor - total.won_amount.minor, 0)
        remaining = Money(left, quota.currency)
    return Coverage(
        quota=quota,
        won_amount=total.won_amount,
        remaining=remaining,
        open_amount=total.open_amount,
        coverage=None if remaining is None else share_of(total.open_amount.minor, remaining.minor),
        value_win_rate=value_rate,
        needed=needed,
        goal_id=goal_id,
        coverage_unknown=_why_uncovered(remaining),
        needed_unknown=None if needed is not None else _why_nothing_needed(closed),
    )


def _why_uncovered(remaining: Money | None) -> WhyUnknown | None:
    if remaining is None:
        return WhyUnknown.NO_QUOTA
    return WhyUnknown.QUOTA_REACHED if remaining.minor == 0 else None


def _why_nothing_needed(closed: ClosedSum) -> WhyUnknown:
    if closed.won_count:
        return WhyUnknown.NO_AMOUNTS
    return WhyUnknown.NOTHING_WON if closed.lost_count else WhyUnknown.NOTHING_CLOSED


def _check(quota: Money) -> None:
    if quota.currency not in CURRENCIES:
        raise UnknownCurrency(quota.currency, path=("quota", "amount", "currency"))
    if quota.minor <= 0:
        raise Invalid("A quota is above zero.", path=("quota", "amount"))


async def _goal_of(work: Work, period: Period) -> UUID | None:
    """Return the goal for customers of exactly these days, if there is one and no other."""
    goals = await work.find(
        Goal,
        metric=Metric.CUSTOMERS,
        starts_on=period.first,
        ends_on=period.end,
        archived_at=None,
    )
    return goals[0].id if len(goals) == 1 else None


async def _quota(work: Work, goal_id: UUID, closed: ClosedSum, currency: str) -> Money:
    goal = await first(work, Goal, id=goal_id)
    if goal is None:
        raise NotFound("goal", path=("quota", "goal"))
    if goal.metric is not Metric.CUSTOMERS:
        raise QuotaUnknown(
            "A quota follows from a goal for CUSTOMERS, times the average deal.",
            path=("quota", "goal"),
        )
    average = average_deal(closed)
    if average is None:
        raise QuotaUnknown(
            "No deal was won yet that could tell what a customer is worth; name an amount.",
            path=("quota", "goal"),
        )
    return Money(whole_minor(Fraction(goal.target) * average), currency)


class _Weighing:
    """The chances of the stages, by which sums are weighed."""

    def __init__(
        self,
        stages: Sequence[PipelineStage],
        records: Mapping[UUID, StageRecord],
        currency: str,
    ) -> None:
        self._stages = sorted(stages, key=lambda stage: (stage.position, stage.id))
        self._records = {stage.id: records.get(stage.id, StageRecord()) for stage in stages}
        self._agreed = {stage.id: Fraction(stage.win_rate) for stage in stages}
        self._observed = {
            stage.id: observed_chance(self._records[stage.id], stage.win_rate) for stage in stages
        }
        self._currency = currency

    def part(self, sums: Sequence[DealSum]) -> ForecastPart:
        """Return what is expected of sums together; rounded once, after everything is added."""
        by_status = {
            status: [each for each in sums if each.status is status] for status in OpportunityStatus
        }
        opened = by_status[OpportunityStatus.OPEN]
        won, lost = by_status[OpportunityStatus.WON], by_status[OpportunityStatus.LOST]
        return ForecastPart(
            open_count=sum(each.deals for each in opened),
            unpriced_count=sum(each.unpriced for each in opened),
            open_amount=self._sum(opened),
            weighted_agreed=self._weighted(opened, self._agreed),
            weighted_observed=self._weighted(opened, self._observed),
            won_count=sum(each.deals for each in won),
            won_amount=self._sum(won),
            lost_count=sum(each.deals for each in lost),
            lost_amount=self._sum(lost),
        )

    def parts(
        self, sums: Sequence[DealSum], by: Callable[[DealSum], UUID | None]
    ) -> list[tuple[UUID | None, ForecastPart]]:
        """Return what is expected of each group, the most by what was agreed first."""
        groups: dict[UUID | None, list[DealSum]] = {}
        for each in sums:
            groups.setdefault(by(each), []).append(each)
        parts = [(key, self.part(group)) for key, group in groups.items()]
        return sorted(parts, key=lambda part: (-part[1].weighted_agreed.minor, str(part[0])))

    def stages(self, sums: Sequence[DealSum]) -> tuple[StageForecast, ...]:
        """Return what is expected of each stage in use, and of any other that holds something."""
        groups: dict[UUID, list[DealSum]] = {}
        for each in sums:
            groups.setdefault(each.stage_id, []).append(each)
        return tuple(
            StageForecast(
                stage_id=stage.id,
                part=self.part(groups.get(stage.id, [])),
                agreed_win_rate=stage.win_rate,
                observed_win_rate=rounded(self._observed[stage.id]),
                closed_count=self._records[stage.id].closed,
                won_of_closed=self._records[stage.id].won,
            )
            for stage in self._stages
            if stage.archived_at is None or stage.id in groups
        )

    def _sum(self, sums: Sequence[DealSum]) -> Money:
        return Money(sum(each.minor for each in sums), self._currency)

    def _weighted(self, sums: Sequence[DealSum], chances: Mapping[UUID, Fraction]) -> Money:
        exact = sum((each.minor * chances[each.stage_id] for each in sums), Fraction(0))
        return Money(whole_minor(exact), self._currency)
