"""The answer does not arrive: the line is cut, or the service is killed."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from domain.leads import Lead
from tests.api.sites import Site, Started, a_process, a_site, key_of
from tests.world import World

CREATE = """mutation($input: LeadCreateInput!) { leadCreate(input: $input) {
  lead { id email } userErrors { code } } }"""
ASKED = {"query": CREATE, "variables": {"input": {"email": "ada@acme.example"}}}


class Relay:
    """Passes bytes on to a service, and what it answers not at all: it comes to an end here."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.answered = asyncio.Event()
        """Set when the service has begun to answer, which is when it has committed."""

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection("127.0.0.1", self._port)
        passing = asyncio.create_task(_pass_on(reader, requests))
        await answers.read(1)
        passing.cancel()
        requests.transport.abort()
        writer.transport.abort()
        self.answered.set()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65536):
        writer.write(chunk)


async def headers(site: Site | Started, world: World) -> dict[str, str]:
    secret = await key_of(site, world)
    return {"authorization": f"Bearer {secret}", "idempotency-key": "key-1"}


async def send(url: str, headers: dict[str, str]) -> httpx.Response:
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        return await client.post("/graphql", json=ASKED, headers=headers)


async def send_in_vain(url: str, headers: dict[str, str]) -> None:
    """Send a request whose answer does not arrive."""
    with pytest.raises(httpx.TransportError):
        await send(url, headers)


async def leads(world: World) -> list[str]:
    async with world.work() as work:
        return [f"lead_{lead.id.hex}" for lead in await work.find(Lead)]


def port_of(url: str) -> int:
    return int(urlsplit(url).port or 0)


async def test_an_answer_that_was_cut_off_is_given_to_the_retry(
    database_urls: Any, today: World
) -> None:
    async with a_site(database_urls, WORKER="0") as site:
        asked = await headers(site, today)
        async with Relay(port_of(site.url)).listening() as cut:
            await send_in_vain(cut, asked)
            await send_in_vain(cut, asked)
        answers = [await send(site.url, asked) for _ in range(2)]

    (stored,) = await leads(today)
    assert [answer.headers["idempotency-replayed"] for answer in answers] == ["true"] * 2
    assert answers[0].json()["data"]["leadCreate"] == {
        "lead": {"id": stored, "email": "ada@acme.example"},
        "userErrors": [],
    }
    assert answers[0].content == answers[1].content


async def test_a_service_killed_after_its_commit_answers_when_it_is_back(
    database_urls: Any, tmp_path: Path, today: World
) -> None:
    with a_process(database_urls, tmp_path, "--no-worker") as started:
        asked = await headers(started, today)
        relay = Relay(port_of(started.url))
        async with relay.listening() as cut:
            await send_in_vain(cut, asked)
        assert relay.answered.is_set()
        started.stop(signal.SIGKILL)
    with a_process(database_urls, tmp_path, "--no-worker") as again:
        answer = await send(again.url, asked)

    (stored,) = await leads(today)
    assert answer.headers["idempotency-replayed"] == "true"
    assert answer.json()["data"]["leadCreate"]["lead"]["id"] == stored


async def test_a_service_killed_before_its_commit_has_done_nothing(
    database_urls: Any, tmp_path: Path, today: World
) -> None:
    owner = await asyncpg.connect(database_urls.owner)
    with a_process(database_urls, tmp_path, "--no-worker") as started:
        asked = await headers(started, today)
        # The last statement before the commit waits.
        holding = owner.transaction()
        await holding.start()
        await owner.execute("LOCK TABLE idempotency_keys IN SHARE MODE")
        running = asyncio.create_task(send_in_vain(started.url, asked))
        await until_waiting(owner)
        started.stop(signal.SIGKILL)
        await running
        undone = await leads(today)
        await holding.rollback()
    with a_process(database_urls, tmp_path, "--no-worker") as again:
        answer = await until_carried_out(again.url, asked)

    await owner.close()
    (stored,) = await leads(today)
    assert undone == []
    assert answer.json()["data"]["leadCreate"]["lead"]["id"] == stored
    assert "idempotency-replayed" not in answer.headers


async def until_waiting(owner: asyncpg.Connection) -> None:
    """Return when somebody waits for the table of the keys."""
    waits = (
        "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'idempotency_keys'::regclass"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    async with asyncio.timeout(60):
        while not await owner.fetchval(waits):
            pass


async def until_carried_out(url: str, asked: dict[str, str]) -> httpx.Response:
    """Ask again while PostgreSQL has not noticed yet that the one before is gone."""
    async with asyncio.timeout(60):
        while (answer := await send(url, asked)).status_code == 409:
            pass
    return answer
