"""Whether the database answers, felt on a line of its own, and what follows when it did not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import asyncpg
import structlog

from infra.pool import CONNECTION_LOST, Pool

log = structlog.get_logger(__name__)

EVERY_SECONDS = 0.5
PATIENCE_SECONDS = 1.0
_RETRY_SECONDS = 0.2


class Pulse:
    """Asks the database something every moment.

    When it cannot be reached at all, the pools refuse at once instead of letting everybody wait.
    When it answers again after it was silent, the pools' lines may be dead without knowing, so
    they are replaced; and `on_return` tells whoever may have missed something.
    """

    def __init__(
        self,
        url: str,
        pools: Sequence[Pool],
        *,
        every_seconds: float = EVERY_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.on_return: Callable[[], None] = lambda: None
        self._url = url
        self._pools = pools
        self._every = every_seconds
        self._patience = patience_seconds
        self._line: Any = None
        self._missed = 0
        self._silent = False
        self._task: asyncio.Task[None] | None = None

    @property
    def away(self) -> bool:
        """Whether the database is known to be out of reach."""
        return any(pool.away for pool in self._pools)

    def start(self) -> None:
        self._task = asyncio.create_task(self._beat(), name="pulse")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._hang_up()

    async def _beat(self) -> None:
        while True:
            try:
                await self._feel()
            except (*CONNECTION_LOST, asyncpg.PostgresError) as error:
                self._miss(error)
                # A line that was lost is tried again at once: most likely only the line is gone.
                await asyncio.sleep(_RETRY_SECONDS if self._missed > 1 else 0)
            else:
                self._found()
                await asyncio.sleep(self._every)

    async def _feel(self) -> None:
        if self._line is None:
            await _answer(self._connect(), self._patience)
        await _answer(self._line.execute("SELECT 1"), self._patience)

    async def _connect(self) -> None:
        # Kept before anybody can be stopped waiting for it, or nobody would hang it up.
        self._line = await asyncpg.connect(
            self._url,
            timeout=self._patience,
            # Its own patience is up before this, which only ends what nobody waits for any more.
            command_timeout=self._patience * 2,
            server_settings={"application_name": "smarketing pulse", "jit": "off"},
        )

    def _miss(self, error: Exception) -> None:
        self._hang_up()
        self._missed += 1
        self._silent = self._silent or isinstance(error, TimeoutError)
        if self._missed == 2:
            log.warning("database.away", error=type(error).__name__)
            self._mark(away=True)

    def _found(self) -> None:
        if not self._missed:
            return
        if self._missed > 1:
            log.warning("database.back")
        if self._silent:
            for pool in self._pools:
                pool.renew()
        self._missed, self._silent = 0, False
        self._mark(away=False)
        self.on_return()

    def _mark(self, *, away: bool) -> None:
        for pool in self._pools:
            pool.away = away

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.terminate()
            self._line = None


async def _answer(asking: Awaitable[Any], patience: float) -> Any:
    """Return an answer that comes within `patience` seconds.

    When the process itself was held up, the answer may be there and only not be read yet; so it
    gets one more turn of the loop before anybody says that there was none.
    """
    task = asyncio.ensure_future(asking)
    try:
        for seconds in (patience, 0.05):
            await asyncio.wait({task}, timeout=seconds)
            if task.done():
                return task.result()
        raise TimeoutError
    finally:
        if not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError, *CONNECTION_LOST):
                async with asyncio.timeout(0.1):
                    await task
