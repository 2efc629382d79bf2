"""Going through a table batch by batch, along its primary key."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from infra.database import PostgresWork


async def last_of_batch(
    work: PostgresWork, table: sa.Table, *, after: UUID, limit: int
) -> UUID | None:
    """Return the id that the next batch ends with, None if it is the last batch."""
    statement = (
        sa.select(table.c.id)
        .where(table.c.id > after)
        .order_by(table.c.id)
        .offset(limit - 1)
        .limit(1)
    )
    rows = await work.rows(statement)
    return rows[0][0] if rows else None
