"""The static files, under an address that changes with their content.

The hash stands in the folder, not in the file name, so the modules import each other by plain
relative names and nothing has to be built.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
_FILES = {
    path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES
}

VERSION = sha256(b"\0".join(b"\0".join((n.encode(), c)) for n, c in _FILES.items())).hexdigest()[
    :16
]

# The live pages; both are made of the same modules.
LIVE = frozenset({"board.js", "closed-loop.js"})
# The others are loaded by themselves.
_ALONE = {
    "ask.js",
    "explorer-graphiql.js",
    "explorer-send.js",
    "explorer-session.js",
    "explorer.js",
    "invitation.js",
    "password-reset.js",
    "theme.js",
}
MODULES = tuple(n for n in _FILES if n.endswith(".js") and n not in _ALONE | LIVE)


def asset(name: str) -> str:
    """Return the address of a static file."""
    if name not in _FILES:
        raise ValueError(f"no such static file: {name}")
    return f"/static/{VERSION}/{name}"


async def _serve(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _FILES:
        raise HTTPException(404)
    # During a roll-out a page of one version may ask a process of another: answer with what there
    # is, but let nobody keep it under that address.
    current = request.path_params["version"] == VERSION
    kept = "public, max-age=31536000, immutable" if current else "no-cache"
    headers = {"Cache-Control": kept, "X-Content-Type-Options": "nosniff"}
    return Response(_FILES[name], media_type=_TYPES[Path(name).suffix], headers=headers)


STATIC_ROUTE = Route("/static/{version}/{name}", _serve, methods=["GET"])
