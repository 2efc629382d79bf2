"""Which letters people get from us again and again, and how they stop."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from domain.digests import DigestSubscription
from domain.events import UserChanged
from domain.identity import Actor, User
from domain.ports import Work, first


class LetterKind(StrEnum):
    """What somebody gets letters about until he or she wants no more."""

    DIGEST = "DIGEST"
    MENTION = "MENTION"


async def want_mention_letters(work: Work, actor: Actor, *, wanted: bool) -> User:
    """Say whether one wants a letter when one is called in a thread."""
    by = actor.require_user()
    user = await work.get(User, by, lock=True)
    if user.mention_letters is wanted:
        return user
    user = await work.save(replace(user, mention_letters=wanted))
    work.record(UserChanged(user_id=user.id, at=work.now))
    return user


async def stop_letters(work: Work, actor: Actor, kind: LetterKind) -> None:
    """Get no more letters of a kind.  Whoever gets none has stopped them already."""
    if kind is LetterKind.MENTION:
        await want_mention_letters(work, actor, wanted=False)
        return
    by = actor.require_user()
    known = await first(work, DigestSubscription, lock=True, user_id=by)
    if known is not None:
        await work.delete(DigestSubscription, id=known.id)
