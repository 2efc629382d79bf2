"""For how long touches are kept, over the API."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.ids import new_id
from domain.touch_retention import TouchRetentionRun
from domain.touches import Touch, Visitor
from tests.api.test_touches import MANY, RECORD, TOKEN, add_lead

UPDATE = """mutation($input: TouchRetentionUpdateInput!) { touchRetentionUpdate(input: $input) {
  tenant { anonymousTouchDays knownTouchDays } userErrors { code path } } }"""
RUNS = """{ touchRetentionRuns { totalCount nodes { startedAt endedAt anonymousDays knownDays
  erasedTouches reducedTouches erasedVisitors } } }"""


async def test_an_admin_says_for_how_long_touches_are_kept(world):
    answers = [
        await world.data(UPDATE, {"input": told})
        for told in ({}, {"anonymousDays": 30}, {"knownDays": 3650}, {"knownDays": 30})
    ]
    assert [answer["touchRetentionUpdate"] for answer in answers] == [
        {"tenant": {"anonymousTouchDays": days, "knownTouchDays": known}, "userErrors": []}
        for days, known in ((395, 1095), (30, 1095), (30, 3650), (30, 30))
    ]


@pytest.mark.parametrize(
    ("told", "path"),
    [
        ({"anonymousDays": 29}, ["anonymousDays"]),
        ({"knownDays": 3651}, ["knownDays"]),
        ({"anonymousDays": 1096}, ["anonymousDays"]),
        ({"knownDays": 394}, ["anonymousDays"]),
    ],
)
async def test_what_cannot_be_chosen_is_refused_and_nothing_is_changed(world, told, path):
    answer = await world.data(UPDATE, {"input": told})
    unchanged = await world.data(UPDATE, {"input": {}})

    assert answer["touchRetentionUpdate"] == {
        "tenant": None,
        "userErrors": [{"code": "BAD_RETENTION", "path": path}],
    }
    assert unchanged["touchRetentionUpdate"]["tenant"] == {
        "anonymousTouchDays": 395,
        "knownTouchDays": 1095,
    }


async def test_a_touch_that_would_go_at_once_is_refused_and_leaves_no_visitor(world):
    await add_lead(world, "ann@x.example")

    def row(days: int, **whose: object) -> dict[str, object]:
        at = world.now - timedelta(days=days)
        return {"kind": "PAGE_VIEW", "occurredAt": f"{at:%Y-%m-%dT%H:%M:%SZ}", **whose}

    ann, nobody = {"lead": {"email": "ann@x.example"}}, {"visitor": TOKEN}
    rows = [row(1095, **ann), row(1096, **ann), row(396, **ann), row(396, **nobody)]
    many = await world.data(MANY, {"rows": rows})
    one = await world.data(RECORD, {"input": row(1096, **ann)})

    assert [each["outcome"] for each in many["touchesRecord"]["rows"]] == [
        "CREATED",
        "REFUSED",
        "CREATED",
        "REFUSED",
    ]
    assert many["touchesRecord"]["rows"][3]["userErrors"] == [
        {"code": "TOUCH_TOO_OLD", "path": ["rows", "3", "occurredAt"], "elementIndex": 3}
    ]
    assert one["touchRecord"]["userErrors"] == [
        {"code": "TOUCH_TOO_OLD", "path": ["occurredAt"], "elementIndex": None}
    ]
    async with world.work() as work:
        assert len(await work.find(Touch)) == 2
        assert await work.find(Visitor) == []


async def test_what_went_is_told_the_latest_first(world):
    run = TouchRetentionRun(
        id=new_id(), anonymous_days=395, known_days=1095, started_at=world.now, erased_touches=7
    )
    later = replace(run, id=new_id(), started_at=world.now + timedelta(days=1))
    async with world.work() as work:
        await work.add_all([replace(run, ended_at=world.now), later])

    told = {
        "startedAt": "2026-03-10T12:00:00Z",
        "endedAt": "2026-03-10T12:00:00Z",
        "anonymousDays": 395,
        "knownDays": 1095,
        "erasedTouches": 7,
        "reducedTouches": 0,
        "erasedVisitors": 0,
    }
    assert await world.data(RUNS) == {
        "touchRetentionRuns": {
            "totalCount": 2,
            "nodes": [{**told, "startedAt": "2026-03-11T12:00:00Z", "endedAt": None}, told],
        }
    }


async def test_members_neither_choose_nor_see(world):
    for document, variables in ((UPDATE, {"input": {}}), (RUNS, {})):
        answer = await world.ask(document, variables, as_=world.rep)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
