"""What every answer carries, and what is noted of every request."""

from __future__ import annotations

import re
import uuid
from time import perf_counter

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.logs import bind_request
from infra.metrics import REQUEST_SECONDS, REQUESTS

log = structlog.get_logger("smarketing.access")

# Asked every second by machines, and of interest to nobody when they are well.
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_YEAR = 31_536_000
_REQUEST_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}")


class AccessLog:
    """Gives each request an id, and notes route, status and time.

    The route, not the path: the addresses of boards and uploads are keys.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = _identified(scope)
        note = Note(scope, request_id, send)
        with bind_request(request_id):
            try:
                await self._app(scope, receive, note.send)
            finally:
                note.write()


class Note:
    """What is noted of one request."""

    def __init__(self, scope: Scope, request_id: str, send: Send) -> None:
        self._scope = scope
        self._request_id = request_id
        self._send = send
        self._began = perf_counter()
        self._status = 500 if scope["type"] == "http" else 101
        self._streams = False

    async def send(self, message: Message) -> None:
        """Pass a message on, with the request's id."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("X-Request-Id", self._request_id)
            self._status = message["status"]
            self._streams = headers.get("content-type", "").startswith("text/event-stream")
        elif message["type"] == "websocket.close":
            self._status = message.get("code", 1000)
        await self._send(message)

    def write(self) -> None:
        """Log and count the request, now that it is over."""
        route = getattr(self._scope.get("route"), "path", "none")
        socket = self._scope["type"] == "websocket"
        method = "WEBSOCKET" if socket else self._scope["method"]
        method = method if socket or method in _METHODS else "OTHER"
        seconds = perf_counter() - self._began
        REQUESTS.labels(route, method, str(self._status)).inc()
        if not (socket or self._streams):
            REQUEST_SECONDS.labels(route).observe(seconds)
        if route in _QUIET and self._status < 500:
            return
        log.info(
            "request",
            method=method,
            route=route,
            status=self._status,
            milliseconds=round(seconds * 1000, 1),
        )


class SecureHeaders:
    """Forbids browsers what our answers never need; a page that needs more says so itself."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._headers = {
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        if secure:
            self._headers["Strict-Transport-Security"] = f"max-age={_YEAR}; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _identified(scope: Scope) -> str:
    """Return the request's id; a new one is put among the headers, so that all use the same."""
    given = Headers(scope=scope).get("x-request-id", "")
    if _REQUEST_ID.fullmatch(given):
        return given
    made = uuid.uuid4().hex
    kept = [(name, value) for name, value in scope["headers"] if name != b"x-request-id"]
    scope["headers"] = [*kept, (b"x-request-id", made.encode())]
    return made
