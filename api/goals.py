"""Goals: numbers to reach that both teams can see, and what a revenue goal takes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from api.context import Info
from api.errors import mutation, query, subscription
from api.filtering import collection, enum, filter_input, order_input
from api.sla_status import SeriesDayView, until
from api.types import MoneyInput, MoneyView
from api.views import related, shown, view
from domain import ids
from domain.goals import targets
from domain.goals.progress import GoalProgress, goal_progress, progress_of, working_week
from domain.goals.targets import EVERYBODY, GOAL_FIELDS, Goal, Metric
from domain.goals.waterfall import (
    FunnelStep,
    Need,
    ObservedRate,
    ReverseFunnel,
    StepNeed,
    reverse_funnel,
)
from domain.identity import Permission, Team, User
from domain.paging import Order
from domain.sla.agreeing import calendar_version_at, hours_of
from domain.sla.pacing import Pace
from domain.sla.standing import Unit
from domain.values import Period, PeriodKind

enum(
    Metric,
    "What a goal counts, each on the local day it happened.",
    LEADS_CREATED="Leads that became known.",
    MQLS="Leads that first came to MQL, or past it.",
    HANDOFFS="Hand-offs to sales.",
    HANDOFFS_ACCEPTED="Hand-offs that sales accepted.",
    HANDOFFS_REJECTED="Hand-offs that sales rejected.",
    SQLS="Leads that first came to SQL, or past it.",
    OPPORTUNITIES="Leads that first came to OPPORTUNITY, or past it.",
    CUSTOMERS="Leads that bought for the first time.",
    RESPONSE_RATE="First touches made in time, of all that were owed.",
    ACCEPTANCE_RATE="Hand-offs accepted, of all accepted or rejected.",
)


@view(GoalProgress, description="How a goal stands at an instant.")
class GoalProgressView:
    goal: Annotated[GoalView, strawberry.lazy("api.goals")] = shown("The goal.")
    as_of: datetime = shown("The instant at which it was read.")
    status: Pace = shown("Whether it is ahead or behind.")
    unit: Unit = shown("What the figures are counted in.")
    target: Decimal = shown("What is to be reached.")
    attained: Decimal | None = shown("What is reached so far; null while no share is decided.")
    expected: Decimal = shown("What could be expected to date.")
    gap: Decimal | None = shown("Attained less expected; negative is behind.")
    projected: Decimal | None = shown("What a count comes to by the end, as it goes.")
    needed_per_working_day: Decimal | None = shown(
        "What a count needs on each working day that is left; null when none is."
    )
    remaining_working_days: int | None = shown("Working days left, today with them.")
    probability: Decimal | None = shown("The chance of reaching the target, 0 to 1.")
    p10: Decimal = shown(
        "A total falls below this once in ten times; a true share is at least this nine times in"
        " ten."
    )
    p90: Decimal = shown("A total, or a true share, stays below this nine times in ten.")
    series: list[SeriesDayView] = shown("The same, day by day.")

    @strawberry.field(
        description="Whether the whole tenant's counts go into it, and not its team's alone."
    )
    def counts_everybody(progress: strawberry.Parent[GoalProgress]) -> bool:
        return progress.counted_for == EVERYBODY


async def _progress(work: Any, goals: Sequence[Goal]) -> list[GoalProgress]:
    return await progress_of(work, goals)


@view(Goal, description="A number to reach in a period, owned by one team and seen by both.")
class GoalView:
    name: str = shown("What people call it.")
    metric: Metric = shown("What it counts.")
    target: Decimal = shown("The number to reach: a count, or of a rate a share from 0 to 1.")
    starts_on: date = shown("Its first day, in the tenant's time zone.")
    ends_on: date = shown("The day after its last one.")
    created_at: datetime = shown("When it was set.")
    archived_at: datetime | None = shown("When it was put away; null before.")
    version: int = shown("How often it was changed.")
    team = related("api.identity.TeamView", Team, by="team_id", description="Who owns it.")
    created_by = related("api.identity.UserView", User, by="created_by", description="Who set it.")

    @strawberry.field(description="How it stands now.", graphql_type=GoalProgressView)
    async def progress(goal: strawberry.Parent[Goal], info: Info) -> Any:
        return await info.context.load_with("goal progress", _progress, goal)


@view(Need, name="FunnelNeed", description="How many it takes.")
class NeedView:
    exact: Decimal = shown("To four places.")
    # No Int, which ends at 2,147,483,647.
    whole: Decimal = shown("In whole ones, rounded up.")
    per_working_day: Decimal = shown("Shared out evenly over the working days.")
    per_rep: Decimal | None = shown("Shared out over the salespeople, if their number was given.")


@view(StepNeed, name="FunnelStepNeed", description="What one step of a funnel has to hold.")
class StepNeedView:
    name: str = shown("The step.")
    rate: Decimal | None = shown("The share that reaches the next step; null for customers.")
    planned: NeedView = shown("What follows from the rates as they were given.")
    p10: NeedView = shown("What suffices with a probability of 10 %, given what was observed.")
    p50: NeedView = shown("What suffices with a probability of 50 %.")
    p90: NeedView = shown("What suffices with a probability of 90 %: plan with this to be safe.")
    first_needed_on: date = shown("The first day on which they are needed.")
    last_needed_on: date = shown("The last day on which they are of use.")


@view(ReverseFunnel, description="What a revenue goal takes, from the first step to the customer.")
class ReverseFunnelView:
    revenue: MoneyView = shown("The part of the goal that is marketing's.")
    steps: list[StepNeedView] = shown("The steps, the widest first.")
    customers: StepNeedView = shown("The customers to be won.")


@strawberry.input(description="For which days a goal is set.")
class GoalPeriodInput:
    kind: PeriodKind = shown("How long it runs.")
    starts_on: date = shown("The first day.")
    ends_on: date | None = shown(
        "The day after the last one; a CUSTOM period needs it, and has at most 731 days.",
        default=UNSET,
    )

    def period(self) -> Period:
        """Return the days that are meant."""
        return targets.goal_period(self.kind, self.starts_on, self.ends_on or None)


@strawberry.input(description="A goal.")
class GoalCreateInput:
    name: str = shown("What to call it.")
    metric: Metric = shown("What it counts.")
    team: strawberry.ID = shown("The team that owns it.")
    period: GoalPeriodInput = shown("For which days.")
    target: Decimal = shown("A whole number, or of a rate a share above 0 and at most 1.")


@strawberry.input(description="What to change about a goal.  What is left out stays as it is.")
class GoalUpdateInput:
    goal: strawberry.ID = shown("Which one.")
    name: strawberry.Maybe[str] = shown("What to call it.", default=None)
    team: strawberry.Maybe[strawberry.ID] = shown("The team that owns it.", default=None)
    period: strawberry.Maybe[GoalPeriodInput] = shown("For which days.", default=None)
    target: strawberry.Maybe[Decimal] = shown("The number to reach.", default=None)


@strawberry.input(description="Which goal is put away.")
class GoalArchiveInput:
    goal: strawberry.ID = shown("Which one.")


@strawberry.input(description="How many went on to the next step.")
class ObservedRateInput:
    successes: int = shown("So many went on ...")
    trials: int = shown("... of so many that could have.")


@strawberry.input(
    one_of=True, description="The share that reaches the next step: exactly one of these."
)
class FunnelRateInput:
    share: strawberry.Maybe[Decimal] = shown("Decided: above 0 and at most 1.", default=None)
    observed: strawberry.Maybe[ObservedRateInput] = shown(
        "Observed, which says how far the need may be off.", default=None
    )

    def rate(self) -> Decimal | ObservedRate:
        """Return the rate that is meant."""
        if self.share is not None:
            return self.share.value
        if self.observed is None:
            raise ValueError("GraphQL lets exactly one key of a @oneOf input through")
        return ObservedRate(self.observed.value.successes, self.observed.value.trials)


@strawberry.input(description="A step on the way to a customer, such as MQLs.")
class FunnelStepInput:
    name: str = shown("What to call it; no two alike.")
    rate: FunnelRateInput = shown("Which share of them reaches the next step, or buys.")
    lag_days: int = shown("How many days that takes.", default=0)


@strawberry.input(description="A revenue goal, and the funnel that is to reach it.")
class ReverseFunnelInput:
    revenue_goal: MoneyInput = shown("The revenue to book in the period.")
    average_deal: MoneyInput = shown("The mean value of a deal won; same currency.")
    steps: list[FunnelStepInput] = shown("The steps, the widest first; 1 to 20 of them.")
    period: GoalPeriodInput = shown("When the customers are to be won.")
    marketing_share: Decimal = shown(
        "The share of the goal that marketing is to source.", default=Decimal(1)
    )
    reps: int | None = shown("How many salespeople share the work.", default=UNSET)
    working_days: int | None = shown(
        "Over how many working days; those of the calendar, if left out.", default=UNSET
    )
    calendar: strawberry.ID | None = shown(
        "By whose working days; Monday to Friday, if left out.", default=UNSET
    )


GoalFilter = filter_input(GOAL_FIELDS)
GoalOrder = order_input("Goal", {"STARTS_ON": "starts_on"}, "How goals are ordered")
_Which = Annotated[strawberry.ID, strawberry.argument(description="Which goal.")]


@strawberry.type
class Queries:
    goals = collection(
        GoalView,
        Goal,
        description="The goals of both teams, the latest period first; those not put away with"
        " `archivedAt: {isNull: true}`.",
        default=(Order("starts_on", descending=True),),
        fields=GOAL_FIELDS,
        filter=GoalFilter,
        order=GoalOrder,
    )("goals")

    @query("One goal, or null if there is none of that id.", shows=GoalView | None)
    async def goal(self, info: Info, id: strawberry.ID) -> Any:
        return await info.context.load(Goal, ids.expect("Goal", id, path=("id",)))

    @query(
        "What a revenue goal takes: how many customers, and of each step before.",
        shows=ReverseFunnelView,
    )
    async def reverse_funnel(
        self,
        info: Info,
        input: Annotated[
            ReverseFunnelInput, strawberry.argument(description="The goal and the funnel.")
        ],
    ) -> Any:
        period = input.period.period()
        return reverse_funnel(
            revenue_goal=input.revenue_goal.money(("revenueGoal",)),
            average_deal=input.average_deal.money(("averageDeal",)),
            steps=[
                FunnelStep(name=s.name, rate=s.rate.rate(), lag_days=s.lag_days)
                for s in input.steps
            ],
            period=period,
            working_days=await _working_days(info, input, period),
            marketing_share=input.marketing_share,
            reps=_or_none(input.reps),
        )


@strawberry.type
class Subscriptions:
    @subscription(
        "How a goal stands, whenever that changes, and as working time goes by.",
        needs=Permission.VIEW,
        shows=GoalProgressView,
    )
    async def goal_progress(self, info: Info, goal: _Which) -> AsyncIterator[Any]:
        goal_id = ids.expect("Goal", goal, path=("goal",))
        with info.context.live.watch(info.context.actor.tenant_id) as watch:
            while True:
                progress = await _read(info, goal_id)
                yield progress
                await watch.news(within=until(progress.as_of, progress.next_at))


@strawberry.type
class Mutations:
    @mutation(GoalView, "Set a goal that both teams can see.", needs=Permission.SET_GOALS)
    async def goal_create(self, info: Info, input: GoalCreateInput) -> Goal:
        async with info.context.writing() as work:
            return await targets.create_goal(
                work,
                info.context.actor,
                name=input.name,
                metric=input.metric,
                team_id=ids.expect("Team", input.team, path=("team",)),
                period=input.period.period(),
                target=input.target,
            )

    @mutation(GoalView, "Change a goal, all but what it counts.", needs=Permission.SET_GOALS)
    async def goal_update(self, info: Info, input: GoalUpdateInput) -> Goal:
        team = input.team
        async with info.context.writing() as work:
            return await targets.update_goal(
                work,
                info.context.actor,
                ids.expect("Goal", input.goal, path=("goal",)),
                name=input.name.value if input.name else None,
                team_id=ids.expect("Team", team.value, path=("team",)) if team else None,
                period=input.period.value.period() if input.period else None,
                target=input.target.value if input.target else None,
            )

    @mutation(GoalView, "Put a goal away; it stays readable.", needs=Permission.SET_GOALS)
    async def goal_archive(self, info: Info, input: GoalArchiveInput) -> Goal:
        async with info.context.writing() as work:
            goal_id = ids.expect("Goal", input.goal, path=("goal",))
            return await targets.archive_goal(work, info.context.actor, goal_id)


async def _read(info: Info, goal_id: UUID) -> GoalProgress:
    async with info.context.work() as work:
        return await goal_progress(work, info.context.actor, goal_id)


async def _working_days(info: Info, input: ReverseFunnelInput, period: Period) -> int:
    given = _or_none(input.working_days)
    if given is not None:
        return given
    if not input.calendar:
        return working_week("UTC").working_days(period)
    calendar_id = ids.expect("Calendar", input.calendar, path=("calendar",))
    async with info.context.work() as work:
        version = await calendar_version_at(work, calendar_id, work.now)
        return (await hours_of(work, version.id)).working_days(period)


def _or_none(value: int | None) -> int | None:
    return None if value is UNSET else value
