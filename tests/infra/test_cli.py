from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from typer.testing import CliRunner, Result

from domain.events import TeamChanged
from domain.feed import LastNumber
from domain.ids import new_id
from infra import __version__
from infra.cli import app
from infra.cli.schema import sdl
from infra.cli.service import _memory_of
from tests.api.sites import SECRET
from tests.conftest import ROOT, DatabaseUrls
from tests.ports import free_port
from tests.world import World

Run = Callable[..., subprocess.CompletedProcess[str]]


def told(urls: DatabaseUrls | None, **more: str) -> dict[str, str]:
    """Return the environment of a command."""
    environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environ |= {"SMARKETING_SECRET": SECRET, "NO_COLOR": "1", "COLUMNS": "200"}
    if urls:
        environ |= {
            "DATABASE_URL": urls.owner,
            "APP_DATABASE_URL": urls.app,
            "PLATFORM_DATABASE_URL": urls.platform,
        }
    return environ | more


@pytest.fixture
def run(database_urls: DatabaseUrls) -> Run:
    """Return a function that runs `smarketing` on this worker's database."""

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return smarketing(*arguments, env=told(database_urls, **more))

    return run


def smarketing(
    *arguments: str, env: dict[str, str], stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "infra.cli", *arguments],
        cwd=ROOT,
        env=env,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def in_process(*arguments: str) -> Result:
    """Run a command that needs no process of its own, where the schema is loaded already."""
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """Return what a command that failed said: one line, and no traceback."""
    assert done.stdout == ""
    (line,) = done.stderr.strip().splitlines()
    return line


def test_it_says_what_it_can_do(run: Run) -> None:
    done = run("--help")

    assert done.returncode == 0
    for command in ("demo", "serve", "worker", "migrate", "doctor", "tenant", "import", "schema"):
        assert f" {command} " in done.stdout
    assert run("version").stdout == f"{__version__}\n"


def test_a_missing_setting_is_named() -> None:
    for command in ("serve", "worker", "migrate"):
        done = smarketing(command, env=told(None))
        assert done.returncode == 2
        assert one_line(done).startswith("DATABASE_URL is not set")


def test_a_wrong_setting_is_named_and_no_password_shown(run: Run) -> None:
    done = run("serve", PORT="eighty")
    assert (done.returncode, one_line(done)) == (2, "PORT must be a whole number, not 'eighty'.")

    done = run("migrate", DATABASE_URL="mysql://me:hunter22@here/x")
    assert done.returncode == 2
    assert "hunter22" not in one_line(done)


def test_a_database_that_is_away_is_said_to_be_away(tmp_path: Path) -> None:
    url = f"postgresql://me@/none?host={tmp_path}"
    for command in ("serve", "worker", "migrate"):
        done = smarketing(command, env=told(None, DATABASE_URL=url, PORT=str(free_port())))
        assert done.returncode == 1
        assert one_line(done).startswith("The database cannot be reached:")


def test_a_port_that_is_taken_is_said_to_be_taken(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--port", str(port))
    assert done.returncode == 1
    assert one_line(done) == f"Cannot listen on 127.0.0.1 port {port}: Address already in use."


async def test_a_database_without_a_schema_is_not_served_until_it_is_migrated(
    empty_database: str,
) -> None:
    env = told(DatabaseUrls.of(empty_database), PORT=str(free_port()))

    refused = smarketing("serve", env=env)
    migrated, again = smarketing("migrate", env=env), smarketing("migrate", env=env)

    assert refused.returncode == 1
    assert one_line(refused).endswith("columns: run `smarketing migrate`.")
    for done in (migrated, again):
        assert (done.returncode, done.stdout) == (0, "The database has the newest schema.\n")
    connection = await asyncpg.connect(empty_database)
    assert await connection.fetchval("SELECT count(*) FROM directory") == 0
    await connection.close()


TENANT = (
    *("tenant", "create"),
    *("--name", "Acme", "--owner-name", "Olive", "--owner-email", "olive@acme.example"),
)


async def test_a_tenant_is_made_with_its_owner(run: Run, database_urls: DatabaseUrls) -> None:
    slug = f"t{new_id().hex[-10:]}"

    done = run(*TENANT, slug, SMARKETING_PASSWORD="violet-harbour-nineteen-otter")
    again = run(*TENANT, slug, SMARKETING_PASSWORD="violet-harbour-nineteen-otter")

    assert done.returncode == 0, done.stderr
    assert done.stdout == f"Made {slug} (Acme); olive@acme.example is its owner.\n"
    assert again.returncode == 1
    assert slug in one_line(again)
    assert await tenants(database_urls, slug) == ["Acme"]


async def test_a_tenant_that_cannot_be_is_refused(run: Run, database_urls: DatabaseUrls) -> None:
    slug = f"t{new_id().hex[-10:]}"
    good = "violet-harbour-nineteen-otter"
    for more, password in (((slug,), "password"), ((slug, "--currency", "EURO"), good)):
        done = run(*TENANT, *more, SMARKETING_PASSWORD=password)
        assert done.returncode == 1, more
        assert one_line(done)
    assert await tenants(database_urls, slug) == []


async def tenants(urls: DatabaseUrls, slug: str) -> list[str]:
    connection = await asyncpg.connect(urls.platform)
    rows = await connection.fetch("SELECT name FROM directory WHERE slug = $1", slug)
    await connection.close()
    return [row[0] for row in rows]


def test_the_exported_schema_is_up_to_date() -> None:
    done = in_process("schema", "export", "--check")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")


def test_a_stale_schema_is_shown_and_fails_the_check(tmp_path: Path) -> None:
    stale = tmp_path / "schema.graphql"
    kept = sdl().replace("type Query {", "type Quarry {")
    stale.write_text(kept)

    done = in_process("schema", "export", "--check", "--file", str(stale))
    assert done.exit_code == 1
    assert "-type Quarry {" in done.stderr
    assert "+type Query {" in done.stderr
    assert done.stderr.endswith("is out of date: run `smarketing schema export`.\n")
    assert stale.read_text() == kept

    assert in_process("schema", "export", "--file", str(stale)).exit_code == 0
    assert stale.read_bytes() == sdl().encode()


def test_what_has_changed_since_the_last_release_is_told_with_its_reasons(tmp_path: Path) -> None:
    assert in_process("schema", "release", "--releases", str(tmp_path)).exit_code == 0
    released = tmp_path / f"{__version__}.graphql"
    released.write_text(sdl() + "type Gone { id: ID! }\n", encoding="utf-8")

    done = in_process("schema", "diff", "--releases", str(tmp_path))

    assert (done.exit_code, done.stdout.splitlines()) == (
        1,
        [
            f"Since {__version__}: 1 changes that clients may notice.",
            "breaks: Gone was removed.",
            "  not reviewed",
            f"Give reasons in {tmp_path / 'reviewed.toml'}.",
        ],
    )


def test_the_exported_schema_is_sorted() -> None:
    text = sdl()
    assert "\r" not in text
    types = [line.split()[1] for line in text.splitlines() if line.startswith(("type ", "input "))]
    assert types == sorted(types)
    assert "input LeadRef @oneOf {" in text


def test_leads_are_imported_from_a_file(run: Run, tmp_path: Path) -> None:
    slug = f"t{new_id().hex[-10:]}"
    assert run(*TENANT, slug, SMARKETING_PASSWORD="violet-harbour-nineteen-otter").returncode == 0
    leads = tmp_path / "leads.csv"
    leads.write_text("mail\nann@example.com\nbob@example.com\n")
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(MAPPING)
    command = ("import", "leads", str(leads), "--map", str(mapping))

    done = run(*command, "--tenant", slug)
    nowhere = run(*command, "--tenant", "nowhere")

    assert done.returncode == 0, done.stdout + done.stderr
    assert nowhere.returncode == 2
    assert run(*command[:2], str(tmp_path / "none.csv"), *command[3:], "--tenant", slug).returncode


MAPPING = """
[lead]
email = { column = "mail", required = true }
"""


async def test_a_worker_of_its_own_publishes_and_ends_well(
    world: World, database_urls: DatabaseUrls
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "infra.cli", "worker"), cwd=ROOT, env=told(database_urls)
    )
    try:
        async with world.work() as work:
            work.record(TeamChanged(at=world.now, team_id=new_id()))
        deadline = time.monotonic() + 60
        number = 0
        while not number and time.monotonic() < deadline:
            async with world.work() as work:
                number = await work.ask(LastNumber())
    finally:
        process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(process.wait(), 60)
    assert (number, code) == (1, 0)


# The demo


@pytest.fixture
def demo(empty_database: str) -> Iterator[Any]:
    """Run the demo on an empty database; give its environment, and forget it afterwards."""
    port = str(free_port())
    env = told(None, DATABASE_URL=empty_database, PORT=port, LOG_FORMAT="json")
    yield env
    _memory_of(empty_database).unlink(missing_ok=True)


def test_the_demo_shows_what_it_says_and_is_there_again(demo: dict[str, str]) -> None:
    first, second = show(demo), show(demo)

    assert "Living through" in first
    assert "Living through" not in second
    assert key_in(first) == key_in(second)


def show(env: dict[str, str]) -> str:
    """Start the demo, use what it prints, and stop it; return what it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.cli", "demo"],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    url = f"http://127.0.0.1:{env['PORT']}"
    try:
        wait_for(f"{url}/readyz", process)
    finally:
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert f"{url}/board/smb_" in printed
    return printed


def wait_for(url: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 240
    with httpx.Client(timeout=60) as client:
        while time.monotonic() < deadline:
            assert process.poll() is None
            try:
                if client.get(url).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
    raise AssertionError("the demo did not start")


def key_in(printed: str) -> str:
    (key,) = {word.strip("'") for word in printed.split() if word.startswith("smk_")}
    return key


def test_a_database_of_ones_own_is_never_cleared(run: Run) -> None:
    done = run("demo", "--reset")
    assert done.returncode == 1
    assert one_line(done).startswith("RESET=1 clears the demo's own database only")


# The keys that sign


def test_keys_are_added_rotated_to_and_pruned(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "keys.pem"

    def keys(*arguments: str) -> tuple[int, list[str]]:
        done = run("keys", *arguments, SIGNING_KEYS=str(path))
        found = (done.stdout + done.stderr).splitlines()
        return done.returncode, [line.split("  ")[-1] for line in found]

    last = "Restart the processes, one after the other."
    assert keys("list") == (1, [f"There is no file {path}; `smarketing keys add` makes one."])
    assert keys("add") == (0, ["signs", last])
    assert keys("add") == (0, ["signs", "is next", last])
    assert keys("rotate") == (0, ["signs", "has signed", last])
    assert keys("prune") == (1, ["The last tokens may still be good; wait 16 minutes more."])
    os.utime(path, (time.time() - 1000, time.time() - 1000))
    assert keys("prune") == (0, ["signs", last])
    assert keys("list") == (0, ["signs"])


def test_keys_in_the_variable_itself_cannot_be_changed(run: Run) -> None:
    done = run("keys", "list", SIGNING_KEYS="-----BEGIN PRIVATE KEY-----")

    assert done.returncode == 1
    assert "SIGNING_KEYS holds the keys themselves; name a file with --file." in done.stderr
