"""Of what was to be done next about two who are one, one thing is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.leads import Lead
from domain.next_steps import NextStep, finish_next_step, set_next_step
from tests.api.merging.leads import a_lead, merged, ref, unmerged
from tests.world import World

STEPS = "query($lead: LeadRef!) { lead(ref: $lead) { nextSteps { nodes { text open } } } }"


async def plan(world: World, lead: Lead, text: str, *, days: int) -> NextStep:
    async with world.work() as work:
        due_at = work.now + timedelta(days=days)
        return await set_next_step(work, world.actor(), lead.id, text=text, due_at=due_at)


async def done(world: World, step: NextStep) -> None:
    async with world.work() as work:
        await finish_next_step(work, world.actor(), step.id)


async def planned(world: World, lead: Lead) -> dict[str, bool]:
    """Return what was to be done about a lead, and whether it still is."""
    answer = await world.data(STEPS, {"lead": ref(lead)})
    return {step["text"]: step["open"] for step in answer["lead"]["nextSteps"]["nodes"]}


@pytest.mark.parametrize(("first", "second"), [("of Ann", "of Anna"), ("of Anna", "of Ann")])
async def test_what_is_due_first_goes_on_and_each_has_its_own_again(
    world: World, first: str, second: str
) -> None:
    ann, anna = await a_lead(world, "ann"), await a_lead(world, "anna")
    days = {first: 1, second: 3}
    await plan(world, ann, "of Ann", days=days["of Ann"])
    await plan(world, anna, "of Anna", days=days["of Anna"])
    world.wait(hours=1)

    merge = await merged(world, ann, anna)
    together = await planned(world, ann)
    await unmerged(world, merge.id)

    assert together == {first: True, second: False}
    assert (await planned(world, ann), await planned(world, anna)) == (
        {"of Ann": True},
        {"of Anna": True},
    )


async def test_what_was_replaced_is_open_again_though_the_other_was_done(world: World) -> None:
    ann, anna = await a_lead(world, "ann"), await a_lead(world, "anna")
    await plan(world, ann, "of Ann", days=3)
    first = await plan(world, anna, "of Anna", days=1)
    merge = await merged(world, ann, anna)
    await done(world, first)

    await unmerged(world, merge.id)

    assert (await planned(world, ann), await planned(world, anna)) == (
        {"of Ann": True},
        {"of Anna": False},
    )


@pytest.mark.parametrize("is_done", [False, True], ids=["open", "done"])
async def test_what_was_planned_since_stays_in_the_place_of_the_winners_own(
    world: World, is_done: bool
) -> None:
    ann, anna, annie = [await a_lead(world, name) for name in ("ann", "anna", "annie")]
    await plan(world, ann, "of Ann", days=3)
    await plan(world, anna, "of Anna", days=2)
    await plan(world, annie, "of Annie", days=1)
    merge = await merged(world, ann, anna, annie)
    step = await plan(world, ann, "since", days=5)
    if is_done:
        await done(world, step)

    await unmerged(world, merge.id)

    assert await planned(world, ann) == {"of Ann": False, "since": not is_done}
    # What was planned since took the place of Annie's; Anna's had only given way to that.
    assert (await planned(world, anna), await planned(world, annie)) == (
        {"of Anna": True},
        {"of Annie": False},
    )
