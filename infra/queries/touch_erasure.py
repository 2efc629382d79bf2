"""What of touches and visitors was kept long enough, and how it goes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from domain.leads import Agency
from domain.touch_erasure import (
    EraseTouches,
    EraseVisitors,
    LastRun,
    NextOldTouches,
    NextOldVisitors,
    OldTouches,
)
from domain.touch_retention import TouchRetentionRun
from infra.database import PostgresWork, rows_of
from infra.queries import answers
from infra.rows import table_of

runs = table_of(TouchRetentionRun)

_NOBODYS = """
SELECT id, NULL::uuid, visitor_id, NULL::timestamptz FROM touches
WHERE tenant_id = $1 AND lead_id IS NULL AND occurred_at < $2 ORDER BY occurred_at LIMIT $3
"""
_KNOWN = """
SELECT id, lead_id, visitor_id, occurred_at FROM touches
WHERE tenant_id = $1 AND occurred_at < $2 AND occurred_at >= $4 AND lead_id IS NOT NULL
  AND reduced_at IS NULL
ORDER BY occurred_at LIMIT $3
"""
# What is to go still: what was nobody's may have become somebody's since it was found.
_OLD = """
t.tenant_id = $1 AND t.id = ANY($2::uuid[]) AND t.reduced_at IS NULL AND (
  (t.lead_id IS NULL AND t.occurred_at < $4)
  OR (t.lead_id = ANY($3::uuid[]) AND t.occurred_at < $5)
)
"""
# A credit of whatever model, and the touch that a lead's campaign follows from.
_RESTS_ON = """
EXISTS (SELECT 1 FROM attribution_credits c WHERE c.tenant_id = $1 AND c.touch_id = t.id)
OR t.id = (
  SELECT f.id FROM touches f
  WHERE f.tenant_id = $1 AND f.lead_id = t.lead_id AND f.agency = $6
    AND f.campaign_id IS NOT NULL
  ORDER BY f.occurred_at, f.id LIMIT 1
)
"""
_REDUCE = f"""
UPDATE touches t SET reduced_at = $7, version = t.version + 1, visitor_id = NULL, url = NULL,
  referrer = NULL, utm_source = NULL, utm_medium = NULL, utm_campaign = NULL, utm_content = NULL,
  utm_term = NULL, external_source = NULL, external_value = NULL
WHERE {_OLD} AND t.lead_id IS NOT NULL AND ({_RESTS_ON})
"""  # noqa: S608  # put together of our own texts
_ERASE = f"DELETE FROM touches t WHERE {_OLD}"  # noqa: S608  # as above
_OLD_VISITORS = """
SELECT v.id FROM visitors v
WHERE v.tenant_id = $1 AND v.id > $4 AND v.first_seen_at < $2
  AND greatest(v.first_seen_at, v.identified_at, v.claimed_at)
    < CASE WHEN v.lead_id IS NULL THEN $2::timestamptz ELSE $3::timestamptz END
  AND NOT EXISTS (SELECT 1 FROM touches t WHERE t.tenant_id = $1 AND t.visitor_id = v.id)
ORDER BY v.id LIMIT $5 FOR UPDATE
"""
_ERASE_VISITORS = """
DELETE FROM visitors v WHERE v.tenant_id = $1 AND v.id = ANY($2::uuid[])
  AND NOT EXISTS (SELECT 1 FROM touches t WHERE t.tenant_id = $1 AND t.visitor_id = v.id)
"""
_LONG_AGO = datetime.fromisoformat("0001-01-01T00:00:00+00:00")


@answers(NextOldTouches)
async def next_old_touches(work: PostgresWork, question: NextOldTouches) -> OldTouches:
    """Return touches, the oldest first: nobody's by the partial index touches_of_nobody.

    Those of leads by touches_by_instant, from where the run has come.
    """
    fetch, limit = work.connection.fetch, question.limit
    rows = await fetch(_NOBODYS, work.tenant_id, question.anonymous_before, limit)
    if not rows:
        since = question.since or _LONG_AGO
        rows = await fetch(_KNOWN, work.tenant_id, question.known_before, limit, since)
    return OldTouches(
        ids=tuple(row[0] for row in rows),
        lead_ids=_sorted(row[1] for row in rows),
        visitor_ids=_sorted(row[2] for row in rows),
        until=rows[-1][3] if rows else None,
    )


@answers(EraseTouches)
async def erase_touches(work: PostgresWork, question: EraseTouches) -> tuple[int, int]:
    """Reduce what a figure rests on, then erase the rest; by the primary key of touches.

    What has a credit is found by attribution_credits_by_touch, a lead's first touch of a campaign
    by touches_by_lead.
    """
    old = (
        work.tenant_id,
        list(question.ids),
        list(question.lead_ids),
        question.anonymous_before,
        question.known_before,
    )
    reduced = await work.connection.execute(_REDUCE, *old, Agency.HUMAN, question.at)
    erased = await work.connection.execute(_ERASE, *old)
    return _count(erased), _count(reduced)


@answers(NextOldVisitors)
async def next_old_visitors(work: PostgresWork, question: NextOldVisitors) -> tuple[UUID, ...]:
    """Return visitors along their primary key; of each its touches by touches_by_visitor."""
    rows = await work.connection.fetch(
        _OLD_VISITORS,
        work.tenant_id,
        question.anonymous_before,
        question.known_before,
        question.after,
        question.limit,
    )
    return tuple(row[0] for row in rows)


@answers(EraseVisitors)
async def erase_visitors(work: PostgresWork, question: EraseVisitors) -> int:
    """Erase visitors by their primary key.

    A statement of its own after they were locked: it sees what was added until then.
    """
    status = await work.connection.execute(_ERASE_VISITORS, work.tenant_id, list(question.ids))
    return _count(status)


@answers(LastRun)
async def last_run(work: PostgresWork, _: LastRun) -> TouchRetentionRun | None:
    """Return the run that began last, by the index touch_retention_runs_by_start."""
    statement = rows_of(TouchRetentionRun).order_by(runs.c.started_at.desc(), runs.c.id.desc())
    found = await work.fetch(TouchRetentionRun, statement.limit(1))
    return found[0] if found else None


def _sorted(ids: Any) -> tuple[UUID, ...]:
    return tuple(sorted({id for id in ids if id is not None}))


def _count(status: str) -> int:
    return int(status.rpartition(" ")[2])
