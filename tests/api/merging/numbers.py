"""How many leads came how far, by everything that tells it: each has to tell the same."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from domain.attribution import models_in_use
from domain.attribution.performance import (
    PerformanceBasis,
    PerformanceDimension,
    performance,
    scope_of,
)
from domain.funnel import FunnelTerms, funnel_report
from domain.goals.counting import METRIC_OF_STAGE
from domain.goals.progress import progress_of
from domain.goals.targets import Goal, Metric
from domain.ids import new_id
from domain.stages import Stage
from domain.values import Period
from tests.world import World

EVER = Period(date(2026, 2, 1), date(2026, 5, 1))
# Some of what happens in a story lies on either side.
LATER = Period(date(2026, 3, 4), date(2026, 5, 1))


async def reached_by_goals(world: World, period: Period) -> dict[Stage, int]:
    """Return how many leads reached each stage in a period, as goals of these days say."""
    goals = [
        Goal(
            id=new_id(),
            name=metric.value,
            metric=metric,
            team_id=world.marketing.id,
            starts_on=period.first,
            ends_on=period.end,
            target=Decimal(10),
            created_by=world.marketer.id,
            created_at=world.now,
        )
        for metric in (Metric.LEADS_CREATED, *METRIC_OF_STAGE.values())
    ]
    async with world.work() as work:
        found = await progress_of(work, goals)
    stages = (Stage.VISITOR, *METRIC_OF_STAGE)
    return {stage: int(each.attained or 0) for stage, each in zip(stages, found, strict=True)}


async def reached_by_funnel(world: World) -> dict[Stage, int]:
    """Return how many of all leads reached each stage, whenever it was."""
    async with world.work() as work:
        terms = FunnelTerms(stages=(Stage.VISITOR, *METRIC_OF_STAGE))
        report = await funnel_report(work, world.actor(), terms)
    return {each.stage: each.reached for each in report.groups[0].stages}


async def reached_by_figures(world: World, period: Period) -> dict[Stage, int]:
    """Return how many leads came, and reached MQL and SQL, in a period, as figures say."""
    async with world.work() as work:
        scope = await scope_of(
            work,
            world.actor(),
            PerformanceDimension.ORIGIN,
            model=(await models_in_use(work))[0].id,
            basis=PerformanceBasis.CLOSE,
            period=period,
        )
        total = (await performance(work, world.actor(), scope)).total
    return {Stage.VISITOR: total.leads, Stage.MQL: total.mqls, Stage.SQL: total.sqls}


async def check_one_number(world: World) -> None:
    """Check that goals, the funnel and the figures tell one number of one thing."""
    assert await reached_by_goals(world, EVER) == await reached_by_funnel(world)
    for period in (EVER, LATER):
        goals, figures = (
            await reached_by_goals(world, period),
            await reached_by_figures(world, period),
        )
        assert {stage: goals[stage] for stage in figures} == figures
