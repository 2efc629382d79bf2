from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import pytest

from domain.ids import new_id
from infra.live import (
    CHANNEL,
    MOST_NAMED,
    NOT_YET,
    Bus,
    Hub,
    LocalBus,
    News,
    PostgresBus,
    WakeUps,
    Watch,
    news_of,
    payload_of,
)

CALM = 60  # seconds: on a busy machine a beat may be late, and who misses it begins anew


class Ear:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[News | None] = asyncio.Queue()

    def __call__(self, news: News | None, /) -> None:
        self.heard.put_nowait(news)

    async def next(self) -> News | None:
        return await asyncio.wait_for(self.heard.get(), 60)


@pytest.fixture(params=["local", "postgres"])
async def bus(request: pytest.FixtureRequest, database_urls: Any) -> AsyncIterator[Bus]:
    there = PostgresBus(database_urls.app, heartbeat_seconds=CALM)
    made: Bus = LocalBus() if request.param == "local" else there
    yield made
    await made.stop()


@asynccontextmanager
async def postgres_bus(url: str, **options: Any) -> AsyncIterator[tuple[PostgresBus, Ear]]:
    """Start a bus, and hear its greeting."""
    bus, ear = PostgresBus(url, **{"heartbeat_seconds": CALM, **options}), Ear()
    bus.receive(ear)
    await bus.start()
    assert await ear.next() is None
    try:
        yield bus, ear
    finally:
        await bus.stop()


# What every bus does


async def test_what_is_sent_is_heard_by_everybody(bus: Bus) -> None:
    ears = (Ear(), Ear())
    for ear in ears:
        bus.receive(ear)
    await bus.start()
    if isinstance(bus, PostgresBus):
        assert [await ear.next() for ear in ears] == [None, None]
    news = {new_id(): 7, new_id(): NOT_YET}

    await bus.send(news)

    assert [await ear.next() for ear in ears] == [news, news]


async def test_news_is_heard_in_the_order_it_was_sent(bus: Bus) -> None:
    ear, tenant_id = Ear(), new_id()
    bus.receive(ear)
    await bus.start()
    if isinstance(bus, PostgresBus):
        await ear.next()

    for number in range(1, 20):
        await bus.send({tenant_id: number})

    assert [await ear.next() for _ in range(1, 20)] == [{tenant_id: n} for n in range(1, 20)]


async def test_no_news_is_no_message(bus: Bus) -> None:
    ear, tenant_id = Ear(), new_id()
    bus.receive(ear)
    await bus.start()
    if isinstance(bus, PostgresBus):
        await ear.next()

    await bus.send({})
    await bus.send({tenant_id: 1})

    assert await ear.next() == {tenant_id: 1}


async def test_a_bus_may_be_stopped_that_was_never_started(bus: Bus) -> None:
    await bus.stop()


# Over PostgreSQL


async def test_another_process_hears_it(database_urls: Any) -> None:
    async with (
        postgres_bus(database_urls.app) as (here, _),
        postgres_bus(database_urls.app) as (_, there),
    ):
        news = {new_id(): 3}

        await here.send(news)

        assert await there.next() == news


async def test_a_lost_line_is_renewed_and_everybody_told_to_look(database_urls: Any) -> None:
    async with (
        postgres_bus(database_urls.app, retry_seconds=0.01) as (bus, ear),
        postgres_bus(database_urls.app) as (other, _),
    ):
        assert bus._connection is not None
        await terminated(database_urls.owner, bus._connection.get_server_pid())

        assert await ear.next() is None
        news = {new_id(): 1}
        await other.send(news)
        assert await ear.next() == news


async def test_with_no_line_news_still_reaches_its_own_process(database_urls: Any) -> None:
    async with postgres_bus(database_urls.app, retry_seconds=3600) as (bus, ear):
        assert bus._connection is not None
        await terminated(database_urls.owner, bus._connection.get_server_pid())
        while bus.listening:  # noqa: ASYNC110  # there is no event for it
            await asyncio.sleep(0.01)
        news = {new_id(): 1}

        await bus.send(news)

        assert await ear.next() == news


async def test_a_line_that_is_dead_and_does_not_say_so_is_renewed(
    database_urls: Any, tmp_path: Path
) -> None:
    async with (
        black_hole(database_urls.app, tmp_path) as (url, swallow),
        postgres_bus(url, retry_seconds=0.01, heartbeat_seconds=0.2) as (bus, ear),
        postgres_bus(database_urls.app) as (other, _),
    ):
        swallow()

        assert await ear.next() is None
        assert bus.listening
        news = {new_id(): 1}
        await other.send(news)
        while (heard := await ear.next()) is None:  # a beat was late, and it has begun anew
            await other.send(news)
        assert heard == news


async def test_who_starts_while_the_server_is_away_hears_when_it_is_back(tmp_path: Path) -> None:
    bus = PostgresBus(f"postgresql://nobody@/none?host={quote(str(tmp_path))}", retry_seconds=0.01)
    starting = asyncio.create_task(bus.start())
    await asyncio.sleep(0.1)

    assert not bus.listening
    starting.cancel()
    await bus.stop()


@pytest.mark.parametrize("payload", ["", "hello", "12:", f"{'0' * 32}:x", "a:1:2"])
async def test_a_message_that_is_not_ours_wakes_everybody(database_urls: Any, payload: str) -> None:
    async with postgres_bus(database_urls.app) as (_, ear):
        connection = await asyncpg.connect(database_urls.app)
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)
        await connection.close()

        assert await ear.next() is None


def test_a_message_is_never_longer_than_notify_takes() -> None:
    most = {new_id(): 2**63 - 1 for _ in range(MOST_NAMED)}
    assert len(payload_of(most)) < 8000
    assert news_of(payload_of(most)) == most
    assert news_of(payload_of({**most, new_id(): 1})) is None


async def terminated(owner_url: str, pid: int) -> None:
    connection = await asyncpg.connect(owner_url)
    assert await connection.fetchval("SELECT pg_terminate_backend($1)", pid)
    await connection.close()


@asynccontextmanager
async def black_hole(url: str, folder: Path) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """Stand in front of the server; on demand, swallow all that comes on the open lines."""
    parts = urlsplit(url)
    host = parse_qs(parts.query).get("host", [parts.hostname or "localhost"])[0]
    port = parts.port or 5432
    lines: list[asyncio.Event] = []

    async def pump(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dead: asyncio.Event
    ) -> None:
        try:
            while chunk := await reader.read(65536):
                if dead.is_set():
                    await asyncio.Event().wait()
                writer.write(chunk)
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened: Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = (
            asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
            if host.startswith("/")
            else asyncio.open_connection(host, port)
        )
        inner, outer = await opened
        dead = asyncio.Event()
        lines.append(dead)
        pumps.append(asyncio.create_task(pump(reader, outer, dead)))
        pumps.append(asyncio.create_task(pump(inner, writer, dead)))

    def swallow() -> None:
        for dead in lines:
            dead.set()

    pumps: list[asyncio.Task[None]] = []
    server = await asyncio.start_unix_server(serve, folder / ".s.PGSQL.5432")
    query = f"host={quote(str(folder), safe='')}"
    user = parts.netloc.rpartition("@")[0]
    try:
        yield urlunsplit(parts._replace(netloc=f"{user}@", query=query)), swallow
    finally:
        server.close()
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


# Wake-ups are gathered


class SlowBus(LocalBus):
    """A bus that can be held up."""

    def __init__(self) -> None:
        super().__init__()
        self.free = asyncio.Event()
        self.free.set()

    async def send(self, news: News) -> None:
        await self.free.wait()
        await super().send(news)


@asynccontextmanager
async def running(wake_ups: WakeUps) -> AsyncIterator[None]:
    task = asyncio.create_task(wake_ups.run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_single_wake_up_is_sent_at_once() -> None:
    bus, ear, tenant_id = LocalBus(), Ear(), new_id()
    bus.receive(ear)
    wake_ups = WakeUps(bus, apart_seconds=3600)
    async with running(wake_ups):
        wake_ups.add(tenant_id, 1)
        assert await ear.next() == {tenant_id: 1}


async def test_a_burst_becomes_one_message_with_the_last_numbers() -> None:
    bus, ear = SlowBus(), Ear()
    bus.receive(ear)
    first, second = new_id(), new_id()
    wake_ups = WakeUps(bus, apart_seconds=0)
    async with running(wake_ups):
        bus.free.clear()
        wake_ups.add(first, 1)
        await asyncio.sleep(0)
        for number in range(2, 1001):
            wake_ups.add(first, number)
        wake_ups.add(first, 999)
        wake_ups.add(second, NOT_YET)
        bus.free.set()

        assert await ear.next() == {first: 1}
        assert await ear.next() == {first: 1000, second: NOT_YET}
    assert wake_ups.sent == 2
    assert ear.heard.empty()


# The hub


async def rings(watch: Any) -> bool:
    """Say whether a watch has something to say, and take it."""
    rung = watch._event.is_set()
    await watch.news(within=timedelta(0))
    return bool(rung)


async def test_only_those_concerned_are_rung() -> None:
    hub, ours, theirs = Hub(LocalBus()), new_id(), new_id()
    with hub.watch(ours) as first, hub.watch(ours) as second, hub.watch(theirs) as other:
        await hub.bus.send({ours: 1})

        assert [await rings(watch) for watch in (first, second, other)] == [True, True, False]


async def test_news_that_is_known_already_rings_nobody() -> None:
    """So the poll, which asks for the same numbers, costs no second look."""
    hub, tenant_id = Hub(LocalBus()), new_id()
    with hub.watch(tenant_id) as watch:
        await hub.bus.send({tenant_id: 5})
        assert await rings(watch)

        for number in (5, 4, NOT_YET):
            hub.catch_up({tenant_id: number})
        assert not await rings(watch)

        hub.catch_up({tenant_id: 6})
        assert await rings(watch)


async def test_events_that_wait_in_the_outbox_are_no_news_for_watchers() -> None:
    hub, tenant_id = Hub(LocalBus()), new_id()
    with hub.watch(tenant_id) as watch:
        await hub.bus.send({tenant_id: NOT_YET})
        assert not await rings(watch)


async def test_when_something_may_be_lost_everybody_is_rung_and_old_numbers_forgotten() -> None:
    hub, tenant_id = Hub(LocalBus()), new_id()
    with hub.watch(tenant_id) as watch:
        hub.catch_up({tenant_id: 9})
        await watch.news()

        hub.hear(None)
        assert await rings(watch)
        hub.hear({tenant_id: 8})  # the number of a server that took over
        assert await rings(watch)


async def test_news_between_two_waits_is_not_lost() -> None:
    hub, tenant_id = Hub(LocalBus()), new_id()
    with hub.watch(tenant_id) as watch:
        hub.wake(frozenset({tenant_id}))
        hub.wake(frozenset({tenant_id}))
        await asyncio.wait_for(watch.news(), 60)
        assert not await rings(watch)


async def test_a_watch_waits_no_longer_than_it_is_told() -> None:
    with Hub(LocalBus()).watch(new_id()) as watch:
        await watch.news(within=timedelta(milliseconds=1))
        await watch.news(within=timedelta(seconds=-1))


async def test_who_is_rung_while_leaving_still_leaves() -> None:
    watch = Watch()
    waiting = asyncio.create_task(watch.news(timedelta(hours=1)))
    for _ in range(4):  # until it waits
        await asyncio.sleep(0)

    watch.ring()
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_hub_forgets_who_has_left() -> None:
    hub, tenant_id = Hub(LocalBus()), new_id()
    with hub.watch(tenant_id):
        with hub.watch(tenant_id):
            await hub.bus.send({tenant_id: 1})
            assert (hub.watched, hub.watches) == (frozenset({tenant_id}), 2)
        assert (hub.watched, hub.watches) == (frozenset({tenant_id}), 1)
    assert (hub.watched, hub.watches) == (frozenset[UUID](), 0)
    assert (hub._watches, hub._told) == ({}, {})
