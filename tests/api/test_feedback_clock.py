"""The promise of feedback: what starts it, and what keeps it."""

from __future__ import annotations

from typing import Any

import pytest

from domain import threads
from domain.handoff import Handoff
from domain.ids import public
from domain.leads import ActivityKind, Agency
from domain.merging import merge_leads
from domain.opportunities import OpportunityDetails, open_opportunity
from domain.ratings import rate_lead
from domain.sla.agreement import CommitmentKind, Sla
from domain.sla.clock import ClockState
from domain.sla.clocks import SlaClock
from domain.stages import Side
from infra.sweeper import Sweeper
from tests.agreements import a_commitment, a_sla, sign
from tests.telling import accept, hand_over, recycle, reject, touch
from tests.world import World

PROPOSE = """mutation($input: SlaProposeInput!) { slaPropose(input: $input) {
  sla { commitments { kind side within workingTime targetShare } }
  userErrors { code path } } }"""
STATUS = """query($sla: ID!) { slaStatus(sla: $sla) { commitments {
  commitment { kind } status opened met breached open explain { formula } } } }"""


async def promised(world: World) -> tuple[Sla, Handoff]:
    """Sign that feedback comes within eight working hours, and hand a lead over."""
    sla = a_sla(world)
    await sign(world, a_commitment(sla, CommitmentKind.FEEDBACK, within_minutes=480), sla=sla)
    return sla, await hand_over(world)


async def states(world: World) -> list[ClockState]:
    async with world.work() as work:
        return [clock.state for clock in await work.find(SlaClock)]


async def say(world: World, handoff: Handoff, user: Any) -> None:
    async with world.work() as work:
        about = threads.Subject(lead_id=handoff.lead_id)
        await threads.start_thread(work, world.actor(user), about, text="They build a new plant.")


async def test_that_a_lead_was_taken_is_no_feedback(world: World) -> None:
    _, handoff = await promised(world)

    await accept(world, handoff)
    await touch(world, handoff, ActivityKind.CALL)
    await touch(world, handoff, ActivityKind.MEETING, agency=Agency.AUTOMATIC)
    await touch(world, handoff, ActivityKind.MEETING, by=world.marketer)
    await say(world, handoff, world.marketer)

    assert await states(world) == [ClockState.RUNNING]


@pytest.mark.parametrize("how", ["reject", "recycle", "give back", "meet", "tell", "rate", "deal"])
async def test_feedback_is_what_says_more_than_that(world: World, how: str) -> None:
    _, handoff = await promised(world)
    world.wait(hours=1)
    match how:
        case "reject":
            await reject(world, handoff)
        case "recycle":
            await recycle(world, handoff)
        case "give back":
            await accept(world, handoff)
            await recycle(world, handoff)
        case "meet":
            await touch(world, handoff, ActivityKind.MEETING)
        case "tell":
            await say(world, handoff, world.other_rep)
        case "rate":
            async with world.work() as work:
                await rate_lead(work, world.actor(world.rep), handoff.lead_id, stars=2)
        case _:
            await accept(world, handoff)
            async with world.work() as work:
                actor = world.actor(world.rep)
                await open_opportunity(work, actor, handoff.lead_id, OpportunityDetails(name="A"))

    assert await states(world) == [ClockState.MET]


async def test_late_feedback_is_late_however_it_came(world: World) -> None:
    sla, handoff = await promised(world)
    world.wait(days=2)
    await Sweeper(world.database).sweep()
    breached = await states(world)

    await touch(world, handoff, ActivityKind.MEETING)

    assert (breached, await states(world)) == ([ClockState.BREACHED], [ClockState.MET_LATE])
    answer = await world.data(STATUS, {"sla": public("Sla", sla.id)})
    (standing,) = answer["slaStatus"]["commitments"]
    assert standing.pop("explain")["formula"].startswith("met share = met / (met + breached)")
    assert standing == {
        "commitment": {"kind": "FEEDBACK"},
        "status": "BEHIND",
        "opened": 1,
        "met": 0,
        "breached": 1,
        "open": 0,
    }


@pytest.mark.parametrize("how", ["tell", "rate", "deal", "give back"])
async def test_after_a_merge_the_promise_that_goes_on_is_kept(world: World, how: str) -> None:
    """Both were accepted, so the earlier promise goes on, and the later hand-off is the newest."""
    _, first = await promised(world)
    await accept(world, first)
    world.wait(hours=1)
    second = await hand_over(world)
    await accept(world, second)
    async with world.work() as work:
        await merge_leads(work, world.actor(), first.lead_id, [second.lead_id])
    before = await states(world)

    match how:
        case "tell":
            await say(world, first, world.rep)
        case "rate":
            async with world.work() as work:
                await rate_lead(work, world.actor(world.rep), first.lead_id, stars=2)
        case "deal":
            async with world.work() as work:
                actor = world.actor(world.rep)
                await open_opportunity(work, actor, first.lead_id, OpportunityDetails(name="A"))
        case _:
            await recycle(world, first)

    assert before == [ClockState.RUNNING, ClockState.TRANSFERRED]
    assert await states(world) == [ClockState.MET, ClockState.TRANSFERRED]


async def test_what_is_said_of_a_hand_off_that_a_merge_ended_is_feedback_too(
    world: World,
) -> None:
    _, first = await promised(world)
    world.wait(hours=1)
    second = await hand_over(world)
    async with world.work() as work:
        about = threads.Subject(handoff_id=second.id)
        talk = await threads.start_thread(work, world.actor(world.marketer), about, text="Well?")
        await merge_leads(work, world.actor(), first.lead_id, [second.lead_id])
        await threads.reply(work, world.actor(world.rep), talk.id, text="They build a plant.")

    assert await states(world) == [ClockState.MET, ClockState.TRANSFERRED]


async def test_feedback_is_proposed_like_every_timed_promise(world: World) -> None:
    delivery = {"delivery": {"name": "Leads", "target": {"leads": 5}}}
    terms = {
        "name": "May",
        "period": {"kind": "MONTH", "startsOn": "2026-05-01"},
        "marketingTeam": public("Team", world.marketing.id),
        "salesTeam": public("Team", world.sales.id),
        "side": Side.MARKETING.value,
    }
    ask = {"feedback": {"name": "Hear back", "within": "P2D", "targetShare": "0.9"}}
    never = {"feedback": {"name": "Hear back", "within": "PT0M"}}

    done = await world.data(PROPOSE, {"input": {**terms, "commitments": [delivery, ask]}})
    refused = await world.data(PROPOSE, {"input": {**terms, "commitments": [delivery, never]}})

    assert done["slaPropose"]["sla"]["commitments"][1] == {
        "kind": "FEEDBACK",
        "side": "SALES",
        "within": "P2D",
        "workingTime": True,
        "targetShare": "0.9",
    }
    assert refused["slaPropose"] == {
        "sla": None,
        "userErrors": [
            {"code": "OUT_OF_RANGE", "path": ["commitments", "1", "feedback", "within"]}
        ],
    }
