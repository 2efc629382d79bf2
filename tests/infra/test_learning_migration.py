"""Models that were trained before one of them was said to be in use."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import asyncpg

from domain.ids import new_id
from infra.migrate import downgrade
from tests.infra.test_migrate import migrated

BEFORE, AFTER = "0024", "0025"


async def store(connection: Any, tenant: UUID, number: int, status: str) -> None:
    trained = {"counts": {"won": 30, "lost": 170}} if status == "READY" else None
    await connection.execute(
        "INSERT INTO prediction_models (tenant_id, id, number, fields, requested_at, status,"
        " trained_at, trained, version) VALUES ($1, $2, $3, '[]', now(), $4, now(), $5, 1)",
        *(tenant, new_id(), number, status, json.dumps(trained) if trained else None),
    )


async def test_the_newest_model_that_was_trained_goes_on_predicting(empty_database: str) -> None:
    await migrated(empty_database, revision=BEFORE)
    connection = await asyncpg.connect(empty_database)
    ours, theirs = new_id(), new_id()
    for number, status in enumerate(("READY", "READY", "REFUSED", "QUEUED"), start=1):
        await store(connection, ours, number, status)
    await store(connection, theirs, 1, "READY")

    await migrated(empty_database, revision=AFTER)

    kept = await connection.fetch(
        "SELECT tenant_id, number, won, lost, used_at = trained_at AND known_to = trained_at AS at"
        " FROM prediction_models WHERE in_use ORDER BY number"
    )
    forced = await connection.fetchval(
        "SELECT relforcerowsecurity FROM pg_class WHERE relname = 'prediction_models'"
    )
    await connection.close()
    assert [tuple(row) for row in kept] == [(theirs, 1, 30, 170, True), (ours, 2, 30, 170, True)]
    assert forced
    await downgrade(empty_database, revision=BEFORE)
