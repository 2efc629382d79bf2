"""One process of the service: its routes, and what runs beside them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from api.auth import Authenticator, Session, jwks
from api.board import BOARD_DOCUMENT
from api.board_page import BoardSession, board_routes
from api.closed_loop import CLOSED_LOOP_DOCUMENT
from api.closed_loop_page import closed_loop_routes
from api.edge import Edge
from api.engine import Engine, ErrorCode, GraphQLRequest, OperationFailed, unavailable
from api.idempotency import Once
from api.schema import kinds, schema
from api.tracking.collecting import Collector
from api.tracking.receiving import Receiver
from api.tracking.routes import tracking_routes
from api.transport import HttpEndpoint, Shedding, Shutdown, SocketEndpoint, Turns
from api.transport.sessions import request_id_of, session_over
from api.uploads import upload_routes
from api.web.admission import DOCUMENTS, admission_routes
from api.web.explorer import Explorer
from api.web.letters import letter_routes
from api.web.loop_payload import Model, Window
from api.web.mailbox import mailbox_routes
from domain.errors import Unavailable
from infra.cross_origin import cross_origin
from infra.health import Health
from infra.jobs import jobs_of
from infra.logs import configure_logs
from infra.mail.sending import mailbox_of
from infra.metrics import CONTENT_TYPE, REQUESTS, Figures, exposition
from infra.middleware import AccessLog, SecureHeaders
from infra.pauses import keep_pauses_short
from infra.services import Services
from infra.serving import on_termination, open_services
from infra.settings import Settings
from infra.tracing import Requests, operation_span
from infra.worker import Loop, Worker

FIGURES_SECONDS = 1.0
# Whoever has waited so long for his turn is told to come again.
TURN_SECONDS = 1.0


def from_environment() -> Starlette:
    """Return the application as the environment describes it, for uvicorn to call."""
    settings = Settings.from_env(os.environ)
    configure_logs(log_format=settings.log_format, level=settings.log_level)
    schema()
    keep_pauses_short()
    return create_app(settings)


def create_app(
    settings: Settings, *, jobs: Callable[[Services], Mapping[str, Loop]] = jobs_of
) -> Starlette:
    """Return the application.  It opens everything when it starts, and closes it when it stops."""

    turns = Turns(
        running=settings.pool_size, waiting=settings.limits.waiting, wait_seconds=TURN_SECONDS
    )

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_services(settings) as services:
            process = Process(services, jobs(services), turns)
            app.state.process = process
            async with process.running():
                app.router.routes.extend(process.routes())
                yield

    secure = settings.public_url.startswith("https://")
    middleware = [
        Middleware(
            Shedding, turns=turns, on_refusal=REQUESTS.labels("/graphql", "POST", "503").inc
        ),
        Middleware(Requests),
        Middleware(AccessLog),
        Middleware(SecureHeaders, secure=secure),
        cross_origin(settings),
    ]
    return Starlette(
        middleware=middleware,
        lifespan=lifespan,
        exception_handlers={Unavailable: _try_again},
    )


class Process:
    """What one process has, put together."""

    def __init__(self, services: Services, jobs: Mapping[str, Loop], turns: Turns) -> None:
        settings = services.settings
        self.turns = turns
        self.services = services
        self.shutdown = Shutdown()
        self.edge = Edge(services)
        self.engine = Engine(
            schema()._schema, self.edge.document_limits, kinds=kinds(), traced=operation_span
        )
        self.authenticator = Authenticator(services)
        self.health = Health(services.database)
        self.worker = Worker(services.database, services.hub, relays=settings.worker, jobs=jobs)
        self.figures = Figures(self.worker, self._open_now)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the loops; at the end, and on SIGTERM at once, tell the streams to end."""
        with on_termination(self.shutdown.begin):
            await self.worker.start()
            refreshing = asyncio.create_task(self._refresh(), name="figures")
            await self.edge.start()
            try:
                yield
            finally:
                self.shutdown.begin()
                refreshing.cancel()
                await self.engine.aclose()
                await self.edge.stop()
                await self.worker.stop()

    def routes(self) -> Sequence[BaseRoute]:
        """Return every address of the service."""
        known, edge, explorer = self.authenticator.authenticate, self.edge, Explorer()
        gate = edge.gate(
            self.engine, own=[BOARD_DOCUMENT, CLOSED_LOOP_DOCUMENT, *DOCUMENTS, *explorer.documents]
        )
        http = HttpEndpoint(
            self.engine,
            known,
            settings=edge.http_settings,
            shutdown=self.shutdown,
            turns=self.turns,
            explorer=explorer.show,
            run=Once(self.engine, self.services.settings.secret).run,
            gate=gate,
        )
        sockets = SocketEndpoint(
            self.engine,
            known,
            settings=edge.socket_settings,
            shutdown=self.shutdown,
            turns=self.turns,
            gate=gate,
        )
        return [
            Route("/graphql", http),
            WebSocketRoute("/graphql", sockets),
            *board_routes(self._board, stall_seconds=self.services.settings.limits.send_seconds),
            *closed_loop_routes(
                self._closed_loop, stall_seconds=self.services.settings.limits.send_seconds
            ),
            explorer.route,
            *admission_routes(),
            *mailbox_routes(mailbox_of(self.services.settings)),
            *letter_routes(self.services.letter_stops),
            *upload_routes(self.services),
            *tracking_routes(self._beacons()),
            Route("/healthz", _alive),
            Route("/readyz", self._ready),
            Route("/metrics", self._metrics),
            Route("/.well-known/jwks.json", jwks(self.services.tokens)),
        ]

    def _beacons(self) -> Receiver:
        database = self.services.database
        return Receiver(
            site_of=self.authenticator.site,
            payer_of=self.edge.payer_of_page,
            keep=Collector(database.work).keep,
            most_bytes=self.services.settings.limits.beacon_bytes,
        )

    async def _board(self, request: Request, token: str) -> BoardSession | None:
        session = await self.authenticator.board(token)
        if session is None:
            return None
        return LivePicture(self, session, request, "board", GraphQLRequest(query=BOARD_DOCUMENT))

    async def _closed_loop(
        self, request: Request, token: str, window: Window, model: Model
    ) -> BoardSession | None:
        session = await self.authenticator.board(token)
        if session is None:
            return None
        chosen = {"window": window.value, "model": model.value}
        asked = GraphQLRequest(query=CLOSED_LOOP_DOCUMENT, variables=chosen)
        return LivePicture(self, session, request, "closedLoop", asked)

    async def _ready(self, _: Request) -> Response:
        """Say whether this process can answer requests now."""
        fault: str | None = "stopping"
        if not self.shutdown.begun:
            try:
                fault = await self.health.fault()
            except Unavailable:
                fault = "the database does not answer"
        answer = {"status": "ready"} if fault is None else {"status": "not ready", "fault": fault}
        return JSONResponse(answer, 200 if fault is None else 503, {"Cache-Control": "no-store"})

    async def _metrics(self, _: Request) -> Response:
        self.figures.refresh()
        headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
        return Response(exposition(), headers=headers)

    async def _refresh(self) -> None:
        """Keep the figures fresh for whichever process is asked for all of them."""
        while True:
            self.figures.refresh()
            await asyncio.sleep(FIGURES_SECONDS)

    def _open_now(self) -> Mapping[str, int]:
        gauges, database = self.engine.gauges, self.services.database
        return {
            "requests": gauges.requests,
            "sockets": gauges.sockets,
            "streams": gauges.streams,
            "operations": gauges.operations,
            "cohorts": gauges.cohorts,
            "members": gauges.members,
            "sources": gauges.sources,
            "watches": self.services.hub.watches,
            "waiting": self.turns.waiting,
            "connections": database.app.get_size() + database.platform.get_size(),
            "connections_idle": database.app.get_idle_size() + database.platform.get_idle_size(),
        }


@dataclass(frozen=True, slots=True)
class LivePicture:
    """One wall board's view of its tenant: a subscription, for as long as its link is good."""

    process: Process
    session: Session
    connection: HTTPConnection
    field: str
    asked: GraphQLRequest

    async def snapshot(self) -> Mapping[str, Any]:
        """Return the picture as it stands."""
        try:
            async with aclosing(self._answers()) as answers:
                async for answer in answers:
                    picture: Mapping[str, Any] = orjson.loads(answer)["data"][self.field]
                    return picture
        except OperationFailed as failed:
            if failed.code == ErrorCode.SERVICE_UNAVAILABLE:
                raise Unavailable from failed
            raise
        raise RuntimeError(f"the {self.field} has no answer")

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Yield the picture whenever it changes, until the link is revoked or we stop."""
        ends = [
            asyncio.create_task(session_over(self.session)),
            asyncio.create_task(self.process.shutdown.wait()),
        ]
        try:
            async with aclosing(self._until(ends)) as answers:
                async for answer in answers:
                    yield answer
        except OperationFailed:
            # The subscription fails when the link is revoked; the page asks again, and is told.
            return
        finally:
            for end in ends:
                end.cancel()
            await asyncio.gather(*ends, return_exceptions=True)

    async def _until(self, ends: Sequence[asyncio.Task[None]]) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._answers()) as answers:
            while (answer := await _unless_over(anext(answers, None), ends)) is not None:
                yield answer

    async def _answers(self) -> AsyncGenerator[bytes, None]:
        engine, request_id = self.process.engine, request_id_of(self.connection)
        operation = await engine.plan(self.asked)
        context = self.session.context(self.connection, request_id)
        async with aclosing(engine.subscribe(operation, context)) as payloads:
            async for payload in payloads:
                yield payload.body


async def _unless_over(
    coming: Awaitable[bytes | None], ends: Sequence[asyncio.Task[None]]
) -> bytes | None:
    """Return what is coming, or None when one of the ends is reached before."""
    task = asyncio.ensure_future(coming)
    try:
        await asyncio.wait([task, *ends], return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        if not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _try_again(_: Request, error: Exception) -> Response:
    """Answer what is no GraphQL while the database is out of reach."""
    reason = error if isinstance(error, Unavailable) else Unavailable()
    headers = {"Cache-Control": "no-store", "Retry-After": "1"}
    return JSONResponse({"errors": [unavailable(reason)]}, 503, headers)


async def _alive(_: Request) -> Response:
    return PlainTextResponse("alive\n", headers={"Cache-Control": "no-store"})
