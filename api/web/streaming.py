"""Live pages over HTTP: server-sent events that carry the data and its drawing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from functools import lru_cache
from typing import TypeVar

import msgspec
from starlette.responses import StreamingResponse
from starlette.types import Send
from typing_extensions import override

from api.web.assets import VERSION
from api.web.page import HEADERS

T = TypeVar("T")

# Returns what is sent of an answer; None for one with nothing to draw, which ends the stream.
Draw = Callable[[bytes], "bytes | None"]


class _Answer(msgspec.Struct):
    data: dict[str, msgspec.Raw] | None = None


def drawing_of(field: str, kind: type[T], draw: Callable[[T], object]) -> Draw:
    """Return what draws one field of an answer, and puts the drawing beside it."""

    # All screens of a tenant are sent the same bytes, so they are drawn once.
    @lru_cache(maxsize=64)
    def drawn(answer: bytes) -> bytes | None:
        found = (msgspec.json.decode(answer, type=_Answer).data or {}).get(field)
        if found is None or bytes(found) == b"null":
            return None
        drawing = str(draw(msgspec.json.decode(found, type=kind)))
        return msgspec.json.encode(
            {"data": {field: found}, "extensions": {"html": drawing, "version": VERSION}}
        )

    return drawn


class _Stalled(Exception):
    """The reader is there, but has stopped reading."""


class EventStream(StreamingResponse):
    """Server-sent events that always close their source, and drop readers who stopped reading."""

    def __init__(self, frames: AsyncGenerator[bytes, None], stall_seconds: float) -> None:
        kept = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
        headers = {**HEADERS, **kept}
        super().__init__(frames, media_type="text/event-stream", headers=headers)
        self._frames = frames
        self._stall_seconds = stall_seconds

    @override
    async def stream_response(self, send: Send) -> None:
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        async with aclosing(self._frames) as frames:
            with suppress(_Stalled):
                await self._send_all(frames, send)

    async def _send_all(self, frames: AsyncIterator[bytes], send: Send) -> None:
        async for frame in frames:
            await self._write(send, frame, more=True)
        await self._write(send, b"", more=False)

    async def _write(self, send: Send, body: bytes, *, more: bool) -> None:
        try:
            async with asyncio.timeout(self._stall_seconds):
                await send({"type": "http.response.body", "body": body, "more_body": more})
        except TimeoutError:
            raise _Stalled from None


async def frames_of(
    answers: AsyncGenerator[bytes, None], draw: Draw, *, ping_seconds: float
) -> AsyncGenerator[bytes, None]:
    """Frame answers as events, with a ping whenever there was nothing to say for a while.

    The ping is an event, not a comment, because a page cannot see comments, and so could not tell
    a quiet server from a dead line.
    """
    coming: asyncio.Queue[bytes | None] = asyncio.Queue()
    # In a task of its own, so that the source is closed in peace when the reader is torn away.
    taking = asyncio.create_task(_take(answers, coming))
    taking.add_done_callback(lambda _: coming.put_nowait(None))
    try:
        while (frame := await _next_frame(coming, draw, ping_seconds)) is not None:
            yield frame
        if taking.done():
            taking.result()
        yield b"event: complete\ndata: {}\n\n"
    finally:
        taking.cancel()


async def _take(answers: AsyncGenerator[bytes, None], coming: asyncio.Queue[bytes | None]) -> None:
    async with aclosing(answers):
        async for answer in answers:
            await coming.put(answer)
            await coming.join()  # no further than the reader


async def _next_frame(
    coming: asyncio.Queue[bytes | None], draw: Draw, ping_seconds: float
) -> bytes | None:
    try:
        async with asyncio.timeout(ping_seconds):
            answer = await coming.get()
    except TimeoutError:
        return b"event: ping\ndata: {}\n\n"
    coming.task_done()
    update = None if answer is None else draw(answer)
    return None if update is None else b"event: next\ndata: " + update + b"\n\n"
