"""Touches by the names that other systems gave them, and touches that change hands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from domain.locking import GiveBackLocks, MarkLocks
from domain.touch_intake import (
    LeadsAtAddresses,
    LockedLeads,
    TouchesFollow,
    TouchesNamed,
)
from domain.touches import Touch
from infra.database import PostgresWork
from infra.queries import answers
from infra.rows import columns_of, reader_of

_FOLLOW = """
UPDATE touches t SET lead_id = n.lead_id, version = t.version + 1
FROM (
  SELECT o.id, v.lead_id FROM unnest($2::uuid[], $3::uuid[]) AS v(visitor_id, lead_id)
  JOIN touches o ON o.tenant_id = $1 AND o.visitor_id = v.visitor_id
  WHERE o.lead_id IS NULL ORDER BY o.id FOR NO KEY UPDATE OF o
) n
WHERE t.tenant_id = $1 AND t.id = n.id
"""

_COLUMNS = ", ".join(f't."{column.name}"' for column in columns_of(Touch))
_NAMED = f"""
SELECT {_COLUMNS} FROM unnest($2::text[], $3::text[]) AS n(source, value)
JOIN touches t ON t.tenant_id = $1 AND t.external_source = n.source
  AND t.external_value = n.value AND t.external_value IS NOT NULL
"""  # noqa: S608  # the names are those of our own columns


_AT_ADDRESSES = "SELECT email, id FROM leads WHERE tenant_id = $1 AND email = ANY($2::text[])"
# Not FOR UPDATE: rows that refer to a lead may still be added meanwhile.
_LOCKED = """
SELECT id, email FROM leads WHERE tenant_id = $1 AND id = ANY($2::uuid[])
ORDER BY id FOR NO KEY UPDATE
"""


@answers(TouchesNamed)
async def named(work: PostgresWork, question: TouchesNamed) -> Sequence[Touch]:
    """Return touches by their external names, each by the index touches_external."""
    sources, values = zip(*((name.source, name.value) for name in question.names), strict=True)
    rows = await work.connection.fetch(_NAMED, work.tenant_id, list(sources), list(values))
    return [reader_of(Touch)(row) for row in rows]


@answers(TouchesFollow)
async def follow(work: PostgresWork, question: TouchesFollow) -> int:
    """Give visitors' touches to leads, by the index touches_by_visitor (visitor_id, …).

    They are locked in the order of their ids, as by whoever gives touches their asset.
    """
    status: str = await work.connection.execute(
        _FOLLOW, work.tenant_id, list(question.visitor_ids), list(question.lead_ids)
    )
    return int(status.rpartition(" ")[2])


@answers(LeadsAtAddresses)
async def leads_at_addresses(work: PostgresWork, question: LeadsAtAddresses) -> Mapping[str, UUID]:
    """Return leads by their addresses, by the unique index leads_email."""
    rows = await work.connection.fetch(_AT_ADDRESSES, work.tenant_id, list(question.emails))
    return {row[0]: row[1] for row in rows}


@answers(LockedLeads)
async def locked_leads(work: PostgresWork, question: LockedLeads) -> Mapping[UUID, str | None]:
    """Return leads by their primary key, locked in the order of their ids."""
    rows = await work.connection.fetch(_LOCKED, work.tenant_id, list(question.ids))
    return {row[0]: row[1] for row in rows}


@answers(MarkLocks)
async def mark_locks(work: PostgresWork, _: MarkLocks) -> None:
    """Set a savepoint: PostgreSQL gives back what was locked since when it goes back there."""
    await work.connection.execute("SAVEPOINT locks")


@answers(GiveBackLocks)
async def give_back_locks(work: PostgresWork, _: GiveBackLocks) -> None:
    """Go back to the savepoint, which stays."""
    await work.connection.execute("ROLLBACK TO SAVEPOINT locks")
