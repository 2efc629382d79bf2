from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.handoff import Handoff, HandoffStatus
from domain.ids import new_id, public
from domain.leads import Lead
from domain.sla.clocks import SlaClock
from domain.stages import Stage
from tests.agreements import add_mql, sign
from tests.world import World

HAND_OFF = """mutation($input: LeadHandOffInput!) { leadHandOff(input: $input) {
  handoff { status score reason dueAt owner { name } toTeam { name } fromTeam { name }
    clocks { nodes { state dueAt commitment { kind } } } }
  userErrors { code message path }
}}"""
ACCEPT = """mutation($input: LeadAcceptInput!) { leadAccept(input: $input) {
  handoff { status decidedAt decidedBy { name } lead { stage owner { name } } }
  userErrors { code path ... on StaleLeadError { current { stage } } }
}}"""
REJECT = """mutation($input: LeadRejectInput!) { leadReject(input: $input) {
  handoff { status decisionReason lead { stage owner { name } } } userErrors { code path }
}}"""
RECYCLE = """mutation($input: LeadRecycleInput!) { leadRecycle(input: $input) {
  lead { stage } userErrors { code path }
}}"""
REASSIGN = """mutation($input: LeadReassignInput!) { leadReassign(input: $input) {
  handoff { owner { name } lead { owner { name } } } userErrors { code path }
}}"""
INBOX = "{ handoffInbox { owner { name } dueAt } }"


def ref(lead: Lead) -> dict[str, Any]:
    return {"lead": {"id": public("Lead", lead.id)}}


async def handed_off(world: World, **more: Any) -> Lead:
    lead = await add_mql(world)
    answer = await world.data(HAND_OFF, {"input": {**ref(lead), **more}}, as_=world.marketer)
    assert answer["leadHandOff"]["userErrors"] == []
    return lead


async def test_a_handoff_keeps_the_moment_and_starts_every_promise(world: World) -> None:
    await sign(world)
    lead = await add_mql(world, score=72)

    answer = await world.data(
        HAND_OFF, {"input": {**ref(lead), "reason": "asked for a demo"}}, as_=world.marketer
    )

    assert answer == {
        "leadHandOff": {
            "handoff": {
                "status": "OPEN",
                "score": 72,
                "reason": "asked for a demo",
                "dueAt": "2026-03-10T16:00:00Z",
                "owner": {"name": "Sam"},
                "toTeam": {"name": "Sales"},
                "fromTeam": {"name": "Marketing"},
                "clocks": {
                    "nodes": [
                        {
                            "state": "RUNNING",
                            "dueAt": "2026-03-10T16:00:00Z",
                            "commitment": {"kind": "RESPONSE"},
                        },
                        {
                            "state": "RUNNING",
                            "dueAt": "2026-03-12T12:00:00Z",
                            "commitment": {"kind": "ATTEMPTS"},
                        },
                        {
                            "state": "RUNNING",
                            "dueAt": "2026-03-11T12:00:00Z",
                            "commitment": {"kind": "DISPOSITION"},
                        },
                    ]
                },
            },
            "userErrors": [],
        }
    }


async def test_teams_and_owner_can_be_told_by_what_others_know_them_by(world: World) -> None:
    lead = await add_mql(world)
    told = {
        "fromTeam": {"name": "Marketing"},
        "toTeam": {"name": "Sales"},
        "owner": {"email": world.other_rep.email.upper()},
    }

    given = await world.data(HAND_OFF, {"input": {**ref(lead), **told}}, as_=world.marketer)
    owner = {"email": world.rep.email}
    moved = await world.data(REASSIGN, {"input": {**ref(lead), "owner": owner}})

    assert given["leadHandOff"]["userErrors"] == []
    assert given["leadHandOff"]["handoff"]["owner"] == {"name": "Rita"}
    assert moved["leadReassign"]["handoff"]["owner"] == {"name": "Sam"}


@pytest.mark.parametrize(
    ("told", "code", "path"),
    [
        ({"toTeam": {"name": "Nobody"}}, "NOT_FOUND", ["toTeam"]),
        ({"fromTeam": {"name": "a\x00b"}}, "INVALID", ["fromTeam", "name"]),
        ({"owner": {"email": "nobody@x.example"}}, "NOT_FOUND", ["owner"]),
        ({"owner": {"email": ""}}, "NOT_FOUND", ["owner"]),
        ({"owner": {"id": "team_" + "0" * 32}}, "BAD_USER_INPUT", ["owner", "id"]),
    ],
)
async def test_a_reference_to_nobody_hands_nothing_off(
    world: World, told: dict[str, Any], code: str, path: list[str]
) -> None:
    lead = await add_mql(world)

    answer = await world.data(HAND_OFF, {"input": {**ref(lead), **told}}, as_=world.marketer)

    refusal = answer["leadHandOff"]["userErrors"][0]
    assert (answer["leadHandOff"]["handoff"], refusal["code"], refusal["path"]) == (
        None,
        code,
        path,
    )
    async with world.work() as work:
        assert await work.find(Handoff) == []
        assert await work.get(Lead, lead.id) == lead


async def test_another_tenants_team_and_user_are_unknown_by_name(
    world: World, other_world: World
) -> None:
    lead = await add_mql(world)
    async with other_world.work() as work:
        await work.save(replace(other_world.sales, name="Far away"))

    for told, path in (
        ({"toTeam": {"name": "Far away"}}, ["toTeam"]),
        ({"owner": {"email": other_world.rep.email}}, ["owner"]),
    ):
        answer = await world.data(HAND_OFF, {"input": {**ref(lead), **told}}, as_=world.marketer)
        refusal = answer["leadHandOff"]["userErrors"][0]
        assert (refusal["code"], refusal["path"]) == ("NOT_FOUND", path)


async def test_leads_go_round_those_who_can_take_one(world: World) -> None:
    owners = []
    for _ in range(4):
        lead = await handed_off(world)
        async with world.work() as work:
            owners.append((await work.get(Lead, lead.id)).owner_id)
        world.wait(minutes=1)
    assert owners == [world.rep.id, world.other_rep.id, world.rep.id, world.other_rep.id]


async def test_with_everybody_at_capacity_the_handoff_waits_in_the_teams_inbox(
    world: World,
) -> None:
    from domain.identity import TeamMember

    async with world.work() as work:
        for member in await work.find(TeamMember, team_id=world.sales.id):
            await work.save(replace(member, capacity=0))
    await handed_off(world)

    answer = await world.data(INBOX, as_=world.other_rep)

    assert answer == {"handoffInbox": [{"owner": None, "dueAt": None}]}


async def test_a_lead_that_is_no_mql_is_not_handed_off(world: World) -> None:
    lead = await add_mql(world, stage=Stage.LEAD)

    answer = await world.data(HAND_OFF, {"input": ref(lead)}, as_=world.marketer)

    assert answer["leadHandOff"] == {
        "handoff": None,
        "userErrors": [
            {
                "code": "NOT_AN_MQL",
                "message": "The lead is LEAD, and only an MQL is handed off.",
                "path": ["lead"],
            }
        ],
    }
    async with world.work() as work:
        assert await work.find(Handoff) == []
        assert await work.get(Lead, lead.id) == lead


async def test_a_lead_is_handed_off_once_at_a_time(world: World) -> None:
    lead = await handed_off(world)

    answer = await world.data(HAND_OFF, {"input": ref(lead)}, as_=world.marketer)

    assert answer["leadHandOff"]["userErrors"][0]["code"] == "ALREADY_HANDED_OFF"
    async with world.work() as work:
        assert len(await work.find(Handoff, lead_id=lead.id)) == 1


async def test_another_tenants_lead_does_not_exist(world: World, other_world: World) -> None:
    theirs = await add_mql(other_world)
    for document, more in (
        (HAND_OFF, {}),
        (ACCEPT, {}),
        (REJECT, {"reason": "no"}),
        (RECYCLE, {"reason": "no"}),
        (REASSIGN, {"owner": {"id": public("User", world.rep.id)}}),
    ):
        foreign = await world.data(document, {"input": {**ref(theirs), **more}})
        never = {"lead": {"id": public("Lead", new_id())}, **more}
        assert foreign == await world.data(document, {"input": never})
        (payload,) = foreign.values()
        assert [error["code"] for error in payload["userErrors"]] == ["NOT_FOUND"]
    async with other_world.work() as work:
        assert await work.get(Lead, theirs.id) == theirs


async def test_accepting_takes_the_lead_and_makes_it_an_sal(world: World) -> None:
    await sign(world)
    lead = await handed_off(world)
    world.wait(hours=1)

    answer = await world.data(ACCEPT, {"input": ref(lead)}, as_=world.rep)

    assert answer["leadAccept"] == {
        "handoff": {
            "status": "ACCEPTED",
            "decidedAt": "2026-03-10T13:00:00Z",
            "decidedBy": {"name": "Sam"},
            "lead": {"stage": "SAL", "owner": {"name": "Sam"}},
        },
        "userErrors": [],
    }


async def test_whoever_comes_second_is_told_how_it_stands(world: World) -> None:
    lead = await handed_off(world)

    first, second = await asyncio.gather(
        world.data(ACCEPT, {"input": ref(lead)}, as_=world.rep),
        world.data(ACCEPT, {"input": ref(lead)}, as_=world.other_rep),
    )

    won, lost = sorted((first, second), key=lambda a: a["leadAccept"]["handoff"] is None)
    assert won["leadAccept"]["handoff"]["status"] == "ACCEPTED"
    assert lost["leadAccept"] == {
        "handoff": None,
        "userErrors": [{"code": "STALE", "path": [], "current": {"stage": "SAL"}}],
    }


async def test_a_rejection_goes_back_to_marketing_with_its_reason(world: World) -> None:
    lead = await handed_off(world)

    empty = await world.data(REJECT, {"input": {**ref(lead), "reason": "  "}}, as_=world.rep)
    answer = await world.data(REJECT, {"input": {**ref(lead), "reason": "a student"}})

    assert empty["leadReject"] == {
        "handoff": None,
        "userErrors": [{"code": "INVALID", "path": ["reason"]}],
    }
    assert answer["leadReject"] == {
        "handoff": {
            "status": "REJECTED",
            "decisionReason": "a student",
            "lead": {"stage": "LEAD", "owner": None},
        },
        "userErrors": [],
    }


async def test_an_accepted_lead_can_be_recycled(world: World) -> None:
    lead = await handed_off(world)
    await world.data(ACCEPT, {"input": ref(lead)}, as_=world.rep)

    answer = await world.data(RECYCLE, {"input": {**ref(lead), "reason": "next year"}})

    assert answer == {"leadRecycle": {"lead": {"stage": "LEAD"}, "userErrors": []}}
    async with world.work() as work:
        (handoff,) = await work.find(Handoff, lead_id=lead.id)
        assert handoff.status is HandoffStatus.ACCEPTED


async def test_only_a_member_of_the_team_can_be_given_a_lead(world: World) -> None:
    lead = await handed_off(world)

    wrong = await world.data(
        REASSIGN, {"input": {**ref(lead), "owner": {"id": public("User", world.marketer.id)}}}
    )
    right = await world.data(
        REASSIGN, {"input": {**ref(lead), "owner": {"id": public("User", world.other_rep.id)}}}
    )

    assert wrong["leadReassign"] == {
        "handoff": None,
        "userErrors": [{"code": "WRONG_TEAM", "path": ["owner"]}],
    }
    assert right["leadReassign"]["handoff"] == {
        "owner": {"name": "Rita"},
        "lead": {"owner": {"name": "Rita"}},
    }


async def test_an_answer_is_not_older_than_the_handoff_nor_from_the_future(world: World) -> None:
    lead = await handed_off(world)
    before = (world.now - timedelta(hours=1)).isoformat()
    after = (world.now + timedelta(hours=1)).isoformat()

    for at in (before, after):
        answer = await world.data(ACCEPT, {"input": {**ref(lead), "at": at}}, as_=world.rep)
        assert answer["leadAccept"]["userErrors"] == [{"code": "INVALID", "path": ["at"]}]

    async with world.work() as work:
        (handoff,) = await work.find(Handoff, lead_id=lead.id)
        assert handoff.is_open
        assert await work.find(SlaClock) == []
