"""What the pipeline should bring, and how deals went."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from api.context import Info
from api.errors import query, subscription
from api.filtering import enum
from api.goals import GoalPeriodInput
from api.leads.inputs import or_none
from api.pipeline import PipelineStageView
from api.types import MoneyInput, MoneyView
from api.views import related, shown, view
from domain import forecast, ids
from domain.customers.figures import RevenueFigures, revenue_figures
from domain.forecast import (
    Coverage,
    Cycle,
    ForecastPart,
    OwnerForecast,
    PipelineForecast,
    SalesFigures,
    Spread,
    StageForecast,
    TeamForecast,
    WhyUnknown,
)
from domain.goals.targets import Goal
from domain.identity import Permission, Team, User
from domain.opportunities import PipelineStage

enum(
    WhyUnknown,
    "Why there is no figure: nothing to divide by is not nought.",
    NO_QUOTA="No quota was named, and none follows from a goal of these days.",
    QUOTA_REACHED="Nothing is left of the quota.",
    NOTHING_CLOSED="Nothing was won or lost yet.",
    NOTHING_WON="Something was lost and nothing won.",
    NO_AMOUNTS="Nobody knows what was won, or it was nothing.",
    NO_TIME="What was won was opened and won at the same instant.",
)


@view(ForecastPart, description="What is expected of some opportunities in a period.")
class ForecastPartView:
    open_count: int = shown("Open ones that are expected to close in the period.")
    unpriced_count: int = shown("Those of them whose amount nobody knows; they count as nothing.")
    open_amount: MoneyView = shown("What the open ones are worth, by today's rates.")
    weighted_agreed: MoneyView = shown("The sum of amount x the chance agreed for the stage.")
    weighted_observed: MoneyView = shown(
        "The sum of amount x the chance that history gives the stage."
    )
    won_count: int = shown("Those won in the period; they are in no weighted sum.")
    won_amount: MoneyView = shown("What they brought, by the rates of the days they were won on.")
    lost_count: int = shown("Those lost in the period; they are in no sum above.")
    lost_amount: MoneyView = shown("What they would have brought.")


@view(StageForecast, description="What is expected of a stage's opportunities, and why.")
class StageForecastView:
    part: ForecastPartView = shown("What is expected of them.")
    agreed_win_rate: Decimal = shown("The chance agreed for the stage.")
    observed_win_rate: Decimal = shown(
        "(won + 10 x agreed) / (closed + 10): history, drawn towards what was agreed while it is"
        " short."
    )
    closed_count: int = shown("Closed ones that ever entered the stage, since `sinceOn`.")
    won_of_closed: int = shown("Those of them that were won.")
    stage = related(
        PipelineStageView,
        PipelineStage,
        by="stage_id",
        description="The stage.",
        required=True,
    )


@view(OwnerForecast, description="What is expected of an owner's opportunities.")
class OwnerForecastView:
    part: ForecastPartView = shown("What is expected of them.")
    owner = related(
        "api.identity.UserView",
        User,
        by="owner_id",
        description="Whose they are; null for those that nobody owns.",
    )


@view(TeamForecast, description="What is expected of a team's opportunities.")
class TeamForecastView:
    part: ForecastPartView = shown("What is expected of them.")
    team = related(
        "api.identity.TeamView",
        Team,
        by="team_id",
        description="Whose they are: the team that was handed the lead, or else the owner's only"
        " sales team; null where there is neither.",
    )


@view(
    Coverage,
    name="PipelineCoverage",
    description="Whether the open pipeline is enough for the rest of the quota.",
)
class CoverageView:
    quota: MoneyView | None = shown(
        "What is to be won in the period: as named, or by the one goal for CUSTOMERS that is set"
        " for exactly these days; null if there is neither."
    )
    won_amount: MoneyView = shown("What was won in it.")
    remaining: MoneyView | None = shown("Quota less won, at least zero.")
    open_amount: MoneyView = shown("What is open and expected to close in it.")
    coverage: Decimal | None = shown("Open / remaining; null if there is no quota or nothing left.")
    value_win_rate: Decimal | None = shown("Won / (won + lost) by value, since `sinceOn`.")
    needed: Decimal | None = shown("1 / win rate by value: how many times over it should be.")
    coverage_unknown: WhyUnknown | None = shown("Why there is no `coverage`; null if there is.")
    needed_unknown: WhyUnknown | None = shown("Why there is no `needed`; null if there is.")
    goal = related(
        "api.goals.GoalView", Goal, by="goal_id", description="The goal the quota follows from."
    )


@view(PipelineForecast, description="What a period should bring, at an instant.")
class PipelineForecastView:
    as_of: datetime = shown("The instant at which it was read.")
    starts_on: date = shown("The first day of the period.")
    ends_on: date = shown("The day after its last one.")
    since_on: date = shown("How far back the observed chances and win rates look.")
    undated_count: int = shown("Open ones in no period: nobody said when they should close.")
    overdue_count: int = shown(
        "Open ones that should have closed before today: in the period only if that day is."
    )
    total: ForecastPartView = shown("What is expected of all.")
    stages: list[StageForecastView] = shown("The same by stage, in their order.")
    owners: list[OwnerForecastView] = shown("The same by owner, the most expected first.")
    teams: list[TeamForecastView] = shown("The same by team, the most expected first.")
    coverage: CoverageView = shown("Whether that is enough.")


@view(
    Spread,
    name="CycleSpread",
    description="How a length of time is spread: percentiles are interpolated between the two"
    " nearest ranks, as PERCENTILE_CONT of SQL does.",
)
class SpreadView:
    mean: timedelta = shown("The mean.")
    p10: timedelta = shown("One in ten is at most this long.")
    p25: timedelta = shown("A quarter is at most this long.")
    p50: timedelta = shown("Half is at most this long: the median.")
    p75: timedelta = shown("Three quarters are at most this long.")
    p90: timedelta = shown("Nine in ten are at most this long.")


@view(Cycle, name="SalesCycle", description="How long the deals took that were won.")
class CycleView:
    deals: int = shown("How many deals say so: the latest 10,000 at most.")
    elapsed: SpreadView | None = shown("By the clock; null while nothing was won.")
    working: SpreadView | None = shown(
        "In working time of the team that was handed the lead, or of the owner's only sales team;"
        " Monday to Friday where there is none."
    )


@view(SalesFigures, description="How deals went since a day, each figure with what it is made of.")
class SalesFiguresView:
    as_of: datetime = shown("The instant at which it was read.")
    since_on: date = shown("The day from which on closed deals count.")
    open_count: int = shown("How many are open now.")
    won_count: int = shown("How many were won.")
    lost_count: int = shown("How many were lost.")
    won_amount: MoneyView = shown("What was won, by the rates of the days it was won on.")
    lost_amount: MoneyView = shown("What was lost, by the rates of the days it was lost on.")
    win_rate: Decimal | None = shown("Won / (won + lost) by count; null while nothing is closed.")
    value_win_rate: Decimal | None = shown("Won / (won + lost) by value.")
    average_deal: MoneyView | None = shown("The mean of those won whose amount is known.")
    cycle: CycleView = shown("How long they took since they were opened.")
    lead_cycle: CycleView = shown("How long they took since the person was first seen.")
    velocity_per_day: MoneyView | None = shown(
        "Open deals x win rate x average deal / mean cycle in days: what the pipeline brings a day."
    )
    velocity_unknown: WhyUnknown | None = shown(
        "Why there is no `velocityPerDay`; null if there is."
    )


@view(
    RevenueFigures,
    description="How revenue came to stand in a period: closing = opening + new + expansion -"
    " churn.  Each amount goes by the rate of its day.",
)
class RevenueFiguresView:
    as_of: datetime = shown("The instant at which it was read.")
    starts_on: date = shown("The first day of the period.")
    ends_on: date = shown("The day after its last one.")
    opening: MoneyView = shown("What there was when it began.")
    new: MoneyView = shown("What was bought in it.")
    expansion: MoneyView = shown("What customers bought more.")
    renewal: MoneyView = shown("What customers paid on for what they had; it keeps what there is.")
    churn: MoneyView = shown("What was lost.")
    total: MoneyView = shown("All that came: new, expansion and renewal.")
    closing: MoneyView = shown("What there was at its end, or is now.")
    gross_retention_rate: Decimal | None = shown(
        "What those who brought the opening still brought of it at the end, 0-1; null if there was"
        " nothing."
    )
    net_retention_rate: Decimal | None = shown(
        "The same with what they bought more, so above 1 if that is more than was lost."
    )


@strawberry.input(one_of=True, description="What is to be won in the period: exactly one of these.")
class QuotaInput:
    amount: strawberry.Maybe[MoneyInput] = shown("An amount, in any currency.", default=None)
    goal: strawberry.Maybe[strawberry.ID] = shown(
        "A goal for CUSTOMERS: its target times the average deal.", default=None
    )


@strawberry.input(description="Which period, and what is to be won in it.")
class PipelineForecastInput:
    period: GoalPeriodInput = shown("The period.")
    quota: QuotaInput | None = shown(
        "What is to be won in it; by the goal for CUSTOMERS of these days, if left out.",
        default=UNSET,
    )
    since_on: date | None = shown(
        "How far back the observed chances look; a year, if left out.", default=UNSET
    )


_Forecast = Annotated[
    PipelineForecastInput, strawberry.argument(description="Which period, and the quota.")
]


@strawberry.type
class Queries:
    @query(
        "What the pipeline should bring in a period, by what was agreed and by history side by"
        " side.",
        shows=PipelineForecastView,
    )
    async def pipeline_forecast(self, info: Info, input: _Forecast) -> Any:
        return await _read(info, input)

    @query("How deals went since a day, and how fast they bring money.", shows=SalesFiguresView)
    async def sales_figures(
        self,
        info: Info,
        since_on: Annotated[
            date | None,
            strawberry.argument(description="The first day that counts; a year ago, if left out."),
        ] = UNSET,
    ) -> Any:
        async with info.context.work() as work:
            return await forecast.sales_figures(
                work, info.context.actor, since_on=or_none(since_on)
            )

    @query(
        "How revenue came to stand in a period: new, expansion, renewal and churn, and how much of"
        " it was kept.",
        shows=RevenueFiguresView,
    )
    async def revenue_figures(
        self,
        info: Info,
        period: Annotated[GoalPeriodInput, strawberry.argument(description="Which days.")],
    ) -> Any:
        async with info.context.work() as work:
            return await revenue_figures(work, info.context.actor, period=period.period())


@strawberry.type
class Subscriptions:
    @subscription(
        "What the pipeline should bring in a period, whenever that changes.",
        needs=Permission.VIEW,
        shows=PipelineForecastView,
    )
    async def pipeline_forecast(self, info: Info, input: _Forecast) -> AsyncIterator[Any]:
        with info.context.live.watch(info.context.actor.tenant_id) as watch:
            while True:
                yield await _read(info, input)
                await watch.news()


async def _read(info: Info, input: PipelineForecastInput) -> PipelineForecast:
    quota, goal_id = _quota(or_none(input.quota))
    async with info.context.work() as work:
        return await forecast.pipeline_forecast(
            work,
            info.context.actor,
            period=input.period.period(),
            quota=quota,
            goal_id=goal_id,
            since_on=or_none(input.since_on),
        )


def _quota(given: QuotaInput | None) -> tuple[Any, UUID | None]:
    """Return the quota as an amount, or as a goal."""
    if given is None:
        return None, None
    if given.amount is not None:
        return given.amount.value.money(("quota", "amount")), None
    if given.goal is None:
        raise ValueError("GraphQL lets exactly one key of a @oneOf input through")
    return None, ids.expect("Goal", given.goal.value, path=("quota", "goal"))
