"""Touches that change hands."""

from __future__ import annotations

from domain.touch_intake import TouchesFollow
from infra.database import PostgresWork
from infra.queries import answers

_FOLLOW = """
UPDATE touches t SET lead_id = v.lead_id, version = t.version + 1
FROM unnest($2::uuid[], $3::uuid[]) AS v(visitor_id, lead_id)
WHERE t.tenant_id = $1 AND t.visitor_id = v.visitor_id AND t.lead_id IS NULL
"""


@answers(TouchesFollow)
async def follow(work: PostgresWork, question: TouchesFollow) -> int:
    """Give visitors' touches to leads, by the index touches_by_visitor (visitor_id, …)."""
    status: str = await work.connection.execute(
        _FOLLOW, work.tenant_id, list(question.visitor_ids), list(question.lead_ids)
    )
    return int(status.rpartition(" ")[2])
