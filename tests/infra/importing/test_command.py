from __future__ import annotations

import asyncio
import csv
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from domain.ids import new_id
from domain.leads import Lead, LeadExternalId
from domain.uploads import ImportJob, JobStatus
from infra.importing.command import DONE, INCOMPLETE, UNUSABLE, ImportFile, import_file
from infra.settings import Settings
from tests.agreements import an_mql
from tests.world import World

MAPPING = """
[lead]
external_id = { source = "crm", column = "id", required = true }
country = "country"
seen_at = "seen"
"""
SECRET = "s" * 64
# What the command `smarketing import file` does, in a process of its own.
PROGRAM = """
import os, sys
from pathlib import Path
from rich.console import Console
from infra.importing.command import ImportFile, import_file
from infra.settings import Settings
path, mapping, tenant = sys.argv[1:]
file = ImportFile(path=Path(path), mapping=Path(mapping), tenant=tenant)
sys.exit(import_file(file, settings=Settings.from_env(os.environ), console=Console()))
"""


@pytest.fixture
def environment(database_urls: Any) -> dict[str, str]:
    return {"DATABASE_URL": database_urls.owner, "SMARKETING_SECRET": SECRET}


@pytest.fixture
async def tenant(world: World) -> World:
    """A tenant that can be found by its name."""
    await world.database.platform.execute(
        "INSERT INTO directory (slug, tenant_id, name, placement) VALUES ($1, $2, 'A', 'default')",
        world.tenant.slug,
        world.tenant.id,
    )
    return world


@pytest.fixture
def file(tmp_path: Path, tenant: World) -> ImportFile:
    path, mapping = tmp_path / "leads.csv", tmp_path / "mapping.toml"
    mapping.write_text(MAPPING)
    path.write_text("id,country,seen\n1,IE,2026-01-05\n2,Eire,2026-01-05\n3,DE,\n")
    return ImportFile(path=path, mapping=mapping, tenant=tenant.tenant.slug)


async def run(file: ImportFile, environment: dict[str, str]) -> tuple[int, str]:
    """Run the command in a thread of its own, as it has its own event loop."""
    console = Console(file=StringIO(), width=200)
    settings = Settings.from_env(environment)
    code = await asyncio.to_thread(import_file, file, settings=settings, console=console)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    return code, text


async def leads(world: World) -> int:
    async with world.work() as work:
        return len(await work.find(Lead))


async def jobs(world: World) -> list[ImportJob]:
    async with world.work() as work:
        return list(await work.find(ImportJob))


async def test_rows_left_out_come_in_a_file_that_can_be_mended(
    tenant: World, file: ImportFile, environment: dict[str, str]
) -> None:
    file.path.write_text(file.path.read_text().replace(",", ";"))

    code, text = await run(file, environment)

    assert code == INCOMPLETE
    assert "│    3 │       2 │       0 │         0 │        1 │" in text
    errors = file.path.with_name("leads.errors.csv")
    assert str(errors) in text
    with errors.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream, delimiter=";"))
    assert rows == [
        ["error_line", "error_column", "error_code", "error_message", "id", "country", "seen"],
        [
            "3",
            "country",
            "INVALID",
            "A country is given by the two letters of ISO 3166-1.",
            "2",
            "Eire",
            "2026-01-05",
        ],
    ]
    errors.write_text(errors.read_text().replace("Eire", "IE"))
    code, text = await run(replace(file, path=errors), environment)
    assert (code, await leads(tenant)) == (DONE, 3)
    assert not errors.with_name("leads.errors.errors.csv").exists()


async def test_the_same_file_again_says_nothing_new(
    tenant: World, file: ImportFile, environment: dict[str, str]
) -> None:
    file.path.write_text("id,country,seen\n1,IE,2026-01-05\n")

    assert (await run(file, environment))[0] == DONE
    code, text = await run(file, environment)

    assert code == DONE
    assert "│    1 │       0 │       0 │         1 │        0 │" in text
    assert [job.status for job in await jobs(tenant)] == [JobStatus.DONE] * 2


async def test_a_dry_run_says_so(
    tenant: World, file: ImportFile, environment: dict[str, str]
) -> None:
    code, text = await run(replace(file, dry_run=True), environment)

    assert code == INCOMPLETE
    assert "Tried, nothing was kept" in text
    assert await leads(tenant) == 0


@pytest.mark.parametrize(
    ("mapping", "content", "message"),
    [
        ("[lead", "id\n", "mapping: The mapping is not TOML"),
        ("[lead]\nemial = 'id'\n", "id\n", "mapping.lead.emial: 'emial' is not known here"),
        (MAPPING, "id,land\n1,IE\n", "The file has no column 'country'"),
        (MAPPING, "%PDF-1.7", "This is not CSV: it looks like a PDF document."),
        (MAPPING, "", "The file is empty."),
    ],
)
async def test_what_cannot_be_followed_is_refused_in_a_line(
    tenant: World,
    file: ImportFile,
    environment: dict[str, str],
    mapping: str,
    content: str,
    message: str,
) -> None:
    file.mapping.write_text(mapping)
    file.path.write_text(content)

    code, text = await run(file, environment)

    assert code == UNUSABLE
    assert message in text
    assert "Traceback" not in text
    assert await leads(tenant) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tenant": "nobody"}, "There is no such tenant 'nobody'."),
        ({"path": Path("nowhere.csv")}, "No such file or directory: 'nowhere.csv'"),
        ({"mapping": Path("nowhere.toml")}, "No such file or directory: 'nowhere.toml'"),
    ],
)
async def test_what_is_not_there_is_told_in_a_line(
    file: ImportFile, environment: dict[str, str], changes: Any, message: str
) -> None:
    code, text = await run(replace(file, **changes), environment)

    assert (code, message in text) == (UNUSABLE, True)


async def test_the_errors_never_overwrite_the_leads(
    tenant: World, file: ImportFile, environment: dict[str, str]
) -> None:
    before = file.path.read_text()

    code, text = await run(replace(file, errors=file.path), environment)

    assert (code, file.path.read_text()) == (UNUSABLE, before)
    assert "would overwrite" in text


async def test_a_server_that_is_not_there_is_told_in_a_line(file: ImportFile) -> None:
    nowhere = {"DATABASE_URL": "postgresql://u:p@127.0.0.1:1/d", "SMARKETING_SECRET": SECRET}

    code, text = await run(file, nowhere)

    assert code == UNUSABLE
    assert text.startswith("The database cannot be reached:")


@asynccontextmanager
async def in_the_way(world: World, *, of: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Hold a name that an import wants to give, so that it stops there until the block is over.

    Gives what waits until it has come there.
    """

    class Released(Exception):
        """What was held was never meant to be kept."""

    async def somebody_waits() -> None:
        async with asyncio.timeout(60):
            while not await world.database.platform.fetchval(_WAITING):  # noqa: ASYNC110  # nobody tells
                await asyncio.sleep(0.01)

    with suppress(Released):
        async with world.work() as work:
            await work.connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            lead = an_mql(world.now)
            name = {"source": "crm", "value": of, "created_at": world.now}
            await work.add(lead)
            await work.add(LeadExternalId(id=new_id(), lead_id=lead.id, **name))
            yield somebody_waits
            raise Released


_WAITING = """
SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE NOT l.granted AND a.datname = current_database()
"""


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
async def test_an_interrupted_import_goes_on_where_it_stopped(
    tenant: World, file: ImportFile, environment: dict[str, str], sign: signal.Signals
) -> None:
    rows = [f"{number},IE,2026-01-05" for number in range(600)]
    file.path.write_text("\n".join(["id,country,seen", *rows, ""]))
    words = (sys.executable, "-c", PROGRAM, str(file.path), str(file.mapping), file.tenant)
    async with in_the_way(tenant, of="350") as somebody_waits:
        process = await asyncio.create_subprocess_exec(
            *words,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        await somebody_waits()
        process.send_signal(sign)
    output, _ = await process.communicate()

    (job,) = await jobs(tenant)
    assert process.returncode == (INCOMPLETE if sign is signal.SIGINT else -signal.SIGKILL), output
    assert (job.status, 0 < job.rows < 600) == (JobStatus.RUNNING, True)
    assert await leads(tenant) == job.rows
    if sign is signal.SIGKILL:
        # Nobody gave the job back; a minute later it is free.
        async with tenant.work() as work:
            await work.save(replace(job, claimed_until=None))
    code, text = await run(file, environment)
    assert code == DONE
    assert f"Going on after line {job.last_line:,} ({job.rows:,} rows are done)." in text
    assert await leads(tenant) == 600
    (job,) = await jobs(tenant)
    assert (job.rows, job.created, job.failed) == (600, 600, 0)
