"""The public addresses of tracking: the script, and where its beacons go."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from api.tracking.receiving import Receiver

SCRIPT = (Path(__file__).parent / "t.js").read_bytes().strip()
_TAG = f'"{sha256(SCRIPT).hexdigest()[:32]}"'
_HEADERS = {
    # Every page of every site asks for it: an hour after a change all have the new one.
    "Cache-Control": "public, max-age=3600, stale-while-revalidate=86400",
    "ETag": _TAG,
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def tracking_routes(receiver: Receiver) -> list[BaseRoute]:
    """Return the routes that pages of other sites use."""
    return [
        Route("/t.js", _script, methods=["GET"]),
        Route("/t/{key}", receiver.receive, methods=["POST"]),
        Route("/t/{key}", receiver.preflight, methods=["OPTIONS"]),
    ]


async def _script(request: Request) -> Response:
    if request.headers.get("if-none-match") == _TAG:
        return Response(status_code=304, headers=_HEADERS)
    return Response(SCRIPT, media_type="text/javascript", headers=_HEADERS)
