"""The closed-loop page over HTTP, under the key of a board: aggregates only, as on the board."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from api.board_page import BoardSession, revoked
from api.web.assets import asset
from api.web.loop import live_loop, loop_title, whole_loop
from api.web.loop_payload import Loop, Model, Window, loop_of
from api.web.page import HEADERS, page
from api.web.streaming import EventStream, drawing_of, frames_of
from api.web.tools import tools

Load = Callable[[Request, str, Window, Model], Awaitable[BoardSession | None]]


def closed_loop_routes(
    load: Load, *, ping_seconds: float = 10.0, stall_seconds: float = 30.0
) -> list[BaseRoute]:
    """Return the routes of the page and its stream.

    Args:
        load: Checks the key of a board; None means that it is unknown, revoked or run out.
        ping_seconds: How often a silent stream says that it is alive.
        stall_seconds: How long a reader may take for one update before it is dropped.
    """

    async def show(request: Request) -> Response:
        token = request.path_params["token"]
        session = await load(request, token, _window(request), _model(request))
        if session is None:
            return revoked()
        return _loop_page(loop_of(await session.snapshot()), token)

    async def follow(request: Request) -> Response:
        token = request.path_params["token"]
        session = await load(request, token, _window(request), _model(request))
        if session is None:
            return revoked()
        if request.method == "HEAD":
            return Response(media_type="text/event-stream", headers=HEADERS)
        frames = frames_of(session.stream(), _drawn, ping_seconds=ping_seconds)
        return EventStream(frames, stall_seconds)

    return [
        Route("/board/{token}/closed-loop", show, methods=["GET"]),
        Route("/board/{token}/closed-loop/stream", follow, methods=["GET"]),
    ]


def _window(request: Request) -> Window:
    """Return the window asked for; whatever is no window means the usual one."""
    asked = request.query_params.get("window", "")
    return Window(asked) if asked in set(Window) else Window.LAST_90_DAYS


def _model(request: Request) -> Model:
    """Return the model asked for; whatever is no model means the usual one."""
    asked = request.query_params.get("model", "")
    return Model(asked) if asked in set(Model) else Model.LINEAR


def _loop_page(loop: Loop, token: str) -> HTMLResponse:
    return page(
        whole_loop(loop, tools(("Board", f"/board/{token}"))),
        title=loop_title(loop),
        kind="board loop",
        script="closed-loop.js",
        styles=[asset("board.css"), asset("closed-loop.css")],
    )


_drawn = drawing_of("closedLoop", Loop, live_loop)
