"""The relay: moves committed events into their tenant's log and numbers them without gaps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

import asyncpg
import structlog

from domain.feed import LoggedEvent
from infra.database import Database, TooSlow, Unavailable
from infra.tables import TABLES
from infra.tracing import link, traced

log = structlog.get_logger(__name__)

BATCH = 500
_LOG = TABLES[LoggedEvent].name

# The row of `feeds` is the tenant's one pen: whoever holds it writes the next numbers, and numbers
# become visible in order because it is held until the commit.
_TAKE_PEN = """
INSERT INTO feeds (tenant_id, last_number) VALUES ($1, 0)
ON CONFLICT (tenant_id) DO UPDATE SET last_number = feeds.last_number
RETURNING last_number
"""
_MOVE = f"""
WITH next AS (
    SELECT batch, position FROM outbox WHERE tenant_id = $1
    ORDER BY batch, position LIMIT $3 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM outbox o USING next n
    WHERE o.tenant_id = $1 AND o.batch = n.batch AND o.position = n.position
    RETURNING o.batch, o.position, o.id, o.kind, o.at, o.recorded_at, o.by, o.payload, o.traceparent
), moved AS (
    INSERT INTO {_LOG} (tenant_id, number, id, kind, at, recorded_at, by, payload)
    SELECT $1, $2 + row_number() OVER (ORDER BY batch, position),
           id, kind, at, recorded_at, by, payload
    FROM gone RETURNING number
)
SELECT (SELECT count(*) FROM moved), (SELECT array_agg(DISTINCT traceparent) FROM gone)
"""  # noqa: S608  # the one name in it is our own table's
_NUMBERED = "UPDATE feeds SET last_number = last_number + $2 WHERE tenant_id = $1"


@dataclass(frozen=True, slots=True)
class Published:
    """How many events were moved, and the number of the newest in the log."""

    moved: int
    last: int


async def waiting(database: Database) -> list[UUID]:
    """Return the tenants that have events in the outbox, as the platform sees them."""
    rows = await database.platform.fetch("SELECT DISTINCT tenant_id FROM outbox")
    return [row[0] for row in rows]


async def publish(database: Database, tenant_id: UUID) -> Published:
    """Move one batch of a tenant's events into its log.

    Raises:
        asyncpg.LockNotAvailableError: if somebody else keeps the pen for a second.
    """
    async with database.work(tenant_id) as work:
        await work.connection.execute("SET LOCAL lock_timeout = '1s'")
        last: int = await work.connection.fetchval(_TAKE_PEN, tenant_id)
        moved, causes = await work.connection.fetchrow(_MOVE, tenant_id, last, BATCH)
        if moved:
            await work.connection.execute(_NUMBERED, tenant_id, moved)
    link(causes or ())
    return Published(moved, last + moved)


async def publish_all(database: Database, tenant_id: UUID) -> Published:
    """Move all of a tenant's events, batch by batch."""
    total = 0
    while True:
        published = await publish(database, tenant_id)
        total += published.moved
        if published.moved < BATCH:
            return Published(total, published.last)


class Relay:
    """Publishes what the outboxes hold: at once where it is nudged, else by looking around.

    Any number of relays may run; the pen keeps them apart.
    """

    def __init__(
        self,
        database: Database,
        announce: Callable[[UUID, int], None],
        *,
        poll_seconds: float = 0.5,
    ) -> None:
        self._database = database
        self._announce = announce
        self._poll = poll_seconds
        self._look_at = monotonic()
        self._nudged: set[UUID] = set()
        self._any = asyncio.Event()
        self.published = 0

    def nudge(self, tenants: Iterable[UUID] | None) -> None:
        """Say that tenants have events in the outbox; None: that some may have."""
        if tenants is None:
            self._look_at = monotonic()
        else:
            self._nudged.update(tenants)
        self._any.set()

    async def run(self) -> None:
        """Publish, for ever."""
        while True:
            for tenant_id in await self._next():
                await self._publish(tenant_id)

    async def _next(self) -> Iterable[UUID]:
        """Return the tenants nudged for and, each time the poll has come round, who waits."""
        with suppress(TimeoutError):
            # Not wait_for(): when a nudge comes with a cancellation, it keeps that to itself.
            async with asyncio.timeout(max(self._look_at - monotonic(), 0)):
                await self._any.wait()
        self._any.clear()
        nudged, self._nudged = self._nudged, set()
        if monotonic() >= self._look_at:
            nudged.update(await waiting(self._database))
            self._look_at = monotonic() + self._poll
        return nudged

    @traced("relay events")
    async def _publish(self, tenant_id: UUID) -> None:
        """Publish a batch of one tenant; what hinders it must not hinder the others."""
        try:
            published = await publish(self._database, tenant_id)
        except (asyncpg.LockNotAvailableError, TooSlow):
            # A process that was stopped may hold the pen, until the database ends its transaction.
            log.warning("relay.waits", tenant_id=str(tenant_id))
            return
        except Unavailable:
            raise
        except Exception as error:  # it stays in the outbox, and the next look around finds it
            log.exception("relay.failed", tenant_id=str(tenant_id), error=type(error).__name__)
            return
        if published.moved:
            self.published += published.moved
            self._announce(tenant_id, published.last)
        if published.moved == BATCH:
            # There is more; but who else waits comes first.
            self.nudge((tenant_id,))
