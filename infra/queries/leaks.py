"""Leaks, found by instants: no calendar is known here, and no lead is read that cannot be one."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from domain.leaks import (
    CountLeaks,
    FoundLeak,
    LeakFigure,
    LeakFigures,
    LeakKind,
    LeakPages,
)
from domain.leaks.finding import FoundFigures, FoundPage, LeaksAmong
from domain.paging import BadPage, PageRequest, write_cursor
from domain.stages import Stage
from infra.database import PostgresWork
from infra.queries import answers

# $1 is the tenant, $2-$5 the thresholds, $6 and $7 the teams of those never handed off.  A lead
# has lacked what it lacks since it entered its stage at the earliest, so the index leads_by_watch
# (stage, stage_entered_at) leaves out whoever has not for so long.
# Who must not be contacted lacks nothing, and whoever has left owns nothing since.  Whose a lead is
# follows from its newest hand-off that no merge has ended, by the index handoffs_by_lead.
_WATCHED = """
WITH limits AS MATERIALIZED (
  SELECT * FROM unnest($2::text[], $3::text[], $4::uuid[], $5::timestamptz[])
    AS m(kind, stage, team_id, before)
), bounds AS MATERIALIZED (
  SELECT stage, max(before) AS before FROM limits GROUP BY stage
), watched AS MATERIALIZED (
  SELECT l.id AS lead_id, l.stage, l.stage_entered_at, u.active IS TRUE AS owned, u.left_at, CASE
    WHEN l.stage IN ('SAL', 'SQL', 'OPPORTUNITY', 'CUSTOMER', 'ADVOCATE') OR h.status = 'OPEN'
    THEN coalesce(h.to_team_id, $7) ELSE coalesce(h.from_team_id, $6) END AS team_id
  FROM bounds b JOIN leads l ON l.stage = b.stage {bound}
  LEFT JOIN users u ON u.tenant_id = $1 AND u.id = l.owner_id
  LEFT JOIN LATERAL (
    SELECT h.from_team_id, h.to_team_id, h.status FROM handoffs h
    WHERE h.tenant_id = $1 AND h.lead_id = l.id AND h.status <> 'MERGED'
    ORDER BY h.handed_off_at DESC, h.id DESC LIMIT 1
  ) h ON true
  WHERE l.tenant_id = $1 AND NOT l.do_not_contact
), lacking AS {kept} (
  SELECT m.kind, w.lead_id, w.stage, w.team_id, s.since, s.since < m.before AS late
  FROM watched w JOIN limits m ON m.stage = w.stage AND m.team_id = w.team_id
  CROSS JOIN LATERAL (
    SELECT CASE m.kind
      WHEN 'NO_OWNER' THEN CASE WHEN NOT w.owned THEN greatest(w.stage_entered_at, w.left_at) END
      WHEN 'NO_NEXT_STEP' THEN greatest(w.stage_entered_at, (
        SELECT coalesce(min(n.due_at) FILTER (WHERE n.done_at IS NULL), max(n.done_at))
        FROM next_steps n
        WHERE n.tenant_id = $1 AND n.lead_id = w.lead_id AND n.replaced_at IS NULL
      ))
      ELSE greatest(w.stage_entered_at, (
        SELECT max(a.occurred_at) FROM activities a
        WHERE a.tenant_id = $1 AND a.lead_id = w.lead_id
          AND a.agency = 'HUMAN' AND a.kind <> 'NOTE'
      )) END AS since
  ) s
  WHERE s.since IS NOT NULL
)
"""
_TOO_OLD = _WATCHED.format(bound="AND l.stage_entered_at < b.before", kept="NOT MATERIALIZED")
_PAGE = """
SELECT kind, lead_id, stage, team_id, since FROM lacking
WHERE late AND ($9::timestamptz IS NULL
  OR (since, lead_id, kind) {beyond} ($9, $10::uuid, $11::text))
ORDER BY since {way}, lead_id {way}, kind {way} LIMIT $8
"""
_COUNTED = """
SELECT count(*) FROM lacking WHERE late
"""
_COUNT = _TOO_OLD + _COUNTED
_FORWARD = _TOO_OLD + _PAGE.format(beyond=">", way="ASC")
_BACKWARD = _TOO_OLD + _PAGE.format(beyond="<", way="DESC")
# The figures have no lead, and the longest have.
_FIGURES = """
(SELECT kind, stage, team_id, NULL::uuid AS lead_id, count(*) FILTER (WHERE late),
  min(since) FILTER (WHERE late) AS since, min(since) FILTER (WHERE NOT late) AS coming
FROM lacking GROUP BY kind, stage, team_id)
UNION ALL
(SELECT kind, stage, team_id, lead_id, 1, since, NULL
FROM lacking WHERE late ORDER BY since, lead_id, kind LIMIT $8)
"""
_REPORT = _WATCHED.format(bound="", kept="MATERIALIZED") + _FIGURES


@answers(LeakPages)
async def leak_pages(work: PostgresWork, question: LeakPages) -> FoundPage:
    """Return a page of leaks, the longest first; of one lead those of each kind apart."""
    page = question.page
    text = _BACKWARD if page.backward else _FORWARD
    place = _place(page)
    rows = await work.connection.fetch(text, *_given(work, question.among), page.size + 1, *place)
    found = [
        FoundLeak(
            kind=LeakKind(row[0]), lead_id=row[1], stage=Stage(row[2]), team_id=row[3], since=row[4]
        )
        for row in rows[: page.size]
    ]
    more = len(rows) > page.size
    if page.backward:
        found.reverse()
    inside = page.cursor is not None
    return FoundPage(
        nodes=found,
        cursors=[write_cursor((f.since.isoformat(), str(f.lead_id), f.kind.value)) for f in found],
        has_next_page=inside if page.backward else more,
        has_previous_page=more if page.backward else inside,
    )


@answers(CountLeaks)
async def count_leaks(work: PostgresWork, question: CountLeaks) -> int:
    """Return how many leaks there are."""
    count: int = await work.connection.fetchval(_COUNT, *_given(work, question.among))
    return count


@answers(LeakFigures)
async def leak_figures(work: PostgresWork, question: LeakFigures) -> FoundFigures:
    """Return all leaks in numbers with the longest, in one statement.

    Reads every lead of the stages that are watched, which are those somebody works on now, once.
    """
    rows = await work.connection.fetch(_REPORT, *_given(work, question.among), question.longest)
    figures = [
        LeakFigure(
            kind=LeakKind(row[0]),
            stage=Stage(row[1]),
            team_id=row[2],
            count=row[4],
            since=row[5],
            coming=row[6],
        )
        for row in rows
        if row[3] is None
    ]
    longest = [
        FoundLeak(
            kind=LeakKind(row[0]), stage=Stage(row[1]), team_id=row[2], lead_id=row[3], since=row[5]
        )
        for row in rows
        if row[3] is not None
    ]
    figures.sort(key=lambda each: (each.kind.value, each.stage.value, each.team_id))
    longest.sort(key=lambda each: (each.since, each.lead_id, each.kind.value))
    return FoundFigures(figures=figures, longest=longest)


def _given(work: PostgresWork, among: LeaksAmong) -> list[Any]:
    limits = among.thresholds
    return [
        work.tenant_id,
        [limit.kind.value for limit in limits],
        [limit.stage.value for limit in limits],
        [limit.team_id for limit in limits],
        [limit.before for limit in limits],
        among.marketing_team_id,
        among.sales_team_id,
    ]


def _place(page: PageRequest) -> tuple[datetime | None, UUID | None, str | None]:
    """Return where a page begins.

    Raises:
        BadPage: if the cursor belongs to another list.
    """
    if page.cursor is None:
        return None, None, None
    name = "before" if page.backward else "after"
    try:
        since, lead_id, kind = page.cursor
        place = datetime.fromisoformat(since), UUID(lead_id), LeakKind(kind).value
    except (ValueError, TypeError, AttributeError, OverflowError):
        place = None
    if place is None or place[0].tzinfo is None:
        raise BadPage(f"`{name}` is a cursor of another list.", path=(name,))
    return place
