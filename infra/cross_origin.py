"""Which other sites' pages may use the API from a browser (CORS)."""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from infra.settings import ANY_ORIGIN, Environment, Settings

# A front end under development, on whatever port its tools chose.
_LOCAL = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?"
_MAY_SEND = (
    "Apollo-Require-Preflight",
    "Apollographql-Client-Name",
    "Apollographql-Client-Version",
    "Authorization",
    "GraphQL-Client-Name",
    "GraphQL-Require-Preflight",
    "Idempotency-Key",
    "Last-Event-ID",
    "Traceparent",
    "Tracestate",
    "X-Request-Id",
    "X-Requested-With",
)
_MAY_READ = (
    "Idempotency-Replayed",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-Id",
)
_REMEMBERED_SECONDS = 7200  # no browser remembers the answer to a preflight for longer


# Where pages of any site may get the script and send beacons: each site has origins of its own.
_OTHERS_PAGES = ("/t/", "/t.js")


class _CrossOrigin(CORSMiddleware):
    """What the API's answers need; public addresses say themselves who may use them."""

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_OTHERS_PAGES):
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def cross_origin(settings: Settings) -> Middleware:
    """Return what tells browsers whose pages may read our answers.

    There are no cookies, so a page of another site can only ever use a token it was given.
    """
    local = settings.environment is Environment.DEVELOPMENT
    return Middleware(
        _CrossOrigin,
        allow_origins=settings.allowed_origins,
        allow_origin_regex=_LOCAL if local else None,
        allow_methods=("GET", "POST", "PUT"),
        allow_headers=_MAY_SEND,
        expose_headers=_MAY_READ,
        max_age=_REMEMBERED_SECONDS,
    )


def trusted_origins(settings: Settings) -> frozenset[str]:
    """Return the origins whose pages may also send what browsers do not ask about first."""
    return settings.allowed_origins - {ANY_ORIGIN}
