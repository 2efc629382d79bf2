"""What marketing sees of the leads it handed over."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from domain.handoff import Handoff
from domain.identity import TeamMember, remove_team_member
from domain.ids import public
from domain.leads import ActivityKind, Agency
from domain.merging import merge_leads
from domain.opportunities import OpportunityStatus
from domain.outcomes import FollowUps, HandoffsWith, Outcome, outcomes_of
from domain.paging import Count, Listing
from infra.queries import _ANSWERS
from infra.queries.outcomes import follow_ups
from tests.telling import accept, deal, hand_over, recycle, reject, touch
from tests.world import World

LIST = """query($feedback: Outcome, $olderThan: Duration, $first: Int, $after: String) {
  handoffs(feedback: $feedback, olderThan: $olderThan, first: $first, after: $after,
    orderBy: [{field: HANDED_OFF_AT}]) {
    totalCount pageInfo { endCursor } nodes { id outcome { kind } } }
}"""
ONE = """query($id: ID!) { handoff(id: $id) { returnedAt returnReason outcome {
  kind at reason attempts firstTouchAt meetingAt amounts { amount currency } } } }"""


async def outcome(world: World, handoff: Handoff) -> dict[str, Any]:
    answer = await world.data(ONE, {"id": public("Handoff", handoff.id)}, as_=world.marketer)
    found: dict[str, Any] = answer["handoff"]["outcome"]
    return found


async def listed(world: World, **variables: Any) -> list[str]:
    answer = await world.data(LIST, variables, as_=world.marketer)
    nodes = answer["handoffs"]["nodes"]
    assert answer["handoffs"]["totalCount"] == len(nodes) or "first" in variables
    return [node["id"] for node in nodes]


async def test_a_story_is_told_step_by_step(world: World) -> None:
    handoff = await hand_over(world)
    kinds = [(await outcome(world, handoff))["kind"]]
    await accept(world, handoff)
    kinds.append((await outcome(world, handoff))["kind"])
    world.wait(hours=1)
    await touch(world, handoff)
    kinds.append((await outcome(world, handoff))["kind"])
    world.wait(hours=1)
    await touch(world, handoff, ActivityKind.MEETING)
    kinds.append((await outcome(world, handoff))["kind"])
    await deal(world, handoff)
    kinds.append((await outcome(world, handoff))["kind"])
    world.wait(hours=1)
    await deal(world, handoff, OpportunityStatus.WON, 250_50)

    assert kinds == ["NONE", "ACCEPTED", "ATTEMPTED", "MEETING", "OPPORTUNITY"]
    assert await outcome(world, handoff) == {
        "kind": "WON",
        "at": "2026-03-10T15:00:00Z",
        "reason": None,
        "attempts": 2,
        "firstTouchAt": "2026-03-10T13:00:00Z",
        "meetingAt": "2026-03-10T14:00:00Z",
        "amounts": [{"amount": "250.50", "currency": "EUR"}],
    }


async def test_a_lead_given_back_after_it_was_taken_is_recycled_with_its_reason(
    world: World,
) -> None:
    handoff = await hand_over(world)
    await accept(world, handoff)
    world.wait(hours=2)

    await recycle(world, handoff, "No budget.")

    answer = await world.data(ONE, {"id": public("Handoff", handoff.id)})
    told = answer["handoff"]
    assert (told["returnedAt"], told["returnReason"]) == ("2026-03-10T14:00:00Z", "No budget.")
    assert (told["outcome"]["kind"], told["outcome"]["reason"]) == ("RECYCLED", "No budget.")


async def test_only_people_of_the_team_that_got_it_make_attempts(world: World) -> None:
    handoff = await hand_over(world)
    world.wait(hours=1)

    await touch(world, handoff, by=world.marketer)
    await touch(world, handoff, ActivityKind.NOTE)
    await touch(world, handoff, ActivityKind.EMAIL, agency=Agency.AUTOMATIC)
    await touch(world, handoff, ago=timedelta(hours=2))

    assert (await outcome(world, handoff))["kind"] == "NONE"


async def test_what_happens_after_a_second_hand_off_belongs_to_that(world: World) -> None:
    first = await hand_over(world)
    await reject(world, first)
    second = await hand_over(world)
    async with world.work() as work:
        await work.connection.execute(
            "UPDATE handoffs SET lead_id = $1, handed_off_at = $2 WHERE id = $3",
            first.lead_id,
            world.wait(hours=1),
            second.id,
        )
    world.wait(hours=1)

    await touch(world, first)

    assert (await outcome(world, first))["attempts"] == 0
    assert (await outcome(world, second))["attempts"] == 1


async def test_who_leaves_a_team_takes_no_attempts_along(world: World) -> None:
    handoff = await hand_over(world)
    world.wait(hours=1)
    await touch(world, handoff, ActivityKind.MEETING, by=world.other_rep)
    async with world.work() as work:
        for member in await work.find(TeamMember, user_id=world.other_rep.id):
            await remove_team_member(work, world.actor(), member.id)

    assert (await outcome(world, handoff))["kind"] == "MEETING"
    # What they do from now on is nobody's attempt; what newcomers did before is none either.
    await touch(world, handoff, by=world.other_rep)
    assert (await outcome(world, handoff))["attempts"] == 1
    assert await listed(world, feedback="NONE") == []


async def merged(world: World, one: Handoff, other: Handoff) -> None:
    """Let the leads of two hand-offs be one person."""
    async with world.work() as work:
        await merge_leads(work, world.actor(), one.lead_id, [other.lead_id])


async def test_what_happens_after_a_merge_belongs_to_the_hand_off_that_goes_on(
    world: World,
) -> None:
    first = await hand_over(world)
    world.wait(hours=1)
    second = await hand_over(world)
    await touch(world, second)
    world.wait(hours=1)
    await merged(world, first, second)
    world.wait(hours=1)

    await touch(world, first, ActivityKind.MEETING)

    told = [await outcome(world, each) for each in (first, second)]
    assert [(each["kind"], each["attempts"]) for each in told] == [("MEETING", 2), ("MERGED", 0)]


async def test_a_lead_given_back_after_a_merge_is_recycled_with_its_reason(world: World) -> None:
    first = await hand_over(world)
    await accept(world, first)
    world.wait(hours=1)
    second = await hand_over(world)
    await merged(world, first, second)
    world.wait(hours=1)

    await recycle(world, first, "No budget.")

    told = [await outcome(world, each) for each in (first, second)]
    assert [(each["kind"], each["reason"]) for each in told] == [
        ("RECYCLED", "No budget."),
        ("MERGED", "This person had been handed off already, as another lead."),
    ]


async def test_hand_offs_without_feedback_are_listed_by_age(world: World) -> None:
    silent = await hand_over(world)
    called, answered = await hand_over(world), await hand_over(world)
    await touch(world, called)
    await accept(world, answered)
    world.wait(days=2)
    fresh = await hand_over(world)

    old = await listed(world, feedback="NONE", olderThan="P2D")
    everything = await listed(world, feedback="NONE")
    older = await listed(world, olderThan="P1D")

    assert old == [public("Handoff", silent.id)]
    assert everything == [public("Handoff", each.id) for each in (silent, fresh)]
    assert set(older) == {public("Handoff", each.id) for each in (silent, called, answered)}
    assert await listed(world, olderThan="P99999DT999999H") == []


async def test_pages_of_hand_offs_without_feedback_follow_each_other(world: World) -> None:
    handoffs = []
    for _ in range(5):
        handoffs.append(public("Handoff", (await hand_over(world)).id))
        world.wait(minutes=1)
    pages, after = [], None
    for _ in range(3):
        answer = await world.data(LIST, {"feedback": "NONE", "first": 2, "after": after})
        pages.append([node["id"] for node in answer["handoffs"]["nodes"]])
        after = answer["handoffs"]["pageInfo"]["endCursor"]

    assert pages == [handoffs[:2], handoffs[2:4], handoffs[4:]]


@pytest.mark.parametrize("seed", range(3))
async def test_the_database_tells_outcomes_apart_as_the_rule_does(world: World, seed: int) -> None:
    chance = random.Random(seed)
    steps = (
        *(accept, reject, recycle, touch),
        lambda world, handoff: touch(world, handoff, ActivityKind.MEETING),
        lambda world, handoff: deal(world, handoff, chance.choice([*OpportunityStatus])),
    )
    for _ in range(12):
        handoff = await hand_over(world)
        for step in chance.sample(steps, chance.randrange(4)):
            async with world.work() as work:
                current = await work.get(Handoff, handoff.id)
            if step not in (accept, reject, recycle) or current.is_open:
                await step(world, handoff)

    async with world.work() as work:
        handoffs = await work.find(Handoff)
        told = await outcomes_of(work, handoffs)
        for kind in Outcome:
            listing = Listing(kind=Handoff, only=HandoffsWith(outcome=kind))
            page = await work.ask(listing)
            by_rule = {h.id for h, o in zip(handoffs, told, strict=True) if o.kind is kind}
            assert {each.id for each in page.nodes} == by_rule
            assert await work.ask(Count(listing=listing)) == len(by_rule)


async def test_outcomes_of_a_page_take_as_many_statements_as_of_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(6):
        await touch(world, await hand_over(world))
    asked: list[int] = []

    async def counting(work: Any, question: FollowUps) -> Any:
        asked.append(len(question.handoff_ids))
        return await follow_ups(work, question)

    monkeypatch.setitem(_ANSWERS, FollowUps, counting)
    for first in (1, 6):
        await world.data(LIST, {"first": first})

    assert asked == [1, 6]
