"""The whole application on a free port: in the loop of the tests, or in processes of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from typing_extensions import override

from api.app import create_app
from api.engine import Gauges
from domain.identity import Role
from infra.accounts import Accounts
from infra.passwords import Passwords
from infra.serving import listen, server_config, signing_keys
from infra.settings import Settings
from infra.tokens import AccessTokens
from tests.conftest import ROOT, DatabaseUrls
from tests.ports import free_port
from tests.world import World

SECRET = "a-secret-of-the-tests-that-is-long-enough"
START_SECONDS = 120


def environment(urls: DatabaseUrls, port: int, **more: str) -> dict[str, str]:
    """Return what a process of the service is told."""
    return {
        "DATABASE_URL": urls.owner,
        "APP_DATABASE_URL": urls.app,
        "PLATFORM_DATABASE_URL": urls.platform,
        "SMARKETING_SECRET": SECRET,
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "LOG_FORMAT": "json",
        # A busy machine is no reason to refuse what a test asks for.
        "REQUEST_TIMEOUT_SECONDS": "60",
        "MAIL_URL": (ROOT / ".local" / "mail-of-tests").as_uri(),
        **more,
    }


class Server(uvicorn.Server):
    """uvicorn in the loop of the tests, which keep the signals for themselves."""

    @override
    def capture_signals(self) -> Any:
        return contextlib.nullcontext()


@dataclass
class Site:
    """The application, served."""

    app: Starlette
    settings: Settings

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    async def settled(self) -> bool:
        """Wait, a minute at most, until nothing is open any more."""
        gauges: Gauges = self.app.state.process.engine.gauges
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(60):
                while gauges != Gauges():  # noqa: ASYNC110  # nobody announces it
                    await asyncio.sleep(0.01)
        return gauges == Gauges()


@contextlib.asynccontextmanager
async def a_site(
    urls: DatabaseUrls, *, port: int | None = None, turn_seconds: float = 60, **more: str
) -> AsyncIterator[Site]:
    """Serve the application in this loop, on the port of one that was there before if given.

    Who finds all turns taken waits so long for one: nobody is turned away for a busy machine.
    """
    port = port or free_port()
    settings = Settings.from_env(environment(urls, port, **more))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("api.app.TURN_SECONDS", turn_seconds)
        app = create_app(settings)
    server = Server(server_config(app, settings))
    serving = asyncio.create_task(server.serve(sockets=[listen(settings)]))
    while not server.started:
        assert not serving.done(), "the application did not start"
        await asyncio.sleep(0.01)
    try:
        yield Site(app, settings)
    finally:
        app.state.process.shutdown.begin()
        server.should_exit = True
        await serving


async def key_of(site: Site | Started, world: World, role: Role = Role.ADMIN) -> str:
    """Return an API key of a tenant, for a site."""
    return (await accounts_of(site.settings, world).issue_api_key(
        world.actor(), name="tests", role=role
    )).secret  # fmt: skip


def accounts_of(settings: Settings, world: World) -> Accounts:
    keys = signing_keys(settings)
    tokens = AccessTokens(keys=keys, issuer=settings.issuer, audience=settings.public_url)
    return Accounts(
        world.database, Passwords(), tokens, settings.public_url, secret=settings.secret
    )


@dataclass
class Started:
    """The service in processes of its own, as `smarketing serve` starts them."""

    process: subprocess.Popen[bytes]
    settings: Settings
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to stop; return its exit code."""
        self.process.send_signal(how)
        return self.process.wait(START_SECONDS)


@contextlib.contextmanager
def a_process(
    urls: DatabaseUrls, folder: Path, *arguments: str, at: int | None = None, **more: str
) -> Iterator[Started]:
    """Start the service in processes of its own, and wait until it is ready."""
    port = at or free_port()
    told = environment(urls, port, **more)
    log = folder / f"{port}.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.cli", "serve", *arguments],
            env={**_inherited(), **told},
            stdout=stream,
            stderr=stream,
            cwd=ROOT,
        )
    try:
        _wait_until_ready(process, f"http://127.0.0.1:{port}/readyz", log)
        yield Started(process, Settings.from_env(told), log)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _inherited() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR")}


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    # One client: making one takes as long as a twentieth of a start.
    with httpx.Client(timeout=60) as client:
        while process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(httpx.TransportError):
                if client.get(url).status_code == 200:
                    return
            time.sleep(0.05)
    raise AssertionError(f"the service did not start:\n{log.read_text()}")
