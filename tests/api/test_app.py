"""The service as it is deployed, in one process."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from domain.errors import Unavailable
from domain.ids import public
from infra.health import Health
from infra.outbox import publish_all
from tests.api.sites import Site, a_site, accounts_of, key_of
from tests.world import World

VIEWER = {"query": "{ viewer { tenant { name } } }"}


TEAMS = "{ teams { nodes { name } } }"


@pytest.fixture(scope="module")
async def site(database_urls: Any) -> AsyncIterator[Site]:
    async with a_site(database_urls, WORKER="0", PUBLIC_URL="https://smarketing.example") as site:
        yield site


@pytest.fixture
async def client(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=site.url, timeout=60) as client:
        yield client


async def test_it_is_alive_and_ready(client: httpx.AsyncClient) -> None:
    alive, ready = await client.get("/healthz"), await client.get("/readyz")

    assert (alive.status_code, alive.text) == (200, "alive\n")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


async def test_it_is_alive_but_not_ready_without_its_schema(
    site: Site, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.health.columns_needed", lambda: frozenset({"leads.shoe_size"}))
    monkeypatch.setattr(
        site.app.state.process, "health", Health(site.app.state.process.services.database)
    )

    ready = await client.get("/readyz")

    assert (ready.status_code, ready.json()) == (
        503,
        {
            "status": "not ready",
            "fault": "the schema lacks 1 columns: run `smarketing migrate`",
        },
    )
    assert (await client.get("/healthz")).status_code == 200


async def test_it_is_not_ready_while_the_database_is_away(
    site: Site, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away() -> None:
        raise Unavailable

    monkeypatch.setattr(site.app.state.process.health, "fault", away)

    ready = await client.get("/readyz")

    assert (ready.status_code, ready.json()["fault"]) == (503, "the database does not answer")


async def test_who_brings_no_key_is_nobody_and_a_bad_one_is_refused(
    client: httpx.AsyncClient,
) -> None:
    nobody = await client.post("/graphql", json=VIEWER)
    stranger = await client.post(
        "/graphql", json=VIEWER, headers={"authorization": "Bearer nonsense"}
    )

    assert nobody.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert stranger.status_code == 401


async def test_a_key_opens_its_own_tenant(
    site: Site, client: httpx.AsyncClient, today: World
) -> None:
    headers = {"authorization": f"Bearer {await key_of(site, today)}"}

    answer = await client.post("/graphql", json={"query": TEAMS}, headers=headers)

    assert answer.json()["data"] == {"teams": {"nodes": [{"name": "Marketing"}, {"name": "Sales"}]}}


@pytest.mark.parametrize(
    "path", ["/", "/graphql", "/healthz", "/metrics", "/nowhere", "/board/none", "/static/0/x.js"]
)
async def test_every_answer_is_guarded(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path, headers={"accept": "text/html"})).headers

    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert re.fullmatch(r"[0-9a-f]{32}", headers["x-request-id"])
    assert "server" not in headers


async def test_a_requests_id_is_kept_if_it_is_one(client: httpx.AsyncClient) -> None:
    kept = await client.post("/graphql", json=VIEWER, headers={"x-request-id": "abc-123"})
    made = await client.post("/graphql", json=VIEWER, headers={"x-request-id": "a b"})

    assert kept.headers["x-request-id"] == "abc-123"
    assert kept.json()["errors"][0]["extensions"]["requestId"] == "abc-123"
    assert made.headers["x-request-id"] == made.json()["errors"][0]["extensions"]["requestId"]
    assert re.fullmatch(r"[0-9a-f]{32}", made.headers["x-request-id"])


async def test_the_keys_that_check_our_tokens_are_public(client: httpx.AsyncClient) -> None:
    answer = await client.get("/.well-known/jwks.json")

    assert answer.headers["content-type"] == "application/jwk-set+json"
    (key, *_) = answer.json()["keys"]
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")
    assert "d" not in key


async def test_a_browser_at_the_endpoint_gets_a_page_and_a_client_does_not(
    client: httpx.AsyncClient,
) -> None:
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    page = await client.get("/graphql", headers={"accept": accept})
    script = re.search(r'src="(/static/\w+/explorer[-\w]*\.js)"', page.text)

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<style" not in page.text
    assert not re.search(r"<script(?![^>]*src=)", page.text)
    # But for the examples in its menu, which are data.
    fetched = re.sub(r"<template.*?</template>", "", page.text, flags=re.DOTALL)
    assert not re.search(r"https?://", fetched)
    assert script
    assert (await client.get(script[1])).status_code == 200
    answer = await client.get(
        "/graphql", params={"query": "{ __typename }"}, headers={"accept": "*/*"}
    )
    assert answer.json()["data"] == {"__typename": "Query"}


async def test_there_is_nothing_anywhere_else(client: httpx.AsyncClient) -> None:
    assert (await client.get("/nowhere")).status_code == 404
    assert (await client.delete("/graphql")).status_code == 405
    assert (await client.get("/uploads/none")).status_code == 405


async def test_figures_say_what_was_answered_but_no_key(client: httpx.AsyncClient) -> None:
    await client.get("/board/smb_secret")
    await client.request("TRACE", "/nowhere")

    figures = (await client.get("/metrics")).text

    assert (
        'smarketing_http_requests_total{method="GET",route="/board/{token}",status="404"}'
        in figures
    )
    assert 'smarketing_http_requests_total{method="OTHER",route="none",status="404"}' in figures
    assert 'smarketing_open{what="connections"}' in figures
    assert "smb_secret" not in figures


async def next_board(lines: AsyncIterator[str]) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while not (line := await anext(lines)).startswith("data: ") or line == "data: {}":
            pass
    board: dict[str, Any] = json.loads(line[6:])["data"]["board"]
    return board


async def test_a_board_is_a_page_and_a_stream_until_its_link_is_revoked(
    site: Site, client: httpx.AsyncClient, today: World
) -> None:
    accounts = accounts_of(site.settings, today)
    issued = await accounts.issue_board(today.actor(), name="The wall")
    path = issued.url.removeprefix(site.settings.public_url)

    page = await client.get(path)
    assert page.status_code == 200
    assert "Acme" in page.text
    async with client.stream("GET", f"{path}/stream") as response:
        lines = response.aiter_lines()
        assert (await next_board(lines))["tenantName"] == "Acme"
        headers = {"authorization": f"Bearer {await key_of(site, today)}"}
        document = """mutation($id: ID!) {
          boardLinkRevoke(input: {boardLink: $id}) { userErrors { code } } }"""
        revoke = {"query": document, "variables": {"id": public("Board", issued.board_link.id)}}
        revoked = await client.post("/graphql", json=revoke, headers=headers)
        assert revoked.json()["data"] == {"boardLinkRevoke": {"userErrors": []}}
        await publish_all(today.database, today.tenant.id)
        async with asyncio.timeout(60):
            rest = [line async for line in lines]
    assert "event: complete" in rest
    assert (await client.get(path)).status_code == 404
    assert await site.settled()
