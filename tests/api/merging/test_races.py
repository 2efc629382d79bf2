"""Merging while others are at the same leads: nothing is lost, and nothing happens twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from domain import handoff_flow
from domain.errors import DomainError
from domain.handoff import Handoff
from domain.lead_details import LeadDetails
from domain.lead_intake import create_lead, log_activity
from domain.leads import Activity, ActivityKind, Lead
from domain.lifecycle import advance_lead
from domain.merging import LeadMerge, merge_leads
from domain.stages import Stage
from tests.agreements import sign
from tests.api.merging.story import kept_tallies, recounted
from tests.world import World


async def two_leads(world: World) -> tuple[Lead, Lead]:
    async with world.work() as work:
        made = [
            await create_lead(work, world.actor(), LeadDetails(email=f"{name}@acme.example"))
            for name in ("ann", "bob")
        ]
        one, other = [
            await advance_lead(work, world.actor(), lead.id, to=Stage.MQL) for lead in made
        ]
    return one, other


async def merging(world: World, winner: Lead, loser: Lead) -> LeadMerge:
    async with world.work() as work:
        merge: LeadMerge = await merge_leads(work, world.actor(), winner.id, [loser.id])
    return merge


async def calling(world: World, lead: Lead) -> Activity:
    async with world.work() as work:
        activity: Activity = await log_activity(
            work, world.actor(world.rep), lead.id, kind=ActivityKind.CALL
        )
    return activity


async def handing_off(world: World, lead: Lead) -> Handoff:
    async with world.work() as work:
        actor = world.actor(world.marketer)
        handoff: Handoff = await handoff_flow.hand_off(work, actor, lead.id)
    return handoff


async def together(*doings: Awaitable[Any]) -> list[Any]:
    """Do several things at once; return what came of each, refusals too."""
    found = await asyncio.gather(*doings, return_exceptions=True)
    for each in found:
        if isinstance(each, BaseException) and not isinstance(each, DomainError):
            raise each
    return found


@pytest.mark.parametrize("attempt", range(3))
async def test_a_call_on_a_lead_that_is_merged_meanwhile_is_kept(
    world: World, attempt: int
) -> None:
    await sign(world)
    winner, loser = await two_leads(world)
    await handing_off(world, loser)

    merge, *_ = await together(
        merging(world, winner, loser), *(calling(world, loser) for _ in range(4))
    )

    assert merge.winner_id == winner.id
    async with world.work() as work:
        activities = await work.find(Activity)
    assert [activity.lead_id for activity in activities] == [winner.id] * 4
    assert await kept_tallies(world) == await recounted(world)


@pytest.mark.parametrize("attempt", range(3))
async def test_of_two_merges_of_the_same_leads_one_is_made(world: World, attempt: int) -> None:
    one, other = await two_leads(world)

    found = await together(merging(world, one, other), merging(world, other, one))

    (refused,) = [each for each in found if isinstance(each, DomainError)]
    assert refused.code == "ALREADY_MERGED"
    async with world.work() as work:
        assert len(await work.find(Lead)) == 1
        assert len(await work.find(LeadMerge)) == 1
    assert await kept_tallies(world) == await recounted(world)


@pytest.mark.parametrize("attempt", range(3))
async def test_a_hand_off_meanwhile_is_the_winners(world: World, attempt: int) -> None:
    await sign(world)
    winner, loser = await two_leads(world)

    _, handed = await together(merging(world, winner, loser), handing_off(world, loser))

    async with world.work() as work:
        handoffs = await work.find(Handoff)
    assert [(each.id, each.lead_id) for each in handoffs] == [(handed.id, winner.id)]
    assert await kept_tallies(world) == await recounted(world)
