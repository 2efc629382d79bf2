"""A line between two programs that can be made to fail in every way a network does."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[], Awaitable[Ends]]


@dataclass(eq=False)
class Line:
    """One connection through the proxy."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    dead: bool = False
    """What comes is swallowed, and nobody is told."""
    said: bool = False
    """Its near end has said what the one that is to be cut says first."""
    cut: bool = False
    """It is reset as soon as the far end answers, and the answer is lost."""
    passed: int = 0
    """Bytes of the far end that were passed on."""


@dataclass(eq=False)
class FaultProxy:
    """Passes on what comes, until it is told to behave otherwise."""

    dial: Dial
    port: int = 0
    lines: set[Line] = field(default_factory=set)
    cut_at: bytes | None = None
    """What the near end must say for the answer to it to be cut off, once."""
    cut_after: bytes = b""
    """What it must have said before, or with it: others may say the same for other reasons."""
    cut_before: bytes | None = None
    """What the near end must say for the line to be cut before the far end hears it, once."""
    most_bytes: int | None = None
    """After so many bytes of the far end, a line is reset."""
    delay: float = 0
    cuts: int = 0
    """How many lines were reset for what was said on them."""
    _passing: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def accept(self) -> None:
        """Listen, on the same port as before."""
        self._passing.set()
        self._server = await asyncio.start_server(self._open, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Listen no more, and reset what is open."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.reset()

    def cut_once(self, *, at: bytes, after: bytes = b"") -> None:
        """Cut off the answer to what is said next, on a line where something was said before."""
        for line in self.lines:
            line.said = False
        self.cut_after, self.cut_at = after, at

    def reset(self) -> None:
        """Reset all lines there are."""
        for line in tuple(self.lines):
            _reset(line.near)
            _reset(line.far)

    def hole(self) -> None:
        """Swallow everything on the lines there are, for ever; new ones are well."""
        for line in self.lines:
            line.dead = True

    def stall(self) -> None:
        """Hold everything back, on lines there are and on new ones, until `resume`."""
        self._passing.clear()

    def resume(self) -> None:
        self._passing.set()

    async def close(self) -> None:
        await self.refuse()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _open(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            there, far = await self.dial()
        except OSError:
            _reset(writer)
            return
        line = Line(writer, far)
        self.lines.add(line)
        try:
            await asyncio.gather(self._ask(reader, line), self._answer(there, line))
        except (OSError, asyncio.CancelledError):
            _reset(line.near)
            _reset(line.far)
        finally:
            self.lines.discard(line)
            line.near.close()
            line.far.close()

    async def _ask(self, reader: asyncio.StreamReader, line: Line) -> None:
        while data := await self._read(reader):
            if line.dead:
                continue
            if self.cut_before is not None and self.cut_before in data:
                self.cut_before = None
                raise ConnectionResetError
            line.said = line.said or self.cut_after in data
            if self.cut_at is not None and line.said and self.cut_at in data:
                self.cut_at, line.cut = None, True
            await _write(line.far, data)
        with suppress(OSError):
            line.far.write_eof()

    async def _answer(self, reader: asyncio.StreamReader, line: Line) -> None:
        while data := await self._read(reader):
            line.passed += len(data)
            if line.cut or (self.most_bytes is not None and line.passed > self.most_bytes):
                self.cuts += 1
                raise ConnectionResetError
            if not line.dead:
                await _write(line.near, data)
        line.near.close()

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        data = await reader.read(1 << 16)
        await self._passing.wait()
        if self.delay:
            await asyncio.sleep(self.delay)
        return data


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection so that the other end is told that it broke."""
    end = writer.get_extra_info("socket")
    if end is not None and end.family == socket.AF_INET and end.fileno() >= 0:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@asynccontextmanager
async def a_proxy(*, unix: Path | None = None, port: int = 0) -> AsyncIterator[FaultProxy]:
    """Stand between whoever connects and a Unix socket, or a port, of this machine."""

    def dial() -> Awaitable[Ends]:
        if unix is not None:
            return asyncio.open_unix_connection(str(unix))
        return asyncio.open_connection("127.0.0.1", port)

    proxy = FaultProxy(dial)
    await proxy.accept()
    try:
        yield proxy
    finally:
        await proxy.close()
