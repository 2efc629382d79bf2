"""Scoring models that were kept before their thresholds were called by what they are for."""

from __future__ import annotations

from typing import Any

import asyncpg
import orjson

from domain.ids import new_id
from infra.migrate import downgrade
from tests.infra.test_migrate import migrated

BEFORE, AFTER = "0035", "0036"
KEPT = {"fit": [], "engagement_cap": 100}
OLD = {**KEPT, "a": 60, "b": 30, "one": 50, "two": 15}
NEW = {**KEPT, "fit_for_a": 60, "fit_for_b": 30, "engagement_for_1": 50, "engagement_for_2": 15}


async def terms(connection: Any) -> Any:
    return orjson.loads(await connection.fetchval("SELECT terms FROM scoring_models"))


async def test_what_was_kept_has_its_new_names_and_its_old_ones_again(empty_database: str) -> None:
    await migrated(empty_database, revision=BEFORE)
    connection = await asyncpg.connect(empty_database)
    await connection.execute(
        "INSERT INTO scoring_models (tenant_id, id, number, name, terms, proposed_at, status,"
        " scored, version) VALUES ($1, $2, 1, 'Ours', $3, now(), 'PROPOSED', 0, 1)",
        *(new_id(), new_id(), orjson.dumps(OLD).decode()),
    )

    await migrated(empty_database, revision=AFTER)
    after = await terms(connection)
    forced = await connection.fetchval(
        "SELECT relforcerowsecurity FROM pg_class WHERE relname = 'scoring_models'"
    )
    await downgrade(empty_database, revision=BEFORE)
    again = await terms(connection)
    await connection.close()

    assert (after, forced, again) == (NEW, True, OLD)
