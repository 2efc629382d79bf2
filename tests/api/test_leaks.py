"""Leads that run through the fingers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.handoff_flow import hand_off
from domain.identity import update_user
from domain.ids import new_id, public
from domain.leads import ActivityKind, Agency, Lead
from domain.leaks import LeakLimit
from domain.merging import merge_leads
from domain.next_steps import NextStep
from domain.stages import Stage
from tests.agreements import add_mql
from tests.following import following
from tests.telling import accept, hand_over, recycle, touch
from tests.world import World

# The id of nothing; the same in every process, because names of tests are made from it.
NOBODY = UUID("01890000-0000-7000-8000-000000000000")

LEAKS = """query($kinds: [LeakKind!], $teams: [ID!], $stages: [Stage!], $first: Int,
    $after: String, $last: Int, $before: String) {
  leaks(kinds: $kinds, teams: $teams, stages: $stages, first: $first, after: $after, last: $last,
    before: $before) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    nodes { kind stage since age limit team { name } lead { id } } } }"""
REPORT = "{ leakReport { count nextAt totals { kind stage count since team { name } } } }"
LIVE = "subscription { leakReport { asOf count nextAt longest { kind } } }"
LIMITS = (
    "{ leakLimits { stage withoutOwner withoutNextStep untouched setting { setBy { name } } } }"
)
SET = """mutation($input: LeakLimitsSetInput!) { leakLimitsSet(input: $input) {
  leakLimits { stage withoutOwner withoutNextStep untouched } userErrors { code path } } }"""
STEP = """mutation($input: NextStepSetInput!) { nextStepSet(input: $input) {
  nextStep { id text dueAt open setBy { name } } userErrors { code path } } }"""
DONE = """mutation($input: NextStepDoneInput!) { nextStepDone(input: $input) {
  nextStep { doneAt open doneBy { name } } userErrors { code path } } }"""


async def leaks(world: World, **variables: Any) -> list[tuple[Any, ...]]:
    found = (await world.data(LEAKS, variables))["leaks"]["nodes"]
    return [(each["kind"], each["stage"], each["age"], each["lead"]["id"]) for each in found]


async def set_step(world: World, lead_id: Any, due_at: Any, text: str = "Call.") -> dict[str, Any]:
    input = {"lead": {"id": public("Lead", lead_id)}, "text": text, "dueAt": due_at.isoformat()}
    payload: dict[str, Any] = (await world.data(STEP, {"input": input}, as_=world.rep))[
        "nextStepSet"
    ]
    return payload


async def test_what_a_lead_lacks_too_long_is_a_leak_of_the_accountable_team(world: World) -> None:
    orphan = await add_mql(world)
    handoff = await hand_over(world)
    await accept(world, handoff)
    nurtured = await add_mql(world, stage=Stage.LEAD)
    world.wait(days=2, hours=2)

    answer = (await world.data(LEAKS, {}))["leaks"]

    def leak(kind: str, stage: str, lead_id: Any, team: str, limit: str) -> dict[str, Any]:
        return {
            "kind": kind,
            "stage": stage,
            "since": "2026-03-10T12:00:00Z",
            "age": "PT18H",
            "limit": limit,
            "team": {"name": team},
            "lead": {"id": public("Lead", lead_id)},
        }

    # From Tuesday noon to Thursday two o'clock: 5 + 8 + 5 working hours.
    expected = [
        leak("NO_OWNER", "MQL", orphan.id, "Marketing", "PT8H"),
        leak("NO_TOUCH", "MQL", orphan.id, "Marketing", "PT16H"),
        leak("NO_NEXT_STEP", "SAL", handoff.lead_id, "Sales", "PT16H"),
        leak("NO_TOUCH", "SAL", handoff.lead_id, "Sales", "PT16H"),
    ]
    assert answer["nodes"] == sorted(expected, key=lambda each: (each["lead"]["id"], each["kind"]))
    assert answer["totalCount"] == 4
    assert public("Lead", nurtured.id) not in str(answer)


async def test_who_must_not_be_contacted_lacks_nothing(world: World) -> None:
    wish = {"do_not_contact": True, "do_not_contact_at": world.now, "do_not_contact_reason": "No."}
    await add_mql(world, **wish)
    world.wait(days=7)

    assert await leaks(world) == []


async def test_a_leak_is_one_only_after_its_limit_in_working_time(world: World) -> None:
    lead = await add_mql(world)
    world.wait(days=1)
    at_the_limit = await leaks(world)
    world.wait(microseconds=1)

    after = await leaks(world)

    assert at_the_limit == []
    assert after == [("NO_OWNER", "MQL", "PT8H", public("Lead", lead.id))]


async def test_a_touch_a_step_and_an_owner_stop_leaks(world: World) -> None:
    handoff = await hand_over(world)
    await accept(world, handoff)
    world.wait(days=3)
    before = [leak[0] for leak in await leaks(world)]
    await touch(world, handoff, ActivityKind.NOTE)
    await touch(world, handoff, ActivityKind.EMAIL, agency=Agency.AUTOMATIC)
    still = [leak[0] for leak in await leaks(world)]
    await touch(world, handoff)
    touched = [leak[0] for leak in await leaks(world)]
    step = await set_step(world, handoff.lead_id, world.now + timedelta(hours=1))
    planned = await leaks(world)

    world.wait(days=5)
    late = await leaks(world, kinds=["NO_NEXT_STEP"])
    await world.data(DONE, {"input": {"nextStep": step["nextStep"]["id"]}}, as_=world.rep)
    done = await leaks(world, kinds=["NO_NEXT_STEP"])

    assert (sorted(before), sorted(still)) == (["NO_NEXT_STEP", "NO_TOUCH"],) * 2
    assert (touched, planned) == (["NO_NEXT_STEP"], [])
    # A step that is past due is none, since it was due; one that is done leaves time for the next.
    assert [leak[:3] for leak in late] == [("NO_NEXT_STEP", "SAL", "PT23H")]
    assert done == []


async def test_a_lead_of_somebody_who_left_has_no_owner_since(world: World) -> None:
    handoff = await hand_over(world)
    await accept(world, handoff)
    world.wait(hours=2)
    async with world.work() as work:
        await update_user(work, world.actor(), world.rep.id, active=False)
    world.wait(days=1)

    gone = await leaks(world, kinds=["NO_OWNER"])
    async with world.work() as work:
        await update_user(work, world.actor(), world.rep.id, active=True)

    assert gone == [("NO_OWNER", "SAL", "PT8H", public("Lead", handoff.lead_id))]
    assert await leaks(world, kinds=["NO_OWNER"]) == []


async def test_whose_a_merged_lead_is_says_the_hand_off_that_goes_on(world: World) -> None:
    first = await hand_over(world)
    async with world.work() as work:
        keys = await work.add(replace(world.sales, id=new_id(), name="Key accounts"))
        other = await add_mql(world)
        actor = world.actor(world.marketer)
        await hand_off(work, actor, other.id, to_team_id=keys.id)
        await merge_leads(work, world.actor(), other.id, [first.lead_id])
    world.wait(days=7)

    answer = (await world.data(LEAKS, {}))["leaks"]["nodes"]

    assert {each["team"]["name"] for each in answer} == {"Sales"}


async def test_a_lead_given_back_is_marketings_again(world: World) -> None:
    handoff = await hand_over(world)
    await accept(world, handoff)
    await recycle(world, handoff)
    async with world.work() as work:
        lead = await work.get(Lead, handoff.lead_id)
        await work.connection.execute("UPDATE leads SET stage = 'MQL' WHERE id = $1", lead.id)
    world.wait(days=3)

    found = (await world.data(LEAKS, {"teams": [public("Team", world.marketing.id)]}))["leaks"]
    sales = (await world.data(LEAKS, {"teams": [public("Team", world.sales.id)]}))["leaks"]

    assert {each["team"]["name"] for each in found["nodes"]} == {"Marketing"}
    assert sales["totalCount"] == 0


async def test_leaks_are_filtered_and_paged_both_ways(world: World) -> None:
    for _ in range(3):
        await add_mql(world)
        world.wait(minutes=10)
    world.wait(days=7)
    whole = await leaks(world)
    assert len(whole) == 6

    async def page(**variables: Any) -> tuple[list[Any], dict[str, Any]]:
        found = (await world.data(LEAKS, variables))["leaks"]
        nodes = [(n["kind"], n["stage"], n["age"], n["lead"]["id"]) for n in found["nodes"]]
        return nodes, found["pageInfo"]

    first, info = await page(first=4)
    second, after = await page(first=4, after=info["endCursor"])
    back, before = await page(last=4, before=after["startCursor"])

    assert (first, second, back) == (whole[:4], whole[4:], whole[:4])
    assert (info["hasNextPage"], after["hasNextPage"], after["hasPreviousPage"]) == (
        True,
        False,
        True,
    )
    assert (before["hasNextPage"], before["hasPreviousPage"]) == (True, False)
    assert await leaks(world, kinds=["NO_OWNER"]) == [
        leak for leak in whole if leak[0] == "NO_OWNER"
    ]
    assert await leaks(world, stages=["SQL"]) == []
    foreign = await world.ask(LEAKS, {"after": "WzEsMl0"})
    assert foreign["errors"][0]["message"] == "`after` is a cursor of another list."
    unknown = await world.ask(LEAKS, {"teams": [public("Team", new_id())]})
    assert unknown["errors"][0]["message"] == "There is no such team."


async def test_leaks_are_told_live_though_nothing_happens(world: World) -> None:
    await add_mql(world)
    async with following(world, LIVE) as stream:
        first = (await stream.next())["data"]["leakReport"]
        world.wait(days=1)
        waiting = (await world.data(REPORT))["leakReport"]
        world.wait(microseconds=1)
        second = (await stream.after_news())["data"]["leakReport"]
        world.wait(days=6)
        third = (await stream.after_news())["data"]["leakReport"]

    # Eight working hours from Tuesday noon, and the tick after.
    assert (first["count"], first["nextAt"]) == (0, "2026-03-11T12:00:00.000001Z")
    assert (waiting["count"], waiting["nextAt"]) == (0, first["nextAt"])
    assert (second["count"], second["nextAt"]) == (1, "2026-03-12T12:00:00.000001Z")
    assert second["longest"] == [{"kind": "NO_OWNER"}]
    assert (third["count"], third["nextAt"]) == (2, None)


async def test_a_report_counts_by_kind_stage_and_team(world: World) -> None:
    for _ in range(2):
        await add_mql(world)
    world.wait(days=3)

    report = (await world.data(REPORT))["leakReport"]

    totals = [
        {
            "kind": kind,
            "stage": "MQL",
            "count": 2,
            "since": "2026-03-10T12:00:00Z",
            "team": {"name": "Marketing"},
        }
        for kind in ("NO_OWNER", "NO_TOUCH")
    ]
    assert report == {"count": 4, "nextAt": None, "totals": totals}


async def test_limits_are_set_by_stage_and_for_ever_is_a_limit_too(world: World) -> None:
    await add_mql(world)
    world.wait(hours=2)
    input = {"stage": "MQL", "withoutOwner": "PT1H", "untouched": None}

    done = await world.data(SET, {"input": input})

    assert done["leakLimitsSet"] == {
        "leakLimits": {
            "stage": "MQL",
            "withoutOwner": "PT1H",
            "withoutNextStep": None,
            "untouched": None,
        },
        "userErrors": [],
    }
    assert [leak[:3] for leak in await leaks(world)] == [("NO_OWNER", "MQL", "PT2H")]
    await world.data(SET, {"input": {"stage": "MQL"}})
    assert await leaks(world) == []
    limits = {each["stage"]: each for each in (await world.data(LIMITS))["leakLimits"]}
    assert limits["MQL"]["setting"] == {"setBy": {"name": "Olive"}}
    assert limits["SAL"] == {
        "stage": "SAL",
        "withoutOwner": "PT4H",
        "withoutNextStep": "PT16H",
        "untouched": "PT16H",
        "setting": None,
    }


@pytest.mark.parametrize("limit", ["PT0M", "P367D"])
async def test_a_limit_that_cannot_be_is_refused(world: World, limit: str) -> None:
    answer = await world.data(SET, {"input": {"stage": "SAL", "untouched": limit}})

    assert answer["leakLimitsSet"] == {
        "leakLimits": None,
        "userErrors": [{"code": "INVALID", "path": ["untouched"]}],
    }
    async with world.work() as work:
        assert await work.find(LeakLimit) == []


async def test_the_next_step_takes_the_place_of_the_last_one(world: World) -> None:
    lead = await add_mql(world)
    due_at = world.now + timedelta(days=1)
    first = await set_step(world, lead.id, due_at)
    second = await set_step(world, lead.id, due_at, "Send the offer.")

    over = await world.data(DONE, {"input": {"nextStep": first["nextStep"]["id"]}}, as_=world.rep)
    done = await world.data(DONE, {"input": {"nextStep": second["nextStep"]["id"]}}, as_=world.rep)
    twice = await world.data(DONE, {"input": {"nextStep": second["nextStep"]["id"]}}, as_=world.rep)

    assert second["nextStep"] == {
        "id": second["nextStep"]["id"],
        "text": "Send the offer.",
        "dueAt": "2026-03-11T12:00:00Z",
        "open": True,
        "setBy": {"name": "Sam"},
    }
    refused = {"nextStep": None, "userErrors": [{"code": "STEP_IS_OVER", "path": ["nextStep"]}]}
    assert over["nextStepDone"] == refused
    assert done["nextStepDone"]["nextStep"] == {
        "doneAt": "2026-03-10T12:00:00Z",
        "open": False,
        "doneBy": {"name": "Sam"},
    }
    assert twice["nextStepDone"] == refused


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"text": " "}, "INVALID", ["text"]),
        ({"text": "x" * 501}, "INVALID", ["text"]),
        ({"dueAt": "2026-03-10T11:59:59Z"}, "INVALID", ["dueAt"]),
        ({"lead": {"id": public("Lead", NOBODY)}}, "NOT_FOUND", ["lead"]),
    ],
    ids=str,
)
async def test_a_step_that_cannot_be_is_refused_and_nothing_is_stored(
    world: World, change: dict[str, Any], code: str, path: list[str]
) -> None:
    lead = await add_mql(world)
    input = {
        "lead": {"id": public("Lead", lead.id)},
        "text": "Call.",
        "dueAt": "2026-03-11T12:00:00Z",
        **change,
    }

    answer = await world.data(STEP, {"input": input}, as_=world.rep)

    assert answer["nextStepSet"] == {"nextStep": None, "userErrors": [{"code": code, "path": path}]}
    async with world.work() as work:
        assert await work.find(NextStep) == []
