"""How SQL runs: connection pools, and transactions of one tenant over them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, cast
from uuid import UUID

import asyncpg

from domain.audit import SYSTEM, Cause
from domain.errors import OutcomeUnknown, Unavailable
from infra.pool import CONNECTION_LOST, WAIT_SECONDS, Pool, TooSlow, open_pool
from infra.pulse import Pulse
from infra.refusals import told_refusals
from infra.statements import rows_of
from infra.work import PostgresWork

Clock = Callable[[], datetime]

_TOLD_LIFE = 30.0
_PASSED_OVER = "a failed statement was passed over in silence"


class Database:
    """The pools of one process, and the transactions that run over them.

    `clock` replaces the database's clock, for tests and for tenants that live in the past.
    """

    def __init__(
        self,
        app: Pool,
        platform: Pool,
        *,
        clock: Clock | None = None,
        pulse: Pulse | None = None,
    ) -> None:
        self.app = app
        self.platform = platform
        self.clock = clock
        self.pulse = pulse
        self.on_commit: set[Callable[[UUID], None]] = set()
        """Called with the tenant that something was committed in, before whoever did so goes on."""
        self._time = _ServerTime()

    @classmethod
    async def connect(
        cls,
        app_url: str,
        platform_url: str,
        *,
        size: int = 10,
        clock: Clock | None = None,
        statement_seconds: float = 30,
        wait_seconds: float = WAIT_SECONDS,
    ) -> Database:
        """Open the pools, and feel from now on whether the database answers."""
        app, platform = [
            await open_pool(
                url, size=width, statement_seconds=statement_seconds, wait_seconds=wait_seconds
            )
            for url, width in ((app_url, size), (platform_url, 3))
        ]
        pulse = Pulse(app_url, (app, platform))
        pulse.start()
        return cls(app, platform, clock=clock, pulse=pulse)

    async def close(self) -> None:
        """Close the pools, waiting a moment for what still runs."""
        if self.pulse:
            await self.pulse.stop()
        await asyncio.gather(self.app.close(), self.platform.close())

    @asynccontextmanager
    async def work(
        self,
        tenant_id: UUID,
        *,
        by: UUID | None = None,
        read_only: bool = False,
        cause: Cause = SYSTEM,
    ) -> AsyncIterator[PostgresWork]:
        """Run a block as one transaction of one tenant; `cause` is what the audit log tells.

        A read takes one round trip to begin, because it carries on the database's time as it was
        told last; a write asks for it.

        Raises:
            OutcomeUnknown: if the line is lost while a write is being committed.
            Unavailable: if it is lost before, or there is none; then nothing was written.
        """
        async with self.app.acquire() as connection:
            kind = "BEGIN READ ONLY" if read_only else "BEGIN"
            # Nothing else may stand in this string: app.enter executes SET LOCAL.
            await connection.execute(f"{kind}; SELECT app.enter('{tenant_id}')")
            now = await self._now(connection, read_only)
            work = PostgresWork(connection, tenant_id, now, by, None if read_only else cause)
            with told_refusals():
                yield work
                await _flush(work)
                await _commit(connection, read_only)
        if work.recorded:
            for hear in tuple(self.on_commit):
                hear(tenant_id)

    async def now(self) -> datetime:
        """Return the database's time."""
        if self.clock:
            return self.clock()
        if (told := self._time.now()) is not None:
            return told
        async with self.app.acquire() as connection:
            return await self._now(connection, read_only=True)

    async def _now(self, connection: Any, read_only: bool) -> datetime:
        if self.clock:
            return self.clock()
        if read_only and (told := self._time.now()) is not None:
            return told
        asked = monotonic()
        begun, there = await connection.fetchrow("SELECT now(), clock_timestamp()")
        self._time.told(there, asked=asked, answered=monotonic())
        return cast("datetime", begun)


class _ServerTime:
    """The database's time as it was told last, carried on by a clock here that never jumps.

    An answer that took long says little of when it was given; so a quicker one is kept for a
    while, or a process that was busy just then would live in the past.
    """

    def __init__(self) -> None:
        self._there = datetime.min.replace(tzinfo=UTC)
        self._here = self._doubt = float("-inf")

    def now(self) -> datetime | None:
        """Return the time there, or None if it was not told lately."""
        passed = monotonic() - self._here
        return self._there + timedelta(seconds=passed) if passed < _TOLD_LIFE else None

    def told(self, there: datetime, *, asked: float, answered: float) -> None:
        """Take an answer, given at some instant between two of this machine."""
        doubt = (answered - asked) / 2
        if doubt <= self._doubt or answered - self._here >= _TOLD_LIFE:
            self._there, self._here, self._doubt = there, asked + doubt, doubt


async def _flush(work: PostgresWork) -> None:
    try:
        await work.flush()
    except asyncpg.InFailedSQLTransactionError as error:
        raise RuntimeError(_PASSED_OVER) from error


async def _commit(connection: Any, read_only: bool) -> None:
    try:
        status = await connection.execute("COMMIT")
    except CONNECTION_LOST as error:
        # Of a read nobody minds.
        raise (Unavailable() if read_only else OutcomeUnknown()) from error
    # PostgreSQL answers ROLLBACK, and no error, when a statement had failed.
    if status != "COMMIT":
        raise RuntimeError(_PASSED_OVER)


__all__ = [
    "CONNECTION_LOST",
    "Database",
    "OutcomeUnknown",
    "PostgresWork",
    "TooSlow",
    "Unavailable",
    "open_pool",
    "rows_of",
]
