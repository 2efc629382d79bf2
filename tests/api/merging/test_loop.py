"""Merging and parting again is nothing, whatever of the closed loop the leads have."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.merging import MergedSince, merge_leads, unmerge_leads
from domain.sla.agreement import CommitmentKind
from tests.agreements import a_commitment, a_sla, sign, usual_commitments
from tests.api.merging.loop import LoopStory
from tests.api.merging.story import everything, kept_tallies, recounted
from tests.world import World

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


async def a_story(world: World, seed: int, steps: int) -> LoopStory:
    world.at(MONDAY)
    sla = a_sla(world)
    feedback = a_commitment(sla, CommitmentKind.FEEDBACK, 5, within_minutes=1200)
    await sign(world, *usual_commitments(sla), feedback, sla=sla)
    story = LoopStory(world, seed)
    await story.begin()
    await story.run(steps)
    await story.settle()
    return story


@pytest.mark.parametrize("seed", range(2))
async def test_merging_and_parting_is_the_identity_on_everything(world: World, seed: int) -> None:
    story = await a_story(world, seed, 70)
    before = await everything(world)
    winner, *losers = story.chance.sample(story.leads, 4)

    async with world.work() as work:
        merge = await merge_leads(work, world.actor(), winner, losers)
    merged = await everything(world)
    assert await kept_tallies(world) == await recounted(world)
    assert len(merged["leads"]) == len(before["leads"]) - 3

    async with world.work() as work:
        await unmerge_leads(work, world.actor(), merge.id)
    assert await everything(world) == before
    assert await kept_tallies(world) == await recounted(world)


@pytest.mark.parametrize("seed", [200])
async def test_a_chain_of_merges_is_undone_from_its_end_only(world: World, seed: int) -> None:
    """One becomes part of another, which becomes part of a third."""
    story = await a_story(world, seed, 60)
    before = await everything(world)
    third, second, first = story.chance.sample(story.leads, 3)
    merges = []
    for winner, loser in ((second, first), (third, second)):
        async with world.work() as work:
            merges.append(await merge_leads(work, world.actor(), winner, [loser]))
        assert await kept_tallies(world) == await recounted(world)
    together = await everything(world)

    async with world.work() as work:
        with pytest.raises(MergedSince):
            await unmerge_leads(work, world.actor(), merges[0].id)
    assert await everything(world) == together
    for merge in reversed(merges):
        async with world.work() as work:
            await unmerge_leads(work, world.actor(), merge.id)
        assert await kept_tallies(world) == await recounted(world)
    assert await everything(world) == before
