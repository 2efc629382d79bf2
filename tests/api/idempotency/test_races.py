"""The same mutation sent again while it still runs, here or in another process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest

from domain.leads import Lead
from tests.agreements import add_mql
from tests.api.idempotency.asking import UPDATE, Client, a_client, codes, emails
from tests.api.sites import Site, a_site, key_of
from tests.world import World


@pytest.fixture
async def owner(database_urls: Any) -> AsyncIterator[asyncpg.Connection]:
    """A connection that sees all locks, and holds some."""
    connection = await asyncpg.connect(database_urls.owner)
    yield connection
    await connection.close()


@asynccontextmanager
async def holding(world: World, lead: Lead) -> AsyncIterator[None]:
    """Hold a lead, so that whoever wants to change it waits."""
    async with world.work() as work:
        # The server ends whoever holds locks for long and says nothing.
        await work.connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        await work.get(Lead, lead.id, lock=True)
        yield


async def until_waiting(owner: asyncpg.Connection) -> None:
    """Return when somebody in this database waits for a row."""
    waits = (
        "SELECT 1 FROM pg_stat_activity WHERE wait_event IN ('transactionid', 'tuple')"
        " AND datname = current_database()"
    )
    async with asyncio.timeout(60):
        while not await owner.fetchval(waits):
            pass


async def test_while_it_runs_the_same_request_is_told_to_wait(
    client: Client, today: World, owner: asyncpg.Connection
) -> None:
    lead = await add_mql(today)
    change = {"input": {"lead": {"email": lead.email}, "firstName": "Ada"}}
    async with holding(today, lead):
        running = asyncio.create_task(client.send(UPDATE, change))
        await until_waiting(owner)
        early = await client.send(UPDATE, change)
    first, second = await running, await client.send(UPDATE, change)

    assert (early.status_code, codes(early)) == (409, ["IDEMPOTENCY_KEY_IN_USE"])
    assert early.headers["retry-after"] == "1"
    assert first.json()["data"]["leadUpdate"]["lead"]["version"] == lead.version + 1
    assert second.content == first.content


async def test_of_thirty_at_once_one_is_carried_out_whoever_they_reach(
    site: Site, database_urls: Any, today: World
) -> None:
    secret = await key_of(site, today)
    async with (
        a_site(database_urls, WORKER="0") as other,
        httpx.AsyncClient(base_url=site.url, timeout=60) as here,
        httpx.AsyncClient(base_url=other.url, timeout=60) as there,
    ):
        clients = [Client(here, secret), Client(there, secret)]
        answers = await asyncio.gather(*(client.create() for client in clients * 15))
        last = await clients[0].create()

    done = {answer.content for answer in answers if answer.status_code == 200}
    assert done == {last.content}
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert await emails(today) == ["ada@acme.example"]


async def test_what_takes_too_long_is_undone(
    database_urls: Any, today: World, owner: asyncpg.Connection
) -> None:
    lead = await add_mql(today)
    change = {"input": {"lead": {"email": lead.email}, "firstName": "Ada"}}
    said = {"input": {"email": "ada@acme.example"}}
    both = """mutation($said: LeadCreateInput!, $change: LeadUpdateInput!) {
      leadCreate(input: $said) { userErrors { code } }
      leadUpdate(input: $change) { lead { version } userErrors { code } } }"""
    variables = {"said": said["input"], "change": change["input"]}
    async with a_site(database_urls, WORKER="0", REQUEST_TIMEOUT_SECONDS="1") as site:
        async with a_client(site, today) as client, holding(today, lead):
            late = await client.send(both, variables)
        undone = await emails(today)
        idle = site.app.state.process.services.database.app
        async with asyncio.timeout(60):
            while idle.get_idle_size() < idle.get_size():  # noqa: ASYNC110  # nobody announces it
                await asyncio.sleep(0.01)
    # Where there is more time, because this is not about how much it takes.
    async with a_site(database_urls, WORKER="0") as patient, a_client(patient, today) as client:
        done = await client.send(both, variables)

    assert (late.status_code, late.headers["retry-after"]) == (503, "1")
    assert undone == [lead.email]
    assert done.json()["data"]["leadCreate"] == {"userErrors": []}
    assert done.json()["data"]["leadUpdate"]["lead"] == {"version": lead.version + 1}
