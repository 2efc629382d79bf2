"""PostgreSQL looks at tables that have grown much at once, before anybody asks for figures."""

from __future__ import annotations

from typing import Any

import asyncpg

from domain.ids import new_id
from infra.database import Database
from tests.infra.importing.running_imports import run_all, start
from tests.world import NOON, make_world

_SAMPLED = "SELECT reltuples::bigint FROM pg_class WHERE relname = 'exchange_rates'"


async def test_a_table_that_has_grown_is_sampled_before_an_import_is_done(
    fresh_database: Any,
) -> None:
    owner = await asyncpg.connect(fresh_database.owner)
    platform = await asyncpg.connect(fresh_database.platform)
    # Nobody else is to look at it meanwhile.
    await owner.execute("ALTER TABLE exchange_rates SET (autovacuum_enabled = off)")
    sampled = []
    for rates in (1_000, 7_000, 1_000, 6_000):
        await _add_rates(owner, rates)
        await platform.execute("SELECT app.sample('')")
        sampled.append(await owner.fetchval(_SAMPLED))
    await _add_rates(owner, 30_000)
    for dry_run in (True, False):
        await _import(fresh_database, dry_run=dry_run)
        sampled.append(await owner.fetchval(_SAMPLED))
    await platform.close()
    await owner.close()

    assert sampled == [-1, 8_000, 8_000, 15_000, 15_000, 45_000]


async def _import(urls: Any, *, dry_run: bool) -> None:
    """Import a lead."""
    database = await Database.connect(urls.app, urls.platform, clock=lambda: NOON)
    world = await make_world(database, {"now": NOON})
    mapping = '[lead]\nemail = "email"'
    await start(world, b"email\nann@example.com\n", mapping=mapping, dry_run=dry_run)
    await run_all(world)
    await database.close()


async def _add_rates(owner: asyncpg.Connection, rates: int) -> None:
    await owner.execute(
        "INSERT INTO exchange_rates"
        " (tenant_id, id, currency, to_currency, starts_on, rate, recorded_at, version)"
        " SELECT $1, gen_random_uuid(), 'USD', 'EUR', date '2020-01-01' + n, 0.9, now(), 1"
        " FROM generate_series(1, $2) n",
        new_id(),
        rates,
    )
