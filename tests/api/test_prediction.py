from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain import handoff_flow
from domain.briefs import HandoffBrief
from domain.grades import Grade
from domain.ids import public
from domain.leads import Lead
from domain.prediction import ClosedOutcomes, PredictionModel
from infra.prediction import ModelTrainer
from tests.agreements import add_mql
from tests.api.learning import a_history
from tests.world import World

TRAIN = """mutation($fields: [PredictionField!]) {
  predictionModelTrain(input: {fields: $fields}) {
    predictionModel { number status fields } userErrors { code message path }
}}"""
MODELS = """{ predictionModels { nodes { number status won lost reason trainedAt
  requestedBy { name } validation { learnt calibrated judged judgedWon brierScore
    baselineBrierScore deciles { decile leads won lift } } } } }"""
PREDICTED = """query($id: ID!) { lead(ref: {id: $id}) { prediction {
  probability rawProbability average asOf model { number } factors { field value factor } } } }"""


async def train(world: World, *names: str) -> dict[str, Any]:
    data = await world.data(TRAIN, {"fields": list(names) or None}, as_=world.marketer)
    payload: dict[str, Any] = data["predictionModelTrain"]
    return payload


async def test_too_little_is_refused_and_says_how_much_it_takes(world: World) -> None:
    payload = await train(world)
    assert payload == {
        "predictionModel": None,
        "userErrors": [
            {
                "code": "NOT_ENOUGH_OUTCOMES",
                "message": "0 hand-offs were won and 0 lost so far.  Learning takes 200 in all, at"
                " least 30 of them won and 30 lost: 200 more, of them at least 30 won and 30 lost.",
                "path": [],
            }
        ],
    }
    async with world.work() as work:
        assert await work.find(PredictionModel) == []


async def test_a_model_is_trained_in_the_worker_and_shows_how_well_it_works(world: World) -> None:
    await a_history(world)
    queued = await train(world, "ORIGIN_SOURCE")
    assert queued["predictionModel"] == {
        "number": 1,
        "status": "QUEUED",
        "fields": ["ORIGIN_SOURCE"],
    }
    lead = await add_mql(world, origin_source="fair")
    data = await world.data(PREDICTED, {"id": public("Lead", lead.id)})
    assert data["lead"]["prediction"] is None

    await ModelTrainer(world.database).train_all()

    [model] = (await world.data(MODELS))["predictionModels"]["nodes"]
    shown = model.pop("validation")
    assert model == {
        "number": 1,
        "status": "READY",
        "won": 105,
        "lost": 195,
        "reason": "It was put in use.  On 60 outcomes that neither had known it had a Brier"
        " score of 0.163702, and telling the average every time one of 0.222716.",
        "trainedAt": "2026-03-10T12:00:00Z",
        "requestedBy": {"name": "Mia"},
    }
    assert (shown["learnt"], shown["calibrated"], shown["judged"]) == (180, 60, 60)
    assert float(shown["brierScore"]) < float(shown["baselineBrierScore"])
    assert sum(float(each["won"]) for each in shown["deciles"]) == pytest.approx(shown["judgedWon"])
    data = await world.data(PREDICTED, {"id": public("Lead", lead.id)})
    told = data["lead"]["prediction"]
    assert 0.5 < float(told["probability"]) < 0.7
    # Odds of 105 : 195, times 90.1/105.2 by 60.1/195.2.
    assert (told["rawProbability"], told["average"]) == ("0.599656", "0.350000")
    assert told["model"] == {"number": 1}
    assert [(each["field"], each["value"]) for each in told["factors"]] == [
        ("ORIGIN_SOURCE", "fair")
    ]


async def test_what_is_written_after_the_hand_off_teaches_nothing(world: World) -> None:
    lead = await add_mql(world, origin_source="fair", job_title="Head of IT")
    async with world.work() as work:
        handoff = await handoff_flow.hand_off(work, world.actor(world.marketer), lead.id)
        await handoff_flow.reject_lead(work, world.actor(world.rep), lead.id, reason="No.")
        now = await work.get(Lead, lead.id)
        await work.save(replace(now, origin_source="lost", job_title="Nobody", country="IE"))
    async with world.work() as work:
        [outcome] = await work.ask(ClosedOutcomes(limit=10))
    assert (outcome.handoff_id, outcome.won) == (handoff.id, False)
    assert outcome.facts == {"ORIGIN_SOURCE": "fair", "JOB_LEVEL": "DIRECTOR"}


async def test_nothing_of_all_that_changes_after_the_hand_off_is_learnt(world: World) -> None:
    """Whatever is written over every column of every lead, the same outcomes teach the same."""
    leads = [
        await add_mql(world, origin_source=origin, country="IE", job_title="Head of IT")
        for origin in ("fair", "mail", "fair", "web")
    ]
    async with world.work() as work:
        for n, lead in enumerate(leads):
            await handoff_flow.hand_off(work, world.actor(world.marketer), lead.id)
            if n % 2:
                await handoff_flow.reject_lead(work, world.actor(world.rep), lead.id, reason="No.")
            else:
                await handoff_flow.recycle_lead(work, world.actor(world.rep), lead.id, reason="No.")
        before = await work.ask(ClosedOutcomes(limit=10))
    assert len(before) == 4
    kept = {"id", "email", "phone", "stage", "version"}
    world.wait(days=30)
    for lead in leads:
        async with world.work() as work:
            now = await work.get(Lead, lead.id)
            other = {
                each.name: _another(getattr(now, each.name), each.name)
                for each in fields(Lead)
                if each.name not in kept
                and not each.name.endswith("_id")
                and not each.name.startswith("do_not_contact")
            }
            await work.save(replace(now, **other))
    async with world.work() as work:
        assert await work.ask(ClosedOutcomes(limit=10)) == before


def _another(value: Any, name: str) -> Any:
    if name == "grade":
        return Grade.A1
    if isinstance(value, datetime):
        return value + timedelta(days=9)
    return 77 if isinstance(value, int) or name in ("fit", "engagement") else "other"


async def test_a_hand_off_of_the_past_has_no_grade_that_it_got_since(world: World) -> None:
    """What a lead did after it was handed off would tell how that ended."""
    late, now = [await add_mql(world, origin_source="fair", grade=Grade.A1) for _ in range(2)]
    world.wait(days=100)
    async with world.work() as work:
        for lead, at, routed in (
            (late, world.now - timedelta(days=90), True),
            (now, world.now, False),
        ):
            handoff = await handoff_flow.hand_off(
                work, world.actor(world.marketer), lead.id, at=at, routed=routed
            )
            [kept] = await work.find(HandoffBrief, handoff_id=handoff.id)
            assert kept.facts == {"ORIGIN_SOURCE": "fair"}


async def test_what_is_still_open_is_no_outcome(world: World) -> None:
    lead = await add_mql(world)
    async with world.work() as work:
        await handoff_flow.hand_off(work, world.actor(world.marketer), lead.id)
        assert await work.ask(ClosedOutcomes(limit=10)) == []


@pytest.mark.parametrize("fields", [[], ["COUNTRY", "COUNTRY"]])
async def test_fields_are_named_and_each_once(world: World, fields: list[str]) -> None:
    data = await world.data(TRAIN, {"fields": fields}, as_=world.marketer)
    assert data["predictionModelTrain"]["userErrors"][0]["path"] == ["fields"]


async def test_another_tenants_outcomes_teach_nothing_here(
    world: World, other_world: World
) -> None:
    await a_history(other_world)
    assert (await train(world))["userErrors"][0]["code"] == "NOT_ENOUGH_OUTCOMES"


USE = """mutation($id: ID!, $kept: Boolean!) {
  predictionModelUse(input: {model: $id, kept: $kept}) {
    predictionModel { number inUse kept usedAt usedBy { name } } userErrors { code path } } }"""
STATE = """{
  predictionTraining { inUse { number } nextAt won lost leastOutcomes leastWon leastLost }
  predictionModels { nodes { id number inUse verdict comparison { judged rivalNumber } } } }"""


async def use(world: World, id: str, *, kept: bool = False) -> dict[str, Any]:
    data = await world.data(USE, {"id": id, "kept": kept}, as_=world.marketer)
    payload: dict[str, Any] = data["predictionModelUse"]
    return payload


async def test_what_predicts_is_shown_and_somebody_may_choose_another(world: World) -> None:
    await a_history(world)
    for names in (["ORIGIN_SOURCE"], ["ORIGIN_SOURCE", "COUNTRY"]):
        await train(world, *names)
        await ModelTrainer(world.database).train_all()
    shown = await world.data(STATE)
    assert shown["predictionTraining"] == {
        "inUse": {"number": 1},
        "nextAt": None,
        "won": 105,
        "lost": 195,
        "leastOutcomes": 200,
        "leastWon": 30,
        "leastLost": 30,
    }
    second, first = shown["predictionModels"]["nodes"]
    assert (first["inUse"], first["verdict"]) == (True, "BETTER")
    assert (second["inUse"], second["verdict"]) == (False, "TOO_FEW_NEW")
    assert second["comparison"] == {"judged": 0, "rivalNumber": 1}

    chosen = await use(world, second["id"], kept=True)

    assert chosen == {
        "predictionModel": {
            "number": 2,
            "inUse": True,
            "kept": True,
            "usedAt": "2026-03-10T12:00:00Z",
            "usedBy": {"name": "Mia"},
        },
        "userErrors": [],
    }
    lead = await add_mql(world, origin_source="fair")
    data = await world.data(PREDICTED, {"id": public("Lead", lead.id)})
    assert data["lead"]["prediction"]["model"] == {"number": 2}
    again = await use(world, second["id"])
    assert again["predictionModel"]["kept"] is False
    async with world.work() as work:
        used = [each.number for each in await work.find(PredictionModel) if each.in_use]
    assert used == [2]


async def test_only_what_was_trained_predicts(world: World) -> None:
    await a_history(world)
    await train(world)
    async with world.work() as work:
        [queued] = await work.find(PredictionModel)
    refused = await use(world, public("PredictionModel", queued.id))
    assert refused == {
        "predictionModel": None,
        "userErrors": [{"code": "PREDICTION_MODEL_NOT_READY", "path": ["model"]}],
    }
    async with world.work() as work:
        assert [each.in_use for each in await work.find(PredictionModel)] == [False]


async def test_to_ask_twice_for_the_same_is_to_ask_once(world: World) -> None:
    await a_history(world)
    first, second = await train(world, "COUNTRY"), await train(world, "COUNTRY")
    assert first == second
    assert (await train(world, "PERSONA"))["predictionModel"]["number"] == 2


async def test_what_was_accepted_and_then_sent_back_is_lost(world: World) -> None:
    lead = await add_mql(world)
    async with world.work() as work:
        handoff = await handoff_flow.hand_off(
            work, world.actor(world.marketer), lead.id, owner_id=world.rep.id
        )
        await handoff_flow.accept_lead(work, world.actor(world.rep), lead.id)
    world.wait(days=1)
    async with world.work() as work:
        await handoff_flow.recycle_lead(work, world.actor(world.rep), lead.id, reason="Later.")
        [outcome] = await work.ask(ClosedOutcomes(limit=10))
    assert (outcome.handoff_id, outcome.won, outcome.closed_at) == (handoff.id, False, world.now)
