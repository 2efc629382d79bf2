"""Which threads and mentions a list shows, and who gets a letter."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from domain.threads import DueCalls, Mention, MentionsFor, Thread, ThreadMessage, ThreadsThat
from infra.database import PostgresWork, rows_of
from infra.queries import answers
from infra.queries.listing import narrows
from infra.rows import table_of

threads = table_of(Thread)
messages = table_of(ThreadMessage)
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
def mentions_for(work: PostgresWork, only: MentionsFor) -> sa.ColumnElement[bool]:
    """Return the condition of a user's mentions, by mentions_by_user or mentions_unread.

    In a message that was taken back there is nothing to read.
    """
    mine = mentions.c.user_id == only.user_id
    if only.unread is None:
        return mine
    if not only.unread:
        return sa.and_(mine, mentions.c.read_at.is_not(None))
    still_said = (
        sa.select(sa.literal(1))
        .where(
            messages.c.tenant_id == work.tenant_id,
            messages.c.id == mentions.c.message_id,
            messages.c.retracted_at.is_(None),
        )
        .correlate(mentions)
        .exists()
    )
    return sa.and_(mine, mentions.c.read_at.is_(None), still_said)


@answers(DueCalls)
async def due_calls(work: PostgresWork, question: DueCalls) -> Sequence[Mention]:
    """Return the mentions of whoever has waited longest, locked, by mentions_letters.

    Another worker may hold some of them: then it writes about those.
    """
    waiting = mentions.alias("waiting")
    longest = (
        sa.select(waiting.c.user_id)
        .where(
            waiting.c.tenant_id == work.tenant_id,
            waiting.c.letter_at <= question.at,
            waiting.c.user_id != sa.all_(sa.literal(list(question.but), sa.ARRAY(sa.Uuid))),
        )
        .order_by(waiting.c.letter_at, waiting.c.id)
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        rows_of(Mention)
        .where(mentions.c.user_id == longest, mentions.c.letter_at.is_not(None))
        .order_by(mentions.c.called_at, mentions.c.id)
        .limit(question.limit)
        .with_for_update(skip_locked=True)
    )
    return await work.fetch(Mention, statement)
