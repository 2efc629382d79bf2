"""Content assets over the API."""

from __future__ import annotations

from typing import Any

import pytest

from domain.content import ContentAsset
from domain.ids import new_id, public

CREATE = """mutation($input: ContentAssetCreateInput!) { contentAssetCreate(input: $input) {
  contentAsset { id title kind url topic journeyStage version createdBy { name } }
  userErrors { code path } } }"""
UPDATE = """mutation($input: ContentAssetUpdateInput!) { contentAssetUpdate(input: $input) {
  contentAsset { title kind url topic journeyStage version } userErrors { code path } } }"""
ARCHIVE = """mutation($asset: ID!) { contentAssetArchive(input: {asset: $asset}) {
  contentAsset { archivedAt } userErrors { code path } } }"""
GUIDE = {"title": "Guide", "kind": "ARTICLE", "url": "https://acme.example/guide"}


async def made(world, **said: Any) -> dict[str, Any]:
    data = await world.data(CREATE, {"input": {**GUIDE, **said}})
    assert data["contentAssetCreate"]["userErrors"] == []
    asset: dict[str, Any] = data["contentAssetCreate"]["contentAsset"]
    return asset


async def test_an_asset_is_made_changed_and_put_away(world):
    asset = await made(world, topic=" CRM ", journeyStage="AWARENESS")
    assert asset == {
        "id": asset["id"],
        **GUIDE,
        "topic": "CRM",
        "journeyStage": "AWARENESS",
        "version": 1,
        "createdBy": {"name": "Olive"},
    }

    change = {"asset": asset["id"], "version": 1, "title": "Handbook", "topic": None}
    changed = (await world.data(UPDATE, {"input": change}))["contentAssetUpdate"]
    assert changed["contentAsset"] == {
        **GUIDE,
        "title": "Handbook",
        "topic": None,
        "journeyStage": "AWARENESS",
        "version": 2,
    }
    again = (await world.data(UPDATE, {"input": change}))["contentAssetUpdate"]
    assert again == {"contentAsset": None, "userErrors": [{"code": "STALE", "path": []}]}

    archived = await world.data(ARCHIVE, {"asset": asset["id"]})
    gone = await world.data(UPDATE, {"input": {"asset": asset["id"], "title": "More"}})
    assert archived["contentAssetArchive"]["contentAsset"] == {"archivedAt": "2026-03-10T12:00:00Z"}
    assert gone["contentAssetUpdate"]["userErrors"] == [
        {"code": "ASSET_ARCHIVED", "path": ["asset"]}
    ]


@pytest.mark.parametrize(
    ("said", "code", "path"),
    [
        ({"title": " "}, "INVALID", ["title"]),
        ({"title": "x" * 201}, "INVALID", ["title"]),
        ({"topic": "x" * 201}, "INVALID", ["topic"]),
        ({"url": "https://acme.example/guide/?utm_source=x"}, "ALREADY_EXISTS", ["url"]),
        ({"persona": public("Persona", new_id())}, "NOT_FOUND", ["persona"]),
        ({"persona": public("Lead", new_id())}, "BAD_USER_INPUT", ["persona"]),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_written(world, said, code, path):
    await made(world)
    new = {**GUIDE, "url": "https://acme.example/other", **said}
    answer = await world.data(CREATE, {"input": new})
    assert answer["contentAssetCreate"] == {
        "contentAsset": None,
        "userErrors": [{"code": code, "path": path}],
    }
    async with world.work() as work:
        assert len(await work.find(ContentAsset)) == 1


async def test_assets_are_filtered(world):
    await made(world, topic="CRM", journeyStage="DECISION")
    await made(world, title="Video", kind="VIDEO", url=None)
    document = """query($filter: ContentAssetFilter) { contentAssets(filter: $filter) {
      totalCount nodes { title } } }"""
    for filter, titles in (
        ({}, ["Video", "Guide"]),
        ({"kind": {"eq": "VIDEO"}}, ["Video"]),
        ({"journeyStage": {"gte": "CONSIDERATION"}}, ["Guide"]),
        ({"archivedAt": {"isNull": True}, "topic": {"contains": "crm"}}, ["Guide"]),
    ):
        data = await world.data(document, {"filter": filter})
        assert [node["title"] for node in data["contentAssets"]["nodes"]] == titles
        assert data["contentAssets"]["totalCount"] == len(titles)


async def test_the_touches_of_an_asset_are_listed(world):
    asset = await made(world)
    touch = """mutation { touchRecord(input: {kind: DOWNLOAD, visitor: "visitor-0123456789",
      url: "https://acme.example/guide?utm_source=a"}) { touch { asset { title } } } }"""
    assert await world.data(touch) == {"touchRecord": {"touch": {"asset": {"title": "Guide"}}}}
    document = "query($id: ID!) { contentAsset(id: $id) { touches { nodes { kind } } } }"
    found = await world.data(document, {"id": asset["id"]})
    assert found == {"contentAsset": {"touches": {"nodes": [{"kind": "DOWNLOAD"}]}}}


async def test_an_analyst_changes_no_content(world):
    answer = await world.ask(CREATE, {"input": GUIDE}, as_=world.analyst)
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
