"""Which threads and mentions a list shows."""

from __future__ import annotations

import sqlalchemy as sa

from domain.threads import Mention, MentionsFor, Thread, ThreadsThat
from infra.database import PostgresWork
from infra.queries.listing import narrows
from infra.rows import table_of

threads = table_of(Thread)
mentions = table_of(Mention)


@narrows(ThreadsThat)
def threads_that(work: PostgresWork, only: ThreadsThat) -> sa.ColumnElement[bool]:
    """Return the condition of the threads asked for, by the partial index threads_awaiting."""
    conditions: list[sa.ColumnElement[bool]] = []
    if only.awaiting is not None:
        conditions.append(threads.c.awaiting == only.awaiting.value)
    if only.overdue:
        conditions += [threads.c.awaiting.is_not(None), threads.c.due_at < work.now]
    elif only.overdue is not None:
        conditions.append(sa.or_(threads.c.due_at.is_(None), threads.c.due_at >= work.now))
    return sa.and_(sa.true(), *conditions)


@narrows(MentionsFor)
def mentions_for(_: PostgresWork, only: MentionsFor) -> sa.ColumnElement[bool]:
    """Return the condition of a user's mentions, by mentions_by_user or mentions_unread."""
    mine = mentions.c.user_id == only.user_id
    if only.unread is None:
        return mine
    unread = mentions.c.read_at.is_(None)
    return sa.and_(mine, unread if only.unread else ~unread)
