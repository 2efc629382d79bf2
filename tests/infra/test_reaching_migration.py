"""What goals counted before a lead counted once for all that it had come to."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from domain.goals.targets import EVERYBODY
from domain.ids import new_id
from infra.migrate import downgrade
from tests.conftest import DatabaseUrls
from tests.infra.test_migrate import migrated

BEFORE, AFTER = "0032", "0033"
_TALLIES = 'SELECT tenant_id, metric, "on", amount FROM metric_tallies WHERE team_id = $1'


async def a_tenant(connection: Any, time_zone: str) -> UUID:
    tenant = new_id()
    await connection.execute(
        "INSERT INTO tenants (tenant_id, id, slug, name, time_zone, currency, created_at,"
        " placement, version) VALUES ($1, $1, $2, 'A', $3, 'EUR', now(), 'here', 1)",
        *(tenant, tenant.hex, time_zone),
    )
    return tenant


async def a_lead(connection: Any, tenant: UUID, *steps: tuple[str, int]) -> None:
    """Store a lead with its stages, each with the day of March on which it was entered at two."""
    lead, previous = new_id(), None
    await connection.execute(
        "INSERT INTO leads (tenant_id, id, stage, stage_entered_at, created_at, updated_at, score,"
        " version) VALUES ($1, $2, $3, now(), now(), now(), 0, 1)",
        *(tenant, lead, steps[-1][0]),
    )
    for stage, day in steps:
        await connection.execute(
            "INSERT INTO stage_entries (tenant_id, id, lead_id, stage, previous, entered_at,"
            " recorded_at) VALUES ($1, $2, $3, $4, $5, $6, now())",
            *(tenant, new_id(), lead, stage, previous, datetime(2026, 3, day, 2, tzinfo=UTC)),
        )
        previous = stage


async def test_what_goals_counted_is_counted_anew(fresh_database: DatabaseUrls) -> None:
    await downgrade(fresh_database.owner, revision=BEFORE)
    connection = await asyncpg.connect(fresh_database.owner)
    ours = await a_tenant(connection, "Europe/Berlin")
    theirs = await a_tenant(connection, "America/New_York")
    # Sent back and come again; at once to SQL; a customer who had been nothing else.
    await a_lead(connection, ours, ("LEAD", 1), ("MQL", 3), ("LEAD", 4), ("MQL", 5))
    await a_lead(connection, ours, ("LEAD", 1), ("SQL", 3))
    await a_lead(connection, theirs, ("VISITOR", 1), ("CUSTOMER", 9), ("ADVOCATE", 10))
    for metric in ("MQLS", "LEADS_CREATED"):
        await connection.execute(
            "INSERT INTO metric_tallies VALUES ($1, $2, $3, $4, 7)",
            *(ours, metric, EVERYBODY, date(2026, 3, 5)),
        )
    kept = (ours, "LEADS_CREATED", date(2026, 3, 5), 7)

    async def tallies() -> set[tuple[Any, ...]]:
        return {tuple(row) for row in await connection.fetch(_TALLIES, EVERYBODY)}

    await migrated(fresh_database.owner, revision=AFTER)

    third, eighth = date(2026, 3, 3), date(2026, 3, 8)
    assert await tallies() == {
        kept,
        (ours, "MQLS", third, 2),
        (ours, "SQLS", third, 1),
        *((theirs, metric, eighth, 1) for metric in ("MQLS", "SQLS")),
        *((theirs, metric, eighth, 1) for metric in ("OPPORTUNITIES", "CUSTOMERS")),
    }
    forced = await connection.fetchval(
        "SELECT count(*) FROM pg_class WHERE relforcerowsecurity"
        " AND relname IN ('tenants', 'stage_entries', 'metric_tallies')"
    )
    assert forced == 3

    await downgrade(fresh_database.owner, revision=BEFORE)

    assert await tallies() == {
        kept,
        (ours, "MQLS", third, 1),
        (ours, "MQLS", date(2026, 3, 5), 1),
        (ours, "SQLS", third, 1),
        (theirs, "CUSTOMERS", eighth, 1),
    }
    await connection.close()
