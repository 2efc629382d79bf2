"""Sessions: one sign-in on one device, from its beginning to one of its ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.errors import DomainError, NotFound
from domain.events import SessionEnded, SessionStarted
from domain.identity.policy import Actor
from domain.ports import Work, first

# How long after its use a refresh token still gives what it gave: an answer may be lost on its way,
# and two tabs may wake up together.
GRACE = timedelta(seconds=10)
# How many sessions of one user are open at most; the one unused for longest makes room.
MOST_OPEN = 50
# How long an ended session is remembered, to say so to who comes with its token.
REMEMBERED = timedelta(days=1)


class SessionEnd(StrEnum):
    """Why a session was ended before its time."""

    SIGNED_OUT = "SIGNED_OUT"
    SIGNED_OUT_EVERYWHERE = "SIGNED_OUT_EVERYWHERE"
    ENDED_BY_ADMIN = "ENDED_BY_ADMIN"
    MEMBERSHIP_ENDED = "MEMBERSHIP_ENDED"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105  # why it ended, no secret
    TOKEN_REUSED = "TOKEN_REUSED"  # noqa: S105  # as above
    TOO_MANY = "TOO_MANY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One sign-in on one device.

    `digest` is of the refresh token that comes next, the `generation`th of the session.  `epoch` is
    the account's when it was signed in to: a password changed since then has ended the session.
    """

    id: UUID
    user_id: UUID
    digest: str
    generation: int
    epoch: int
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    ip_address: str | None = None
    user_agent: str | None = None
    ended_at: datetime | None = None
    ended_because: SessionEnd | None = None
    version: int = 1

    def is_open(self, now: datetime) -> bool:
        """Say whether it can be gone on with.  The instant it expires it no longer can."""
        return self.ended_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLives:
    """How long a session lasts: unused, and however much it is used."""

    idle: timedelta = timedelta(days=30)
    longest: timedelta = timedelta(days=90)

    def end(self, *, created_at: datetime, used_at: datetime) -> datetime:
        """Return when a session expires that is not used again."""
        return min(used_at + self.idle, created_at + self.longest)


class Presented(StrEnum):
    """What a refresh token that is one of the session's turned out to be."""

    CURRENT = "CURRENT"
    AGAIN = "AGAIN"
    SPENT = "SPENT"


class BadRefreshToken(DomainError):
    """Not a refresh token of ours."""

    code = "BAD_REFRESH_TOKEN"

    def __init__(self) -> None:
        super().__init__("This is not a refresh token of ours; sign in.", path=("refreshToken",))


class SessionOver(DomainError):
    """The session has expired or was ended."""

    code = "SESSION_ENDED"

    def __init__(self) -> None:
        super().__init__("This session is over; sign in again.", path=("refreshToken",))


class RefreshTokenReused(DomainError):
    """The token was used before: either a copy of it is in other hands, or this is the copy."""

    code = "REFRESH_TOKEN_REUSED"

    def __init__(self) -> None:
        super().__init__(
            "This refresh token was used before, so somebody may have copied it; the session has"
            " been ended.  Sign in again.",
            path=("refreshToken",),
        )


def judged(session: Session, *, steps: int, at: datetime) -> Presented:
    """Say what to make of a token that so many steps lead on from, to the current one.

    The one before the current is given its successor again for a moment.  Was the successor used,
    then it is not the current one any more, and whoever comes with its predecessor is too late.
    """
    if steps == 0:
        return Presented.CURRENT
    if steps == 1 and at - session.last_used_at <= GRACE:
        return Presented.AGAIN
    return Presented.SPENT


def rotated(session: Session, *, digest: str, at: datetime, lives: SessionLives) -> Session:
    """Return the session waiting for its next refresh token."""
    return replace(
        session,
        digest=digest,
        generation=session.generation + 1,
        last_used_at=at,
        expires_at=lives.end(created_at=session.created_at, used_at=at),
    )


async def begin_session(
    work: Work,
    *,
    id: UUID,
    user_id: UUID,
    digest: str,
    epoch: int,
    lives: SessionLives,
    ip_address: str | None,
    user_agent: str | None,
) -> Session:
    """Open a session for a user whose credentials were right; what is over makes room for it."""
    session = Session(
        id=id,
        user_id=user_id,
        digest=digest,
        generation=0,
        epoch=epoch,
        created_at=work.now,
        last_used_at=work.now,
        expires_at=lives.end(created_at=work.now, used_at=work.now),
        ip_address=ip_address,
        user_agent=user_agent,
    )
    await _make_room(work, user_id)
    await work.add(session)
    work.record(SessionStarted(session_id=id, user_id=user_id, at=work.now))
    return session


async def end_session(work: Work, actor: Actor, session_id: UUID) -> Session:
    """End one of the actor's own sessions.  To end it again changes nothing."""
    user_id = actor.require_user()
    session = await first(work, Session, lock=True, id=session_id, user_id=user_id)
    if session is None:
        raise NotFound("session", path=("session",))
    return await close_session(work, session, because=SessionEnd.SIGNED_OUT)


async def close_session(work: Work, session: Session, *, because: SessionEnd) -> Session:
    """End a session that was read to be changed."""
    if session.ended_at is not None:
        return session
    saved = await work.save(replace(session, ended_at=work.now, ended_because=because))
    work.record(SessionEnded(session_id=session.id, user_id=session.user_id, at=work.now))
    return saved


async def close_sessions(
    work: Work,
    *,
    user_id: UUID,
    because: SessionEnd,
    besides: UUID | None = None,
    epoch: int | None = None,
) -> None:
    """End all of a user's sessions, or all but one.

    With an `epoch` of the account, end those that were begun before it; the spared one joins it.
    """
    for session in await work.find(Session, lock=True, user_id=user_id, ended_at=None):
        if epoch is not None and session.epoch >= epoch:
            continue
        if session.id != besides:
            await close_session(work, session, because=because)
        elif epoch is not None:
            await work.save(replace(session, epoch=epoch))


async def _make_room(work: Work, user_id: UUID) -> None:
    kept = await work.find(Session, lock=True, user_id=user_id)
    for session in kept:
        if work.now - (session.ended_at or session.expires_at) > REMEMBERED:
            await work.delete(Session, id=session.id)
    unended = sorted((s for s in kept if s.is_open(work.now)), key=lambda s: s.last_used_at)
    for session in unended[: max(0, len(unended) - MOST_OPEN + 1)]:
        await close_session(work, session, because=SessionEnd.TOO_MANY)
