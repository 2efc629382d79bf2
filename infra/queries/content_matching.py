"""Reads and set-based writes by which content assets find their touches."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from domain.content import ContentAsset
from domain.content_matching import (
    KeepMatched,
    MatchingAssets,
    NextUnmatched,
)
from domain.strays import Strays
from domain.touches import Touch
from infra.database import PostgresWork, rows_of
from infra.queries import answers
from infra.queries.batches import last_of_batch
from infra.rows import table_of

assets = table_of(ContentAsset)
touches = table_of(Touch)

_UNMATCHED = """
SELECT id, lead_id, url FROM touches
WHERE tenant_id = $1 AND id > $2 AND ($3::uuid IS NULL OR id <= $3) AND asset_id IS NULL
  AND url = ANY($4::text[])
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
async def next_unmatched(work: PostgresWork, question: NextUnmatched) -> Strays:
    """Return touches at some addresses, along the primary key."""
    last = await last_of_batch(work, touches, after=question.after, limit=question.limit)
    rows = await work.connection.fetch(
        _UNMATCHED, work.tenant_id, question.after, last, list(question.assets)
    )
    found: dict[UUID, list[UUID]] = {}
    for touch_id, _, url in rows:
        found.setdefault(question.assets[url], []).append(touch_id)
    return Strays(
        touches={asset_id: tuple(ids) for asset_id, ids in found.items()},
        lead_ids=tuple(sorted({row[1] for row in rows} - {None})),
        last=last,
    )


@answers(KeepMatched)
async def keep_matched(work: PostgresWork, question: KeepMatched) -> None:
    """Keep how far assets have looked, in one statement; they are locked."""
    await work.connection.execute(
        _KEEP, work.tenant_id, list(question.after), list(question.after.values())
    )
