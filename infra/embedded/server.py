"""Starting, sharing and stopping the embedded server.

It listens on a Unix socket in a folder that only its user may enter, so it needs no password and no
free port, and nobody else on the machine can reach it.  Several processes may share one server: the
first starts it, the last one out stops it.  A server that was left behind (kill -9) is taken over
by whoever comes next, and one that was itself killed recovers from its log.

The wheel's own start-up code is not used: as root it opens every folder on the way to the data to
everybody and creates a user, and it gives up after ten seconds, which a recovery may need.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

import psutil

from infra.embedded.account import (
    Account,
    EmbeddedPostgresError,
    account_for,
    place_for,
    programs_for,
)

OWNER = "smarketing"
DATABASE = "smarketing"
_START_SECONDS = 120
_STOP_SECONDS = 60
_MAX_LOG_BYTES = 10 * 1024 * 1024

_SOCKET = ".s.PGSQL.5432"
# sun_path holds 104 bytes on macOS and 108 on Linux, with the closing NUL.
_MAX_SOCKET_PATH = 103
# A comma or a colon in a host would be taken for several hosts, or for a port.
_PLAIN_PATH = re.compile(r"[\w./+@-]+", re.ASCII)

_SETTINGS = """\
# Written anew at every start by infra/embedded.
listen_addresses = ''
port = 5432
unix_socket_directories = '{socket_folder}'
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = '128MB'
max_wal_size = '1GB'
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_checkpoints = off
log_line_prefix = '%m [%p] %q%u@%d '
default_text_search_config = 'pg_catalog.english'
"""
# A test's data need not outlive a power cut.
_UNSAFE_SETTINGS = """\
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
"""


class EmbeddedPostgres:
    """One server with its data under `folder`.

    With `durable=False` it is fast and not safe: data that was not shut down in order is thrown
    away at the next start instead of being trusted.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder.absolute()
        self.durable = durable
        self._in_use: IO[str] | None = None

    def url(self, database: str = DATABASE, *, user: str = OWNER) -> str:
        """Return where to connect, as libpq, asyncpg and SQLAlchemy read it."""
        host = quote(str(self._socket_folder), safe="")
        return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?host={host}"

    def start(self) -> None:
        """Start the server, or join the one that is running.  A second call does nothing.

        Raises:
            EmbeddedPostgresError: if it cannot be started.
        """
        if self._in_use:
            return
        with self._starting_or_stopping():
            self._in_use = (self.folder / "in_use.lock").open("a")
            fcntl.flock(self._in_use, fcntl.LOCK_SH)
            try:
                self._ensure_running()
            except BaseException:
                self._leave()
                raise

    def stop(self) -> None:
        """Leave the server, and stop it if nobody else is using it."""
        if self._in_use:
            with self._starting_or_stopping():
                self._leave()

    def destroy(self) -> None:
        """Remove the server with all its data.

        Raises:
            EmbeddedPostgresError: if somebody is using it.
        """
        if not self.folder.exists():
            return
        with self._starting_or_stopping(), (self.folder / "in_use.lock").open("a") as lock:
            if not _alone(lock):
                raise EmbeddedPostgresError(
                    f"The database in {self.folder} is in use: stop the program that uses it first."
                )
            self._stop_server(signal.SIGQUIT)
            for folder in (self._place, self._socket_folder):
                shutil.rmtree(folder, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # Who is here

    @contextmanager
    def _starting_or_stopping(self) -> Iterator[None]:
        """Keep everybody else from starting or stopping meanwhile."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / "start.lock").open("a")
        except OSError as error:
            raise EmbeddedPostgresError(
                f"Cannot write to {self.folder}: {error.strerror}.  Was it made by another user?"
            ) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _leave(self) -> None:
        # The kernel gives up the lock of a process that died, so nobody is counted for ever.
        lock, self._in_use = self._in_use, None
        if lock is None:
            return
        with lock:
            if _alone(lock):
                self._stop_server(signal.SIGINT)

    # Where things are

    @cached_property
    def _account(self) -> Account:
        return account_for(self.folder / "server")

    @cached_property
    def _programs(self) -> Path:
        return programs_for(self._account)

    @cached_property
    def _place(self) -> Path:
        return place_for(self.folder, self._account)

    @property
    def _data(self) -> Path:
        return self._place / "data"

    @property
    def _log(self) -> Path:
        return self._place / "log"

    @cached_property
    def _socket_folder(self) -> Path:
        path = str(self._place / _SOCKET)
        if len(path.encode()) <= _MAX_SOCKET_PATH and _PLAIN_PATH.fullmatch(path):
            return self._place
        # Not TMPDIR, which differs between the processes that share the server.
        name = hashlib.sha256(str(self._place).encode()).hexdigest()[:16]
        return Path("/tmp") / f"smarketing-{name}"  # noqa: S108 - private: see Account.own

    # The server

    def _ensure_running(self) -> None:
        postmaster = self._postmaster()
        if postmaster and self._comes_up(postmaster):
            return
        if not self.durable and (self._data / "postmaster.pid").exists():
            shutil.rmtree(self._data)
        if self._data.exists():
            self._check_version()
        else:
            self._create_data()
        self._start_server()

    def _postmaster(self) -> psutil.Process | None:
        """Return the running server of this data, whoever started it."""
        try:
            pid = int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
            process = psutil.Process(pid)
        except (OSError, ValueError, psutil.Error):
            return None
        return process if _works_in(process, self._data) else None

    def _comes_up(self, postmaster: psutil.Process) -> bool:
        """Wait for a server that may still be recovering; False if it went away instead."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._is_ready():
                return True
            if self._postmaster() != postmaster:
                return False
            time.sleep(0.1)
        raise EmbeddedPostgresError(
            f"The server in {self._place} (process {postmaster.pid}) runs but does not answer."
        )

    def _is_ready(self) -> bool:
        isready = self._programs / "pg_isready"
        return self._account.run([isready, "-h", self._socket_folder]).returncode == 0

    def _check_version(self) -> None:
        found = (self._data / "PG_VERSION").read_text().strip()
        ours = self._run("postgres", "--version").split()[-1].split(".")[0]
        if found == ours:
            return
        if self.durable:
            raise EmbeddedPostgresError(
                f"The data in {self._place} was written by PostgreSQL {found}, and this is {ours}."
                "  `make demo RESET=1` begins afresh."
            )
        shutil.rmtree(self._data)
        self._create_data()

    def _create_data(self) -> None:
        """Make the data aside and rename it, so that what has the right name is complete."""
        unfinished = self._place / "data.unfinished"
        self._account.own(self._place)
        shutil.rmtree(unfinished, ignore_errors=True)
        where: list[str | Path] = ["-D", unfinished]
        self._run(
            "initdb",
            *where,
            f"--username={OWNER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
            "--no-sync",  # once, below, when all of it is there
        )
        self._run("postgres", "--single", *where, "postgres", stdin=f"CREATE DATABASE {DATABASE}\n")
        if self.durable:
            self._run("initdb", "--sync-only", *where)
        unfinished.rename(self._data)

    def _start_server(self) -> None:
        self._remove_stale_marks()
        if self._socket_folder != self._place:
            self._account.own(self._socket_folder)
        settings = _SETTINGS.format(socket_folder=self._socket_folder)
        settings += "" if self.durable else _UNSAFE_SETTINGS
        (self._data / "postgresql.conf").write_text(settings)
        if self._log.exists() and self._log.stat().st_size > _MAX_LOG_BYTES:
            self._log.unlink()
        try:
            self._run("pg_ctl", "start", "-D", self._data, "-l", self._log, "-w",
                      "-t", str(_START_SECONDS), timeout=_START_SECONDS + 10)  # fmt: skip
        except EmbeddedPostgresError as error:
            raise EmbeddedPostgresError(f"{error}\n{_end_of(self._log)}") from error

    def _remove_stale_marks(self) -> None:
        """Remove the lock files of a server that was killed.

        PostgreSQL does so itself, except when the process number has a new owner (a container that
        was started again) or nobody collects its dead parent.  It also makes sure that no child of
        the killed server is still writing, so we must.
        """
        deadline = time.monotonic() + _STOP_SECONDS
        while any(_works_in(process, self._data) for process in psutil.process_iter()):
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"Processes of a server that was killed are still at work in {self._data}."
                )
            time.sleep(0.1)
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        (self._socket_folder / f"{_SOCKET}.lock").unlink(missing_ok=True)

    def _stop_server(self, how: signal.Signals) -> None:
        """Stop the server: SIGINT closes it in order, SIGQUIT just ends it."""
        deadline = time.monotonic() + _STOP_SECONDS
        postmaster = self._postmaster()
        if postmaster:
            with suppress(psutil.NoSuchProcess):
                postmaster.send_signal(how)
        # Not `pg_ctl stop`: it waits in vain for a dead process that nobody collects.
        while postmaster and self._postmaster() == postmaster:
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"The server in {self._place} (process {postmaster.pid}) does not stop."
                )
            time.sleep(0.02)

    def _run(
        self, program: str, *arguments: str | Path, stdin: str = "", timeout: float = 120
    ) -> str:
        try:
            done = self._account.run(
                [self._programs / program, *arguments], stdin=stdin, timeout=timeout
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise EmbeddedPostgresError(f"{program} could not be run: {error}") from error
        if done.returncode:
            raise EmbeddedPostgresError(f"{program} failed: {done.stdout.strip()}")
        return done.stdout


def _alone(lock: IO[str]) -> bool:
    """Say whether nobody else holds the lock, and keep them out if so."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _works_in(process: psutil.Process, data: Path) -> bool:
    """Say whether a process is a server's: they all work inside their data."""
    try:
        return Path(process.cwd()).samefile(data)
    except (OSError, psutil.Error):
        return False


def _end_of(log: Path) -> str:
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-15:])
    except OSError:
        return ""
