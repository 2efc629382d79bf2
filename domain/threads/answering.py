"""Answers: what a message answers, and what waits again when one is taken back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from domain.identity import Team, TeamMember
from domain.ports import Work
from domain.stages import Side
from domain.threads.entities import AnswerPending, Thread, ThreadMessage, waiting_for

# Who is of which side.
_Sides: TypeAlias = Collection[tuple[UUID, Side | None]]


async def answered(work: Work, thread: Thread, message: ThreadMessage) -> Thread:
    """Return a thread as a message leaves it.  The caller holds the thread's lock.

    It answers whatever its author's sides are asked, except what the author asks: whoever is in
    teams of both sides does not answer himself.

    Raises:
        AnswerPending: if it asks one side while the other one owes an answer.
    """
    asking = await _unanswered(work, thread)
    sides = await _sides_of(work, [message])
    told = [each for each in asking if _answers(message, each, sides)]
    await work.save_all([replace(each, answered_by_id=message.id) for each in told])
    still = [each for each in asking if each not in told]
    thread = waiting_for(thread, still)
    if message.asks is None:
        return thread
    if thread.awaiting not in {None, message.asks}:
        raise AnswerPending(thread.awaiting)
    return waiting_for(thread, [*still, message])


async def without(work: Work, thread: Thread, gone: ThreadMessage) -> Thread:
    """Return a thread without a message that was taken back.  The caller holds the thread's lock.

    What it had answered is answered by the next one that does, or waits again, due when it was.
    """
    was = await work.find(ThreadMessage, lock=True, thread_id=thread.id, answered_by_id=gone.id)
    if was:
        said = await work.find(ThreadMessage, thread_id=thread.id, retracted_at=None)
        later = sorted((each for each in said if _place(each) > _place(gone)), key=_place)
        sides = await _sides_of(work, later)
        await work.save_all([_answered_by_next(each, later, sides) for each in was])
    return waiting_for(thread, await _unanswered(work, thread))


def _answered_by_next(
    question: ThreadMessage,
    later: Sequence[ThreadMessage],
    sides: _Sides,
) -> ThreadMessage:
    answers = (each.id for each in later if _answers(each, question, sides))
    return replace(question, answered_by_id=next(answers, None))


def _answers(message: ThreadMessage, question: ThreadMessage, sides: _Sides) -> bool:
    author = message.author_id
    return author != question.author_id and (author, question.asks) in sides


def _place(message: ThreadMessage) -> tuple[datetime, UUID]:
    return message.sent_at, message.id


async def _unanswered(work: Work, thread: Thread) -> Sequence[ThreadMessage]:
    return await work.find(
        ThreadMessage,
        lock=True,
        thread_id=thread.id,
        asks=tuple(Side),
        answered_by_id=None,
        retracted_at=None,
    )


async def _sides_of(work: Work, messages: Sequence[ThreadMessage]) -> _Sides:
    authors = tuple({message.author_id for message in messages})
    members = await work.find(TeamMember, user_id=authors)
    teams = await work.find(Team, id=tuple({member.team_id for member in members}))
    side = {team.id: team.side for team in teams}
    return {(member.user_id, side[member.team_id]) for member in members}
