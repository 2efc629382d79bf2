"""The database, or the line to it, goes away and comes back: nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import httpx
import psutil
import pytest

from domain.ids import public
from infra.secrets import BOARD_LINK, new_secret
from tests.api.sites import Site, a_site, key_of
from tests.conftest import DatabaseUrls
from tests.faults.places import OwnPostgres, until
from tests.faults.proxy import FaultProxy
from tests.faults.writers import CREATE, account_for, writing
from tests.world import World

TEAMS = {"query": "{ teams { nodes { name } } }"}
INSERT = b"INSERT INTO leads"
# In seconds.  More than refusing takes on a busy machine, and less than anybody may wait.
SOON = 15


@pytest.fixture
async def site(line: tuple[FaultProxy, DatabaseUrls]) -> AsyncIterator[Site]:
    """The service, reaching its database through the proxy; requests have two seconds."""
    async with a_site(line[1], REQUEST_TIMEOUT_SECONDS="2") as site:
        yield site


@pytest.fixture
def proxy(line: tuple[FaultProxy, DatabaseUrls]) -> FaultProxy:
    return line[0]


@pytest.fixture
async def client(site: Site, tenant: World) -> AsyncIterator[httpx.AsyncClient]:
    async with a_client(site, tenant) as client:
        yield client


@pytest.fixture
async def patient(
    line: tuple[FaultProxy, DatabaseUrls], tenant: World
) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose requests have all the time they want."""
    async with a_site(line[1]) as site, a_client(site, tenant) as client:
        yield client


@asynccontextmanager
async def a_client(site: Site, tenant: World) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {await key_of(site, tenant)}"}
    async with httpx.AsyncClient(base_url=site.url, timeout=60, headers=headers) as client:
        yield client


async def answers(client: httpx.AsyncClient) -> bool:
    return (await client.post("/graphql", json=TEAMS)).status_code == 200


# What is done to the lines, and how long after it writes may take to go on.

Fault = Callable[[FaultProxy, OwnPostgres], Awaitable[None]]


async def terminated(_: FaultProxy, postgres: OwnPostgres) -> None:
    await postgres.terminate_all()


async def reset(proxy: FaultProxy, _: OwnPostgres) -> None:
    proxy.reset()


async def swallowed(proxy: FaultProxy, _: OwnPostgres) -> None:
    proxy.hole()


async def cut_short(proxy: FaultProxy, _: OwnPostgres) -> None:
    proxy.most_bytes = 1
    await until(lambda: _has_cut(proxy, 5))
    proxy.most_bytes = None


async def _has_cut(proxy: FaultProxy, times: int) -> bool:
    return proxy.cuts >= times


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [(terminated, 1.0), (reset, 1.0), (cut_short, 1.0), (swallowed, 3.0)],
    ids=["backends terminated", "lines reset", "answers cut short", "lines swallowed"],
)
async def test_when_all_lines_are_lost_writes_go_on_and_none_is_lost_or_doubled(
    site: Site, tenant: World, line: Any, postgres: OwnPostgres, fault: Fault, seconds: float
) -> None:
    async with writing(site.url, await key_of(site, tenant)) as ledger:
        at = monotonic()
        await fault(line[0], postgres)
        await ledger.more(8)
        assert ledger.gap(since=at) < ledger.bound(seconds + 0.5)
    await account_for(tenant, ledger)


async def test_a_killed_server_that_runs_again_is_used_again_and_nothing_was_lost(
    site: Site, tenant: World, postgres: OwnPostgres
) -> None:
    async with writing(site.url, await key_of(site, tenant)) as ledger:
        await asyncio.to_thread(postgres.kill)
        back = await postgres.start_again()
        await ledger.more()
        assert ledger.told_at[-1] - back < ledger.bound(2)
        await ledger.more(8)
    assert set(ledger.answers) <= {
        "503 SERVICE_UNAVAILABLE FAILED",
        "503 SERVICE_UNAVAILABLE UNKNOWN",
    }
    await account_for(tenant, ledger)


# What is told meanwhile


async def test_while_the_database_is_away_requests_are_refused_at_once_and_it_heals(
    site: Site, client: httpx.AsyncClient, proxy: FaultProxy
) -> None:
    await until(lambda: answers(client))
    await proxy.refuse()
    await until(lambda: _is_away(site))

    at = monotonic()
    refused = await client.post("/graphql", json=TEAMS)
    ready, alive = await client.get("/readyz"), await client.get("/healthz")
    board = await client.get(f"/board/{new_secret(BOARD_LINK).text}")
    assert monotonic() - at < SOON

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    (error,) = refused.json()["errors"]
    assert (error["extensions"]["code"], error["extensions"]["outcome"]) == (
        "SERVICE_UNAVAILABLE",
        "FAILED",
    )
    assert (ready.status_code, ready.json()["fault"]) == (503, "the database does not answer")
    assert alive.status_code == 200
    assert (board.status_code, board.headers["retry-after"]) == (503, "1")

    await proxy.accept()
    at = monotonic()
    await until(lambda: answers(client))
    assert monotonic() - at < SOON
    assert (await client.get("/readyz")).status_code == 200


async def _is_away(site: Site) -> bool:
    return bool(site.app.state.process.services.database.pulse.away)


async def test_while_the_database_stalls_requests_end_by_their_deadline_and_it_is_alive(
    site: Site, client: httpx.AsyncClient, postgres: OwnPostgres
) -> None:
    await until(lambda: answers(client))
    process = psutil.Process()
    before = process.memory_info().rss
    await asyncio.to_thread(postgres.stop)
    stalled_at = monotonic()
    try:
        asked = [asyncio.create_task(_timed(client)) for _ in range(40)]
        alive = []
        while monotonic() - stalled_at < 4:
            alive.append(await _alive(client))
            asked.append(asyncio.create_task(_timed(client)))
            await asyncio.sleep(0.05)
        told = await asyncio.gather(*asked)
        await until(lambda: _is_away(site))
        late = [await _timed(client) for _ in range(10)]
    finally:
        await asyncio.to_thread(postgres.go_on)
    at = monotonic()
    await until(lambda: answers(client))

    assert monotonic() - at < SOON
    assert {status for status, _ in told + late} == {503}
    assert max(seconds for _, seconds in told) < SOON
    # Once it is known that the database is away, nobody waits at all, as everybody did before.
    assert min(seconds for _, seconds in late) < 1
    assert sorted(alive)[len(alive) // 2] < 1
    assert process.memory_info().rss - before < 64 << 20


async def _alive(client: httpx.AsyncClient) -> float:
    at = monotonic()
    assert (await client.get("/healthz")).status_code == 200
    return monotonic() - at


async def _timed(client: httpx.AsyncClient) -> tuple[int, float]:
    at = monotonic()
    answer = await client.post("/graphql", json=TEAMS)
    return answer.status_code, monotonic() - at


# Failed or unknown


@pytest.mark.parametrize(
    "told",
    [("before", "FAILED", 0), ("after", "UNKNOWN", 1)],
    ids=["before it is heard", "after it is done"],
)
async def test_a_line_cut_in_a_write_tells_failed_from_unknown(
    patient: httpx.AsyncClient, proxy: FaultProxy, tenant: World, told: tuple[str, str, int]
) -> None:
    """The insert that is not heard was not done; the COMMIT whose answer is lost was."""
    where, outcome, stored = told
    body = {"query": CREATE, "variables": {"email": "one@example.com"}}
    await patient.post("/graphql", json=TEAMS)

    if where == "before":
        proxy.cut_before = INSERT
    else:
        proxy.cut_once(at=b"COMMIT", after=INSERT)
    answer = await patient.post("/graphql", json=body)

    assert answer.status_code == 503
    assert answer.json()["errors"][0]["extensions"]["outcome"] == outcome
    assert len(await leads(tenant)) == stored


async def leads(world: World) -> list[Any]:
    from domain.leads import Lead

    async with world.work() as work:
        return list(await work.find(Lead))


async def test_the_same_key_gives_the_answer_that_was_cut_off_and_one_effect(
    patient: httpx.AsyncClient, proxy: FaultProxy, tenant: World
) -> None:
    body = {"query": CREATE, "variables": {"email": "one@example.com"}}
    key = {"idempotency-key": "one-and-only"}
    await patient.post("/graphql", json=TEAMS)

    proxy.cut_once(at=b"COMMIT", after=INSERT)
    unknown = await patient.post("/graphql", json=body, headers=key)
    again = await patient.post("/graphql", json=body, headers=key)

    assert unknown.json()["errors"][0]["extensions"]["outcome"] == "UNKNOWN"
    (lead,) = await leads(tenant)
    assert again.json()["data"] == {
        "leadCreate": {"lead": {"id": public("Lead", lead.id)}, "userErrors": []}
    }
    assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("words", [b"FROM calendars", b"COMMIT"])
async def test_a_line_cut_in_a_read_is_no_bug_and_the_next_read_is_well(
    patient: httpx.AsyncClient, proxy: FaultProxy, words: bytes
) -> None:
    assert await answers(patient)
    proxy.cut_once(at=words, after=b"FROM calendars")

    # Not asked before, or the statement would be known by a name.
    cut = await patient.post("/graphql", json={"query": "{ calendars { nodes { name } } }"})

    assert (cut.status_code, cut.headers["retry-after"]) == (503, "1")
    assert cut.json()["errors"][0]["extensions"]["outcome"] == "FAILED"
    assert await answers(patient)
