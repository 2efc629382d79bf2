"""Touches by the names that other systems gave them, and touches that change hands."""

from __future__ import annotations

from collections.abc import Sequence

from domain.touch_intake import TouchesFollow, TouchesNamed
from domain.touches import Touch
from infra.database import PostgresWork
from infra.queries import answers
from infra.rows import columns_of, reader_of

_FOLLOW = """
UPDATE touches t SET lead_id = v.lead_id, version = t.version + 1
FROM unnest($2::uuid[], $3::uuid[]) AS v(visitor_id, lead_id)
WHERE t.tenant_id = $1 AND t.visitor_id = v.visitor_id AND t.lead_id IS NULL
"""

_COLUMNS = ", ".join(f't."{column.name}"' for column in columns_of(Touch))
_NAMED = f"""
SELECT {_COLUMNS} FROM unnest($2::text[], $3::text[]) AS n(source, value)
JOIN touches t ON t.tenant_id = $1 AND t.external_source = n.source
  AND t.external_value = n.value AND t.external_value IS NOT NULL
"""  # noqa: S608  # the names are those of our own columns


@answers(TouchesNamed)
async def named(work: PostgresWork, question: TouchesNamed) -> Sequence[Touch]:
    """Return touches by their external names, each by the index touches_external."""
    sources, values = zip(*((name.source, name.value) for name in question.names), strict=True)
    rows = await work.connection.fetch(_NAMED, work.tenant_id, list(sources), list(values))
    return [reader_of(Touch)(row) for row in rows]


@answers(TouchesFollow)
async def follow(work: PostgresWork, question: TouchesFollow) -> int:
    """Give visitors' touches to leads, by the index touches_by_visitor (visitor_id, …)."""
    status: str = await work.connection.execute(
        _FOLLOW, work.tenant_id, list(question.visitor_ids), list(question.lead_ids)
    )
    return int(status.rpartition(" ")[2])
