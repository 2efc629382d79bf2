"""A server on a free port, in the loop of the tests."""

import asyncio
import contextlib
import socket
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute

from api.engine import Engine, Gauges
from api.transport import HttpEndpoint, HttpSettings, Shutdown, SocketEndpoint, SocketSettings
from api.transport.http import Explorer
from tests.api.engine.world import Door, World, an_engine


class Server(uvicorn.Server):
    """uvicorn in the loop of the tests, which keep the signals for themselves."""

    def capture_signals(self):
        return contextlib.nullcontext()


@dataclass
class Site:
    """A running server and everything a test may want to see or set."""

    world: World
    engine: Engine
    door: Door
    shutdown: Shutdown
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/graphql"

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/graphql"

    @property
    def gauges(self) -> Gauges:
        return self.engine.gauges

    async def settled(self) -> Gauges:
        """Wait, a minute at most, until everything is closed again, and return the gauges."""
        with contextlib.suppress(TimeoutError):
            await until(lambda: self.gauges == Gauges())
        return self.gauges


async def until(condition) -> None:
    """Wait, a minute at most, until something holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  # the world has no event for everything
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def a_site(
    *,
    http: HttpSettings | None = None,
    sockets: SocketSettings | None = None,
    explorer: Explorer | None = None,
):
    world = World()
    engine, door, shutdown = an_engine(), Door(world), Shutdown()
    app = Starlette(
        routes=[
            Route(
                "/graphql",
                HttpEndpoint(engine, door, settings=http, shutdown=shutdown, explorer=explorer),
            ),
            WebSocketRoute(
                "/graphql", SocketEndpoint(engine, door, settings=sockets, shutdown=shutdown)
            ),
        ]
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(
        uvicorn.Config(
            app,
            log_config=None,
            lifespan="off",
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=2,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await until(lambda: server.started)
    try:
        yield Site(world, engine, door, shutdown, listener.getsockname()[1])
    finally:
        shutdown.begin()
        await engine.aclose()
        server.should_exit = True
        await serving
        listener.close()
