"""What two people send in the same instant is as if one had come after the other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.world import World

CREATE_MODEL = """mutation {
  attributionModelCreate(input: {name: "Ours", anchors: [], restShare: "1"}) {
  attributionModel { name } userErrors { code path } } }"""
PROPOSE = """mutation { scoringModelPropose(input: {name: "Next"}) {
  scoringModel { number } userErrors { code path } } }"""
SUBSCRIBE = """mutation { digestSubscriptionStart(input: {frequency: DAILY}) {
  digestSubscription { frequency } userErrors { code path } } }"""
SET_LIMITS = """mutation { leakLimitsSet(input: {stage: SQL, untouched: "P2D"}) {
  leakLimits { stage untouched } userErrors { code path } } }"""


@pytest.mark.parametrize(
    ("document", "answers"),
    [
        pytest.param(
            CREATE_MODEL,
            [
                {"attributionModel": {"name": "Ours"}, "userErrors": []},
                {
                    "attributionModel": None,
                    "userErrors": [{"code": "MODEL_NAME_TAKEN", "path": ["name"]}],
                },
            ],
            id="attribution model",
        ),
        pytest.param(
            PROPOSE,
            [{"scoringModel": {"number": number}, "userErrors": []} for number in (1, 2)],
            id="scoring model",
        ),
        pytest.param(
            SUBSCRIBE,
            [{"digestSubscription": {"frequency": "DAILY"}, "userErrors": []}] * 2,
            id="digest",
        ),
        pytest.param(
            SET_LIMITS,
            [{"leakLimits": {"stage": "SQL", "untouched": "P2D"}, "userErrors": []}] * 2,
            id="leak limits",
        ),
    ],
)
async def test_who_comes_second_is_told_of_what_is_there_by_then(
    world: World, document: str, answers: list[dict[str, Any]]
) -> None:
    told = await asyncio.gather(*(world.data(document, as_=world.owner) for _ in range(2)))

    found = sorted((next(iter(answer.values())) for answer in told), key=answers.index)
    assert found == answers
