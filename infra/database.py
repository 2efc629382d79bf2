"""How SQL runs: connection pools, and transactions of one tenant over them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, cast
from uuid import UUID

import asyncpg
import orjson

from domain.audit import SYSTEM, Cause
from infra.refusals import told_refusals
from infra.statements import rows_of
from infra.tracing import is_on, note_statement
from infra.work import PostgresWork

Clock = Callable[[], datetime]

_TOLD_LIFE = 30.0
_PASSED_OVER = "a failed statement was passed over in silence"

# What says that the server, or the line to it, is gone.  Anything else is about the statement.
CONNECTION_LOST = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
)


class Unavailable(Exception):
    """The database cannot be reached, or has no connection to spare.  Trying again may help."""


class Database:
    """The pools of one process, and the transactions that run over them.

    `clock` replaces the database's clock, for tests and for tenants that live in the past.
    """

    def __init__(
        self, app: asyncpg.Pool, platform: asyncpg.Pool, *, clock: Clock | None = None
    ) -> None:
        self.app = app
        self.platform = platform
        self.clock = clock
        self.on_commit: Callable[[UUID], None] = lambda tenant_id: None
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
    ) -> Database:
        """Open the pools."""
        app = await open_pool(app_url, size=size, statement_seconds=statement_seconds)
        platform = await open_pool(platform_url, size=3, statement_seconds=statement_seconds)
        return cls(app, platform, clock=clock)

    async def close(self) -> None:
        """Close the pools, waiting a moment for what still runs."""
        for pool in (self.app, self.platform):
            try:
                await asyncio.wait_for(pool.close(), 5)
            except TimeoutError:
                pool.terminate()

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
        """
        async with self.app.acquire(timeout=5) as connection:
            kind = "BEGIN READ ONLY" if read_only else "BEGIN"
            try:
                # Nothing else may stand in this string: app.enter executes SET LOCAL.
                await connection.execute(f"{kind}; SELECT app.enter('{tenant_id}')")
                now = await self._now(connection, read_only)
                work = PostgresWork(connection, tenant_id, now, by, None if read_only else cause)
                with told_refusals():
                    yield work
                    await _commit(work, connection)
            except BaseException:
                await _roll_back(connection)
                raise
        if work.recorded:
            self.on_commit(tenant_id)

    async def now(self) -> datetime:
        """Return the database's time."""
        if self.clock:
            return self.clock()
        if (told := self._time.now()) is not None:
            return told
        async with self.app.acquire(timeout=5) as connection:
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


async def open_pool(url: str, *, size: int, statement_seconds: float = 30) -> asyncpg.Pool:
    """Return a pool whose connections know jsonb and are given back without a round trip."""
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        init=_prepare,
        reset=_roll_back,
        command_timeout=statement_seconds,
        timeout=5,
        max_cacheable_statement_size=0,
        max_cached_statement_lifetime=0,
        server_settings={
            "jit": "off",
            "application_name": "smarketing",
            "statement_timeout": str(int(statement_seconds * 1000)),
            "idle_in_transaction_session_timeout": "60000",
        },
    )


async def _prepare(connection: asyncpg.Connection) -> None:
    if is_on():
        connection.add_query_logger(note_statement)
    await connection.set_type_codec(
        "jsonb",
        encoder=lambda value: orjson.dumps(value).decode(),
        decoder=orjson.loads,
        schema="pg_catalog",
    )


async def _commit(work: PostgresWork, connection: Any) -> None:
    try:
        await work.flush()
        done: str = await connection.execute("COMMIT")
    except asyncpg.InFailedSQLTransactionError as error:
        raise RuntimeError(_PASSED_OVER) from error
    # PostgreSQL answers ROLLBACK, and no error, when a statement had failed.
    if done != "COMMIT":
        raise RuntimeError(_PASSED_OVER)


async def _roll_back(connection: Any) -> None:
    """Leave nothing of a failed transaction behind.  (An ended one has left nothing.)"""
    # A connection that is lost has rolled back by itself, and the pool lets it go.
    with suppress(*CONNECTION_LOST):
        if connection.is_in_transaction():
            await connection.execute("ROLLBACK")


__all__ = ["CONNECTION_LOST", "Database", "PostgresWork", "Unavailable", "open_pool", "rows_of"]
