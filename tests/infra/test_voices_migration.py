"""What people had done before it was kept for which teams, and when it was heard."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from domain.ids import new_id
from tests.infra.test_migrate import migrated

BEFORE, AFTER = "0028", "0029"
CALLED, DECIDED, RETURNED = (datetime(2026, 3, day, tzinfo=UTC) for day in (9, 10, 11))


async def store(connection: Any, table: str, **row: Any) -> UUID:
    """Store a row of a table and return its id."""
    row = {"id": new_id(), **row}
    names, values = ", ".join(row), ", ".join(f"${n + 1}" for n in range(len(row)))
    await connection.execute(f"INSERT INTO {table} ({names}) VALUES ({values})", *row.values())
    id: UUID = row["id"]
    return id


async def a_past(connection: Any) -> tuple[UUID, UUID, UUID]:
    """Store a call of somebody in a team, one of nobody, and a hand-off that was given back."""
    known = {"tenant_id": new_id()}
    made = {**known, "created_at": CALLED, "version": 1}
    person = await store(
        *(connection, "users"),
        **{**made, "account_id": new_id(), "email": "a@acme.example", "name": "Ann"},
        role="MEMBER",
        active=True,
    )
    team = await store(connection, "teams", **made, name="Sales", side="SALES")
    await store(
        *(connection, "team_members"),
        **{**made, "team_id": team, "user_id": person, "available": True, "capacity": 5},
    )
    lead = await store(
        *(connection, "leads"),
        **{**made, "stage": "SAL", "stage_entered_at": CALLED, "updated_at": CALLED, "score": 0},
    )
    for by in (person, None):
        await store(
            *(connection, "activities"),
            **{**known, "lead_id": lead, "kind": "CALL", "agency": "HUMAN", "answered": False},
            user_id=by,
            occurred_at=CALLED,
            recorded_at=CALLED,
        )
    handoff = await store(
        *(connection, "handoffs"),
        **{**known, "lead_id": lead, "from_team_id": team, "to_team_id": team, "score": 0},
        handed_off_at=CALLED,
        recorded_at=CALLED,
        status="ACCEPTED",
        version=1,
        decided_at=DECIDED,
        returned_at=RETURNED,
        return_reason="No.",
    )
    return team, person, handoff


async def test_what_was_done_is_of_the_teams_of_today_and_heard_when_it_was(
    empty_database: str,
) -> None:
    await migrated(empty_database, revision=BEFORE)
    connection = await asyncpg.connect(empty_database)
    team, person, handoff = await a_past(connection)

    await migrated(empty_database, revision=AFTER)

    calls = await connection.fetch("SELECT user_id, team_ids FROM activities")
    heard_at = await connection.fetchval("SELECT heard_at FROM handoffs WHERE id = $1", handoff)
    forced = await connection.fetchval(
        "SELECT count(*) FROM pg_class WHERE relname IN ('activities', 'team_members', 'handoffs')"
        " AND relforcerowsecurity"
    )
    await connection.close()
    assert {row[0]: orjson.loads(row[1]) for row in calls} == {person: [str(team)], None: []}
    assert heard_at == RETURNED
    assert forced == 3
