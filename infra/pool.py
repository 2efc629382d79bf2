"""Connections to PostgreSQL: lent for a moment, and told apart when they are no good any more.

A line may be dead without anybody being told: a proxy that stopped forwarding, a server that was
stopped.  So nobody waits long for a line, nobody waits for a doubtful one to be put in order, and
after an outage the lines from before it are replaced (see `infra.pulse`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any
from weakref import WeakSet

import asyncpg
import orjson

from domain.errors import Unavailable
from infra.tracing import is_on, note_statement

WAIT_SECONDS = 2.0
# How long what was being asked before an outage may still be answered after it.
GRACE_SECONDS = 0.5
_SETTLE_SECONDS = 1.0
_CONNECT_SECONDS = 3.0

# The server, or the line to it, is gone.
_LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    # The driver loses its way when a server says farewell between two statements.
    asyncpg.InternalClientError,
)
# It is there, and cannot do it: no connection or memory to spare, the disk full or broken.
_UNFIT = (asyncpg.InsufficientResourcesError, asyncpg.PostgresIOError)
_SLOW = (TimeoutError, asyncpg.QueryCanceledError)

# What tells of the server or the line to it.  Anything else is about the statement.
CONNECTION_LOST = (Unavailable, asyncpg.InterfaceError, *_SLOW, *_LOST, *_UNFIT)


class TooSlow(Unavailable):
    """A statement took longer than any may: somebody holds what it needs, or nobody answers."""


class Pool:
    """The connections of one role, lent to one task at a time.

    Whatever it raises because of the database, and not because of a statement, is `Unavailable`.
    """

    def __init__(self, pool: asyncpg.Pool, lines: WeakSet[Any], *, wait_seconds: float) -> None:
        self.away = False
        """Whether the database is known to be out of reach; then nobody even tries."""
        self._pool = pool
        self._lines = lines
        self._wait = wait_seconds
        self._lent: set[Any] = set()
        self._settling: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def acquire(
        self,
        *,
        timeout: float | None = None,  # noqa: ASYNC109  # as the driver calls it
    ) -> AsyncIterator[Any]:
        """Lend a connection for a block, and roll back what the block leaves open.

        Raises:
            Unavailable: if there is none `timeout` seconds, or it is lost in the block.
        """
        line = await self._take(self._wait if timeout is None else timeout)
        self._lent.add(line)
        try:
            yield line
        except BaseException as error:
            reason = _reason(error, line)
            if reason is not None or isinstance(error, asyncio.CancelledError):
                # Nobody is kept waiting for a line that may be dead.
                self._settle_aside(line)
            else:
                await self._give_back(line)
            if reason is None or reason is error:
                raise
            raise reason from error
        else:
            await self._give_back(line)
        finally:
            self._lent.discard(line)

    async def fetch(
        self,
        statement: str,
        *values: object,
        timeout: float | None = None,  # noqa: ASYNC109  # as the driver calls it
    ) -> Sequence[Any]:
        """Return all rows of one statement in a transaction of its own."""
        async with self.acquire() as line:
            rows: Sequence[Any] = await line.fetch(statement, *values, timeout=timeout)
            return rows

    async def fetchrow(
        self,
        statement: str,
        *values: object,
        timeout: float | None = None,  # noqa: ASYNC109  # as the driver calls it
    ) -> Any:
        """Return the first row, or None."""
        async with self.acquire() as line:
            return await line.fetchrow(statement, *values, timeout=timeout)

    async def fetchval(
        self,
        statement: str,
        *values: object,
        timeout: float | None = None,  # noqa: ASYNC109  # as the driver calls it
    ) -> Any:
        """Return the first value of the first row, or None."""
        async with self.acquire() as line:
            return await line.fetchval(statement, *values, timeout=timeout)

    async def execute(
        self,
        statement: str,
        *values: object,
        timeout: float | None = None,  # noqa: ASYNC109  # as the driver calls it
    ) -> str:
        """Run one statement in a transaction of its own and return its status."""
        async with self.acquire() as line:
            status: str = await line.execute(statement, *values, timeout=timeout)
            return status

    def get_size(self) -> int:
        """Return how many connections are open."""
        return self._pool.get_size()

    def get_max_size(self) -> int:
        """Return how many there may be."""
        return self._pool.get_max_size()

    def get_idle_size(self) -> int:
        """Return how many of them nobody uses."""
        return self._pool.get_idle_size()

    def renew(self) -> None:
        """Replace every connection there is: those that are idle now, the others in a moment.

        A statement that was only held up is answered within that moment.
        """
        lent = {line._con for line in self._lent}  # what is lent is a proxy of it
        for line in tuple(self._lines):
            if line not in lent:
                line.terminate()
        asyncio.get_running_loop().call_later(GRACE_SECONDS, self._end, set(self._lent))

    async def close(self) -> None:
        """Close every connection, waiting a moment for what still runs."""
        await asyncio.gather(*self._settling, return_exceptions=True)
        try:
            async with asyncio.timeout(2):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    def _end(self, lent: set[Any]) -> None:
        for line in lent & self._lent:
            with suppress(asyncpg.InterfaceError):  # it was lost meanwhile
                line.terminate()

    async def _take(self, within: float) -> Any:
        if self.away:
            raise Unavailable
        try:
            return await self._pool.acquire(timeout=within)
        except (asyncpg.InterfaceError, *_SLOW, *_LOST, *_UNFIT) as error:
            raise Unavailable from error

    async def _give_back(self, line: Any) -> None:
        try:
            if line.is_in_transaction():
                await line.execute("ROLLBACK")
            await self._pool.release(line)
        except asyncio.CancelledError:
            self._settle_aside(line)
            raise
        except CONNECTION_LOST:
            await self._drop(line)

    def _settle_aside(self, line: Any) -> None:
        task = asyncio.create_task(self._settle(line), name="pool.settle")
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def _settle(self, line: Any) -> None:
        """Put a doubtful line in order if that is quickly done, and drop it otherwise."""
        try:
            async with asyncio.timeout(_SETTLE_SECONDS):
                # Always, because nobody knows whether a statement under way began a transaction.
                await line.execute("ROLLBACK")
        except CONNECTION_LOST:
            await self._drop(line)
        else:
            await self._give_back(line)

    async def _drop(self, line: Any) -> None:
        # A line that was lost has gone back by itself.
        with suppress(*CONNECTION_LOST):
            line.terminate()
            await self._pool.release(line)


async def open_pool(
    url: str,
    *,
    size: int,
    statement_seconds: float = 30,
    wait_seconds: float = WAIT_SECONDS,
) -> Pool:
    """Return a pool whose connections know jsonb and are given back without a round trip.

    It opens no connection before one is needed, so a process may start before its database.
    """
    lines: WeakSet[Any] = WeakSet()

    async def prepare(line: Any) -> None:
        lines.add(line)
        if is_on():
            line.add_query_logger(note_statement)
        await line.set_type_codec(
            "jsonb",
            encoder=lambda value: orjson.dumps(value).decode(),
            decoder=orjson.loads,
            schema="pg_catalog",
        )

    pool = await asyncpg.create_pool(
        url,
        min_size=0,
        max_size=size,
        init=prepare,
        reset=_nothing_to_reset,
        command_timeout=statement_seconds,
        # Who has more patience has it with a line that is only just opened, too.
        timeout=max(_CONNECT_SECONDS, wait_seconds),
        max_cacheable_statement_size=0,
        max_cached_statement_lifetime=0,
        server_settings={
            "jit": "off",
            "application_name": "smarketing",
            "statement_timeout": str(int(statement_seconds * 1000)),
            # What a process of ours holds when it is stopped, or its host vanishes, others need.
            "idle_in_transaction_session_timeout": "10000",
            "client_connection_check_interval": "1000",
            "tcp_keepalives_idle": "5",
            "tcp_keepalives_interval": "2",
            "tcp_keepalives_count": "3",
            "tcp_user_timeout": "10000",
        },
    )
    return Pool(pool, lines, wait_seconds=wait_seconds)


async def _nothing_to_reset(line: object) -> None:
    """Whoever had the connection has ended his transaction, and nothing else is ever set."""


def _reason(error: BaseException, line: Any) -> Unavailable | None:
    """Return what a failure within a block says of the database, or None if it says nothing."""
    if isinstance(error, Unavailable):
        return error
    if isinstance(error, _SLOW):
        return TooSlow()
    if isinstance(error, (*_LOST, *_UNFIT)):
        return Unavailable()
    # The driver says so when a connection is closed, and also when it is misused, which is a bug.
    lost = isinstance(error, asyncpg.InterfaceError) and is_closed(line)
    return Unavailable() if lost else None


@contextmanager
def told_lost(line: Any) -> Iterator[None]:
    """Say within a block what the pool says at the end of it: that the database was at fault."""
    try:
        yield
    except BaseException as error:
        reason = _reason(error, line)
        if reason is None or reason is error:
            raise
        raise reason from error


def is_closed(line: Any) -> bool:
    """Say whether a connection is lost.  (One that is may have gone back to the pool already.)"""
    try:
        return bool(line.is_closed())
    except asyncpg.InterfaceError:
        return True
