"""`smarketing documents`: what front ends may ask for by id, and whether for nothing else."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from infra.cli.faults import CommandFailed
from infra.edge_limits import DocumentMode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.settings import Settings
    from infra.trusted_documents import Entry

commands = typer.Typer(
    help="The documents that front ends may ask for by id.", no_args_is_help=True
)

Client = Annotated[
    str, typer.Option(help="The front end, by the name it sends as GraphQL-Client-Name.")
]
LONGEST_NAME = 80
_SHOWN = 20


@commands.command()
def upload(
    *,
    manifest: Annotated[
        Path,
        typer.Argument(
            help="What the front end's tool wrote: of codegen, relay-compiler or Apollo.",
            exists=True,
            dir_okay=False,
        ),
    ],
    client: Client,
) -> None:
    """Add a manifest's documents, all of them or, if one cannot run, none."""
    from infra.cli.environment import database_settings
    from infra.trusted_documents import BadManifest, Keeper, entries_of
    from infra.trusted_documents.keeping import AliasTaken

    _require_name(client)
    settings = database_settings()
    try:
        entries = entries_of(manifest.read_bytes())
        asyncio.run(_require_fit(entries, settings))
        change = asyncio.run(Keeper(settings.database_url).upload(client, entries))
    except (BadManifest, AliasTaken) as error:
        raise CommandFailed(str(error)) from error
    typer.echo(f"{client}: {change.added} added, {change.unchanged} there already.")
    for entry in entries:
        if entry.alias is not None:
            typer.echo(f"  {entry.alias} is {entry.id}")


@commands.command("list")
def list_() -> None:
    """List the clients, how each may ask, and how many documents it has."""
    from infra.cli.environment import database_settings
    from infra.trusted_documents import Keeper

    table = Table("client", "mode", "documents", "last upload", "last used", box=None)
    for shelf in asyncio.run(Keeper(database_settings().database_url).shelves()):
        added = "" if shelf.added_at is None else f"{shelf.added_at:%Y-%m-%d %H:%M}"
        used = str(shelf.used_on or "")
        table.add_row(shelf.client, shelf.mode.value, str(shelf.documents), added, used)
    Console(highlight=False).print(table)


@commands.command()
def mode(
    *,
    how: Annotated[
        DocumentMode, typer.Argument(help="only: ids alone; allow: texts too; off: no ids.")
    ],
    client: Client,
) -> None:
    """Say how a client may ask.  TRUSTED_DOCUMENTS says it for all, and the stricter holds."""
    from infra.cli.environment import database_settings
    from infra.trusted_documents import Keeper

    _require_name(client)
    asyncio.run(Keeper(database_settings().database_url).set_mode(client, how))
    typer.echo(f"{client}: {how.value}, within two seconds everywhere.")


@commands.command()
def remove(
    *,
    client: Client,
    unused_since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Only what was neither uploaded nor asked for since then."
        ),
    ] = None,
) -> None:
    """Remove a client's documents."""
    from infra.cli.environment import database_settings
    from infra.trusted_documents import Keeper
    from infra.trusted_documents.keeping import UnknownClient

    day = unused_since and unused_since.replace(tzinfo=UTC).date()
    keeper = Keeper(database_settings().database_url)
    try:
        count = asyncio.run(keeper.remove(client, unused_since=day))
    except UnknownClient as error:
        raise CommandFailed(str(error)) from error
    typer.echo(f"{client}: {count} removed.")


async def _require_fit(entries: Sequence[Entry], settings: Settings) -> None:
    """Refuse documents that the service could not run: by the schema, or by its limits."""
    from api.edge import document_limits
    from api.engine import Documents, OperationFailed
    from api.schema import schema

    documents, faults = Documents(schema()._schema, document_limits(settings.limits)), []
    try:
        for entry in entries:
            try:
                await documents.prepare(entry.text)
            except OperationFailed as failure:
                faults += [_placed(entry, error) for error in failure.errors]
    finally:
        documents.close()
    if faults:
        more = [f"… and {len(faults) - _SHOWN} more."] if len(faults) > _SHOWN else []
        raise CommandFailed("\n".join(["Nothing was uploaded.", *faults[:_SHOWN], *more]))


def _placed(entry: Entry, error: dict[str, object]) -> str:
    locations = error.get("locations")
    place = locations[0] if isinstance(locations, list) and locations else None
    where = f" line {place['line']}, column {place['column']}" if place else ""
    return f"{entry.alias or entry.id}{where}: {error['message']}"


def _require_name(client: str) -> None:

    if not client.isprintable() or not 0 < len(client.strip()) == len(client) <= LONGEST_NAME:
        raise CommandFailed(f"A client's name has 1 to {LONGEST_NAME} characters.")
