"""What waits for somebody: calls not read yet, and questions to a side of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.identity import Actor, Permission, Team, TeamMember
from domain.paging import Count, Listing, Order, PageRequest
from domain.ports import Work
from domain.stages import Side
from domain.threads.entities import Mention, MentionsFor, Thread, ThreadsThat

MOST_WAITING = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits for a user at an instant; `next_at` is when the next answer begins to be late.

    Of mentions the latest are listed, of questions those that are due first.
    """

    as_of: datetime
    mention_count: int
    mentions: Sequence[Mention]
    question_count: int
    overdue_count: int
    questions: Sequence[Thread]
    next_at: datetime | None


async def waiting_for(work: Work, actor: Actor) -> Waiting:
    """Return what waits for the actor.  To answer a question is up to everybody of its side."""
    actor.require(Permission.VIEW)
    by = actor.require_user()
    called: Listing[Mention] = Listing(
        kind=Mention,
        only=MentionsFor(user_id=by, unread=True),
        order=(Order("called_at", descending=True),),
        page=PageRequest(size=MOST_WAITING),
    )
    questions: list[Thread] = []
    changes: list[datetime | None] = []
    question_count = overdue_count = 0
    for side in await _sides_of(work, by):
        asked = _asked(side)
        questions += (await work.ask(asked)).nodes
        question_count += await work.ask(Count(listing=asked))
        overdue_count += await work.ask(Count(listing=_asked(side, overdue=True)))
        in_time = await work.ask(_asked(side, overdue=False, size=1))
        changes += [thread.next_change(work.now) for thread in in_time.nodes]
    questions.sort(key=lambda thread: (thread.due_at or work.now, thread.id))
    return Waiting(
        as_of=work.now,
        mention_count=await work.ask(Count(listing=called)),
        mentions=(await work.ask(called)).nodes,
        question_count=question_count,
        overdue_count=overdue_count,
        questions=questions[:MOST_WAITING],
        next_at=min((at for at in changes if at is not None), default=None),
    )


def _asked(side: Side, *, overdue: bool | None = None, size: int = MOST_WAITING) -> Listing[Thread]:
    return Listing(
        kind=Thread,
        only=ThreadsThat(awaiting=side, overdue=overdue),
        order=(Order("due_at"),),
        page=PageRequest(size=size),
    )


async def _sides_of(work: Work, user_id: UUID) -> Sequence[Side]:
    members = await work.find(TeamMember, user_id=user_id)
    ids = tuple(member.team_id for member in members)
    teams = await work.find(Team, id=ids) if ids else []
    return sorted({team.side for team in teams})
