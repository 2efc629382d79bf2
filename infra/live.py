"""Wake-ups: who watches a tenant is told, soon, that something happened, and re-reads.

A wake-up names tenants and how far their logs have grown, and nothing of what happened.  So a lost
or doubled one is harmless: a poll of those numbers once a second finds what a lost one would have
said.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import asyncpg
import structlog

log = structlog.get_logger(__name__)

CHANNEL = "smarketing"
EVERYBODY = "*"
# NOTIFY takes at most 8,000 bytes; with more tenants than this at once, everybody is woken.
MOST_NAMED = 140

News = Mapping[UUID, int]
"""Tenants, each with the number its log has grown to, or NOT_YET."""
NOT_YET = 0
"""The tenant's events wait in the outbox: news for whoever relays, not yet for who watches."""

_LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)


class Hear(Protocol):
    """Takes news; None says that some may have been lost, so everybody is concerned."""

    def __call__(self, news: News | None, /) -> None: ...


class Bus(Protocol):
    """Carries news between processes.  It may lose some; then it says so, by None."""

    async def send(self, news: News) -> None:
        """Tell every process, this one included."""

    def receive(self, hear: Hear) -> None:
        """Call `hear` for everything sent by any process from now on."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class LocalBus:
    """A bus within one process."""

    def __init__(self) -> None:
        self._receivers: list[Hear] = []

    async def send(self, news: News) -> None:
        if news:
            for hear in self._receivers:
                hear(news)

    def receive(self, hear: Hear) -> None:
        self._receivers.append(hear)

    async def start(self) -> None:
        return None

    async def stop(self) -> None:
        return None


class PostgresBus:
    """A bus over LISTEN and NOTIFY, on one connection of its own that is renewed when lost.

    A line that is dead and does not say so is found by asking something every few seconds.
    """

    def __init__(
        self, url: str, *, retry_seconds: float = 0.5, heartbeat_seconds: float = 1
    ) -> None:
        self._url = url
        self._retry = retry_seconds
        self._heartbeat = heartbeat_seconds
        self._receivers: list[Hear] = []
        self._connection: asyncpg.Connection | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()
        # asyncpg takes one statement at a time, and both news and heartbeats want the line.
        self._line = asyncio.Lock()

    @property
    def listening(self) -> bool:
        """Whether news of other processes can be heard."""
        return self._listening.is_set()

    async def send(self, news: News) -> None:
        if news and not await self._notify(payload_of(news)):
            # Others will find it by their poll; those in this process need not wait for it.
            self._tell(news)

    def receive(self, hear: Hear) -> None:
        self._receivers.append(hear)

    async def start(self) -> None:
        self._keeper = asyncio.create_task(self._keep_listening(), name="bus")
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await self._listening.wait()

    async def stop(self) -> None:
        if self._keeper:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper

    async def _notify(self, payload: str) -> bool:
        async with self._line:
            connection = self._connection
            if connection is None or connection.is_closed():
                return False
            try:
                await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, payload)
            except _LOST:
                return False
        return True

    async def _keep_listening(self) -> None:
        while True:
            try:
                await self._listen()
            except Exception as error:  # noqa: BLE001  # whatever it was, it must be listened again
                log.warning("bus.lost", error=type(error).__name__)
            self._listening.clear()
            await asyncio.sleep(self._retry)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(
            self._url,
            timeout=2,
            command_timeout=self._heartbeat * 1.5,
            server_settings={"application_name": "smarketing bus", "jit": "off"},
        )
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, self._heard)
            self._connection = connection
            self._listening.set()
            # Something may have been said while nobody listened.
            self._tell(None)
            await self._until_lost(connection, lost)
        finally:
            self._connection = None
            connection.terminate()

    async def _until_lost(self, connection: asyncpg.Connection, lost: asyncio.Event) -> None:
        while not lost.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._heartbeat):
                    await lost.wait()
                return
            async with self._line:
                await connection.execute("SELECT 1")

    def _heard(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        self._tell(news_of(str(payload)))

    def _tell(self, news: News | None) -> None:
        for hear in self._receivers:
            hear(news)


def payload_of(news: News) -> str:
    """Return news as NOTIFY carries it."""
    if len(news) > MOST_NAMED:
        return EVERYBODY
    return ",".join(f"{tenant_id.hex}:{number}" for tenant_id, number in news.items())


def news_of(payload: str) -> News | None:
    """Return what a payload says; what is not ours to read concerns everybody."""
    if payload == EVERYBODY:
        return None
    try:
        pairs = (part.split(":") for part in payload.split(","))
        return {UUID(hex=tenant_id): int(number) for tenant_id, number in pairs}
    except ValueError:
        return None


class WakeUps:
    """Gathers news and sends it at once when nothing was sent just now, else a moment later.

    So a thousand commits in a burst make a few hundred wake-ups, and a single one waits for
    nothing.
    """

    def __init__(self, bus: Bus, *, apart_seconds: float = 0.005) -> None:
        self._bus = bus
        self._apart = apart_seconds
        self._gathered: dict[UUID, int] = {}
        self._any = asyncio.Event()
        self.sent = 0

    def add(self, tenant_id: UUID, number: int) -> None:
        """Have everybody told that a tenant's log has grown to a number, or is about to grow."""
        self._gathered[tenant_id] = max(number, self._gathered.get(tenant_id, NOT_YET))
        self._any.set()

    async def run(self) -> None:
        """Send what is gathered, for ever."""
        while True:
            await self._any.wait()
            self._any.clear()
            news, self._gathered = self._gathered, {}
            await self._bus.send(news)
            self.sent += 1
            await asyncio.sleep(self._apart)


class Watch:
    """One watcher's ear.  News that comes while nobody waits is kept as one flag."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        self._event.set()

    async def news(self, within: timedelta | None = None) -> None:
        """Return when something happened, or when the time is up."""
        seconds = None if within is None else max(within.total_seconds(), 0)
        with suppress(TimeoutError):
            # Not wait_for(): when the ring comes with a cancellation, it keeps that to itself.
            async with asyncio.timeout(seconds):
                await self._event.wait()
        self._event.clear()


class Hub:
    """Rings the watches of the tenants that news concerns."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self._watches: dict[UUID, set[Watch]] = {}
        # How far each watched tenant's log is known to have grown.
        self._told: dict[UUID, int] = {}
        bus.receive(self.hear)

    @contextmanager
    def watch(self, tenant_id: UUID) -> Iterator[Watch]:
        """Listen to what happens in a tenant.

        Watch first, read then, or a change slips between.
        """
        watch = Watch()
        self._watches.setdefault(tenant_id, set()).add(watch)
        try:
            yield watch
        finally:
            watches = self._watches[tenant_id]
            watches.discard(watch)
            if not watches:
                del self._watches[tenant_id]
                self._told.pop(tenant_id, None)

    def hear(self, news: News | None) -> None:
        """Ring for what the bus says."""
        if news is None:
            # Perhaps another server has taken over, and lacks the last numbers of the old one.
            self._told.clear()
            self.wake(None)
        else:
            self.catch_up(news)

    def catch_up(self, numbers: News) -> None:
        """Ring for the tenants whose log has grown beyond what was told here before."""
        for tenant_id in numbers.keys() & self._watches.keys():
            if numbers[tenant_id] > self._told.get(tenant_id, NOT_YET):
                self._told[tenant_id] = numbers[tenant_id]
                self._ring(tenant_id)

    def wake(self, tenants: frozenset[UUID] | None) -> None:
        """Ring for some tenants, or, with None, for all."""
        concerned = self._watches.keys() if tenants is None else tenants & self._watches.keys()
        for tenant_id in tuple(concerned):
            self._ring(tenant_id)

    def _ring(self, tenant_id: UUID) -> None:
        for watch in self._watches[tenant_id]:
            watch.ring()

    @property
    def watched(self) -> frozenset[UUID]:
        """The tenants somebody watches."""
        return frozenset(self._watches)

    @property
    def watches(self) -> int:
        """How many watches there are."""
        return sum(len(watches) for watches in self._watches.values())
