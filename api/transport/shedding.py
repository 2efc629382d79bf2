"""Load shedding: so many executions at once, so many waiting, and the rest refused at once.

More at once would not be answered sooner: a process has one processor and a few connections.
Without a bound everybody's answer would come too late to be of use, and nobody's in time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import orjson
from starlette.types import ASGIApp, Receive, Scope, Send

from api.engine.masking import unavailable
from domain.errors import Unavailable

AT_ONCE = 20
"""So many may be refused in the same moment before any is made to wait for it."""
LONGEST_PAUSE_SECONDS = 1.0


class NoTurn(Unavailable):
    """More is asked of this process than it can do."""

    def __init__(self) -> None:
        super().__init__("Too much is asked of us at once.  Nothing was changed; try again.")


class Turns:
    """Lets so many run, so many wait for so long, and nobody else in."""

    def __init__(self, *, running: int, waiting: int, wait_seconds: float) -> None:
        self.refused = 0
        self._free = asyncio.Semaphore(running)
        self._running = running
        self._most_waiting = waiting
        self._wait = wait_seconds
        self._waiting = 0

    @classmethod
    def without_end(cls) -> Turns:
        """Let everybody in."""
        return cls(running=1 << 30, waiting=1 << 30, wait_seconds=1)

    @property
    def full(self) -> bool:
        """Whether whoever comes now would be refused."""
        return self._waiting >= self._most_waiting

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return self._waiting

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn, and have it for the block.

        Raises:
            NoTurn: if it would not come soon.
        """
        await self._take()
        try:
            yield
        finally:
            self._free.release()

    async def _take(self) -> None:
        if self.full:
            self.refused += 1
            raise NoTurn
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait):
                await self._free.acquire()
        except TimeoutError:
            self.refused += 1
            raise NoTurn from None
        finally:
            self._waiting -= 1


class Shedding:
    """Refuses requests for GraphQL before anything is done for them while there are too many.

    It stands in front of everything else, so that a refusal costs next to nothing.
    """

    def __init__(
        self,
        app: ASGIApp,
        turns: Turns,
        *,
        path: str = "/graphql",
        retry_after: int = 1,
        on_refusal: Callable[[], None] = lambda: None,
    ) -> None:
        self._app = app
        self._turns = turns
        self._path = path
        self._on_refusal = on_refusal
        self._refusing = 0
        self._body = orjson.dumps({"errors": [unavailable(NoTurn())]})
        self._start = {
            "type": "http.response.start",
            "status": 503,
            "headers": [
                (b"content-type", b"application/json; charset=utf-8"),
                (b"content-length", str(len(self._body)).encode()),
                (b"cache-control", b"no-store"),
                (b"retry-after", str(retry_after).encode()),
            ],
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        asked = scope["type"] == "http" and scope["path"] == self._path
        if not (asked and self._turns.full):
            await self._app(scope, receive, send)
            return
        self._turns.refused += 1
        self._on_refusal()
        self._refusing += 1
        try:
            await asyncio.sleep(self._pause())
        finally:
            self._refusing -= 1
        await send(self._start)
        await send({"type": "http.response.body", "body": self._body})

    def _pause(self) -> float:
        """Return how long a refusal is held back: the more of them, the longer.

        Clients that come again at once would otherwise keep the process busy with refusing them.
        """
        return min(max(self._refusing - AT_ONCE, 0) / AT_ONCE, LONGEST_PAUSE_SECONDS)
