"""Reading threads, and saying that one has read where one is mentioned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from domain.errors import NotFound
from domain.events import MentionRead
from domain.identity import Actor, Permission
from domain.ports import Work
from domain.threads.entities import Mention, Thread


async def read_thread(work: Work, actor: Actor, thread_id: UUID) -> Thread:
    """Return a thread."""
    actor.require(Permission.VIEW)
    return await work.get(Thread, thread_id)


async def read_mention(work: Work, actor: Actor, mention_id: UUID) -> Mention:
    """Keep that one has read where one is mentioned; the first time counts.

    Raises:
        NotFound: if it is somebody else's.
    """
    actor.require(Permission.VIEW)
    by = actor.require_user()
    mention = await work.get(Mention, mention_id, lock=True)
    if mention.user_id != by:
        raise NotFound("mention", path=("mention",))
    await _keep_read(work, [mention])
    return await work.get(Mention, mention_id)


async def read_by_answering(work: Work, thread_id: UUID, by: UUID) -> None:
    """Keep that whoever says something in a thread has read where he or she was called in it."""
    calls = await work.find(Mention, lock=True, thread_id=thread_id, user_id=by, read_at=None)
    await _keep_read(work, calls)


async def _keep_read(work: Work, calls: Sequence[Mention]) -> None:
    unread = [call for call in calls if call.read_at is None]
    await work.save_all([replace(call, read_at=work.now, letter_at=None) for call in unread])
    for call in unread:
        work.record(MentionRead(at=work.now, mention_id=call.id, user_id=call.user_id))
