"""What runs by itself beside the requests: one loop each, none of which can stop another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

import structlog

from infra.database import Database, Unavailable
from infra.live import NOT_YET, Hub, News, WakeUps
from infra.outbox import Relay
from infra.sweeper import Sweeper

log = structlog.get_logger(__name__)

Loop = Callable[[], Awaitable[None]]
"""Runs for ever; when it fails it is started again."""

_NUMBERS = "SELECT tenant_id, last_number FROM feeds WHERE tenant_id = ANY($1::uuid[])"
# After an outage, however long, everything goes on within a second.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0


class Worker:
    """The loops of one process.

    Every process sends and hears wake-ups.  With `relays` it also does its share of what any one
    process must do: publish the outboxes, sweep the clocks, and the `jobs` it is given.  A process
    without asks the others to, when it has committed something.
    """

    def __init__(
        self,
        database: Database,
        hub: Hub,
        *,
        relays: bool = True,
        jobs: Mapping[str, Loop] | None = None,
        poll_seconds: float = 1,
    ) -> None:
        self.database = database
        self.hub = hub
        self.wake_ups = WakeUps(hub.bus)
        self.relay = Relay(database, self.wake_ups.add) if relays else None
        self.sweeper = Sweeper(database) if relays else None
        self.failures: dict[str, int] = {}
        self._poll = poll_seconds
        self._jobs = dict(jobs or {}) if relays else {}
        self._running: list[asyncio.Task[None]] = []

    @property
    def loops(self) -> Mapping[str, Loop]:
        """What runs here, by name."""
        loops: dict[str, Loop] = {"wake_ups": self.wake_ups.run, "feeds": self._watch_feeds}
        if self.relay and self.sweeper:
            loops |= {"relay": self.relay.run, "sweeper": self.sweeper.run}
        return loops | self._jobs

    async def start(self) -> None:
        """Start the bus and every loop."""
        self.database.on_commit.add(self._committed)
        if self.database.pulse:
            self.database.pulse.on_return = self._returned
        self.hub.bus.receive(self._heard)
        await self.hub.bus.start()
        self._running = [
            asyncio.create_task(self._supervise(name, loop), name=f"worker.{name}")
            for name, loop in self.loops.items()
        ]

    async def stop(self) -> None:
        """Stop every loop and the bus.  What a loop was doing is rolled back, and done later."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._running = []
        self.database.on_commit.discard(self._committed)
        await self.hub.bus.stop()

    async def _supervise(self, name: str, loop: Loop) -> None:
        pause = _FIRST_PAUSE
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await loop()
            except Unavailable:
                # Why is told once, by the pulse.
                self.failures[name] = self.failures.get(name, 0) + 1
            except Exception as error:  # whatever it is, the loop must go on
                self.failures[name] = self.failures.get(name, 0) + 1
                log.exception("worker.loop_failed", loop=name, error=type(error).__name__)
            if asyncio.get_running_loop().time() - began > _LONGEST_PAUSE * 2:
                pause = _FIRST_PAUSE  # it had been well for a while
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _committed(self, tenant_id: UUID) -> None:
        if self.relay:
            self.relay.nudge((tenant_id,))
        else:
            self.wake_ups.add(tenant_id, NOT_YET)

    def _heard(self, news: News | None) -> None:
        """Relay for the processes that do not, and look around when something was missed."""
        if self.relay and news is None:
            self.relay.nudge(None)
        elif self.relay and news:
            waiting = [tenant_id for tenant_id, number in news.items() if number == NOT_YET]
            if waiting:
                self.relay.nudge(waiting)

    def _returned(self) -> None:
        """Let everybody look again: the bus may have been as dead as the database was."""
        self.hub.hear(None)
        self._heard(None)

    async def _watch_feeds(self) -> None:
        """Find by the feeds' numbers what a lost wake-up would have said, in one short query."""
        while True:
            await asyncio.sleep(self._poll)
            watched = self.hub.watched
            if watched:
                rows = await self.database.platform.fetch(_NUMBERS, list(watched))
                self.hub.catch_up({row[0]: row[1] for row in rows})
