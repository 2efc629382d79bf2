"""The pipeline: each tenant's own, made when it is first needed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from domain.ids import new_id, public
from domain.opportunities import PipelineStage, pipeline
from tests.world import World

STAGES = "query { pipelineStages { nodes { id name position winRate archivedAt version } } }"
FIELDS = "id name position winRate archivedAt version"
CREATE = f"""mutation($input: PipelineStageCreateInput!) {{ pipelineStageCreate(input: $input) {{
  pipelineStage {{ {FIELDS} }} userErrors {{ code path }} }} }}"""
UPDATE = f"""mutation($input: PipelineStageUpdateInput!) {{ pipelineStageUpdate(input: $input) {{
  pipelineStage {{ {FIELDS} }} userErrors {{ code path }} }} }}"""
REORDER = """mutation($input: PipelineReorderInput!) { pipelineReorder(input: $input) {
  stages { name position } userErrors { code path } } }"""
ARCHIVE = f"""mutation($input: PipelineStageArchiveInput!) {{ pipelineStageArchive(input: $input) {{
  pipelineStage {{ {FIELDS} }} userErrors {{ code path }} }} }}"""


async def change(world: World, document: str, **input: Any) -> dict[str, Any]:
    data = await world.data(document, {"input": input}, as_=world.marketer)
    (answer,) = data.values()
    found: dict[str, Any] = answer
    return found


async def made(world: World) -> dict[str, str]:
    """Return the ids of a fresh pipeline's stages by name."""
    async with world.work() as work:
        return {stage.name: public("PipelineStage", stage.id) for stage in await pipeline(work)}


async def names(world: World) -> list[str]:
    nodes = (await world.data(STAGES))["pipelineStages"]["nodes"]
    return [node["name"] for node in nodes if node["archivedAt"] is None]


async def test_two_who_need_a_pipeline_at_once_get_the_same_one(world: World) -> None:
    one, other = await asyncio.gather(made(world), made(world))

    assert one == other
    async with world.work() as work:
        assert len(await work.find(PipelineStage)) == 4


async def test_a_stage_is_put_in_at_its_place(world: World) -> None:
    answer = await change(world, CREATE, name=" Trial ", winRate="0.6", position=2)

    stage = answer["pipelineStage"]
    assert answer["userErrors"] == []
    assert {**stage, "id": None} == {
        "id": None,
        "name": "Trial",
        "position": 2,
        "winRate": "0.6",
        "archivedAt": None,
        "version": 1,
    }
    expected = ["Qualification", "Trial", "Needs analysis", "Proposal", "Negotiation"]
    assert await names(world) == expected


async def test_a_stage_is_changed_and_once_more_changes_nothing(world: World) -> None:
    stage = (await made(world))["Proposal"]

    for _ in range(2):
        answer = await change(world, UPDATE, stage=stage, name="Offer", winRate="0.55")

    assert answer["pipelineStage"] == {
        "id": stage,
        "name": "Offer",
        "position": 3,
        "winRate": "0.55",
        "archivedAt": None,
        "version": 2,
    }


async def test_stages_are_put_in_another_order(world: World) -> None:
    stages = await made(world)
    wanted = ["Negotiation", "Qualification", "Needs analysis", "Proposal"]

    answer = await change(world, REORDER, stages=[stages[name] for name in wanted])

    assert answer == {
        "stages": [{"name": name, "position": at} for at, name in enumerate(wanted, start=1)],
        "userErrors": [],
    }
    assert await names(world) == wanted


async def test_a_stage_that_is_put_away_leaves_no_gap(world: World) -> None:
    stages = await made(world)

    for _ in range(2):
        answer = await change(world, ARCHIVE, stage=stages["Needs analysis"])

    assert answer["pipelineStage"]["archivedAt"] == "2026-03-10T12:00:00Z"
    nodes = (await world.data(STAGES))["pipelineStages"]["nodes"]
    assert [(n["name"], n["position"]) for n in nodes if n["archivedAt"] is None] == [
        ("Qualification", 1),
        ("Proposal", 2),
        ("Negotiation", 3),
    ]


@pytest.mark.parametrize(
    ("document", "input", "code", "path"),
    [
        (CREATE, {"name": "proposal", "winRate": "1"}, "STAGE_NAME_TAKEN", ["name"]),
        (CREATE, {"name": " ", "winRate": "1"}, "INVALID", ["name"]),
        (CREATE, {"name": "A", "winRate": "1.01"}, "INVALID", ["winRate"]),
        (CREATE, {"name": "A", "winRate": "-0.1"}, "INVALID", ["winRate"]),
        (CREATE, {"name": "A", "winRate": "1", "position": 6}, "INVALID", ["position"]),
        (CREATE, {"name": "A", "winRate": "1", "position": 0}, "INVALID", ["position"]),
        (UPDATE, {"stage": "Proposal", "name": "QUALIFICATION"}, "STAGE_NAME_TAKEN", ["name"]),
        (UPDATE, {"stage": "Proposal", "winRate": "90"}, "INVALID", ["winRate"]),
        (UPDATE, {"stage": "nobody's", "name": "A"}, "NOT_FOUND", ["stage"]),
        (ARCHIVE, {"stage": "nobody's"}, "NOT_FOUND", ["stage"]),
        (REORDER, {"stages": ["Proposal"]}, "NOT_THE_STAGES", ["stages"]),
        (REORDER, {"stages": ["Proposal"] * 4}, "NOT_THE_STAGES", ["stages"]),
        (REORDER, {"stages": ["Proposal", "nobody's"]}, "NOT_FOUND", ["stages", "1"]),
    ],
    ids=str,
)
async def test_what_cannot_be_is_refused(world: World, document, input, code, path) -> None:
    stages = {**await made(world), "nobody's": public("PipelineStage", new_id())}
    asked = {
        name: stages[value]
        if name == "stage"
        else [stages[each] for each in value]
        if name == "stages"
        else value
        for name, value in input.items()
    }
    before = await world.data(STAGES)

    answer = await change(world, document, **asked)

    assert answer["userErrors"] == [{"code": code, "path": path}]
    assert await world.data(STAGES) == before


async def test_a_pipeline_has_at_least_one_stage(world: World) -> None:
    first, *rest = (await made(world)).values()
    for stage in rest:
        await change(world, ARCHIVE, stage=stage)

    answer = await change(world, ARCHIVE, stage=first)

    assert answer["userErrors"] == [{"code": "LAST_STAGE", "path": ["stage"]}]
    assert await names(world) == ["Qualification"]


async def test_a_pipeline_has_at_most_thirty_stages(world: World) -> None:
    for count in range(26):
        answer = await change(world, CREATE, name=f"Stage {count}", winRate="0.5")
        assert answer["userErrors"] == []

    answer = await change(world, CREATE, name="One more", winRate="0.5")

    assert answer["userErrors"] == [{"code": "TOO_MANY_STAGES", "path": ["name"]}]


async def test_another_tenants_stage_does_not_exist(world: World, other_world: World) -> None:
    theirs = (await made(other_world))["Proposal"]
    await made(world)

    answer = await change(world, ARCHIVE, stage=theirs)

    assert answer["userErrors"] == [{"code": "NOT_FOUND", "path": ["stage"]}]
