"""The sweeper: tells what clocks do by themselves, soon after the instant they do it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from uuid import UUID

import structlog

from domain.audit import Cause
from domain.identity import system
from domain.sla.escalation import sweep_and_escalate
from infra.database import Database, TooSlow, Unavailable
from infra.tracing import traced

log = structlog.get_logger(__name__)

LIMIT = 500
SWEEP = Cause(action="sweep")
# Clocks that were due this long ago and are still there wait for the next unbounded sweep.
MARGIN = timedelta(seconds=10)

# Both read the index sla_clocks_due, as the platform's role; $1 replaces the database's clock.
_TENANTS = """
SELECT DISTINCT tenant_id FROM sla_clocks
WHERE next_at <= coalesce($1, now()) AND next_at > coalesce($2::timestamptz, '-infinity')
"""
_SECONDS_TO_NEXT = """
SELECT extract(epoch FROM min(next_at) - coalesce($1::timestamptz, now()))::float8
FROM sla_clocks WHERE next_at > coalesce($1, now())
"""
_FIRST_DUE = """
SELECT min(next_at) FROM sla_clocks
WHERE tenant_id = $1 AND next_at > coalesce($2::timestamptz, '-infinity')
"""


@dataclass(slots=True)
class _Turn:
    """A tenant's place in a sweep: from where on, and how much at once."""

    tenant_id: UUID
    after: datetime | None
    limit: int = LIMIT


class Sweeper:
    """Sweeps the tenants that have something due.  Any number of sweepers may run.

    What was swept leaves dead entries at the low end of the index, so a sweep looks above a
    watermark; what it passes over there (a clock that came into being late, a lead that somebody
    held) is found by an unbounded sweep every so often.
    """

    def __init__(
        self,
        database: Database,
        *,
        longest_wait_seconds: float = 1,
        unbounded_every_seconds: float = 15,
    ) -> None:
        self._database = database
        self._longest_wait = longest_wait_seconds
        self._unbounded_every = unbounded_every_seconds
        self._unbounded_at = monotonic()
        self._watermark: datetime | None = None
        self.transitions = 0

    async def run(self) -> None:
        """Sweep whenever something is due, for ever."""
        while True:
            await self.sweep()
            await asyncio.sleep(await self._wait())

    async def sweep(self) -> int:
        """Tell all that is due now; return how many transitions were told."""
        told, at = self.transitions, await self._database.now()
        after = self._watermark
        if monotonic() >= self._unbounded_at:
            self._unbounded_at, after = monotonic() + self._unbounded_every, None
        turns = [_Turn(tenant_id, after) for tenant_id in await self._tenants(after)]
        # A batch each: a tenant with very much due keeps nobody else waiting.
        while turns:
            turns = [turn for turn in turns if await self._sweep_batch(turn)]
        self._watermark = at - MARGIN
        return self.transitions - told

    async def _tenants(self, after: datetime | None) -> Sequence[UUID]:
        rows = await self._database.platform.fetch(_TENANTS, self._at(), after)
        return [row[0] for row in rows]

    async def _wait(self) -> float:
        """Return the seconds until the next clock changes, within what is sensible."""
        seconds = await self._database.platform.fetchval(_SECONDS_TO_NEXT, self._at())
        return min(max(seconds or self._longest_wait, 0.02), self._longest_wait)

    @traced("sweep clocks")
    async def _sweep_batch(self, turn: _Turn) -> bool:
        """Sweep a tenant once; say whether there may be more to tell."""
        try:
            async with self._database.work(turn.tenant_id, cause=SWEEP) as work:
                actor = system(turn.tenant_id)
                swept = await sweep_and_escalate(work, actor, limit=turn.limit, after=turn.after)
        except TooSlow:
            # Somebody holds what it needs, or the database stalls: the others get their turn.
            log.warning("sweeper.timed_out", tenant_id=str(turn.tenant_id))
            return False
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  # one bad clock must not stop all others
            return await self._pass_over(turn, error)
        self.transitions += swept.transitions
        return swept.leads > 0

    async def _pass_over(self, turn: _Turn, error: Exception) -> bool:
        """Narrow down what cannot be told, and pass over it; it is tried again later."""
        if turn.limit > 1:
            turn.limit = max(turn.limit // 10, 1)
            return True
        tenant_id = turn.tenant_id
        log.error(
            "sweeper.failed",
            tenant_id=str(tenant_id),
            error=type(error).__name__,
            exc_info=error,
        )
        turn.after = await self._database.platform.fetchval(_FIRST_DUE, tenant_id, turn.after)
        turn.limit = LIMIT
        return turn.after is not None

    def _at(self) -> datetime | None:
        return self._database.clock() if self._database.clock else None
