"""GraphQL over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import orjson
import structlog
from graphql import OperationType
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.engine import (
    Engine,
    ErrorCode,
    GraphQLRequest,
    GraphQLResponse,
    Operation,
    OperationContext,
    OperationFailed,
)
from api.engine.masking import BUG
from api.transport.body import Refused, from_body, from_query, read_body, require_json
from api.transport.gate import Gate, Visitor
from api.transport.negotiation import MediaType, preferred
from api.transport.paying import Payer, rate_limit_fields
from api.transport.sessions import (
    Authenticate,
    Session,
    Shutdown,
    Unauthenticated,
    request_id_of,
)
from api.transport.shedding import Turns
from api.transport.sse import EventStream, StreamSettings, one_answer
from domain.errors import OutcomeUnknown, Unavailable

log = structlog.get_logger(__name__)

PREFLIGHT_HEADERS = ("authorization", "x-requested-with", "graphql-require-preflight")
"""Headers that a browser does not send to another origin without asking first."""

Explorer = Callable[[Request], Awaitable[Response]]
Run = Callable[[Operation, OperationContext, Headers], Awaitable[GraphQLResponse]]
"""Answers an operation that came with some headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """Bounds of one HTTP request, in bytes and seconds."""

    body_limit: int = 1024 * 1024
    deadline: float = 30.0
    """From the first byte of the body to the answer.  A stream only has to be open by then."""
    retry_after: int = 1
    trusted_origins: frozenset[str] = frozenset()
    """Origins whose pages may send requests that need no preflight."""
    stream: StreamSettings = field(default_factory=StreamSettings)


class HttpEndpoint:
    """Answers GraphQL requests on one path; an ASGI application for a Starlette `Route`."""

    def __init__(
        self,
        engine: Engine,
        authenticate: Authenticate,
        *,
        settings: HttpSettings | None = None,
        shutdown: Shutdown | None = None,
        turns: Turns | None = None,
        explorer: Explorer | None = None,
        run: Run | None = None,
        gate: Gate | None = None,
    ) -> None:
        self._engine = engine
        self._run = run or _runner(engine)
        self._gate = gate or Gate(engine=engine)
        self._authenticate = authenticate
        self._settings = settings or HttpSettings()
        self._shutdown = shutdown or Shutdown()
        self._turns = turns or Turns.without_end()
        self._explorer = explorer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        with self._engine.gauges.counting("requests"):
            response = await self.respond(request)
        await response(scope, receive, send)

    async def respond(self, request: Request) -> Response:
        """Return the answer to one request, whatever is wrong with it."""
        exchange = Exchange(
            request_id=request_id_of(request), retry_after=self._settings.retry_after
        )
        try:
            exchange.media = preferred(request.headers)
            if self._explorer is not None and _wants_page(request):
                return await self._explorer(request)
            async with asyncio.timeout(self._settings.deadline):
                return await self._answer(request, exchange)
        except Refused as refused:
            return exchange.refuse(refused)
        except Unauthenticated as error:
            return exchange.refuse(_unauthenticated(error))
        except Unavailable as error:
            return exchange.refuse(_unavailable(error, exchange))
        except TimeoutError:
            return exchange.refuse(_late(exchange))
        except Exception:
            log.exception("graphql.request_failed", request_id=exchange.request_id)
            return exchange.refuse(Refused(500, BUG, code=ErrorCode.INTERNAL_SERVER_ERROR))

    async def _answer(self, request: Request, exchange: Exchange) -> Response:
        if exchange.media is None:
            raise Refused(406, "Accept application/graphql-response+json or application/json.")
        _require_method(request)
        if request.method == "POST":
            require_json(request.headers)
        refuse_foreign(request, self._settings.trusted_origins)
        session = await self._authenticate(request, None)
        visitor = self._gate.visitor(session, request)
        exchange.payer = visitor.payer
        self._gate.admit(visitor)
        asked = await self._read(request)
        try:
            operation = await self._gate.plan(asked, visitor)
        except OperationFailed as failure:
            return self._request_error(request, exchange, session, failure)
        if request.method == "GET" and operation.kind is OperationType.MUTATION:
            raise Refused(405, "Send mutations by POST.", headers={"Allow": "POST"})
        if operation.kind is OperationType.SUBSCRIPTION:
            return self._subscribe(request, exchange, visitor, operation)
        context = session.context(request, exchange.request_id)
        async with self._engine.lane(operation), self._turns.turn():
            exchange.changes = operation.kind is OperationType.MUTATION
            answer = await self._run(operation, context, request.headers)
        return self._write(request, exchange, session, answer)

    async def _read(self, request: Request) -> GraphQLRequest:
        if request.method == "GET":
            return from_query(request)
        return from_body(await read_body(request, limit=self._settings.body_limit))

    def _subscribe(
        self, request: Request, exchange: Exchange, visitor: Visitor, operation: Operation
    ) -> Response:
        if preferred(request.headers, (MediaType.EVENTS,)) is None:
            raise Refused(406, "Accept text/event-stream, or subscribe by WebSocket.")
        session, crowd, who = visitor.session, self._gate.crowd, visitor.who
        places = (crowd.at(who), crowd.connection(who), crowd.subscription(who))
        for place in places:
            place.require()
        context = session.context(request, exchange.request_id)
        try:
            answers = self._engine.subscribe(operation, context)
        except OperationFailed as failure:
            return self._request_error(request, exchange, session, failure)
        return EventStream(
            answers,
            request=request,
            session=session,
            shutdown=self._shutdown,
            gauges=self._engine.gauges,
            settings=self._settings.stream,
            headers=exchange.headers,
            places=places,
        )

    def _request_error(
        self, request: Request, exchange: Exchange, session: Session, failure: OperationFailed
    ) -> Response:
        """Answer a request that was refused before execution.

        In JSON wherever the client reads it.  Only one that reads nothing but events gets the
        errors as an event, because an EventSource cannot see the body of a 400.
        """
        answer = self._engine.refuse(failure, exchange.request_id)
        if exchange.media is MediaType.EVENTS:
            json = preferred(request.headers, (MediaType.JSON, MediaType.GRAPHQL))
            exchange.media = json or MediaType.EVENTS
        return self._write(request, exchange, session, answer)

    def _write(
        self, request: Request, exchange: Exchange, session: Session, answer: GraphQLResponse
    ) -> Response:
        if exchange.media is not MediaType.EVENTS:
            return exchange.answer(answer)
        return EventStream(
            one_answer(answer),
            request=request,
            session=session,
            shutdown=self._shutdown,
            gauges=self._engine.gauges,
            settings=self._settings.stream,
            headers={**exchange.headers, **answer.headers},
        )


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request on its way to an answer: its id, and what the answer is written in."""

    request_id: str
    media: MediaType | None = None
    payer: Payer | None = None
    changes: bool = False
    """Whether something may have been changed by now."""
    retry_after: int = 1

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of every answer."""
        return {
            "Cache-Control": "no-store",
            "Vary": "Accept",
            "X-Content-Type-Options": "nosniff",
            "X-Request-Id": self.request_id,
            **rate_limit_fields(self.payer.allowances if self.payer else ()),
        }

    def answer(self, answer: GraphQLResponse) -> Response:
        """Write an answer, with the status that its media type wants.

        `application/json` may come from any server on the way, so its status says nothing of
        the GraphQL in it; `application/graphql-response+json` can only come from us.
        """
        if answer.unavailable:
            return self._write(answer.body, 503, {"Retry-After": str(self.retry_after)})
        refused = not answer.executed and self.media is MediaType.GRAPHQL
        return self._write(answer.body, 400 if refused else 200, answer.headers)

    def refuse(self, refused: Refused) -> Response:
        """Write a refusal as GraphQL clients expect it: as errors."""
        error = refused.error
        error["extensions"]["requestId"] = self.request_id
        return self._write(orjson.dumps({"errors": [error]}), refused.status, refused.headers)

    def _write(self, body: bytes, status: int, headers: Mapping[str, str]) -> Response:
        json = self.media if self.media is MediaType.GRAPHQL else MediaType.JSON
        content_type = {"Content-Type": f"{json}; charset=utf-8"}
        return Response(body, status, {**self.headers, **headers, **content_type})


def refuse_foreign(request: Request, trusted: frozenset[str]) -> None:
    """Refuse what a browser sends for another site without having asked us first.

    A POST of JSON has been asked for.  A GET has not, unless it carries a header of ours; then
    browsers say where it comes from, and programs that are no browsers say nothing.
    """
    headers = request.headers
    if request.method == "POST" or any(name in headers for name in PREFLIGHT_HEADERS):
        return
    origin = headers.get("origin")
    if origin in trusted:
        return
    site = headers.get("sec-fetch-site", "none")
    if site not in ("none", "same-origin") or not _same_origin(origin, headers):
        raise Refused(
            403,
            "Requests of other sites must carry a header GraphQL-Require-Preflight.",
            code=ErrorCode.FORBIDDEN,
        )


def _same_origin(origin: str | None, headers: Headers) -> bool:
    return origin is None or urlsplit(origin).netloc == headers.get("host", "")


def _runner(engine: Engine) -> Run:
    async def run(
        operation: Operation, context: OperationContext, headers: Headers
    ) -> GraphQLResponse:
        return await engine.run(operation, context)

    return run


def _wants_page(request: Request) -> bool:
    """Tell a browser that opens the address from a client that sends a query."""
    accept = request.headers.get("accept", "")
    asked = "query" in request.query_params or "documentId" in request.query_params
    return request.method == "GET" and not asked and "text/html" in accept


def _require_method(request: Request) -> None:
    if request.method not in ("GET", "POST"):
        raise Refused(405, "Send GraphQL by GET or POST.", headers={"Allow": "GET, POST"})


def _unauthenticated(error: Unauthenticated) -> Refused:
    return Refused(
        401,
        str(error) or "The credentials are not good.",
        code=ErrorCode.UNAUTHENTICATED,
        headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
    )


def _late(exchange: Exchange) -> Refused:
    """Refuse what took too long.  A change may have been committed in the very last moment."""
    unknown = OutcomeUnknown.outcome if exchange.changes else Unavailable.outcome
    return Refused(
        503,
        "The answer took too long.",
        code=ErrorCode.SERVICE_UNAVAILABLE,
        headers={"Retry-After": str(exchange.retry_after)},
        extensions={"outcome": unknown},
    )


def _unavailable(error: Unavailable, exchange: Exchange) -> Refused:
    return Refused(
        503,
        error.message,
        code=ErrorCode.SERVICE_UNAVAILABLE,
        headers={"Retry-After": str(exchange.retry_after)},
        extensions={"outcome": error.outcome},
    )
