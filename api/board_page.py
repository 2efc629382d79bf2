"""The wall board over HTTP: the page, its live stream, its static files, and the front door.

The address of a board is its key.  An unknown key and a revoked one get the same answer.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from api.web.assets import STATIC_ROUTE
from api.web.board import headline, live_parts, whole_board
from api.web.landing import PLACES, Place, landing_page
from api.web.markup import tag
from api.web.page import HEADERS, page
from api.web.payload import Board, board_of
from api.web.streaming import EventStream, drawing_of, frames_of
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
            return revoked()
        token = request.path_params["token"]
        return board_page(board_of(await session.snapshot()), token)

    async def follow(request: Request) -> Response:
        session = await load(request, request.path_params["token"])
        if session is None:
            return revoked()
        if request.method == "HEAD":
            return Response(media_type="text/event-stream", headers=HEADERS)
        frames = frames_of(session.stream(), _drawn, ping_seconds=ping_seconds)
        return EventStream(frames, stall_seconds)

    return [
        Route("/", front_door, methods=["GET"]),
        Route("/board/{token}", show, methods=["GET"]),
        Route("/board/{token}/stream", follow, methods=["GET"]),
        STATIC_ROUTE,
    ]


def board_page(board: Board, token: str) -> HTMLResponse:
    """Return the whole page as it stands now: useful before, and without, any script."""
    return page(
        whole_board(board, tools(("Closed loop", f"/board/{token}/closed-loop"))),
        title=f"{headline(board)} – {board.tenant_name}",
        kind="board",
        script="board.js",
    )


def revoked() -> HTMLResponse:
    """Return the page of a key that is unknown, was revoked or has run out."""
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


_drawn = drawing_of("board", Board, live_parts)
