from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain import handoff_flow
from domain.ids import new_id, public
from domain.leads import Lead
from domain.opportunities import PipelineStage
from domain.prediction import ClosedOutcomes, PredictionModel
from infra.scoring import ScoreKeeper
from tests.agreements import add_mql, an_mql
from tests.api.learning import closed_handoff
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


async def a_history(world: World, *, fairs: int = 150, mails: int = 150) -> None:
    """Store hand-offs that were closed: 60 % of those from fairs won, 10 % of those from mails."""
    stage = PipelineStage(
        id=new_id(), name="Talks", position=1, win_rate=Decimal(0), created_at=world.now
    )
    made: list[Any] = [stage]
    for n in range(fairs + mails):
        origin, won = ("fair", n % 10 < 6) if n < fairs else ("mail", n % 10 == 0)
        at = world.now - timedelta(days=200) + timedelta(minutes=7 * (n * 37 % (fairs + mails)))
        lead, facts = an_mql(at, origin_source=origin), {"ORIGIN_SOURCE": origin}
        made += lead, *closed_handoff(world, lead, stage, won=won, facts=facts, at=at)
    async with world.work() as work:
        await work.add_all(made)


async def train(world: World, *fields: str) -> dict[str, Any]:
    data = await world.data(TRAIN, {"fields": list(fields) or None}, as_=world.marketer)
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
                " least 30 of them won and 30 lost.",
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

    await ScoreKeeper(world.database).train_all()

    [model] = (await world.data(MODELS))["predictionModels"]["nodes"]
    shown = model.pop("validation")
    assert model == {
        "number": 1,
        "status": "READY",
        "won": 105,
        "lost": 195,
        "reason": None,
        "trainedAt": "2026-03-10T12:00:00Z",
        "requestedBy": {"name": "Mia"},
    }
    assert (shown["learnt"], shown["calibrated"], shown["judged"]) == (180, 60, 60)
    assert float(shown["brierScore"]) < float(shown["baselineBrierScore"])
    assert sum(each["won"] for each in shown["deciles"]) == shown["judgedWon"]
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
