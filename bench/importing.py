"""`import`: rows of a file, with and without a history, beside inserts of bare leads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import psutil

from bench.load import Failed
from bench.measuring import Cost, Meter, median, table
from bench.place import Place, a_place
from bench.report import Section
from bench.tenants import BenchTenant, a_database, a_tenant
from domain.identity import system
from domain.import_jobs import open_import
from infra.database import Database
from infra.importing.jobs import ROWS_A_BATCH, Importer
from tests.agreements import an_mql

_PLAIN = """
[lead]
external_id = { source = "bench", column = "id", required = true }
email = "email"
first_name = "name"
origin_source = "source"
seen_at = "seen"
"""
_HISTORY = """
[[stage]]
stage = "MQL"
at = "seen"

[hand_off]
at = "seen"
from_team = { constant = "Marketing" }
to_team = { constant = "Sales" }
"""
BARE, PLAIN, HISTORY = "bare inserts", "import, leads only", "import, with stage and hand-off"

Attempt = Callable[[Database, BenchTenant, int, int], Awaitable[None]]


async def run(*, rows: int = 1_000, rounds: int = 3) -> Section:
    """Store the same number of leads in three ways, taking turns; the first round warms up."""
    costs: dict[str, list[Cost]] = {BARE: [], PLAIN: [], HISTORY: []}
    attempts: dict[str, Attempt] = {BARE: _bare, PLAIN: _plain, HISTORY: _with_history}
    async with a_place("import") as place, a_database(place) as database:
        tenant = await a_tenant(database)
        for number in range(rounds + 1):
            for name, attempt in attempts.items():
                cost = await _measured(place, attempt, database, tenant, number, rows)
                costs[name] += [cost] if number else []
    reference = median(c.server_ms + c.postgres_ms for c in costs[BARE])
    return Section(
        "import",
        "Importing a file of leads",
        f"{rows:,} rows of CSV, in process, in batches of {ROWS_A_BATCH}; median of {rounds}"
        " interleaved rounds.  A row is matched with what is known by external id and e-mail; one"
        " with a history enters its stages, is handed off, credited and given its clocks, each at"
        " its own instant.  Bare inserts store the leads alone, with arrays, and check nothing.",
        table([_row(name, rounds_, reference) for name, rounds_ in costs.items()]),
    )


def _row(name: str, costs: list[Cost], reference: float) -> dict[str, str]:
    both = median(c.server_ms + c.postgres_ms for c in costs)
    return {
        "": name,
        "rows/s": f"{median(c.rate for c in costs):,.0f}",
        "Python CPU ms a row": f"{median(c.server_ms for c in costs):.2f}",
        "PostgreSQL CPU ms a row": f"{median(c.postgres_ms for c in costs):.2f}",
        # Of a few rows the bare insert may cost less than the clock can tell.
        f"CPU, × {BARE}": f"{both / reference:.1f}" if reference else "–",
    }


async def _measured(
    place: Place, attempt: Attempt, database: Database, tenant: BenchTenant, number: int, rows: int
) -> Cost:
    meter = Meter(psutil.Process(), place.postgres)
    await attempt(database, tenant, number, rows)
    return meter.cost(rows)


async def _bare(database: Database, tenant: BenchTenant, number: int, rows: int) -> None:
    for _ in range(0, rows, ROWS_A_BATCH):
        async with database.work(tenant.id) as work:
            await work.add_all([an_mql(work.now, number) for _ in range(ROWS_A_BATCH)])


async def _plain(database: Database, tenant: BenchTenant, number: int, rows: int) -> None:
    await _import(database, tenant, _PLAIN, f"p{number}", rows)


async def _with_history(database: Database, tenant: BenchTenant, number: int, rows: int) -> None:
    await _import(database, tenant, _PLAIN + _HISTORY, f"h{number}", rows)


async def _import(
    database: Database, tenant: BenchTenant, mapping: str, name: str, rows: int
) -> None:
    content = _file(tenant, name, rows)
    async with database.work(tenant.id) as work:
        job = await open_import(
            work,
            system(tenant.id),
            file_name=f"{name}.csv",
            fingerprint=name.rjust(64, "0"),
            mapping=mapping,
            dry_run=False,
            total_bytes=len(content),
        )
    done = await Importer(database, tenant.id, job).run(_chunks(content))
    if (done.created, done.failed) != (rows, 0):
        raise Failed(f"{done.created} leads were made and {done.failed} rows left out: {done}")


def _file(tenant: BenchTenant, name: str, rows: int) -> bytes:
    lines = ["id,email,name,source,seen"]
    for number in range(rows):
        seen = tenant.world.now - timedelta(days=10, seconds=rows - number)
        email = f"{name}.{number}@bench.example"
        lines.append(f"{name}-{number},{email},Ada,organic search,{seen.isoformat()}")
    return "\n".join([*lines, ""]).encode()


async def _chunks(content: bytes) -> AsyncIterator[bytes]:
    yield content
