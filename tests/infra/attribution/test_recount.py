"""Stored credits and every figure, against a recount of tenants made by chance."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from domain.attribution import AttributionModel, models_in_use
from domain.attribution.performance import (
    Figures,
    Number,
    Performance,
    PerformanceBasis,
    PerformanceDimension,
    PerformanceMeasure,
    evidence,
    performance,
    scope_of,
)
from domain.campaigns import Campaign, CampaignCost
from domain.exchange import ExchangeRate
from domain.filters import parse
from domain.funnel import FunnelDimension, FunnelTerms, funnel_report
from domain.leads import LEAD_FIELDS, Lead
from domain.lifecycle import StageEntry
from domain.opportunities import Opportunity
from domain.paging import PageRequest
from domain.stages import Stage
from domain.touches import Touch
from domain.values import Period
from infra.attribution import AttributionKeeper
from tests.journeys import stored_credits
from tests.lives import ZONE, Life
from tests.recounts import Asked, Facts, Recount, belongs, shared
from tests.world import World

# So that some of what happened lies on either side, near midnight too.
PERIOD = Period(date(2026, 1, 20), date(2026, 3, 5))
EVER = Period(date(2025, 1, 1), date(2026, 3, 11))
IRISH = parse({"country": {"eq": "IE"}}, LEAD_FIELDS)
MEASURES = {
    PerformanceMeasure.COST: "cost",
    PerformanceMeasure.TOUCHES: "touches",
    PerformanceMeasure.LEADS: "leads",
    PerformanceMeasure.MQLS: "mqls",
    PerformanceMeasure.ACCEPTED: "accepted",
    PerformanceMeasure.SQLS: "sqls",
    PerformanceMeasure.PIPELINE: "pipeline",
    PerformanceMeasure.WON: "won",
    PerformanceMeasure.INFLUENCED: "influenced",
}
NAMES = (*MEASURES.values(), "won_deals")


async def a_tenant(world: World, seed: int) -> Life:
    life = Life(world, seed)
    await life.begin()
    await life.go_on(36)
    await AttributionKeeper(world.database).catch_up()
    return life


async def facts_of(world: World) -> Facts:
    async with world.work() as work:
        return Facts(
            leads={lead.id: lead for lead in await work.find(Lead)},
            touches=await work.find(Touch),
            deals=await work.find(Opportunity),
            entries=await work.find(StageEntry),
            campaigns=await work.find(Campaign),
            costs=await work.find(CampaignCost),
            rates=await work.find(ExchangeRate),
            currency="EUR",
            zone=ZONE,
            today=world.now.date(),
        )


async def models_of(world: World) -> list[AttributionModel]:
    async with world.work() as work:
        return list(await models_in_use(work))


def told(row: Figures) -> dict[str, Any]:
    """Return what is not nothing."""
    values = {
        "cost": row.cost_minor or 0,
        "touches": row.touches,
        "leads": row.leads,
        "mqls": row.mqls,
        "accepted": row.accepted,
        "sqls": row.sqls,
        "pipeline": row.pipeline_minor,
        "won": row.won_minor,
        "influenced": row.influenced_minor,
        "won_deals": row.won_deals,
    }
    return {name: value for name, value in values.items() if value}


def plain(values: Any) -> dict[str, Any]:
    return {name: values[name] for name in NAMES if values[name]}


async def figures(world: World, asked: Asked, filter: Any = None) -> Performance:
    async with world.work() as work:
        scope = await scope_of(
            work,
            world.actor(),
            PerformanceDimension(asked.dimension),
            model=asked.model.id,
            basis=PerformanceBasis.COHORT if asked.cohort else PerformanceBasis.CLOSE,
            period=Period(asked.first, asked.end),
            filter=filter,
        )
        return await performance(work, world.actor(), scope)


@pytest.mark.parametrize("seed", [1, 2])
async def test_credits_and_figures_are_what_a_recount_finds(world: World, seed: int) -> None:
    life = await a_tenant(world, seed)
    facts, models = await facts_of(world), await models_of(world)

    assert {lead.id: lead.campaign_id for lead in facts.leads.values()} == {
        lead.id: belongs(facts, lead) for lead in facts.leads.values()
    }
    wanted = {
        (model.id, deal.id, touch_id): part
        for model, deal in product(models, facts.deals)
        for touch_id, part in shared(
            model, deal, facts.leads[deal.lead_id], facts.human(deal.lead_id)
        ).items()
    }
    stored = await stored_credits(world)
    assert {key: (each.share, each.amount_minor) for key, each in stored.items()} == wanted
    for number, (dimension, cohort, period) in enumerate(
        product(PerformanceDimension, (False, True), (PERIOD, EVER))
    ):
        asked = Asked(
            dimension=dimension.value,
            cohort=cohort,
            first=period.first,
            end=period.end,
            model=models[number % len(models)],
        )
        if number % 3 == 2:
            asked = replace(asked, fits=lambda lead: lead.country == "IE")
        found = await figures(world, asked, IRISH if asked.fits else None)
        count = Recount(facts, asked)
        assert {row.key: told(row) for row in found.rows} == {
            key: plain(values) for key, values in count.rows.items()
        }, asked
        assert told(found.total) == plain(count.total), asked
        await explained(world, life, found)


_FUNNELS = {
    FunnelDimension.CAMPAIGN: PerformanceDimension.CAMPAIGN,
    FunnelDimension.ORIGIN_SOURCE: PerformanceDimension.ORIGIN,
    FunnelDimension.PERSONA: PerformanceDimension.PERSONA,
}


async def test_the_funnel_and_the_figures_tell_the_same_of_the_same_leads(world: World) -> None:
    """Of leads that skipped stages, were sent back, or have no history."""
    await a_tenant(world, 3)
    model = (await models_of(world))[0]
    for by, dimension in _FUNNELS.items():
        asked = Asked(
            dimension=dimension.value, cohort=True, first=EVER.first, end=EVER.end, model=model
        )
        found = await figures(world, asked)
        terms = FunnelTerms(dimension=by, first_on=EVER.first, last_on=EVER.last)
        async with world.work() as work:
            funnel = await funnel_report(work, world.actor(), terms)

        told_by_funnel = {
            None if group.key is None else str(group.key): (
                group.leads,
                *(each.reached for each in group.stages if each.stage in _COUNTED),
            )
            for group in funnel.groups
        }
        assert {
            row.key: (row.leads, row.mqls, row.accepted, row.sqls)
            for row in found.rows
            if row.leads
        } == told_by_funnel
        # There is something to differ about.
        assert all(sum(counts) > 0 for counts in zip(*told_by_funnel.values(), strict=True))


_COUNTED = (Stage.MQL, Stage.SAL, Stage.SQL)


async def explained(world: World, life: Life, found: Performance) -> None:
    """Of some numbers: the rows behind add up to it."""
    for row in life.chance.sample(list(found.rows), min(2, len(found.rows))):
        measure = life.chance.choice(list(MEASURES))
        if measure is PerformanceMeasure.COST and row.cost_minor is None:
            continue
        number = Number(scope=found.scope, measure=measure, key=row.key)
        async with world.work() as work:
            page = await evidence(work, world.actor(), number, PageRequest(size=1000))
        assert not page.has_next_page
        amounts = [each.amount_minor or 0 for each in page.nodes]
        value = told(row).get(MEASURES[measure], 0)
        assert (sum(amounts) if measure.is_money else len(amounts)) == value
        if measure is PerformanceMeasure.WON:
            assert sum((each.credited_share or 0 for each in page.nodes), Decimal(0)) == (
                row.won_deals
            )
