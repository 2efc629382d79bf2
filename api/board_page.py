"""The wall board over HTTP: the page, its live stream, its static files, and the front door.

The address of a board is its key.  An unknown key and a revoked one get the same answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from functools import lru_cache
from typing import Any, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Send
from typing_extensions import override

from api.web.assets import STATIC_ROUTE, VERSION
from api.web.board import headline, live_parts, whole_board
from api.web.landing import PLACES, Place, landing_page
from api.web.markup import tag
from api.web.page import HEADERS, page
from api.web.payload import Board, board_of
from api.web.tools import tools

_PING_SECONDS = 10.0
_STALL_SECONDS = 30.0

# Tells the script that the key itself is refused, as against a proxy or a half-started server
# that knows no such page: only then does a board on the wall give up.
_REVOKED = {"Board-Access": "revoked"}


class BoardSession(Protocol):
    """What one accepted key may see."""

    async def snapshot(self) -> Mapping[str, Any]:
        """Return the value of the GraphQL field `board`, as plain JSON values."""

    def stream(self) -> AsyncGenerator[bytes, None]:
        """Yield GraphQL answers, encoded: `{"data": {"board": {…}}}`, the first one at once.

        It ends when the key is revoked or the server is about to stop.  An answer without a board
        ends it too.
        """


Load = Callable[[Request, str], Awaitable[BoardSession | None]]


def board_routes(
    load: Load,
    *,
    places: Sequence[Place] = PLACES,
    ping_seconds: float = _PING_SECONDS,
    stall_seconds: float = _STALL_SECONDS,
) -> list[BaseRoute]:
    """Return the routes of everything people look at.

    Args:
        load: Checks the key of a board; None means that it is unknown, revoked or run out.
        places: Where the front door leads.
        ping_seconds: How often a silent stream says that it is alive.
        stall_seconds: How long a reader may take for one update before it is dropped.
    """

    async def front_door(request: Request) -> Response:
        return landing_page(str(request.base_url), places)

    async def show(request: Request) -> Response:
        session = await load(request, request.path_params["token"])
        if session is None:
            return _revoked()
        return board_page(board_of(await session.snapshot()))

    async def follow(request: Request) -> Response:
        session = await load(request, request.path_params["token"])
        if session is None:
            return _revoked()
        if request.method == "HEAD":
            return Response(media_type="text/event-stream", headers=HEADERS)
        return _EventStream(_frames(session.stream(), ping_seconds), stall_seconds)

    return [
        Route("/", front_door, methods=["GET"]),
        Route("/board/{token}", show, methods=["GET"]),
        Route("/board/{token}/stream", follow, methods=["GET"]),
        STATIC_ROUTE,
    ]


def board_page(board: Board) -> HTMLResponse:
    """Return the whole page as it stands now: useful before, and without, any script."""
    return page(
        whole_board(board, tools()),
        title=f"{headline(board)} – {board.tenant_name}",
        kind="board",
        script="board.js",
    )


def _revoked() -> HTMLResponse:
    answer = page(
        tag(
            "main",
            tag("h1", "This board link no longer works"),
            tag("p", "It was revoked, has run out, or was copied incompletely.", class_="lede"),
            tag("p", "An admin of your company can make a new link for this screen."),
        ),
        title="Board link no longer works",
        kind="landing",
        status=404,
    )
    answer.headers.update(_REVOKED)
    return answer


class _Stalled(Exception):
    """The reader is there, but has stopped reading."""


class _EventStream(StreamingResponse):
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


async def _frames(
    answers: AsyncGenerator[bytes, None], ping_seconds: float
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
        while (frame := await _next_frame(coming, ping_seconds)) is not None:
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


async def _next_frame(coming: asyncio.Queue[bytes | None], ping_seconds: float) -> bytes | None:
    try:
        async with asyncio.timeout(ping_seconds):
            answer = await coming.get()
    except TimeoutError:
        return b"event: ping\ndata: {}\n\n"
    coming.task_done()
    update = None if answer is None else _drawn(answer)
    return None if update is None else b"event: next\ndata: " + update + b"\n\n"


class _Answer(msgspec.Struct):
    data: dict[str, msgspec.Raw] | None = None


# All screens of a tenant are sent the same bytes, so they are drawn once.
@lru_cache(maxsize=64)
def _drawn(answer: bytes) -> bytes | None:
    """Return the answer with its drawing beside it, or None if there is no board in it."""
    board = (msgspec.json.decode(answer, type=_Answer).data or {}).get("board")
    if board is None or bytes(board) == b"null":
        return None
    drawing = str(live_parts(msgspec.json.decode(board, type=Board)))
    return msgspec.json.encode(
        {"data": {"board": board}, "extensions": {"html": drawing, "version": VERSION}}
    )
