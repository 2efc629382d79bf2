"""`smarketing explorer`: the files of GraphiQL, which are not part of our source."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import tarfile
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from infra.cli.faults import CommandFailed

if TYPE_CHECKING:
    from api.web.graphiql import Package

commands = typer.Typer(help="The GraphQL explorer in the browser.", no_args_is_help=True)
_SECONDS = 60
_PATIENCE = ("--fetch-retries=1", "--fetch-timeout=20000")
_STAYS = "the explorer at /graphql stays the small one"


@commands.callback()
def group() -> None:
    """Keep `fetch` a command of its own, though it is the only one."""


@commands.command()
def fetch(
    *,
    archives: Annotated[
        Path | None,
        typer.Option("--from", help="Take packages that lie here already, packed by npm."),
    ] = None,
    lenient: Annotated[
        bool, typer.Option("--lenient", help="If it cannot be had, say so and succeed.")
    ] = False,
) -> None:
    """Bring GraphiQL with npm, check every byte of it, and put it where /graphql finds it."""
    from api.web.graphiql import FOLDER, hashes

    if all(_is(FOLDER / name, digest) for name, digest in hashes().items()):
        return
    try:
        _bring(archives, FOLDER)
    except CommandFailed as fault:
        if not lenient:
            raise
        typer.echo(f"  without GraphiQL: {fault}")
        return
    typer.echo(f"GraphiQL is in {FOLDER}")


def _bring(archives: Path | None, folder: Path) -> None:
    try:
        if archives is not None:
            return install(archives, folder)
        with TemporaryDirectory(prefix="graphiql-") as downloaded:
            _download(Path(downloaded))
            install(Path(downloaded), folder)
    except OSError as error:
        raise CommandFailed(f"it cannot be kept ({error}), so {_STAYS}.") from error


def install(archives: Path, folder: Path) -> None:
    """Take the files out of packages packed by npm, all or none.

    Raises:
        CommandFailed: if a package is missing, or is not the one we know.
    """
    from api.web.graphiql import packages

    files: dict[str, bytes] = {}
    for name, package in packages().items():
        files |= _unpacked(archives / f"{name.replace('@', '-')}.tgz", package)
    draft = folder.with_name(f"{folder.name}.{os.getpid()}")
    try:
        draft.mkdir(parents=True)
        for file_name, content in files.items():
            (draft / file_name).write_bytes(content)
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _download(folder: Path) -> None:
    from api.web.graphiql import packages

    npm = shutil.which("npm")
    if npm is None:
        raise CommandFailed(f"npm is not installed, so {_STAYS}.")
    command = [npm, "pack", "--silent", "--ignore-scripts", *_PATIENCE, *packages()]
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=_SECONDS)  # noqa: S603  names from our own file
    except (subprocess.SubprocessError, OSError) as error:
        raise CommandFailed(f"npm could not fetch it, so {_STAYS}.") from error


def _unpacked(archive: Path, package: Package) -> dict[str, bytes]:
    """Return the files we take out of an archive, which is opened only if it is the one we know."""
    kind, _, expected = package.archive.partition("-")
    content = archive.read_bytes() if archive.is_file() else b""
    if hashlib.new(kind, content).digest() != base64.b64decode(expected):
        raise CommandFailed(f"{archive.name} is not the package we know, so {_STAYS}.")
    with tarfile.open(archive) as packed:
        members = {path: packed.extractfile(f"package/{path}") for path in package.files}
        return {
            PurePosixPath(path).name: member.read() for path, member in members.items() if member
        }


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest
