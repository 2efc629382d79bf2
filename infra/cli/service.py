"""`smarketing demo`, `serve`, `worker` and `migrate`: running the service."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote, urlsplit

import typer

from infra.cli.faults import CommandFailed

if TYPE_CHECKING:
    from infra.demo.seeding import Demo
    from infra.settings import Settings

APP = "api.app:from_environment"

Host = Annotated[str | None, typer.Option(help="Where to listen; HOST if left out.")]
Port = Annotated[int | None, typer.Option(help="On which port; PORT, or 8000, if left out.")]
Processes = Annotated[
    int | None, typer.Option(help="How many processes share the port; PROCESSES, or 1.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(demo)
    app.command()(serve)
    app.command()(worker)
    app.command()(migrate)


def serve(
    *,
    host: Host = None,
    port: Port = None,
    processes: Processes = None,
    no_worker: Annotated[
        bool,
        typer.Option(
            "--no-worker", help="Answer requests only; `smarketing worker` does the rest."
        ),
    ] = False,
) -> None:
    """Serve, on the database of DATABASE_URL."""
    from infra.cli.environment import settings

    changes = {"HOST": host, "PORT": port, "PROCESSES": processes, "WORKER": no_worker and 0}
    found = settings({name: str(value) for name, value in changes.items() if _given(value)})
    # Takes a second, so only for settings that are right; below too.
    from infra import serving

    listener = serving.listen(found)
    asyncio.run(_require_schema(found))
    asyncio.run(_announce_first_run(found))
    serving.serve(APP, found, listener)


def worker() -> None:
    """Run what runs beside the requests, in a process of its own."""
    from infra.cli.environment import settings

    found = settings()
    import uvloop

    from infra.logs import configure_logs

    configure_logs(log_format=found.log_format, level=found.log_level)
    asyncio.run(_require_schema(found))
    uvloop.run(_work(found))


def migrate() -> None:
    """Bring the database of DATABASE_URL to the newest schema, and set its roles right."""
    from infra.cli.environment import database_settings

    asyncio.run(_migrate(database_settings()))
    typer.echo("The database has the newest schema.")


def demo(
    *,
    reset: Annotated[bool, typer.Option("--reset", help="Begin afresh.")] = False,
    host: Host = None,
    port: Port = None,
) -> None:
    """Show everything at once: a database, a believable company, and the service."""
    from infra.checkout import LOCAL
    from infra.embedded import EmbeddedPostgres

    memory = LOCAL / "demo.json"
    changes = {"HOST": host, "PORT": port}
    given = {name: str(value) for name, value in changes.items() if _given(value)}
    if os.environ.get("DATABASE_URL", "").strip():
        if reset:
            raise CommandFailed(
                "RESET=1 clears the demo's own database only; yours is yours to clear."
            )
        _show(given, _memory_of(os.environ["DATABASE_URL"]))
        return
    server = EmbeddedPostgres(LOCAL / "demo")
    if reset:
        server.destroy()
        memory.unlink(missing_ok=True)
    with server:
        _show({**given, "DATABASE_URL": server.url()}, memory)


def _memory_of(url: str) -> Path:
    """Return where to remember what is shown once about the demo in a database elsewhere."""
    from infra.checkout import LOCAL

    parts = urlsplit(url)
    place = f"{parts.hostname}:{parts.port}{parts.path}?{parts.query}"
    return LOCAL / f"demo-{hashlib.sha256(place.encode()).hexdigest()[:12]}.json"


def _show(changes: dict[str, str], memory: Path) -> None:
    from infra import serving
    from infra.cli.environment import settings
    from infra.jobs import DEMO

    found = settings({**changes, DEMO: str(memory)})
    listener = serving.listen(found)
    _welcome(asyncio.run(_prepare(found, memory)), found)
    serving.serve(APP, found, listener)


async def _prepare(settings: Settings, memory: Path) -> Demo:
    from infra.demo.seeding import prepare
    from infra.serving import open_services

    await _migrate(settings)
    async with open_services(settings) as services:
        return await prepare(services.accounts, memory, typer.echo)


def _welcome(demo: Demo, settings: Settings) -> None:
    """Say where to look, who to be, and what to type first."""
    url = f"http://{settings.host}:{settings.port}"
    people = "\n".join(
        f"    {user.email:<28} {user.role.lower():<8} {user.name}"
        for user in demo.company.people.values()
    )
    query = '{"query": "{ viewer { tenant { name } permissions } slas { nodes { id name } } }"}'
    feed = '{"query": "subscription { clockTransitions { at state lead { email } } }"}'
    typer.echo(f"""
  The board     {demo.board_url}
  Closed loop   {demo.board_url}/closed-loop
  The explorer  {url}/graphql
  The mailbox   {url}/dev/mail
  What is here  {url}/

  Sign in (tenant {demo.company.tenant.slug}) with the password {demo.password} as
{people}

  API key       {demo.api_key}

  A first query, and a first subscription:
    curl -s {url}/graphql -H 'authorization: Bearer {demo.api_key}' \\
      -H 'content-type: application/json' -d '{query}'
    curl -sN {url}/graphql -H 'authorization: Bearer {demo.api_key}' \\
      -H 'content-type: application/json' -H 'accept: text/event-stream' -d '{feed}'

  Ctrl-C stops everything; the data stays.
""")


async def _migrate(settings: Settings) -> None:
    from infra.migrate import upgrade

    def password(url: str) -> str | None:
        found = urlsplit(url).password
        return None if found is None else unquote(found)

    await upgrade(
        settings.database_url,
        app_password=password(settings.app_database_url),
        platform_password=password(settings.platform_database_url),
    )


async def _require_schema(settings: Settings) -> None:
    """Refuse to start where nothing could be answered."""
    from infra.database import Database
    from infra.health import Health

    database = await Database.connect(
        settings.app_database_url, settings.platform_database_url, size=1
    )
    try:
        fault = await Health(database).fault()
    finally:
        await database.close()
    if fault:
        raise CommandFailed(f"Cannot serve: {fault}.")


async def _announce_first_run(settings: Settings) -> None:
    """Print what the first tenant is made with, as long as there is none."""
    from infra.serving import open_services

    async with open_services(settings) as services:
        token = await services.first_run.announce()
    if token is not None:
        typer.echo(f"""
  There is no tenant yet.  Make the first one with the mutation installationSetUp, at
  {settings.public_url}/graphql, and this token, which works once and until the next start:

    {token}
""")


async def _work(settings: Settings) -> None:
    from infra.jobs import jobs_of
    from infra.serving import open_services, until_told_to_stop
    from infra.worker import Worker

    async with open_services(settings) as services:
        found = Worker(services.database, services.hub, jobs=jobs_of(services))
        await found.start()
        try:
            await until_told_to_stop()
        finally:
            await found.stop()


def _given(value: object) -> bool:
    return value is not None and value is not False
