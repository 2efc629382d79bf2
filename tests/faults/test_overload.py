"""More is asked than can be done: so much is done as ever, and the rest is refused at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import httpx
import pytest

from domain.identity import Team
from domain.ids import public
from tests.api.sites import Site, a_site, key_of
from tests.faults.places import OwnPostgres, until
from tests.faults.sockets import INBOX, a_socket, ask, said, subscribed, told
from tests.faults.test_streams import hand_one_off, hears_of_it, token_of
from tests.world import World

TEAMS = {"query": "{ teams { nodes { name } } }"}
RENAME = """mutation($team: ID!) { teamUpdate(input: {team: $team, name: "Renamed"}) {
  team { name } userErrors { code } } }"""

A_TURN = 60.0


@pytest.fixture
async def site(postgres: OwnPostgres) -> AsyncIterator[Site]:
    """Two connections, and two may wait for their turn, for a second."""
    async with a_site(postgres.urls, turn_seconds=1, POOL_SIZE="2", MAX_WAITING="2") as site:
        yield site


@pytest.fixture
async def patient(postgres: OwnPostgres) -> AsyncIterator[Site]:
    """The same, where who may wait does so for a minute: nobody's time is up in the test."""
    async with a_site(postgres.urls, turn_seconds=A_TURN, POOL_SIZE="2", MAX_WAITING="2") as site:
        yield site


@asynccontextmanager
async def holding(world: World) -> AsyncIterator[None]:
    """Hold a row that others want, for as long as the block takes."""
    async with world.work() as work:
        # The server ends whoever holds locks for long and says nothing.
        await work.connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        await work.get(Team, world.sales.id, lock=True)
        yield


async def test_who_finds_everything_taken_is_refused_at_once_and_the_others_are_served(
    patient: Site, tenant: World
) -> None:
    site = patient
    headers = {"authorization": f"Bearer {await key_of(site, tenant)}"}
    rename = {"query": RENAME, "variables": {"team": public("Team", tenant.sales.id)}}
    async with httpx.AsyncClient(base_url=site.url, timeout=60, headers=headers) as client:
        assert (await client.post("/graphql", json=TEAMS)).status_code == 200
        async with holding(tenant):
            slow = [asyncio.create_task(client.post("/graphql", json=rename)) for _ in range(4)]
            await until(lambda: _is_full(site))
            at = monotonic()
            refused = await client.post("/graphql", json=TEAMS)
            assert monotonic() - at < A_TURN / 2
            assert (await client.get("/healthz")).status_code == 200
        told = [(await each).status_code for each in slow]

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    extensions = refused.json()["errors"][0]["extensions"]
    assert extensions == {"code": "SERVICE_UNAVAILABLE", "outcome": "FAILED"}
    assert told == [200] * 4
    assert site.app.state.process.turns.refused == 1
    assert await site.settled()


async def _is_full(site: Site) -> bool:
    return bool(site.app.state.process.turns.full)


async def test_whoever_waits_too_long_for_a_turn_is_refused(site: Site, tenant: World) -> None:
    headers = {"authorization": f"Bearer {await key_of(site, tenant)}"}
    rename = {"query": RENAME, "variables": {"team": public("Team", tenant.sales.id)}}
    async with httpx.AsyncClient(base_url=site.url, timeout=60, headers=headers) as client:
        async with holding(tenant):
            slow = [asyncio.create_task(client.post("/graphql", json=rename)) for _ in range(2)]
            await until(lambda: _has_none_free(site))
            at = monotonic()
            refused = await client.post("/graphql", json=rename)
            assert monotonic() - at > 0.5
        told = [(await each).status_code for each in slow]

    assert refused.status_code == 503
    assert refused.json()["errors"][0]["extensions"]["outcome"] == "FAILED"
    assert told == [200, 200]


async def _has_none_free(site: Site) -> bool:
    return bool(site.app.state.process.turns._free.locked())


async def test_on_a_socket_the_operation_is_refused_and_streams_need_no_turn(
    site: Site, tenant: World
) -> None:
    secret = await token_of(site, tenant)
    rename = {"team": public("Team", tenant.sales.id)}
    async with (
        subscribed(site.url, secret, INBOX) as stream,
        a_socket(site.url, await key_of(site, tenant)) as socket,
    ):
        assert await told(stream) == {"handoffInbox": []}
        assert (await said(socket))["type"] == "connection_ack"
        async with holding(tenant):
            for number in range(2):
                await ask(socket, RENAME, f"slow {number}", **rename)
            await until(lambda: _has_none_free(site))
            await ask(socket, TEAMS["query"], "late")
            message = await said(socket)
        await hand_one_off(tenant)
        await hears_of_it(stream, had=0)

    assert (message["type"], message["id"]) == ("error", "late")
    assert message["payload"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"


async def test_subscriptions_hold_no_connection(site: Site, tenant: World) -> None:
    secret, many = await token_of(site, tenant), 20
    async with a_socket(site.url, secret) as socket:
        assert (await said(socket))["type"] == "connection_ack"
        for number in range(many):
            await ask(socket, INBOX, str(number))
        heard: list[Any] = [await said(socket) for _ in range(many)]
        pool = site.app.state.process.services.database.app
        assert {message["type"] for message in heard} == {"next"}
        await until(lambda: _is_idle(pool))


async def _is_idle(pool: Any) -> bool:
    return bool(pool.get_idle_size() == pool.get_size())
