"""Says what is missing on this machine, and how to get it.

`make` runs it as a plain file before anything is installed, so it keeps to the standard library and
to what an old Python can read; `smarketing doctor` runs it again with all there is.
"""

import argparse
import asyncio
import os
import platform
import shutil
import socket
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Iterator, List, Mapping, NamedTuple, Optional, Tuple
from urllib.parse import parse_qs, urlsplit

OLDEST_PYTHON = (3, 11)
NEWEST_PYTHON = (3, 14)
OLDEST_POSTGRES = 15
NEEDED_BYTES = 1024**3
_PATIENCE_SECONDS = 5


class Finding(NamedTuple):
    """One thing looked at.  Without advice it is well."""

    what: str
    advice: Optional[str] = None


def examine(environ: Mapping[str, str], *, root: Path, serving: bool = True) -> Iterator[Finding]:
    """Look at everything that `make` needs, the cheapest first."""
    yield python_version(sys.version_info[:2])
    yield venv_module()
    yield writable(root)
    yield free_space(root)
    url = environ.get("DATABASE_URL", "").strip()
    yield (
        reachable_database(url)
        if url
        else embedded_server(sys.platform, platform.machine(), platform.libc_ver()[0])
    )
    if serving:
        yield free_port(environ.get("HOST", "").strip(), environ.get("PORT", "").strip())


def python_version(version: Tuple[int, ...]) -> Finding:
    """Say whether this Python is one that the locked packages are made for."""
    what = "Python {}.{}".format(*version)
    if OLDEST_PYTHON <= version <= NEWEST_PYTHON:
        return Finding(what)
    oldest, newest = ("{}.{}".format(*bound) for bound in (OLDEST_PYTHON, NEWEST_PYTHON))
    return Finding(
        what,
        f"Python {oldest} to {newest} is needed.  Install one, or point at it: "
        f"`make demo PYTHON=/path/to/python{oldest}`.",
    )


def venv_module() -> Finding:
    """Say whether a virtual environment with pip can be made (Debian packs that separately)."""
    missing = [name for name in ("venv", "ensurepip") if find_spec(name) is None]
    if not missing:
        return Finding("venv and pip")
    version = "{}.{}".format(*sys.version_info[:2])
    return Finding(
        "venv and pip",
        f"Python's module {' and '.join(missing)} is missing.  "
        f"On Debian and Ubuntu: `apt-get install python{version}-venv`.",
    )


def writable(root: Path) -> Finding:
    """Say whether `.venv` and `.local` can be made and written to."""
    for folder in (root, root / ".venv", root / ".local"):
        if not folder.exists():
            continue
        try:
            with tempfile.NamedTemporaryFile(dir=str(folder)):
                pass
        except OSError as error:
            return Finding(
                f"{root} can be written to",
                f"Cannot write to {folder}: {error.strerror}.  If it was made by another user "
                "(root?), give it back with `chown -R`, or clone into a folder of your own.",
            )
    return Finding(f"{root} can be written to")


def free_space(root: Path, needed: int = NEEDED_BYTES) -> Finding:
    """Say whether the environment and a database have room."""
    free = shutil.disk_usage(str(root)).free
    what = f"{free / 1024**3:.1f} GiB free"
    if free >= needed:
        return Finding(what)
    return Finding(what, f"Make room on the disk of {root}: about 1 GiB is needed.")


def embedded_server(system: str, machine: str, libc: str) -> Finding:
    """Say whether there is an embedded PostgreSQL for this kind of machine."""
    what = f"embedded PostgreSQL for {system} {machine}"
    usual = machine.lower() in ("x86_64", "amd64", "aarch64", "arm64")
    if usual and (system == "darwin" or (system == "linux" and libc == "glibc")):
        return Finding(what)
    return Finding(
        what,
        "There is none for this kind of machine.  Set DATABASE_URL to a PostgreSQL "
        f"{OLDEST_POSTGRES} or later of your own, or use the Dockerfile.",
    )


def free_port(host: str = "", port: str = "") -> Finding:
    """Say whether we could listen where we are told to."""
    host, port = host or "127.0.0.1", port or "8000"
    what = f"port {port} on {host}"
    if not (port.isdigit() and 0 < int(port) < 65536):
        return Finding(what, f"PORT must be a number from 1 to 65535, not {port!r}.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, int(port)))
    except PermissionError:
        return Finding(what, "Ports below 1024 are for root: choose another with `PORT=8000`.")
    except OSError as error:
        return Finding(
            what, f"{error.strerror}.  Stop what uses it, or choose another: `make demo PORT=8001`."
        )
    return Finding(what)


def reachable_database(url: str) -> Finding:
    """Say whether the server of DATABASE_URL answers, and, once asyncpg is there, lets us in."""
    what = "DATABASE_URL"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 5432
    except ValueError:
        return Finding(what, "DATABASE_URL is not an address: postgresql://user:password@host/name")
    if parts.scheme not in ("postgres", "postgresql", "postgresql+asyncpg"):
        return Finding(what, "DATABASE_URL must begin with postgresql://")
    host = parse_qs(parts.query).get("host", [host])[0] or "localhost"
    what = f"PostgreSQL at {host}:{port}"
    try:
        _connect(host, port)
    except OSError as error:
        return Finding(what, f"No answer ({error}).  Is the server running, is DATABASE_URL right?")
    if find_spec("asyncpg") is None:
        return Finding(what)
    return asyncio.run(_signed_in(what, url))


def _connect(host: str, port: int) -> None:
    if not host.startswith("/"):
        socket.create_connection((host, port), timeout=_PATIENCE_SECONDS).close()
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(_PATIENCE_SECONDS)
        client.connect(f"{host}/.s.PGSQL.{port}")


async def _signed_in(what: str, url: str) -> Finding:
    import asyncpg

    address = url.replace("postgresql+asyncpg://", "postgresql://", 1)
    try:
        connection = await asyncpg.connect(address, timeout=_PATIENCE_SECONDS)
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return Finding(what, f"The server refuses us: {error}")
    try:
        version = (await connection.fetchval("SHOW server_version")).split()[0]
        creates = await connection.fetchval(
            "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
        )
    finally:
        await connection.close()
    what = what.replace("PostgreSQL", f"PostgreSQL {version}", 1)
    if int(version.split(".")[0]) < OLDEST_POSTGRES:
        return Finding(what, f"It is too old: PostgreSQL {OLDEST_POSTGRES} or later is needed.")
    if not creates:
        return Finding(
            what, "The user of DATABASE_URL must be allowed to create roles (CREATEROLE)."
        )
    return Finding(what)


def main(arguments: Optional[List[str]] = None) -> int:
    """Print what was found; return 1 if something needs doing."""
    parser = argparse.ArgumentParser(description="Say what is missing on this machine.")
    parser.add_argument("--quiet", action="store_true", help="only what needs doing")
    parser.add_argument("--not-serving", action="store_true", help="do not look at the port")
    chosen = parser.parse_args(arguments)
    root = Path(__file__).resolve().parent.parent
    ill = False
    for finding in examine(os.environ, root=root, serving=not chosen.not_serving):
        ill = ill or finding.advice is not None
        if finding.advice:
            print(f"✗ {finding.what}\n  {finding.advice}", file=sys.stderr)
        elif not chosen.quiet:
            print(f"✓ {finding.what}")
    return 1 if ill else 0


if __name__ == "__main__":
    sys.exit(main())
