"""Scoring models are proposed, tried, and activated."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

from domain.grades import Grade
from domain.identity import system
from domain.leads import Lead
from domain.scoring import (
    LeadGrading,
    ScoringModel,
    active_model,
    score_next,
)
from domain.touches import TouchKind
from infra.scoring import ScoreKeeper
from tests.api.scoring.scored import (
    PROPOSE,
    TERMS,
    activate,
    add_leads,
    of,
    propose,
    scored_by,
    stored,
    touch,
)
from tests.world import World

PROGRESS = "query($id: ID!) { scoringModel(id: $id) { isScoring scored waiting } }"


async def test_activating_a_model_grades_the_leads_there_are(world: World) -> None:
    head, clerk = await add_leads(world, "Head of IT", "Clerk")
    await touch(world, head, TouchKind.PAGE_VIEW)

    payload = await activate(world, await propose(world, TERMS))

    model = {"number": 1, "status": "ACTIVE", "isScoring": True, "scored": 2}
    assert payload == {"scoringModel": model, "userErrors": []}
    assert of(await stored(world, head)) == (30, 8, Grade.A2)
    assert of(await stored(world, clerk)) == (0, 0, Grade.C3)


async def test_a_change_is_a_new_version_and_grades_everybody_anew(world: World) -> None:
    (lead,) = await add_leads(world, "Head of IT")
    first = await scored_by(world)
    second = await propose(world, {**TERMS, "fitForA": 40})
    assert (await stored(world, lead)).grade is Grade.A3

    await activate(world, second)

    assert (await stored(world, lead)).grade is Grade.B3
    async with world.work() as work:
        models = await work.find(ScoringModel)
    assert [(m.number, m.status.value, m.ceased_at is None) for m in models] == [
        (1, "CEASED", False),
        (2, "ACTIVE", True),
    ]
    again = await activate(world, first)
    assert again["userErrors"] == [{"code": "SCORING_MODEL_NOT_PROPOSED", "path": ["model"]}]


async def test_many_leads_are_graded_in_the_background_and_the_count_shows_it(
    world: World,
) -> None:
    leads = await add_leads(world, *["Head"] * 5)
    id = await scored_by(world)
    async with world.work() as work:
        model = await active_model(work)
        assert model is not None
        await work.save(replace(model, scoring_after=UUID(int=0), scored=0))
        for lead in await work.find(Lead):
            await work.save(replace(lead, grade=None))
    for expected in (2, 4, 5):
        async with world.work() as work:
            assert await score_next(work, system(world.tenant.id), limit=2) is (expected < 5)
            assert (await work.get(ScoringModel, model.id)).scored == expected
        shown = await world.data(PROGRESS, {"id": id})
        assert shown["scoringModel"] == {
            "isScoring": True,
            "scored": expected,
            "waiting": 5 - expected,
        }
    assert [(await stored(world, lead)).grade for lead in leads] == [Grade.B3] * 5

    world.wait(minutes=1)
    await ScoreKeeper(world.database).score_all()
    data = await world.data(PROGRESS, {"id": id})
    assert data["scoringModel"] == {"isScoring": False, "scored": 5, "waiting": 0}


async def test_a_preview_says_what_would_change_and_changes_nothing(world: World) -> None:
    leads = await add_leads(world, "Head of IT", "Clerk")
    await scored_by(world)
    id = await propose(world, {**TERMS, "fitForA": 40})
    data = await world.data(
        """query($id: ID!) { scoringPreview(model: $id) { sampled changed model { number }
          grades { grade now then } leads { now then { grade fit } lead { email } } } }""",
        {"id": id},
    )
    preview = data["scoringPreview"]
    assert (preview["sampled"], preview["changed"], preview["model"]) == (2, 1, {"number": 2})
    assert [each for each in preview["grades"] if each["now"] or each["then"]] == [
        {"grade": "A3", "now": 1, "then": 0},
        {"grade": "B3", "now": 0, "then": 1},
        {"grade": "C3", "now": 1, "then": 1},
    ]
    assert preview["leads"] == [
        {"now": "A3", "then": {"grade": "B3", "fit": 30}, "lead": {"email": leads[0].email}}
    ]
    assert (await stored(world, leads[0])).grade is Grade.A3
    wrong = await world.ask(
        "query($id: ID!) { scoringPreview(model: $id, sample: 0) { sampled } }", {"id": id}
    )
    assert wrong["data"] is None


async def test_the_preset_is_offered_and_proposed_as_it_is(world: World) -> None:
    data = await world.data(
        "{ scoringPreset { fitForA fitForB engagementFor1 engagementFor2 fit { name cap } } }"
    )
    assert data["scoringPreset"].pop("fit")[0] == {"name": "Role", "cap": 50}
    assert data["scoringPreset"] == {
        "fitForA": 60,
        "fitForB": 30,
        "engagementFor1": 50,
        "engagementFor2": 15,
    }
    await activate(world, await propose(world))
    data = await world.data(
        "{ scoringModels { nodes { terms { fitForA engagementCap } status } } }"
    )
    terms = {"fitForA": 60, "engagementCap": 100}
    assert data["scoringModels"]["nodes"] == [{"terms": terms, "status": "ACTIVE"}]


async def test_a_model_that_makes_no_sense_is_refused_and_nothing_is_kept(world: World) -> None:
    answer = await world.data(PROPOSE, {"input": {"name": " ", "terms": TERMS}}, as_=world.marketer)
    assert answer["scoringModelPropose"]["userErrors"] == [{"code": "INVALID", "path": ["name"]}]
    wrong = {**TERMS, "fitForA": 20, "engagementCap": 0}
    answer = await world.data(PROPOSE, {"input": {"name": "x", "terms": wrong}}, as_=world.marketer)
    assert answer["scoringModelPropose"] == {
        "scoringModel": None,
        "userErrors": [
            {"code": "THRESHOLDS_NOT_DESCENDING", "path": ["terms", "fitForA"]},
            {"code": "OUT_OF_RANGE", "path": ["terms", "engagementCap"]},
        ],
    }
    async with world.work() as work:
        assert await work.find(ScoringModel) == []


async def test_who_may_not_edit_scoring_proposes_nothing(world: World) -> None:
    answer = await world.ask(PROPOSE, {"input": {"name": "Mine"}}, as_=world.other_rep)
    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_of_two_versions_activated_at_once_one_is_in_force_and_grades_everybody(
    world: World,
) -> None:
    leads = await add_leads(world, "Head of IT", "Clerk")
    ids = [await propose(world, {**TERMS, "fitForA": a}) for a in (30, 40)]
    answers = await asyncio.gather(*(activate(world, id) for id in ids))
    assert [each["userErrors"] for each in answers] == [[], []]
    async with world.work() as work:
        models = await work.find(ScoringModel)
        gradings = await work.find(LeadGrading)
    [active] = [each for each in models if each.status == "ACTIVE"]
    [ceased] = [each for each in models if each.status == "CEASED"]
    assert {each.model_id for each in gradings} == {active.id}
    assert (await stored(world, leads[0])).grade == ("A3" if active.number == 1 else "B3")
    # What has ceased scores nobody, and keeps no worker looking.
    assert (ceased.is_scoring, active.is_scoring) == (False, True)
