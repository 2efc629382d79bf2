"""Leads are held against what was agreed, and advanced."""

from __future__ import annotations

from typing import Any

import pytest

from domain.ids import new_id, public
from domain.leads import Lead
from domain.lifecycle import StageEntry
from domain.stages import Stage
from tests.api.lifecycle.proposing import add_lead, agree, ref, stored
from tests.world import World

ADVANCE = """mutation($input: LeadAdvanceInput!) { leadAdvance(input: $input) {
  lead { stage stageEnteredAt history { nodes {
    stage previous enteredAt reason enteredBy { name } definition { number } } } }
  userErrors { code message path }
}}"""
AGAINST = """query($lead: LeadRef!, $stage: Stage!) { stageTest(lead: $lead, stage: $stage) {
  matched sentences criterionText } }"""
TRY = """query($lead: LeadRef!, $criterion: LeadFilter!) {
  criterionTest(lead: $lead, criterion: $criterion) { matched sentences } }"""


async def test_a_lead_is_advanced_with_its_history(world: World) -> None:
    await agree(world)
    lead = await add_lead(world, score=70)
    world.wait(hours=1)

    answer = await world.data(
        ADVANCE, {"input": {"lead": ref(lead), "to": "MQL", "reason": "fair"}}, as_=world.other_rep
    )

    assert answer["leadAdvance"] == {
        "lead": {
            "stage": "MQL",
            "stageEnteredAt": "2026-03-10T13:00:00Z",
            "history": {
                "nodes": [
                    {
                        "stage": "MQL",
                        "previous": "LEAD",
                        "enteredAt": "2026-03-10T13:00:00Z",
                        "reason": "fair",
                        "enteredBy": {"name": "Rita"},
                        "definition": {"number": 1},
                    }
                ]
            },
        },
        "userErrors": [],
    }


async def test_a_lead_short_of_the_criterion_is_refused_and_told_why(world: World) -> None:
    await agree(world)
    lead = await add_lead(world, score=10)

    answer = await world.data(ADVANCE, {"input": {"lead": ref(lead), "to": "MQL"}})

    assert answer["leadAdvance"] == {
        "lead": None,
        "userErrors": [
            {
                "code": "CRITERION_NOT_MET",
                "message": "The lead is no MQL as both teams defined it:"
                " score is 10, but must be at least 50.",
                "path": ["lead"],
            }
        ],
    }
    assert await stored(world, Lead) == [lead]
    assert await stored(world, StageEntry) == []


@pytest.mark.parametrize(
    ("stage", "change", "code", "path"),
    [
        (Stage.MQL, {"to": "SAL"}, "NEEDS_ACCEPTANCE", ["to"]),
        (Stage.MQL, {"to": "SQL"}, "NEEDS_ACCEPTANCE", ["to"]),
        (Stage.SAL, {"to": "SAL"}, "NEEDS_ACCEPTANCE", ["to"]),
        (Stage.SQL, {"to": "SQL"}, "STAGE_NOT_AHEAD", ["lead"]),
        (Stage.CUSTOMER, {"to": "SQL"}, "STAGE_NOT_AHEAD", ["lead"]),
        (Stage.SAL, {"to": "SQL", "at": "2026-03-10T11:00:00Z"}, "STAGE_TOO_EARLY", ["at"]),
        (Stage.SAL, {"to": "SQL", "at": "2026-03-10T13:00:00Z"}, "INVALID", ["at"]),
        (Stage.SAL, {"to": "SQL", "reason": "a\x00"}, "INVALID", ["reason"]),
        (Stage.SAL, {"to": "SQL", "reason": "x" * 2001}, "INVALID", ["reason"]),
    ],
)
async def test_a_step_that_cannot_be_is_refused(
    world: World, stage: Stage, change: dict[str, Any], code: str, path: list[str]
) -> None:
    lead = await add_lead(world, stage)

    answer = await world.data(ADVANCE, {"input": {"lead": ref(lead), **change}})

    errors = answer["leadAdvance"]["userErrors"]
    assert [(error["code"], error["path"]) for error in errors] == [(code, path)]
    assert await stored(world, Lead) == [lead]


async def test_another_tenants_lead_does_not_exist(world: World, other_world: World) -> None:
    theirs = await add_lead(other_world, Stage.SAL)
    unknown = {"id": public("Lead", new_id())}

    answers = [
        await world.ask(ADVANCE, {"input": {"lead": lead, "to": "SQL"}})
        for lead in (ref(theirs), unknown)
    ]
    reports = [
        await world.ask(TRY, {"lead": lead, "criterion": {"score": {"gte": "1"}}})
        for lead in (ref(theirs), unknown)
    ]

    assert answers[0] == answers[1]
    assert answers[0]["data"]["leadAdvance"]["userErrors"][0]["code"] == "NOT_FOUND"
    assert reports[0]["errors"][0]["message"] == reports[1]["errors"][0]["message"]
    assert await stored(other_world, Lead) == [theirs]


async def test_a_lead_is_held_against_the_words_in_force_and_against_other_ones(
    world: World,
) -> None:
    await agree(world)
    lead = await add_lead(world, score=10)

    against = await world.data(AGAINST, {"lead": ref(lead), "stage": "MQL"}, as_=world.analyst)
    undefined = await world.data(AGAINST, {"lead": ref(lead), "stage": "SQL"})
    tried = await world.data(TRY, {"lead": ref(lead), "criterion": {"score": {"gte": "5"}}})

    assert against == {
        "stageTest": {
            "matched": False,
            "sentences": ["score is 10, but must be at least 50"],
            "criterionText": "score is at least 50",
        }
    }
    assert undefined == {"stageTest": None}
    assert tried == {
        "criterionTest": {"matched": True, "sentences": ["score is 10, which is at least 5"]}
    }


async def test_an_analyst_moves_no_lead(world: World) -> None:
    lead = await add_lead(world, Stage.SAL)

    answer = await world.ask(
        ADVANCE, {"input": {"lead": ref(lead), "to": "SQL"}}, as_=world.analyst
    )

    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert await stored(world, Lead) == [lead]
