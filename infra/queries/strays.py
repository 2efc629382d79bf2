"""Set-based writes by which touches come to belong to what they named."""

from __future__ import annotations

from uuid import UUID

from domain.strays import TakeTouches, Whose
from infra.database import PostgresWork
from infra.queries import answers

_TAKE = {
    whose: f"""
UPDATE touches t SET {whose} = l.whose_id, version = t.version + 1
FROM (
  SELECT m.id, m.whose_id FROM unnest($2::uuid[], $3::uuid[]) AS m(id, whose_id)
  JOIN touches o ON o.tenant_id = $1 AND o.id = m.id
  WHERE o.{whose} IS NULL ORDER BY m.id FOR NO KEY UPDATE OF o
) l
WHERE t.tenant_id = $1 AND t.id = l.id RETURNING t.lead_id
"""  # noqa: S608  # the names of our own columns
    for whose in Whose
}


@answers(TakeTouches)
async def take_touches(work: PostgresWork, question: TakeTouches) -> frozenset[UUID]:
    """Give touches what they named in one statement, by the primary key."""
    pairs = [(id, whose_id) for whose_id, ids in question.touches.items() for id in ids]
    ids, whose_ids = zip(*pairs, strict=True)
    rows = await work.connection.fetch(
        _TAKE[question.whose], work.tenant_id, list(ids), list(whose_ids)
    )
    return frozenset(row[0] for row in rows if row[0] is not None)
