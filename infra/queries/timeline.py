"""A person's story, from the tables that hold its parts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

from domain.content import ContentAsset
from domain.content_flow import MOST_CONSUMED, ConsumedAsset, ConsumedBy
from domain.leads import Agency
from domain.paging import BadPage, PageRequest, write_cursor
from domain.ports import by_id
from domain.timeline import (
    SOURCES,
    TimelineEntry,
    TimelineLength,
    TimelinePage,
    TimelinesOf,
)
from infra.database import PostgresWork
from infra.queries import answers
from infra.rows import table_of

_Placed: TypeAlias = tuple[str, TimelineEntry]


def _part(kind: type, instant: str, *, backward: bool) -> str:
    """Return what reads one source by its index (tenant_id, lead_id, instant, id), and no more."""
    order, beyond = ("ASC", ">") if backward else ("DESC", "<")
    return f"""
    (SELECT '{kind.__name__}' AS kind, e.{instant} AS at, e.id FROM {table_of(kind).name} e
     WHERE e.tenant_id = $1 AND e.lead_id = l.lead_id
     AND ($3::timestamptz IS NULL OR (e.{instant}, e.id) {beyond} ($3, $4::uuid))
     ORDER BY e.{instant} {order}, e.id {order} LIMIT $5)"""  # noqa: S608  # the names are those of our own tables and columns


def _page_text(*, backward: bool) -> str:
    order = "ASC" if backward else "DESC"
    parts = " UNION ALL ".join(_part(*source, backward=backward) for source in SOURCES.items())
    return f"""
    SELECT l.lead_id, t.kind, t.at, t.id FROM unnest($2::uuid[]) AS l(lead_id),
    LATERAL (SELECT * FROM ({parts}) u ORDER BY at {order}, id {order} LIMIT $5) t
    ORDER BY l.lead_id, t.at {order}, t.id {order}
    """  # noqa: S608  # as above


_PAGES = {backward: _page_text(backward=backward) for backward in (False, True)}
_COUNTS = (
    f"(SELECT count(*) FROM {table_of(entity).name} WHERE tenant_id = $1 AND lead_id = $2)"  # noqa: S608  # as above
    for entity in SOURCES
)
_LENGTH = f"SELECT {' + '.join(_COUNTS)}"
_CONSUMED = """
SELECT c.lead_id, c.asset_id, c.times, c.first_at, c.last_at FROM (
  SELECT t.lead_id, t.asset_id, count(*) AS times, min(t.occurred_at) AS first_at,
    max(t.occurred_at) AS last_at, row_number() OVER (
      PARTITION BY t.lead_id ORDER BY max(t.occurred_at) DESC, t.asset_id
    ) AS place
  FROM touches t WHERE t.tenant_id = $1 AND t.lead_id = ANY($2::uuid[])
  AND t.asset_id IS NOT NULL AND t.agency = $3
  GROUP BY t.lead_id, t.asset_id
) c WHERE c.place <= $4 ORDER BY c.lead_id, c.place
"""


@answers(TimelinesOf)
async def pages(work: PostgresWork, question: TimelinesOf) -> Sequence[TimelinePage]:
    """Return the same page for each lead: which entries in one statement, and one for each kind.

    Of each source it reads one row more than a page has, however long the story is.
    """
    page = question.page
    at, id = _from(page)
    rows = await work.connection.fetch(
        _PAGES[page.backward], work.tenant_id, list(question.lead_ids), at, id, page.size + 1
    )
    entries = await _entries(work, rows)
    found: dict[UUID, list[_Placed]] = {lead_id: [] for lead_id in question.lead_ids}
    for row in rows:
        cursor = write_cursor([row["at"].isoformat(), str(row["id"])])
        found[row["lead_id"]].append((cursor, entries[row["id"]]))
    return [_page(lead_id, found[lead_id], page) for lead_id in question.lead_ids]


async def _entries(work: PostgresWork, rows: Sequence[Any]) -> dict[UUID, TimelineEntry]:
    """Return what happened by its id."""
    entries: dict[UUID, TimelineEntry] = {}
    for kind in SOURCES:
        if wanted := [row["id"] for row in rows if row["kind"] == kind.__name__]:
            entries |= by_id(await work.find(kind, id=wanted))
    return entries


@answers(TimelineLength)
async def length(work: PostgresWork, question: TimelineLength) -> int:
    """Return how many entries there are, by the same indexes."""
    total: int = await work.connection.fetchval(_LENGTH, work.tenant_id, question.lead_id)
    return total


@answers(ConsumedBy)
async def consumed(work: PostgresWork, question: ConsumedBy) -> Sequence[Sequence[ConsumedAsset]]:
    """Return what each lead consumed, in one statement and one more for the assets."""
    rows = await work.connection.fetch(
        _CONSUMED, work.tenant_id, list(question.lead_ids), Agency.HUMAN, MOST_CONSUMED
    )
    wanted = sorted({row["asset_id"] for row in rows})
    assets = by_id(await work.find(ContentAsset, id=wanted)) if wanted else {}
    found: dict[UUID, list[ConsumedAsset]] = {lead_id: [] for lead_id in question.lead_ids}
    for row in rows:
        found[row["lead_id"]].append(
            ConsumedAsset(
                asset=assets[row["asset_id"]],
                times=row["times"],
                first_at=row["first_at"],
                last_at=row["last_at"],
            )
        )
    return [found[lead_id] for lead_id in question.lead_ids]


def _from(page: PageRequest) -> tuple[datetime | None, UUID | None]:
    """Return where a page begins.

    Raises:
        BadPage: if the cursor is another list's.
    """
    if page.cursor is None:
        return None, None
    name = "before" if page.backward else "after"
    try:
        at, id = page.cursor
        # What has no zone cannot be compared with what has one.
        found = max(datetime.fromisoformat(at), _LONG_AGO), UUID(str(id))
    except (ValueError, TypeError, OverflowError):
        raise BadPage(f"`{name}` is a cursor of a list in another order.", path=(name,)) from None
    return found


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def _page(lead_id: UUID, placed: Sequence[_Placed], page: PageRequest) -> TimelinePage:
    more, kept = len(placed) > page.size, list(placed[: page.size])
    if page.backward:
        kept.reverse()
    inside = page.cursor is not None
    return TimelinePage(
        nodes=[entry for _, entry in kept],
        cursors=[cursor for cursor, _ in kept],
        has_next_page=inside if page.backward else more,
        has_previous_page=more if page.backward else inside,
        counting=TimelineLength(lead_id=lead_id),
    )
