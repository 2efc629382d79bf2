from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.api.sites import Site, a_site

APP = "https://app.example"
STRANGER = "https://stranger.example"
NAME = {"query": "{ __typename }"}
ASKED = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
}


@pytest.fixture(scope="module")
async def site(database_urls) -> AsyncIterator[Site]:
    async with a_site(database_urls, WORKER="0", ALLOWED_ORIGINS=APP) as site:
        yield site


@pytest.fixture
async def client(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=site.url, timeout=60) as client:
        yield client


@pytest.mark.parametrize("origin", [APP, "http://localhost:5173", "https://127.0.0.1:8443"])
async def test_a_page_that_may_is_told_so_before_it_asks_and_when_it_is_answered(client, origin):
    allowed = await client.options("/graphql", headers={"Origin": origin, **ASKED})
    answer = await client.post("/graphql", json=NAME, headers={"Origin": origin})

    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, origin)
    assert "Idempotency-Key" in allowed.headers["access-control-allow-headers"]
    assert (answer.status_code, answer.json()["data"]) == (200, {"__typename": "Query"})
    assert answer.headers["access-control-allow-origin"] == origin
    assert "Retry-After" in answer.headers["access-control-expose-headers"]
    assert answer.headers["vary"] == "Accept, Origin"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [STRANGER, "null", "http://localhost.stranger.example", "https://app.example.stranger.example"],
)
async def test_a_strangers_page_is_not(client, origin):
    asked = await client.options("/graphql", headers={"Origin": origin, **ASKED})
    answer = await client.post("/graphql", json=NAME, headers={"Origin": origin})

    assert asked.status_code == 400
    assert "access-control-allow-origin" not in asked.headers
    assert "access-control-allow-origin" not in answer.headers


async def test_refusals_can_be_read_by_the_page_too(client):
    bad = {"Origin": APP, "Authorization": "Bearer nothing"}

    refused = await client.post("/graphql", json=NAME, headers=bad)

    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == APP


async def test_only_a_page_that_may_sends_what_browsers_do_not_ask_about(client):
    sent = {"params": NAME, "headers": {"Origin": APP, "Sec-Fetch-Site": "cross-site"}}
    forged = {"params": NAME, "headers": {"Origin": STRANGER, "Sec-Fetch-Site": "cross-site"}}

    assert (await client.get("/graphql", **sent)).status_code == 200
    assert (await client.get("/graphql", **forged)).status_code == 403


async def test_in_production_a_page_of_the_own_machine_is_a_stranger_too(database_urls):
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    real = {
        "SMARKETING_ENV": "production",
        "SIGNING_KEYS": pem.decode(),
        "MAIL_URL": "smtps://mail.example",
        "MAIL_FROM": "sla@acme.example",
        "WORKER": "0",
    }
    async with (
        a_site(database_urls, **real) as site,
        httpx.AsyncClient(base_url=site.url, timeout=60) as client,
    ):
        local = await client.post("/graphql", json=NAME, headers={"Origin": "http://localhost:1"})

    assert local.status_code == 200
    assert "access-control-allow-origin" not in local.headers
