"""Beacons are stored together: while one transaction runs, the next ones gather.

Each is answered only when it is stored, so that none is lost.  Under load that costs one
transaction for hundreds of beacons; without any, a beacon waits for nobody.  How long one waited
makes no event later than it was, or the steps of a visitor would be stored in the wrong order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from time import monotonic
from typing import TypeAlias
from uuid import UUID

from domain.beacons import Beacon, take_beacons
from domain.errors import AlreadyExists, StaleWrite, Unavailable
from domain.identity import Actor
from domain.ports import Work
from domain.touch_intake import MOST_AT_ONCE

MOST_WAITING = 5_000
"""Beacons of one tenant that wait in a process; more are refused."""
_TRIES = 4

OpenWork: TypeAlias = Callable[[UUID], AbstractAsyncContextManager[Work]]


@dataclass(frozen=True, slots=True)
class _Waiting:
    actor: Actor
    beacon: Beacon
    came: float
    stored: asyncio.Future[None]

    @property
    def size(self) -> int:
        return 1 + len(self.beacon.events)

    def by_now(self) -> Beacon:
        """Return the beacon as if it were sent only now."""
        waited = timedelta(seconds=max(monotonic() - self.came, 0))
        events = (replace(event, ago=event.ago + waited) for event in self.beacon.events)
        return replace(self.beacon, events=tuple(events))


class Collector:
    """Stores beacons, those of a tenant that come meanwhile in one transaction."""

    def __init__(self, open_work: OpenWork, *, most_waiting: int = MOST_WAITING) -> None:
        self._open_work = open_work
        self._most_waiting = most_waiting
        self._waiting: dict[UUID, deque[_Waiting]] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def keep(self, actor: Actor, beacon: Beacon, came: float) -> None:
        """Store a beacon that came at an instant of this process's clock (`time.monotonic`).

        Raises:
            Unavailable: if it cannot be stored now.
        """
        tenant_id = actor.tenant_id
        queue = self._waiting.get(tenant_id)
        if queue is None:
            queue = self._waiting[tenant_id] = deque()
            task = asyncio.create_task(self._drain(tenant_id, queue), name="beacons")
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        if len(queue) >= self._most_waiting:
            raise Unavailable("There are too many beacons; try again later.")
        waiting = _Waiting(actor, beacon, came, asyncio.get_running_loop().create_future())
        queue.append(waiting)
        await waiting.stored

    async def _drain(self, tenant_id: UUID, queue: deque[_Waiting]) -> None:
        try:
            await asyncio.sleep(0)  # whoever comes in this turn comes along
            while queue:
                await self._store_next(tenant_id, queue)
        finally:
            del self._waiting[tenant_id]

    async def _store_next(self, tenant_id: UUID, queue: deque[_Waiting]) -> None:
        batch = _next_batch(queue)
        try:
            await self._store(tenant_id, batch)
        except Exception as error:  # noqa: BLE001  # whatever it is, those who wait are told
            for each in batch:
                if not each.stored.done():
                    each.stored.set_exception(error)
        else:
            for each in batch:
                if not each.stored.done():
                    each.stored.set_result(None)

    async def _store(self, tenant_id: UUID, batch: Sequence[_Waiting]) -> None:
        """Store a batch; again, if another process stored the same in the same instant."""
        for _ in range(_TRIES):
            beacons = [each.by_now() for each in batch]
            try:
                async with self._open_work(tenant_id) as work:
                    await take_beacons(work, batch[0].actor, beacons)
            except (AlreadyExists, StaleWrite):
                continue
            else:
                return
        raise Unavailable("The visitor is busy; try again.")


def _next_batch(queue: deque[_Waiting]) -> Sequence[_Waiting]:
    """Take as many as one transaction stores, in the order in which they came."""
    batch = [queue.popleft()]
    size = batch[0].size
    while queue and size + queue[0].size <= MOST_AT_ONCE:
        size += queue[0].size
        batch.append(queue.popleft())
    return batch
