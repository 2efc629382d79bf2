"""Running the service: what a process opens, and the server around it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType

import uvicorn
from uvicorn._types import ASGIApplication
from uvicorn.supervisors import Multiprocess

from infra.checkout import LOCAL
from infra.database import Database
from infra.live import Hub, PostgresBus
from infra.services import Services
from infra.settings import Settings
from infra.signing import UrlSigner
from infra.signing_keys import SigningKeys
from infra.tokens import AccessTokens
from infra.tracing import tracing

UNSENT_BYTES = 64 * 1024


class CannotListen(Exception):
    """The address is taken, or not ours."""


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Open what one process needs, and close it again."""
    with tracing(os.environ):
        async with _opened(settings) as services:
            yield services


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Services]:
    database = await Database.connect(
        settings.app_database_url, settings.platform_database_url, size=settings.pool_size
    )
    try:
        yield Services(
            settings=settings,
            database=database,
            hub=Hub(PostgresBus(settings.app_database_url)),
            tokens=AccessTokens(
                keys=signing_keys(settings), issuer=settings.issuer, audience=settings.public_url
            ),
            signer=UrlSigner(settings.secret),
        )
    finally:
        await database.close()


def signing_keys(settings: Settings) -> SigningKeys:
    """Return the keys of the settings, or, in development, those of this checkout."""
    if settings.signing_keys is None:
        return SigningKeys.for_development(LOCAL / "signing-keys.pem")
    return SigningKeys.from_pem(settings.signing_keys)


def listen(settings: Settings) -> socket.socket:
    """Take the address to serve on.

    Raises:
        CannotListen: saying why not.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        # Otherwise the kernel takes megabytes for a reader who reads nothing, and we never hear
        # that he does not.  Connections have it from their listener.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise CannotListen(
            f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}."
        ) from error
    listener.set_inheritable(True)
    return listener


def serve(app: str, settings: Settings, listener: socket.socket) -> None:
    """Serve until told to stop.

    Args:
        app: Where the factory of the application is, as "module:function"; every process calls
            it for itself, with the settings of the environment.
    """
    config = server_config(app, settings)
    with _leaving_quietly():
        if settings.processes == 1:
            uvicorn.Server(config).run(sockets=[listener])
        else:
            with _shared_figures():
                Multiprocess(config, sockets=[listener]).run()


def server_config(app: ASGIApplication | str, settings: Settings) -> uvicorn.Config:
    """Return how the server around an application is set up."""
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=settings.processes,
        lifespan="on",
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        # Anybody can say where he comes from; only our own proxies are believed.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=settings.shutdown_seconds,
        ws_max_size=settings.limits.message_bytes,
        ws_max_queue=16,
        # Pings are the GraphQL protocol's own, and compression costs 50 KiB a connection.
        ws_ping_interval=None,
        ws_per_message_deflate=False,
    )


@contextmanager
def _leaving_quietly() -> Iterator[None]:
    """End with success on SIGTERM and Ctrl-C, which the server raises again when it is done."""

    def leave(*_: object) -> None:
        raise SystemExit(0)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _shared_figures() -> Iterator[None]:
    """Give the processes a folder in which to add up their figures."""
    with tempfile.TemporaryDirectory(prefix="smarketing-figures-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        yield


@contextmanager
def on_termination(tell: Callable[[], None]) -> Iterator[None]:
    """Call a function as soon as this process is told to stop, before the server acts on it.

    The server waits for open streams before it tells the application to stop, so the streams must
    be told first.  Does nothing outside the main thread, where signals do not arrive.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(tell)
        previous = before[signal.Signals(number)]
        if callable(previous):
            previous(number, frame)

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


async def until_told_to_stop() -> None:
    """Wait for SIGTERM or Ctrl-C."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    await told.wait()
