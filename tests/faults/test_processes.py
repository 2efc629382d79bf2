"""Processes of the service are killed, frozen, told to stop, or live in the wrong time."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

import asyncpg
import httpx
import psutil
import pytest
from websockets.exceptions import ConnectionClosed

from domain.events import TeamChanged
from domain.feed import LoggedEvent
from domain.ids import new_id, public
from domain.sla.agreement import CommitmentKind
from domain.sla.clock import ClockState
from domain.sla.clocks import SlaClock, SlaTally
from infra.database import Database
from infra.outbox import publish
from infra.sweeper import Sweeper
from tests.agreements import a_commitment, a_sla, sign
from tests.api.sites import Started, a_process, key_of
from tests.faults.places import OwnPostgres, until
from tests.faults.sockets import INBOX, subscribed, told
from tests.faults.test_overload import RENAME, holding
from tests.faults.test_streams import hand_one_off, token_of
from tests.faults.writers import account_for, writing
from tests.world import World

WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
FEED = {"query": "subscription { clockTransitions { state } }"}


def server_pids(started: Started) -> list[int]:
    """Return the processes that serve.  (The other child keeps count of what is shared.)"""
    return [
        child.pid
        for child in psutil.Process(started.process.pid).children()
        if child.status() != psutil.STATUS_ZOMBIE and "spawn_main" in " ".join(child.cmdline())
    ]


# Killed


async def test_one_of_two_processes_is_killed_and_writes_hardly_notice(
    postgres: OwnPostgres, tenant: World, tmp_path: Path
) -> None:
    with a_process(postgres.urls, tmp_path, PROCESSES="2") as started:
        async with writing(started.url, await key_of(started, tenant)) as ledger:
            at = monotonic()
            os.kill(server_pids(started)[0], signal.SIGKILL)
            await ledger.more(40)
            assert ledger.gap(since=at) < ledger.bound(1)
        await account_for(tenant, ledger)


async def test_the_whole_service_is_killed_and_nothing_acknowledged_is_lost(
    postgres: OwnPostgres, tenant: World, tmp_path: Path
) -> None:
    with a_process(postgres.urls, tmp_path) as started:
        async with writing(started.url, await key_of(started, tenant)) as ledger:
            await asyncio.to_thread(started.stop, signal.SIGKILL)
    await account_for(tenant, ledger)


# Frozen


@dataclass
class Frozen:
    """A process that was stopped while it waited for a lock, and holds it by now."""

    process: psutil.Process
    postgres: OwnPostgres
    backend: int

    async def given_up(self) -> None:
        """Have the database do now what it does with whoever idles in a transaction."""
        await self.postgres.execute("SELECT pg_terminate_backend($1)", self.backend)
        ended = "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $1"
        await until(lambda: self.postgres.execute(ended, self.backend))


@asynccontextmanager
async def frozen(
    postgres: OwnPostgres, tenant: World, lock: str, folder: Path
) -> AsyncIterator[Frozen]:
    """Start a process, freeze it as soon as it waits for a row, and let it have the row."""
    holder = await asyncpg.connect(postgres.urls.owner)
    try:
        await holder.execute("BEGIN")
        assert await holder.fetchval(lock, tenant.tenant.id)
        with a_process(postgres.urls, folder) as started:
            process = psutil.Process(started.process.pid)
            try:
                backend = await until(lambda: postgres.execute(WAITING))
                process.suspend()
                await holder.execute("ROLLBACK")
                idle = "SELECT state = 'idle in transaction' FROM pg_stat_activity WHERE pid = $1"
                await until(lambda: postgres.execute(idle, backend))
                yield Frozen(process, postgres, backend)
            finally:
                process.resume()
    finally:
        await holder.close()


async def changed(world: World) -> None:
    async with world.work() as work:
        work.record(TeamChanged(at=work.now, team_id=new_id()))


async def numbers(world: World) -> list[int]:
    async with world.work() as work:
        return sorted(event.number for event in await work.find(LoggedEvent))


async def test_a_relay_that_wakes_up_late_numbers_nothing_twice(
    postgres: OwnPostgres, tenant: World, tmp_path: Path
) -> None:
    async with tenant.work() as work:  # a pen to hold
        await work.connection.execute(
            "INSERT INTO feeds (tenant_id, last_number) VALUES ($1, 0)", tenant.tenant.id
        )
    await changed(tenant)
    pen = "SELECT tenant_id FROM feeds WHERE tenant_id = $1 FOR UPDATE"
    async with frozen(postgres, tenant, pen, tmp_path) as late:
        await late.given_up()
        assert (await publish(tenant.database, tenant.tenant.id)).moved == 1
        late.process.resume()
        await changed(tenant)
        await until(lambda: _has(tenant, 2))
        assert await numbers(tenant) == [1, 2]


async def _has(world: World, count: int) -> bool:
    return len(await numbers(world)) >= count


async def test_a_sweeper_that_wakes_up_late_tells_nothing_twice(
    postgres: OwnPostgres, tenant: World, tmp_path: Path
) -> None:
    yesterday = tenant.now - timedelta(hours=3)
    then = Database(tenant.database.app, tenant.database.platform, clock=lambda: yesterday)
    await promised(replace(tenant, database=then, clock={"now": yesterday}))
    clock = "SELECT id FROM sla_clocks WHERE tenant_id = $1 FOR UPDATE"
    async with frozen(postgres, tenant, clock, tmp_path) as late:
        await late.given_up()
        await Sweeper(tenant.database).sweep()
        late.process.resume()
        # It has been round again when it has published what came after.
        await changed(tenant)
        await until(lambda: _told(tenant, "TeamChanged"))
        await Sweeper(tenant.database).sweep()
        await changed(tenant)
        await until(lambda: _has(tenant, 6))

    assert [state for state, _ in await transitions(tenant)] == ["RUNNING", "WARNING", "BREACHED"]
    async with tenant.work() as work:
        (counted,) = await work.find(SlaTally)
    assert (counted.opened, counted.breached) == (1, 1)


async def promised(world: World) -> None:
    """Hand a lead off under a promise of an answer in an hour, around the clock."""
    today = world.now.date()
    sla = a_sla(world, period=(today - timedelta(days=30), today + timedelta(days=60)))
    terms = {"within_minutes": 60, "warn_minutes": (30,), "working_time": False}
    await sign(world, a_commitment(sla, CommitmentKind.RESPONSE, **terms), sla=sla)
    await hand_one_off(world)


async def _told(world: World, kind: str) -> bool:
    async with world.work() as work:
        return bool(await work.find(LoggedEvent, kind=kind))


async def transitions(world: World) -> list[tuple[str, datetime]]:
    async with world.work() as work:
        events = await work.find(LoggedEvent, kind="ClockTransitioned")
    events = sorted(events, key=lambda event: event.number)
    return [(str(event.payload["state"]), event.at) for event in events]


# Told to stop


async def test_on_sigterm_a_slow_request_is_answered_and_streams_are_told(
    postgres: OwnPostgres, tenant: World, tmp_path: Path
) -> None:
    rename = {"query": RENAME, "variables": {"team": public("Team", tenant.sales.id)}}
    with a_process(postgres.urls, tmp_path, SHUTDOWN_SECONDS="60") as started:
        key = await key_of(started, tenant)
        headers = {"authorization": f"Bearer {key}"}
        events = {**headers, "accept": "text/event-stream"}
        async with (
            httpx.AsyncClient(base_url=started.url, timeout=60) as client,
            client.stream("POST", "/graphql", json=FEED, headers=events) as stream,
            subscribed(started.url, key, FEED["query"]) as socket,
        ):
            lines = stream.aiter_lines()
            assert await anext(lines) == ":"
            async with holding(tenant):
                slow = asyncio.create_task(client.post("/graphql", json=rename, headers=headers))
                await until(lambda: postgres.execute(WAITING))
                at = monotonic()
                stopping = asyncio.create_task(asyncio.to_thread(started.stop))
                assert "event: complete" in [line async for line in lines]
                with pytest.raises(ConnectionClosed) as closed:
                    await socket.recv()
                assert not slow.done()
            answer = await slow
            assert await stopping == 0
    assert monotonic() - at < 30
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code in (1001, 1012)
    assert answer.json()["data"]["teamUpdate"]["team"] == {"name": "Renamed"}


# In the wrong time

FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


@pytest.mark.skipif(not FAKETIME, reason="needs the Debian package faketime")
@pytest.mark.parametrize("skew", ["+2h", "-2h"])
async def test_a_host_in_the_wrong_time_breaches_nothing_and_ends_no_session(
    postgres: OwnPostgres, tenant: World, tmp_path: Path, skew: str
) -> None:
    await promised(tenant)
    wrong = {"LD_PRELOAD": str(FAKETIME[0]), "FAKETIME": skew, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    with a_process(postgres.urls, tmp_path, **wrong) as started:
        secret = await token_of(started, tenant)
        async with subscribed(started.url, secret, INBOX) as socket:
            ((handed_off,),) = (await told(socket)).values()
            assert handed_off["status"] == "OPEN"
            # The sweeper has been round when it has told of another change.
            await hand_one_off(tenant)
            while len((await told(socket))["handoffInbox"]) < 2:
                pass
            await until(lambda: _has_run(tenant, 2))
            states = [state for state, _ in await transitions(tenant)]
            now = await tenant.database.now()
            async with tenant.work() as work:
                clocks = await work.find(SlaClock)
    assert set(states) == {"RUNNING"}
    assert {clock.state for clock in clocks} == {ClockState.RUNNING}
    assert all(abs(clock.started_at - now) < timedelta(minutes=5) for clock in clocks)


async def _has_run(world: World, count: int) -> bool:
    return len(await transitions(world)) >= count
