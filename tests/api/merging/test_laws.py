"""Merging and parting again is nothing; and what is counted is what a recount would find."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.merging import merge_leads, unmerge_leads
from tests.agreements import sign
from tests.api.merging.numbers import check_one_number
from tests.api.merging.story import Story, everything, kept_tallies, recounted
from tests.world import World

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("seed", range(6))
async def test_merging_and_parting_is_the_identity_and_both_leave_the_tallies_right(
    world: World, seed: int
) -> None:
    world.at(MONDAY)
    await sign(world)
    story = Story(world, seed)
    await story.run(40)
    await story.sweep()  # what has come by itself is told by whoever looks
    before = await everything(world)
    assert await kept_tallies(world) == await recounted(world)
    await check_one_number(world)
    winner, *losers = story.chance.sample(story.leads, story.chance.choice((2, 3)))

    async with world.work() as work:
        merge = await merge_leads(work, world.actor(), winner, losers)
    merged = await everything(world)
    assert await kept_tallies(world) == await recounted(world)
    await check_one_number(world)
    assert len(merged["leads"]) == len(before["leads"]) - len(losers)

    async with world.work() as work:
        await unmerge_leads(work, world.actor(), merge.id)
    assert await everything(world) == before
    assert await kept_tallies(world) == await recounted(world)


@pytest.mark.parametrize("seed", range(100, 103))
async def test_merges_of_merged_leads_are_undone_the_last_one_first(
    world: World, seed: int
) -> None:
    world.at(MONDAY)
    await sign(world)
    story = Story(world, seed)
    await story.run(40)
    await story.sweep()  # what has come by itself is told by whoever looks
    before = await everything(world)
    first, second, third, fourth = story.leads

    undo = []
    for winner, loser in ((first, second), (third, fourth), (third, first)):
        async with world.work() as work:
            undo.append(await merge_leads(work, world.actor(), winner, [loser]))
        assert await kept_tallies(world) == await recounted(world)
    for merge in reversed(undo):
        async with world.work() as work:
            await unmerge_leads(work, world.actor(), merge.id)
        assert await kept_tallies(world) == await recounted(world)
    assert await everything(world) == before
