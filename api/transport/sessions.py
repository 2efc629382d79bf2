"""Who is at the other end, for how long, and how to tell him that it is over."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from starlette.requests import HTTPConnection

from api.engine import OperationContext, held_on

REQUEST_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}\Z")


class Unauthenticated(Exception):
    """The credentials that were given are not good.  No credentials at all are no such error."""


class Session(Protocol):
    """Somebody who may send requests, known or anonymous."""

    @property
    def expires_at(self) -> datetime | None:
        """Return when the credentials end, or None where there are none."""

    @property
    def revoked(self) -> asyncio.Event | None:
        """Return what is set when the credentials end before their time."""

    async def now(self) -> datetime:
        """Return the time by which they end, which is not this host's."""

    def context(self, connection: HTTPConnection, request_id: str) -> OperationContext:
        """Return a new context for one operation."""


Authenticate = Callable[[HTTPConnection, Mapping[str, Any] | None], Awaitable[Session]]
"""Finds the session of an HTTP request (then the payload is None) or of a socket, whose
credentials are in the payload of `connection_init`.  Raises `Unauthenticated`."""


class Shutdown:
    """Tells every open stream and socket that this process is going away."""

    def __init__(self) -> None:
        self._begun = asyncio.Event()

    @property
    def begun(self) -> bool:
        """Return whether streams have been told to end."""
        return self._begun.is_set()

    def begin(self) -> None:
        """Tell the streams: event streams complete, sockets close with 1012."""
        self._begun.set()

    async def wait(self) -> None:
        """Return when the shutdown has begun."""
        await self._begun.wait()


async def session_over(session: Session) -> None:
    """Return when the session has expired or was revoked; never, where it has no end."""
    revoked = session.revoked or asyncio.Event()
    seconds: float | None = None
    if session.expires_at is not None:
        now = await held_on(session.now)
        seconds = max(0.0, (session.expires_at - now).total_seconds())
    try:
        async with asyncio.timeout(seconds):
            await revoked.wait()
    except TimeoutError:
        return


def request_id_of(connection: HTTPConnection) -> str:
    """Return the request id that the client or a proxy chose, or a new one."""
    given = connection.headers.get("x-request-id", "")
    return given if REQUEST_ID.match(given) else uuid.uuid4().hex
