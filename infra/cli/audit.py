"""`smarketing audit`: whether the audit log is as it was written, and taking it elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

if TYPE_CHECKING:
    from domain.audit import AuditEntry, Head
    from infra.audit.verifying import Verdict
    from infra.database import Database

commands = typer.Typer(help="The audit log.", no_args_is_help=True)

_TENANTS = """
SELECT tenant_id, slug FROM directory WHERE $1::text IS NULL OR slug = $1 ORDER BY slug
"""
Slug = Annotated[str, typer.Option("--tenant", help="The tenant's short name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, a line for each tenant.")]


@commands.command()
def verify(
    *,
    tenant: Annotated[
        str | None, typer.Option(help="The tenant's short name; all of them if left out.")
    ] = None,
    expect: Annotated[
        str | None,
        typer.Option(help="What `audit head` printed earlier; with --tenant.", metavar="HEAD"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hold every entry against the one before it; name the first bad one and exit with 1."""
    from infra.cli.faults import FAILED, WRONG_USE

    if expect is not None and tenant is None:
        typer.echo("--expect is about one tenant: name it with --tenant.", err=True)
        raise typer.Exit(code=WRONG_USE)
    noted = None if expect is None else _head(expect)

    async def run(database: Database, tenants: list[tuple[UUID, str]]) -> bool:
        from infra.audit.verifying import verify

        sound = True
        for tenant_id, slug in tenants:
            verdict = await verify(database, tenant_id, expected=noted)
            typer.echo(_as_json(slug, verdict) if as_json else _told(slug, verdict))
            sound = sound and verdict.bad is None
        return sound

    if not asyncio.run(_over(tenant, run)):
        raise typer.Exit(code=FAILED)


@commands.command()
def head(*, tenant: Slug) -> None:
    """Print the newest entry's number and hash.

    Noted where whoever owns the database cannot reach, it proves later that nothing up to it was
    rewritten: `audit verify --expect`.
    """

    async def run(database: Database, tenants: list[tuple[UUID, str]]) -> str:
        from infra.audit.verifying import head_of

        return (await head_of(database, tenants[0][0])).anchor

    typer.echo(asyncio.run(_over(tenant, run)))


@commands.command()
def export(*, tenant: Slug) -> None:
    """Print the log as JSON, a line for each entry, with all that its hash is made of."""

    async def run(database: Database, tenants: list[tuple[UUID, str]]) -> None:
        from infra.audit.verifying import entries_of

        async for entry in entries_of(database, tenants[0][0]):
            typer.echo(_line(tenants[0][0], entry))

    asyncio.run(_over(tenant, run))


async def _over(slug: str | None, run: Callable[[Any, Any], Awaitable[Any]]) -> Any:
    """Run something over the tenants that are meant."""
    from domain.errors import NotFound

    async with _database() as database:
        rows = await database.platform.fetch(_TENANTS, slug)
        if slug is not None and not rows:
            raise NotFound(f"tenant {slug[:80]!r}")
        return await run(database, [(row["tenant_id"], row["slug"]) for row in rows])


@asynccontextmanager
async def _database() -> AsyncIterator[Database]:
    from infra.cli.environment import database_settings
    from infra.database import Database

    settings = database_settings()
    database = await Database.connect(
        settings.app_database_url, settings.platform_database_url, size=2
    )
    try:
        yield database
    finally:
        await database.close()


def _head(text: str) -> Head:
    from domain.audit import Head

    number, _, digits = text.partition(":")
    try:
        found = Head(int(number), bytes.fromhex(digits))
    except ValueError:
        found = Head(-1)
    if found.number < 0 or len(found.hash) != 32:
        raise typer.BadParameter("expected what `audit head` prints: 42:9f86d0…")
    return found


def _told(slug: str, verdict: Verdict) -> str:
    if verdict.bad is None:
        sound = f"{verdict.entries:,} entries, all as they were written"
        return f"{slug}: {sound} ({verdict.last.anchor})"
    bad = verdict.bad
    return f"{slug}: entry {bad.number} is bad, {bad.fault}: {bad.message}."


def _as_json(slug: str, verdict: Verdict) -> str:
    import orjson

    bad = verdict.bad
    return orjson.dumps(
        {
            "tenant": slug,
            "entries": verdict.entries,
            "last": verdict.last.anchor,
            "bad": bad and {"number": bad.number, "fault": bad.fault, "message": bad.message},
        }
    ).decode()


def _line(tenant_id: UUID, entry: AuditEntry) -> str:
    import msgspec
    import orjson

    from domain.audit import instant_text

    told = {
        **msgspec.to_builtins(entry),
        "at": instant_text(entry.at),
        "previous_hash": entry.previous_hash.hex(),
        "hash": entry.hash.hex(),
    }
    return orjson.dumps({"tenant_id": str(tenant_id), **told}).decode()
