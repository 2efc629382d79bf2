"""Reads of the tenant's event log."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from domain.feed import EventsAfter, LastNumber, LoggedEvent
from infra.database import PostgresWork, rows_of
from infra.queries import answers
from infra.rows import table_of
from infra.tables import feeds

log = table_of(LoggedEvent)


@answers(LastNumber)
async def last_number(work: PostgresWork, _: LastNumber) -> int:
    """Return the number of the newest event, from the tenant's one row of `feeds`."""
    rows = await work.rows(sa.select(feeds.c.last_number))
    return rows[0][0] if rows else 0


@answers(EventsAfter)
async def events_after(work: PostgresWork, question: EventsAfter) -> Sequence[LoggedEvent]:
    """Return the next events of a kind by number, by the index event_log_by_kind."""
    statement = (
        rows_of(LoggedEvent)
        .where(log.c.kind == question.kind, log.c.number > question.after)
        .order_by(log.c.number)
        .limit(question.limit)
    )
    return await work.fetch(LoggedEvent, statement)
