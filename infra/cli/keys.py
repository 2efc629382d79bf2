"""`smarketing keys`: the keys that sign access tokens, one after the other."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli.faults import CommandFailed

if TYPE_CHECKING:
    from infra.key_file import KeyFile

commands = typer.Typer(help="The keys that sign access tokens.", no_args_is_help=True)

Where = Annotated[
    Path | None,
    typer.Option("--file", help="The file; SIGNING_KEYS, or this checkout's, if left out."),
]


@commands.command("list")
def list_keys(*, file: Where = None) -> None:
    """Show each key by the name that tokens call it by, and what it is for."""
    _show(_read(file))


@commands.command()
def add(*, file: Where = None) -> None:
    """Make the next key, which is published when a process starts, and signs nothing yet."""
    _changed(_read(file, missing=True).added())


@commands.command()
def rotate(*, file: Where = None) -> None:
    """Let the next key sign.  The one before is honoured, and cannot sign any more."""
    _changed(_read(file).rotated())


@commands.command()
def prune(
    *,
    file: Where = None,
    now: Annotated[
        bool, typer.Option("--now", help="Even if tokens they signed may still be good.")
    ] = False,
) -> None:
    """Take away the keys that have signed, once the last tokens they signed have expired."""
    from infra.key_file import LAST_TOKENS

    found, today = _read(file), datetime.now(UTC)
    changed_at = datetime.fromtimestamp(found.path.stat().st_mtime, UTC)
    since = LAST_TOKENS if now else today - changed_at
    _changed(found.pruned(unchanged_for=since))


def _changed(file: KeyFile) -> None:
    file.write()
    _show(file)
    typer.echo("Restart the processes, one after the other.")


def _show(file: KeyFile) -> None:
    for name, part in file.listed:
        typer.echo(f"{name}  {part}")


def _read(given: Path | None, *, missing: bool = False) -> KeyFile:
    from infra.checkout import LOCAL
    from infra.key_file import KeyFile

    named = os.environ.get("SIGNING_KEYS", "").strip()
    if given is None and named.startswith("-----BEGIN "):
        raise CommandFailed("SIGNING_KEYS holds the keys themselves; name a file with --file.")
    path = given or (Path(named) if named else LOCAL / "signing-keys.pem")
    if not (missing or path.exists()):
        raise CommandFailed(f"There is no file {path}; `smarketing keys add` makes one.")
    try:
        return KeyFile.read(path)
    except (OSError, ValueError) as error:
        raise CommandFailed(f"{path} cannot be read: {error}") from error
