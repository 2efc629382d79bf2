from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import asyncpg
import psutil
import pytest

from infra.embedded import EmbeddedPostgres, EmbeddedPostgresError, account
from infra.embedded.account import Account, programs_for

ROOT = Path(__file__).parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else")


@pytest.fixture
def place():
    """Return a folder that every account can get to, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="smarketing-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def server(place):
    server = EmbeddedPostgres(place / "postgres", durable=False)
    yield server
    server.stop()
    server.destroy()


@pytest.fixture
def private(place, monkeypatch):
    """Return a folder of root's that no other account can get to."""
    monkeypatch.setattr(account, "SYSTEM_FOLDER", place / "system")
    folder = place / "private"
    folder.mkdir(mode=0o700)
    return folder


async def ask(server: EmbeddedPostgres, statement: str) -> object:
    connection = await asyncpg.connect(server.url())
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def postmaster(server: EmbeddedPostgres) -> psutil.Process:
    process = server._postmaster()
    assert process is not None
    return process


async def test_it_speaks_utf8_and_utc_and_its_data_survives_a_restart(server):
    server.start()
    await ask(server, "CREATE TABLE kept AS SELECT 'Zoë ✓' AS name")
    server.stop()
    assert server._postmaster() is None

    server.start()
    server.start()  # the second does nothing

    assert await ask(server, "SELECT name FROM kept") == "Zoë ✓"
    assert await ask(server, "SELECT lower('ÄÖ') || current_setting('timezone')") == "äöUTC"
    assert await ask(server, "SELECT current_setting('jit')") == "off"
    assert await ask(server, "SELECT current_database() || ' ' || current_user") == (
        "smarketing smarketing"
    )


async def test_the_second_joins_and_the_last_one_out_stops_it(server):
    second = EmbeddedPostgres(server.folder, durable=False)
    server.start()
    first_process = postmaster(server)

    second.start()
    assert second.url() == server.url()
    assert postmaster(second) == first_process
    server.stop()
    assert await ask(second, "SELECT 1") == 1
    with pytest.raises(EmbeddedPostgresError, match="is in use"):
        server.destroy()

    second.stop()
    assert server._postmaster() is None


def start_and_be_killed(folder: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from infra.embedded import *;"
        "EmbeddedPostgres(Path(sys.argv[1]), durable=False).start();"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program, folder], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL


async def test_a_server_left_behind_by_a_killed_program_is_taken_over(server):
    start_and_be_killed(server.folder)
    left_behind = postmaster(server)

    server.start()

    assert postmaster(server) == left_behind
    server.stop()
    assert server._postmaster() is None


async def test_a_demo_survives_kills_reboots_and_refuses_only_another_version(place):
    demo = EmbeddedPostgres(place / "demo")
    with demo:
        assert await ask(demo, "SELECT current_setting('fsync')") == "on"
        await ask(demo, "CREATE TABLE kept AS SELECT 7 AS n")
        postmaster(demo).kill()
    # The process number that a reboot gave to a stranger.
    (demo._data / "postmaster.pid").write_text(f"{os.getpid()}\n{demo._data}\n1\n5432\n\n\n\n")

    with demo:
        assert await ask(demo, "SELECT n FROM kept") == 7

    (demo._data / "PG_VERSION").write_text("13\n")
    with pytest.raises(EmbeddedPostgresError, match=r"PostgreSQL 13, and this is 18.*RESET=1"):
        demo.start()
    demo.destroy()
    assert not demo._place.exists()


async def test_unsafe_data_is_thrown_away_after_a_crash(server):
    server.start()
    await ask(server, "CREATE TABLE lost AS SELECT 7 AS n")
    postmaster(server).kill()
    server.stop()

    server.start()

    assert await ask(server, "SELECT to_regclass('lost')") is None


async def test_a_path_too_long_or_too_odd_for_a_socket_works(place):
    folder = place / ("deep " * 15).strip() / "a,b:c" / "postgres"
    with EmbeddedPostgres(folder, durable=False) as server:
        assert await ask(server, "SELECT 1") == 1
        assert stat.S_IMODE(server._socket_folder.stat().st_mode) == 0o700
    server.destroy()
    assert not server._socket_folder.exists()


async def test_an_initdb_cut_short_is_begun_afresh(server):
    server.start()
    server.stop()
    server._data.rename(server._place / "data.unfinished")

    server.start()

    assert await ask(server, "SELECT 1") == 1


def test_nobody_else_may_enter(server):
    server.start()

    for folder in (server._place, server._data, server._socket_folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_file_in_the_way_is_explained(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(EmbeddedPostgresError, match=r"Cannot write to .*file/postgres"):
        EmbeddedPostgres(tmp_path / "file" / "postgres").start()


def test_a_folder_made_by_somebody_else_is_not_taken_for_ours(tmp_path):
    (tmp_path / "planted").symlink_to(tmp_path)

    with pytest.raises(EmbeddedPostgresError, match="belongs to somebody else"):
        Account(os.geteuid(), os.getegid()).own(tmp_path / "planted")


@as_root
def test_the_private_folders_of_root_stay_private(private):
    with EmbeddedPostgres(private / "postgres", durable=False) as server:
        assert server._place.is_relative_to(account.SYSTEM_FOLDER)
        assert postmaster(server).uids().real != 0
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        kept = server._data
    shutil.rmtree(server.folder)

    # The folder was deleted, so what was put aside for it must not come back.
    again = EmbeddedPostgres(server.folder, durable=False)
    again.folder.mkdir()
    assert again._data == kept
    assert not kept.exists()


@as_root
def test_programs_that_the_account_cannot_reach_are_copied(private, monkeypatch):
    nobody = Account(65534, 65534)
    wheel = programs_for(Account(0, 0)).parents[1]
    package = private / wheel.name
    package.symlink_to(wheel)
    spec = SimpleNamespace(submodule_search_locations=[package])
    monkeypatch.setattr(account, "find_spec", lambda _: spec)

    programs = programs_for(nobody)

    assert programs.is_relative_to(account.SYSTEM_FOLDER)
    version = nobody.run([programs / "postgres", "--version"]).stdout
    assert version.startswith("postgres (PostgreSQL) 18")


@as_root
def test_an_ordinary_user_has_a_server_of_their_own(place):
    os.chown(place, 65534, 65534)
    program = (
        "import os, sys; from pathlib import Path; from infra.embedded import EmbeddedPostgres;"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534);"
        "server = EmbeddedPostgres(Path(sys.argv[1]), durable=False); server.start();"
        "print(server._place, server._postmaster().uids().real); server.stop();"
        "print(server._postmaster())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, place / "postgres"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
    assert done.stdout == f"{place}/postgres/server 65534\nNone\n"
