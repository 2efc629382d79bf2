"""How SQL runs: connection pools, and transactions of one tenant over them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from infra.refusals import told_refusals
from infra.statements import rows_of
from infra.work import PostgresWork

Clock = Callable[[], datetime]

_SKEW_LIFE = 30.0


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
        self._skew = timedelta(0)
        self._skew_at = -_SKEW_LIFE

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
        self, tenant_id: UUID, *, by: UUID | None = None, read_only: bool = False
    ) -> AsyncIterator[PostgresWork]:
        """Run a block as one transaction of one tenant.

        A read takes one round trip to begin, because it takes the clock from the skew last
        measured between this machine and the database; a write asks the database for the time.
        """
        async with self.app.acquire(timeout=5) as connection:
            kind = "BEGIN READ ONLY" if read_only else "BEGIN"
            # Nothing else may stand in this string: app.enter executes SET LOCAL.
            await connection.execute(f"{kind}; SELECT app.enter('{tenant_id}')")
            work = PostgresWork(connection, tenant_id, await self._now(connection, read_only), by)
            with told_refusals():
                yield work
                await work.flush()
                await connection.execute("COMMIT")
        if work.recorded:
            self.on_commit(tenant_id)

    async def now(self) -> datetime:
        """Return the database's time."""
        if self.clock:
            return self.clock()
        async with self.app.acquire(timeout=5) as connection:
            return await self._now(connection, read_only=True)

    async def _now(self, connection: Any, read_only: bool) -> datetime:
        if self.clock:
            return self.clock()
        here = datetime.now(UTC)
        if read_only and monotonic() - self._skew_at < _SKEW_LIFE:
            return here + self._skew
        there: datetime = await connection.fetchval("SELECT now()")
        self._skew, self._skew_at = there - here, monotonic()
        return there


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
    await connection.set_type_codec(
        "jsonb",
        encoder=lambda value: orjson.dumps(value).decode(),
        decoder=orjson.loads,
        schema="pg_catalog",
    )


async def _roll_back(connection: asyncpg.Connection) -> None:
    """Leave nothing of a failed transaction behind.  (An ended one has left nothing.)"""
    if connection.is_in_transaction():
        await connection.execute("ROLLBACK")


__all__ = ["Database", "PostgresWork", "Unavailable", "open_pool", "rows_of"]
