"""What the tests of faults break: a PostgreSQL of their own, and a tenant in it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import psutil

from infra.database import Database
from infra.embedded import EmbeddedPostgres
from tests.conftest import DatabaseUrls
from tests.faults.proxy import FaultProxy, a_proxy
from tests.world import World, make_world

T = TypeVar("T")


@dataclass
class OwnPostgres:
    """A server that a test may kill, stop and start again."""

    server: EmbeddedPostgres
    urls: DatabaseUrls

    @property
    def processes(self) -> list[psutil.Process]:
        """The postmaster and every process it has made."""
        postmaster = self.server._postmaster()
        return [] if postmaster is None else [postmaster, *postmaster.children(recursive=True)]

    def kill(self) -> None:
        """Kill every process of the server at once."""
        dying = self.processes
        for process in dying:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(dying, 10)

    def stop(self) -> None:
        """Freeze every process of the server."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for process in self.processes:
            with suppress(psutil.NoSuchProcess):  # a connection that has just been closed
                process.send_signal(number)

    async def start_again(self) -> float:
        """Start the server after it was killed; return when it began to answer."""
        await asyncio.to_thread(self.server.stop)
        await asyncio.to_thread(self.server.start)
        return monotonic()

    async def execute(self, statement: str, *values: object) -> Any:
        """Run a statement as the owner and return the first value."""
        connection = await asyncpg.connect(self.urls.owner)
        try:
            return await connection.fetchval(statement, *values)
        finally:
            await connection.close()

    async def terminate_all(self) -> None:
        """Have the server end every other connection."""
        await self.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )

    @property
    def socket(self) -> Path:
        return self.server._socket_folder / ".s.PGSQL.5432"


@asynccontextmanager
async def behind_proxy(postgres: OwnPostgres) -> AsyncIterator[tuple[FaultProxy, DatabaseUrls]]:
    """Put a proxy before the server; give it, and the addresses that lead through it."""
    async with a_proxy(unix=postgres.socket) as proxy:
        through = [_through(url, proxy.port) for url in (postgres.urls.app, postgres.urls.platform)]
        yield proxy, DatabaseUrls(postgres.urls.owner, *through)


def _through(url: str, port: int) -> str:
    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{port}", query="sslmode=disable"))


@asynccontextmanager
async def a_tenant(urls: DatabaseUrls) -> AsyncIterator[World]:
    """Make a tenant that lives now, over connections that nothing is done to."""
    database = await Database.connect(urls.app, urls.platform, size=4, wait_seconds=60)
    try:
        yield await make_world(database, {"now": datetime.now(UTC)})
    finally:
        await database.close()


async def until(found: Callable[[], Awaitable[T]], *, within: float = 60, every: float = 0.02) -> T:
    """Ask again and again until the answer is true, and return it."""
    async with asyncio.timeout(within):
        while not (answer := await found()):  # noqa: ASYNC110  # nobody announces it
            await asyncio.sleep(every)
    return answer
