"""Reads and set-based writes by which content assets find their touches."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from domain.content import ContentAsset
from domain.content_matching import (
    KeepMatched,
    MatchingAssets,
    MatchTouches,
    NextUnmatched,
    Unmatched,
)
from infra.database import PostgresWork, rows_of
from infra.queries import answers
from infra.rows import table_of

assets = table_of(ContentAsset)

# The last of the next touches by id, if there are as many.
_LAST = """
SELECT id FROM touches WHERE tenant_id = $1 AND id > $2 ORDER BY id OFFSET $3 LIMIT 1
"""
_UNMATCHED = """
SELECT id, lead_id, url FROM touches
WHERE tenant_id = $1 AND id > $2 AND ($3::uuid IS NULL OR id <= $3) AND asset_id IS NULL
  AND url = ANY($4::text[])
"""
_MATCH = """
UPDATE touches t SET asset_id = l.asset_id, version = t.version + 1
FROM (
  SELECT m.id, m.asset_id FROM unnest($2::uuid[], $3::uuid[]) AS m(id, asset_id)
  JOIN touches o ON o.tenant_id = $1 AND o.id = m.id
  WHERE o.asset_id IS NULL ORDER BY m.id FOR NO KEY UPDATE OF o
) l
WHERE t.tenant_id = $1 AND t.id = l.id RETURNING t.lead_id
"""
_KEEP = """
UPDATE content_assets a SET matching_after = k.after,
  matching_started_at = CASE WHEN k.after IS NULL THEN NULL ELSE a.matching_started_at END
FROM unnest($2::uuid[], $3::uuid[]) AS k(id, after) WHERE a.tenant_id = $1 AND a.id = k.id
"""


@answers(MatchingAssets)
async def matching_assets(work: PostgresWork, question: MatchingAssets) -> Sequence[ContentAsset]:
    """Return assets by id, by the partial index content_assets_matching, locked."""
    statement = (
        rows_of(ContentAsset)
        .where(assets.c.matching_after.is_not(None))
        .order_by(assets.c.id)
        .limit(question.limit)
        .with_for_update(key_share=True)
    )
    return await work.fetch(ContentAsset, statement)


@answers(NextUnmatched)
async def next_unmatched(work: PostgresWork, question: NextUnmatched) -> Unmatched:
    """Return touches at some addresses, along the primary key."""
    last = await work.connection.fetchval(_LAST, work.tenant_id, question.after, question.limit - 1)
    rows = await work.connection.fetch(
        _UNMATCHED, work.tenant_id, question.after, last, list(question.assets)
    )
    found: dict[UUID, list[UUID]] = {}
    for touch_id, _, url in rows:
        found.setdefault(question.assets[url], []).append(touch_id)
    return Unmatched(
        touches={asset_id: tuple(ids) for asset_id, ids in found.items()},
        lead_ids=tuple(sorted({row[1] for row in rows} - {None})),
        last=last,
    )


@answers(MatchTouches)
async def match_touches(work: PostgresWork, question: MatchTouches) -> frozenset[UUID]:
    """Give touches their assets in one statement, by the primary key."""
    pairs = [(id, asset_id) for asset_id, ids in question.touches.items() for id in ids]
    ids, asset_ids = zip(*pairs, strict=True)
    rows = await work.connection.fetch(_MATCH, work.tenant_id, list(ids), list(asset_ids))
    return frozenset(row[0] for row in rows if row[0] is not None)


@answers(KeepMatched)
async def keep_matched(work: PostgresWork, question: KeepMatched) -> None:
    """Keep how far assets have looked, in one statement; they are locked."""
    await work.connection.execute(
        _KEEP, work.tenant_id, list(question.after), list(question.after.values())
    )
