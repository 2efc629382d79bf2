"""The keys of web sites over the API."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from domain.tracking import TrackingSite

CREATE = """mutation($input: TrackingSiteCreateInput!) { trackingSiteCreate(input: $input) {
  trackingSite { id name key origins snippet revokedAt } userErrors { code path } } }"""
UPDATE = """mutation($input: TrackingSiteUpdateInput!) { trackingSiteUpdate(input: $input) {
  trackingSite { name origins version } userErrors { code path } } }"""
REVOKE = """mutation($site: ID!) { trackingSiteRevoke(input: {site: $site}) {
  trackingSite { revokedAt version } userErrors { code path } } }"""
LIST = "{ trackingSites { nodes { name key } } }"
ACME = {"name": "Acme", "origins": ["https://WWW.acme.example/"]}


@pytest.fixture
def world(world):
    world.services.settings = SimpleNamespace(public_url="https://smarketing.example")
    return world


async def made(world, **said: Any) -> dict[str, Any]:
    data = await world.data(CREATE, {"input": {**ACME, **said}}, as_=world.marketer)
    assert data["trackingSiteCreate"]["userErrors"] == []
    site: dict[str, Any] = data["trackingSiteCreate"]["trackingSite"]
    return site


async def test_a_site_gets_a_key_that_is_no_secret(world):
    site = await made(world)
    assert site == {
        "id": site["id"],
        "name": "Acme",
        "key": site["key"],
        "origins": ["https://www.acme.example"],
        "snippet": f'<script async src="https://smarketing.example/t.js" data-key="{site["key"]}">'
        "</script>",
        "revokedAt": None,
    }
    listed = await world.data(LIST, as_=world.marketer)
    assert listed == {"trackingSites": {"nodes": [{"name": "Acme", "key": site["key"]}]}}


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ({"name": " "}, ["name"]),
        ({"origins": []}, ["origins"]),
        ({"origins": ["https://a.example"] * 21}, ["origins"]),
        ({"origins": ["https://a.example", "https://a.example/page"]}, ["origins", "1"]),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_written(world, said, path):
    refused = await world.data(CREATE, {"input": {**ACME, **said}})
    assert refused["trackingSiteCreate"] == {
        "trackingSite": None,
        "userErrors": [{"code": "INVALID", "path": path}],
    }
    async with world.work() as work:
        assert await work.find(TrackingSite) == []


async def test_a_site_changes_until_its_key_is_revoked(world):
    site = await made(world)
    change = {"site": site["id"], "origins": ["https://b.example", "https://b.example:443"]}
    changed = await world.data(UPDATE, {"input": change})
    same = await world.data(UPDATE, {"input": change})
    revoked = [await world.data(REVOKE, {"site": site["id"]}) for _ in range(2)]
    refused = await world.data(UPDATE, {"input": change})

    stands = {"name": "Acme", "origins": ["https://b.example"], "version": 2}
    assert changed == same
    assert changed["trackingSiteUpdate"] == {"trackingSite": stands, "userErrors": []}
    assert revoked[0] == revoked[1]
    assert revoked[0]["trackingSiteRevoke"]["trackingSite"] == {
        "revokedAt": "2026-03-10T12:00:00Z",
        "version": 3,
    }
    assert refused["trackingSiteUpdate"]["userErrors"] == [
        {"code": "SITE_REVOKED", "path": ["site"]}
    ]


async def test_members_manage_no_sites(world):
    for document, given in ((CREATE, {"input": ACME}), (LIST, {})):
        answer = await world.ask(document, given, as_=world.other_rep)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
