"""Saying something: starting a thread, replying, changing and taking back what one said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from uuid import UUID

from domain.campaigns import Campaign
from domain.content import ContentAsset
from domain.errors import Invalid, NotFound
from domain.events import ThreadChanged, UserMentioned
from domain.handoff import Handoff, HandoffStatus, newest
from domain.identity import Actor, Permission, Team, TeamMember, User
from domain.ids import new_id
from domain.leads import Lead
from domain.ports import Work
from domain.sla import keeping
from domain.stages import Side
from domain.team_hours import hours_of_team
from domain.threads.answering import answered, without
from domain.threads.calling import letter_at, written_to
from domain.threads.entities import (
    LONGEST_ANSWER,
    LONGEST_MESSAGE,
    USUAL_ANSWER,
    Mention,
    Subject,
    Thread,
    ThreadMessage,
    changed,
    retracted,
    waiting_for,
)
from domain.threads.mentioning import NOBODY, Called, people_called
from domain.threads.reading import read_by_answering
from domain.values import require_text

_KINDS: dict[str, type] = {"campaign_id": Campaign, "asset_id": ContentAsset}
_NAMES = {
    "lead_id": "lead",
    "handoff_id": "handoff",
    "campaign_id": "campaign",
    "asset_id": "asset",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which side is to answer, within how much of its working time."""

    side: Side
    within: timedelta = USUAL_ANSWER


async def start_thread(
    work: Work,
    actor: Actor,
    subject: Subject,
    *,
    text: str,
    asks: Asked | None = None,
    mentions: Called = NOBODY,
) -> Thread:
    """Begin to talk about something."""
    actor.require(Permission.DISCUSS)
    by = actor.require_user()
    handoff = await _handoff_about(work, subject)
    await _check_exists(work, subject)
    about = {field.name: getattr(subject, field.name) for field in fields(subject)}
    thread = Thread(
        id=new_id(), started_at=work.now, last_message_at=work.now, started_by=by, **about
    )
    message = await _message(work, thread, handoff, by=by, text=text, asks=asks)
    people = await people_called(work, mentions, by=by)
    thread = await work.add(waiting_for(thread, [message]))
    return await _say(work, thread, message, people, handoff)


async def reply(
    work: Work,
    actor: Actor,
    thread_id: UUID,
    *,
    text: str,
    asks: Asked | None = None,
    mentions: Called = NOBODY,
) -> Thread:
    """Say something in a thread.  Whatever the side says that is waited for is its answer."""
    actor.require(Permission.DISCUSS)
    by = actor.require_user()
    seen = await work.get(Thread, thread_id)
    handoff = await _handoff_about(work, _subject_of(seen))
    thread = await work.get(Thread, thread_id, lock=True)
    message = await _message(work, thread, handoff, by=by, text=text, asks=asks)
    people = await people_called(work, mentions, by=by)
    thread = await answered(work, thread, message)
    thread = await work.save(replace(thread, last_message_at=work.now))
    await read_by_answering(work, thread.id, by)
    return await _say(work, thread, message, people, handoff)


async def change_message(work: Work, actor: Actor, message_id: UUID, *, text: str) -> ThreadMessage:
    """Put what one said in other words; it shows that it was changed."""
    actor.require(Permission.DISCUSS)
    by = actor.require_user()
    text = require_text(text, name="The text", path=("text",), longest=LONGEST_MESSAGE)
    message = await work.get(ThreadMessage, message_id, lock=True)
    message = await work.save(changed(message, text, by=by, at=work.now))
    work.record(ThreadChanged(at=work.now, thread_id=message.thread_id))
    return message


async def retract_message(work: Work, actor: Actor, message_id: UUID) -> ThreadMessage:
    """Take back what one said.  A question that is taken back needs no answer any more.

    Nobody gets a letter about it either.
    """
    actor.require(Permission.DISCUSS)
    by = actor.require_user()
    seen = await work.get(ThreadMessage, message_id)
    thread = await work.get(Thread, seen.thread_id, lock=True)
    message = await work.get(ThreadMessage, message_id, lock=True)
    message = await work.save(retracted(message, by=by, at=work.now))
    await written_to(work, await work.find(Mention, lock=True, message_id=message.id))
    waiting = await without(work, thread, message)
    if waiting != thread:
        await work.save(waiting)
    work.record(ThreadChanged(at=work.now, thread_id=message.thread_id))
    return message


async def _say(
    work: Work,
    thread: Thread,
    message: ThreadMessage,
    people: Sequence[tuple[User, UUID | None]],
    handoff: Handoff | None,
) -> Thread:
    """Store a message, call those it mentions, and let it count as feedback."""
    await work.add(message)
    mentions = [
        Mention(
            id=new_id(),
            thread_id=thread.id,
            message_id=message.id,
            user_id=user.id,
            team_id=team_id,
            called_at=work.now,
            letter_at=letter_at(user, author_id=message.author_id, now=work.now),
        )
        for user, team_id in people
    ]
    await work.add_all(mentions)
    work.record(ThreadChanged(at=work.now, thread_id=thread.id))
    for mention in mentions:
        work.record(
            UserMentioned(
                at=work.now,
                thread_id=thread.id,
                message_id=message.id,
                user_id=mention.user_id,
            )
        )
    if handoff is not None and await _got_it(work, handoff, message.author_id):
        await keeping.fed_back(work, handoff.id, at=work.now)
    return thread


async def _message(
    work: Work,
    thread: Thread,
    handoff: Handoff | None,
    *,
    by: UUID,
    text: str,
    asks: Asked | None,
) -> ThreadMessage:
    message = ThreadMessage(
        id=new_id(),
        thread_id=thread.id,
        author_id=by,
        text=require_text(text, name="The text", path=("text",), longest=LONGEST_MESSAGE),
        sent_at=work.now,
    )
    if asks is None:
        return message
    if not timedelta() < asks.within <= LONGEST_ANSWER:
        raise Invalid("The time is above 0 and at most 366 days.", path=("asks", "within"))
    hours = await hours_of_team(work, await _team_of(work, handoff, asks.side))
    return replace(message, asks=asks.side, due_at=hours.add(work.now, asks.within))


async def _check_exists(work: Work, subject: Subject) -> None:
    for name, kind in _KINDS.items():
        id = getattr(subject, name)
        if id is not None and not await work.find(kind, id=id):
            raise NotFound(_NAMES[name], path=("about", _NAMES[name]))


async def _handoff_about(work: Work, subject: Subject) -> Handoff | None:
    """Return the hand-off a thread is about, else the lead's newest one; its lead is locked then.

    What a merge ended is about the same person, so the one that goes on stands for it.
    """
    lead_id, handoff = subject.lead_id, None
    if subject.handoff_id is not None:
        handoff = await _found(work, Handoff, subject.handoff_id, "handoff")
        lead_id = handoff.lead_id
    if lead_id is None:
        return None
    await _found(work, Lead, lead_id, "lead", lock=True)
    if handoff is not None and handoff.status is not HandoffStatus.MERGED:
        return handoff
    return newest(await work.find(Handoff, lead_id=lead_id))


async def _found(work: Work, kind: type, id: UUID, name: str, *, lock: bool = False) -> Handoff:
    try:
        found: Handoff = await work.get(kind, id, lock=lock)
    except NotFound as error:
        raise NotFound(name, path=("about", name)) from error
    return found


async def _team_of(work: Work, handoff: Handoff | None, side: Side) -> Team | None:
    """Return the team of a side that a thread concerns: the hand-off's, or else the first one."""
    if handoff is not None:
        team_id = handoff.to_team_id if side is Side.SALES else handoff.from_team_id
        return await work.get(Team, team_id)
    teams = await work.find(Team, side=side)
    return teams[0] if teams else None


async def _got_it(work: Work, handoff: Handoff, user_id: UUID) -> bool:
    """Say whether a user is of those who got a hand-off."""
    if user_id == handoff.owner_id:
        return True
    return bool(await work.find(TeamMember, team_id=handoff.to_team_id, user_id=user_id))


def _subject_of(thread: Thread) -> Subject:
    return Subject(**{field.name: getattr(thread, field.name) for field in fields(Subject)})
