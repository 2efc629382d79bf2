"""`smarketing schema`: the GraphQL schema as a file, for those who build on it."""

from __future__ import annotations

import difflib
from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from infra.checkout import ROOT

commands = typer.Typer(help="The GraphQL schema.", no_args_is_help=True)
FILE = ROOT / "api" / "schema.graphql"
RELEASES = ROOT / "api" / "releases"
_SHOWN = 40


@commands.command()
def export(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if the file is out of date.")
    ] = False,
    file: Annotated[Path, typer.Option(help="Where it stands.")] = FILE,
) -> None:
    """Write the schema, sorted, so that a change shows as what it is."""
    text = sdl()
    if not check:
        file.write_text(text, encoding="utf-8", newline="\n")
        typer.echo(f"Wrote {file}")
        return
    kept = file.read_text(encoding="utf-8") if file.exists() else ""
    if kept == text:
        return
    lines = difflib.unified_diff(kept.splitlines(), text.splitlines(), "file", "code", lineterm="")
    typer.echo("\n".join(list(lines)[:_SHOWN]), err=True)
    typer.echo(f"{file.name} is out of date: run `smarketing schema export`.", err=True)
    raise typer.Exit(code=1)


@commands.command()
def diff(
    *, releases: Annotated[Path, typer.Option(help="Where the last release is kept.")] = RELEASES
) -> None:
    """Say what has changed for clients since the last release; fail on what nobody reviewed."""
    from rich.console import Console

    from infra.releases import compare

    found, console = compare(sdl(), releases), Console(highlight=False, soft_wrap=True)
    console.print(f"Since {found.release}: {len(found.changes)} changes that clients may notice.")
    for change in found.changes:
        kind = "breaks" if change.breaking else "may break"
        console.print(f"{kind}: {change.what}", markup=False)
        console.print(f"  {change.reason or 'not reviewed'}", markup=False)
    for what in found.stale:
        console.print(f"reviewed, but no change: {what}", markup=False)
    if not found.settled:
        console.print(f"Give reasons in {releases / 'reviewed.toml'}.", markup=False)
        raise typer.Exit(code=1)


@commands.command()
def release(
    *, releases: Annotated[Path, typer.Option(help="Where the last release is kept.")] = RELEASES
) -> None:
    """Keep the schema as that of this version, for later changes to be compared with."""
    from infra import __version__
    from infra.releases import release as keep

    typer.echo(f"Wrote {keep(sdl(), __version__, releases)}")


@cache
def sdl() -> str:
    """Return the schema in its definition language."""
    from graphql import build_schema, lexicographic_sort_schema, print_schema

    from api.schema import schema

    # By way of the text, because Strawberry's own kinds of types do not survive the sorting.
    return print_schema(lexicographic_sort_schema(build_schema(schema().as_str()))) + "\n"
