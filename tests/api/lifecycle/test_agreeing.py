"""Both sides agree on what a stage takes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from domain.identity import Role, Team, TeamMember, User
from domain.ids import new_id, public
from domain.lifecycle import StageDefinition
from domain.stages import Stage
from tests.api.lifecycle.proposing import CREATE, MQL, PROPOSE, SIGN, agree, propose, stored
from tests.world import World

WITHDRAW = """mutation($id: ID!) { stageDefinitionWithdraw(input: {definition: $id}) {
  stageDefinition { withdrawnAt isPending } userErrors { code path }
}}"""
LANGUAGE = """{ sharedLanguage { asOf stages {
  stage inForce { number words } pending { number } upcoming { number effectiveAt } } } }"""


async def test_both_sides_sign_and_from_then_on_leads_are_judged_by_it(world: World) -> None:
    proposed = await propose(world)
    id = proposed["stageDefinition"].pop("id")
    assert proposed == {
        "stageDefinition": {
            "stage": "MQL",
            "number": 1,
            "words": "Asked for a demo.",
            "ownerSide": "MARKETING",
            "criterion": {"score": {"gte": 50}},
            "criterionText": "score is at least 50",
            "effectiveAt": "2026-03-10T12:00:00Z",
            "proposedAt": "2026-03-10T12:00:00Z",
            "isPending": True,
            "signedAt": None,
            "marketingSignedAt": "2026-03-10T12:00:00Z",
            "salesSignedAt": None,
            "proposedBy": {"name": "Mia"},
            "marketingSignedBy": {"name": "Mia"},
            "salesSignedBy": None,
        },
        "userErrors": [],
    }

    world.wait(hours=1)
    signed = await world.data(SIGN, {"id": id}, as_=world.rep)
    assert signed["stageDefinitionSign"] == {
        "stageDefinition": {
            "number": 1,
            "isPending": False,
            "effectiveAt": "2026-03-10T12:00:00Z",
            "signedAt": "2026-03-10T13:00:00Z",
            "salesSignedBy": {"name": "Sam"},
        },
        "userErrors": [],
    }

    created = await world.data(CREATE, {"input": {"email": "a@example.com", "score": 50}})
    assert created["leadCreate"]["lead"] == {
        "stage": "MQL",
        "history": {
            "nodes": [
                {"stage": "VISITOR", "definition": None},
                {"stage": "MQL", "definition": {"number": 1}},
            ]
        },
    }


async def test_the_language_is_one_page_for_both_teams(world: World) -> None:
    await agree(world)
    world.wait(days=1)
    await agree(world, effectiveAt="2026-04-01T00:00:00Z")
    await propose(world)

    answer = await world.data(LANGUAGE, as_=world.analyst)

    nothing: dict[str, Any] = {"inForce": None, "pending": None, "upcoming": []}
    assert answer["sharedLanguage"] == {
        "asOf": "2026-03-11T12:00:00Z",
        "stages": [
            {
                "stage": "MQL",
                "inForce": {"number": 1, "words": "Asked for a demo."},
                "pending": {"number": 3},
                "upcoming": [{"number": 2, "effectiveAt": "2026-04-01T00:00:00Z"}],
            }
            if stage is Stage.MQL
            else {"stage": stage.value, **nothing}
            for stage in Stage
        ],
    }


async def test_definitions_are_listed_with_the_latest_first(world: World) -> None:
    await agree(world)
    world.wait(days=1)
    await agree(world, stage="SQL", ownerSide="SALES")
    world.wait(days=1)
    id = await agree(world)

    listed = await world.data(
        """{ stageDefinitions(filter: {stage: {eq: MQL}}) { totalCount nodes { id number } } }"""
    )
    one = await world.data(
        """query($id: ID!) { stageDefinition(id: $id) { stage number } }""", {"id": id}
    )

    assert listed["stageDefinitions"]["totalCount"] == 2
    assert [node["number"] for node in listed["stageDefinitions"]["nodes"]] == [2, 1]
    assert listed["stageDefinitions"]["nodes"][0]["id"] == id
    assert one == {"stageDefinition": {"stage": "MQL", "number": 2}}


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"words": "  "}, "INVALID", ["words"]),
        ({"words": "a\x00b"}, "INVALID", ["words"]),
        ({"words": "x" * 2001}, "INVALID", ["words"]),
        ({"criterion": {}}, "BAD_CRITERION", ["criterion"]),
        ({"criterion": {"or": []}}, "BAD_CRITERION", ["criterion", "or"]),
        ({"criterion": {"email": {"eq": "a\x00"}}}, "BAD_CRITERION", ["criterion", "email", "eq"]),
        (
            {"criterion": {"companyId": {"eq": public("User", new_id())}}},
            "BAD_CRITERION",
            ["criterion", "companyId", "eq"],
        ),
        ({"effectiveAt": "1969-12-31T00:00:00Z"}, "INVALID", ["effectiveAt"]),
        ({"side": "SALES"}, "WRONG_SIDE", ["side"]),
    ],
)
async def test_a_proposal_that_cannot_be_is_refused_with_the_way_to_the_fault(
    world: World, change: dict[str, Any], code: str, path: list[str]
) -> None:
    payload = await propose(world, **change)

    assert payload == {"stageDefinition": None, "userErrors": [{"code": code, "path": path}]}
    assert await stored(world, StageDefinition) == []


async def test_a_later_definition_judges_nothing_that_is_past(world: World) -> None:
    await agree(world, effectiveAt="2017-07-01T00:00:00Z")

    payload = await propose(world, effectiveAt="2026-03-10T11:58:00Z")

    assert payload["userErrors"] == [{"code": "INVALID", "path": ["effectiveAt"]}]
    assert len(await stored(world, StageDefinition)) == 1


async def test_a_definition_is_signed_once_and_by_the_other_side(world: World) -> None:
    id = (await propose(world))["stageDefinition"]["id"]

    own = await world.data(SIGN, {"id": id}, as_=world.marketer)
    await world.data(SIGN, {"id": id}, as_=world.rep)
    before = await stored(world, StageDefinition)
    again = await world.data(SIGN, {"id": id}, as_=world.rep)
    taken_back = await world.data(WITHDRAW, {"id": id}, as_=world.marketer)

    assert own["stageDefinitionSign"] == {
        "stageDefinition": None,
        "userErrors": [{"code": "WRONG_SIDE", "path": ["definition"]}],
    }
    assert again["stageDefinitionSign"]["userErrors"] == [
        {"code": "ALREADY_SIGNED", "path": ["definition"]}
    ]
    assert taken_back["stageDefinitionWithdraw"]["userErrors"] == [
        {"code": "ALREADY_SIGNED", "path": ["definition"]}
    ]
    assert await stored(world, StageDefinition) == before


async def test_two_people_of_a_side_sign_at_the_same_instant_and_one_signature_counts(
    world: World,
) -> None:
    async with world.work() as work:
        second = User(
            id=new_id(),
            account_id=new_id(),
            email=f"second@{world.tenant.slug}.example",
            name="Sue",
            role=Role.MANAGER,
            created_at=world.now,
        )
        await work.add(second)
        await work.add(
            TeamMember(id=new_id(), team_id=world.sales.id, user_id=second.id, created_at=world.now)
        )
    id = (await propose(world))["stageDefinition"]["id"]

    answers = await asyncio.gather(
        *(world.data(SIGN, {"id": id}, as_=user) for user in (world.rep, second))
    )

    codes = [answer["stageDefinitionSign"]["userErrors"] for answer in answers]
    assert sorted(codes, key=len) == [[], [{"code": "ALREADY_SIGNED", "path": ["definition"]}]]


async def test_two_proposals_at_the_same_instant_leave_one(world: World) -> None:
    answers = await asyncio.gather(propose(world), propose(world, as_=world.rep))

    refused = [answer["userErrors"] for answer in answers if answer["userErrors"]]
    assert [each[0]["code"] for each in refused] in (["ALREADY_EXISTS"], ["PROPOSAL_PENDING"])
    assert len(await stored(world, StageDefinition)) == 1


async def test_an_unsigned_proposal_goes_only_when_somebody_says_so(world: World) -> None:
    id = (await propose(world))["stageDefinition"]["id"]

    refused = await propose(world, as_=world.rep)
    withdrawn = await world.data(WITHDRAW, {"id": id}, as_=world.rep)
    signed = await world.data(SIGN, {"id": id}, as_=world.rep)

    assert refused["userErrors"] == [{"code": "PROPOSAL_PENDING", "path": ["stage"]}]
    assert withdrawn["stageDefinitionWithdraw"] == {
        "stageDefinition": {"withdrawnAt": "2026-03-10T12:00:00Z", "isPending": False},
        "userErrors": [],
    }
    assert signed["stageDefinitionSign"]["userErrors"] == [
        {"code": "NOT_A_PROPOSAL", "path": ["definition"]}
    ]
    assert (await propose(world, as_=world.rep))["stageDefinition"]["number"] == 2


async def test_who_is_in_both_sides_says_which_and_finds_somebody_else_to_sign(
    world: World,
) -> None:
    async with world.work() as work:
        [sales] = await work.find(Team, name="Sales")
        await work.add(
            TeamMember(id=new_id(), team_id=sales.id, user_id=world.owner.id, created_at=world.now)
        )

    unsaid = await propose(world, as_=world.owner)
    proposed = await propose(world, as_=world.owner, side="MARKETING")
    id = proposed["stageDefinition"]["id"]
    alone = await world.data(SIGN, {"id": id}, as_=world.owner)

    assert unsaid["userErrors"] == [{"code": "SIDE_NEEDED", "path": ["side"]}]
    assert alone["stageDefinitionSign"]["userErrors"] == [
        {"code": "SIGNED_BY_PROPOSER", "path": ["definition"]}
    ]


async def test_another_tenants_definition_does_not_exist(world: World, other_world: World) -> None:
    theirs = (await propose(other_world))["stageDefinition"]["id"]
    unknown = public("StageDefinition", new_id())
    before = await stored(other_world, StageDefinition)

    for document in (SIGN, WITHDRAW):
        foreign, nowhere = [
            await world.ask(document, {"id": id}, as_=world.rep) for id in (theirs, unknown)
        ]
        assert foreign == nowhere
        [payload] = foreign["data"].values()
        assert [error["code"] for error in payload["userErrors"]] == ["NOT_FOUND"]
    one = "query($id: ID!) { stageDefinition(id: $id) { number } }"
    assert await world.data(one, {"id": theirs}) == {"stageDefinition": None}
    assert await stored(other_world, StageDefinition) == before


async def test_an_id_of_another_kind_is_refused_by_name(world: World) -> None:
    answer = await world.data(SIGN, {"id": public("Lead", new_id())}, as_=world.rep)

    assert answer["stageDefinitionSign"]["userErrors"] == [
        {"code": "BAD_USER_INPUT", "path": ["definition"]}
    ]


@pytest.mark.parametrize("user", ["other_rep", "analyst"])
async def test_only_managers_agree_on_definitions(world: World, user: str) -> None:
    answer = await world.ask(PROPOSE, {"input": MQL}, as_=getattr(world, user))

    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert await stored(world, StageDefinition) == []
