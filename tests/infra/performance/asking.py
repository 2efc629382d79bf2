"""What a tenant's figures are asked for, and how they are told."""

from __future__ import annotations

from datetime import date
from typing import Any

from domain.attribution import BuiltInModel
from domain.attribution.performance import (
    EvidenceRow,
    Figures,
    Number,
    Performance,
    PerformanceBasis,
    PerformanceDimension,
    PerformanceMeasure,
    Scope,
    evidence,
    performance,
    scope_of,
)
from domain.campaigns import CampaignCost
from domain.ids import new_id
from domain.leads import Lead
from domain.lifecycle import StageEntry
from domain.paging import PageRequest, read_cursor
from domain.stages import Stage
from domain.values import Period
from tests.world import World

MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))


def an_entry(lead: Lead, stage: Stage, at: Any) -> StageEntry:
    return StageEntry(
        id=new_id(), lead_id=lead.id, stage=stage, previous=None, entered_at=at, recorded_at=at
    )


def a_cost(world: World, campaign: Any, minor: int, *, currency: str = "EUR", on: int = 3) -> Any:
    return CampaignCost(
        id=new_id(),
        campaign_id=campaign.id,
        on=date(2026, 3, on),
        amount_minor=minor,
        currency=currency,
        recorded_at=world.now,
    )


async def scoped(world: World, dimension: PerformanceDimension, **changes: Any) -> Scope:
    wanted = {
        "model": BuiltInModel.LINEAR,
        "basis": PerformanceBasis.CLOSE,
        "period": MARCH,
        **changes,
    }
    async with world.work() as work:
        return await scope_of(work, world.actor(), dimension, **wanted)


async def figures(world: World, dimension: PerformanceDimension, **changes: Any) -> Performance:
    scope = await scoped(world, dimension, **changes)
    async with world.work() as work:
        return await performance(work, world.actor(), scope)


async def behind(
    world: World, scope: Scope, measure: PerformanceMeasure, key: str | None
) -> list[EvidenceRow]:
    """Return all rows behind a number, two a page."""
    found: list[EvidenceRow] = []
    number, page = Number(scope=scope, measure=measure, key=key), PageRequest(size=2)
    while True:
        async with world.work() as work:
            got = await evidence(work, world.actor(), number, page)
            total = await work.ask(got.counting)
        found += got.nodes
        if not got.has_next_page:
            assert len(found) == total
            return found
        page = PageRequest(size=2, cursor=read_cursor(got.cursors[-1], "after"))


def told(row: Figures) -> tuple[Any, ...]:
    return (
        row.cost_minor,
        row.touches,
        (row.leads, row.mqls, row.accepted, row.sqls),
        row.pipeline_minor,
        row.won_minor,
        row.influenced_minor,
    )
