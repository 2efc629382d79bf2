"""Subscribers over WebSocket that cost next to nothing, so that a thousand fit in one process."""

from __future__ import annotations

import asyncio
import base64
import os
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from time import perf_counter
from typing import Any

import orjson
from typing_extensions import override

_AS_OF = re.compile(rb'"asOf":"([^"]+)"')


class Subscriber(asyncio.Protocol):
    """One connection with one subscription; notes when each answer came, and as of when it was."""

    def __init__(self, head: bytes, operation: Mapping[str, Any]) -> None:
        self._head = head
        self._operation = operation
        self._received = bytearray()
        self._upgraded = False
        self.arrivals: list[tuple[float, bytes]] = []
        self.failure: bytes | None = None

    @override
    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._transport.write(self._head)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.failure = self.failure or b"closed"

    @override
    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._upgraded:
            head, found, rest = self._received.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head:
                self.failure = bytes(head)
            self._upgraded, self._received = True, rest
            self._say({"type": "connection_init"})
        while (message := self._next_message()) is not None:
            self._hear(message)

    def _next_message(self) -> bytes | None:
        """Take one whole frame off what was received; a server never masks."""
        received = self._received
        if len(received) < 2:
            return None
        length, start = received[1] & 0x7F, 2
        if length >= 126:
            start = 4 if length == 126 else 10
            if len(received) < start:
                return None
            length = int.from_bytes(received[2:start])
        if len(received) < start + length:
            return None
        message = bytes(received[start : start + length])
        del received[: start + length]
        return message

    def _hear(self, message: bytes) -> None:
        if b'"type":"next"' in message:
            as_of = _AS_OF.search(message)
            self.arrivals.append((perf_counter(), as_of[1] if as_of else b""))
            if as_of is None:
                self.failure = message
        elif b'"connection_ack"' in message:
            self._say({"type": "subscribe", "id": "1", "payload": self._operation})
        elif b'"type":"ping"' in message:
            self._say({"type": "pong"})
        else:
            self.failure = message

    def _say(self, message: Mapping[str, Any]) -> None:
        text, mask = orjson.dumps(message), os.urandom(4)
        head = bytes([0x81, 0x80 | 126]) + len(text).to_bytes(2) + mask
        self._transport.write(head + bytes(b ^ mask[i % 4] for i, b in enumerate(text)))


@asynccontextmanager
async def subscribers(
    count: int,
    port: int,
    headers: Mapping[str, str],
    operation: Mapping[str, Any],
    *,
    kind: type[Subscriber] = Subscriber,
) -> AsyncIterator[Sequence[Subscriber]]:
    """Connect subscribers, and give them once each has its first answer."""
    head, address = _head(headers), ("127.0.0.1", port)
    loop = asyncio.get_running_loop()
    opened = []
    try:
        for _ in range(count):
            made = await loop.create_connection(partial(kind, head, operation), *address)
            opened.append(made)  # those there are must be closed if one fails
        members = [subscriber for _, subscriber in opened]
        await answered(members, [1] * count, seconds=60)
        yield members
    finally:
        for transport, _ in opened:
            transport.close()


async def answered(
    members: Sequence[Subscriber], times: Sequence[int], *, seconds: float = 10
) -> None:
    """Wait until every subscriber has had so many answers.

    Looks now and then instead of being told, so that an arrival costs next to nothing.

    Raises:
        RuntimeError: if one of them was told something else.
        TimeoutError: if one of them is not told in time.
    """
    async with asyncio.timeout(seconds):
        while any(len(m.arrivals) < n for m, n in zip(members, times, strict=True)):  # see above
            if failed := next((m.failure for m in members if m.failure), None):
                raise RuntimeError(repr(failed))
            await asyncio.sleep(0.005)


def _head(headers: Mapping[str, str]) -> bytes:
    lines = ["GET /graphql HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket"]
    lines += ["Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    lines += ["Sec-WebSocket-Protocol: graphql-transport-ws"]
    lines += [f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}"]
    lines += [f"Authorization: {headers['Authorization']}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
