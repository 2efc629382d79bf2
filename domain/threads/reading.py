"""Reading threads, and saying that one has read where one is mentioned."""

from __future__ import annotations

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
    if mention.read_at is not None:
        return mention
    mention = await work.save(replace(mention, read_at=work.now, letter_at=None))
    work.record(MentionRead(at=work.now, mention_id=mention.id, user_id=by))
    return mention
