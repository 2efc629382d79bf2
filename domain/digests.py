"""Digests: what became of the leads that marketing handed over, told again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.errors import Invalid, NotFound
from domain.handoff import Handoff
from domain.identity import Actor, Permission, Team, TeamMember, Tenant
from domain.ids import new_id
from domain.outcomes import Outcome
from domain.ports import Question, Work, first
from domain.stages import Side

MOST_LISTED = 50
# Whoever records something knows the time a little before others can read it.  A digest that told
# of the last instants would miss what is just being stored, and so would the next one.
SETTLED = timedelta(minutes=1)
_AT = time(8)
_MONDAY = 0
_A_DAY = timedelta(days=1)


class DigestFrequency(StrEnum):
    """How often a digest comes."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestSubscription:
    """That a user wants digests.  The next one tells what happened after `since`."""

    id: UUID
    user_id: UUID
    frequency: DigestFrequency
    subscribed_at: datetime
    since: datetime
    next_at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackDigest:
    """What became of hand-offs in a time, and which of all have no feedback yet.

    `news` are the newest hand-offs about which something happened, at most 50, `counts` all of
    them by outcome; `waiting` are the oldest without feedback, at most 50 of `waiting_count`.
    """

    since: datetime
    until: datetime
    news: Sequence[Handoff]
    counts: Mapping[Outcome, int]
    waiting: Sequence[Handoff]
    waiting_count: int

    @property
    def news_count(self) -> int:
        return sum(self.counts.values())

    @property
    def is_empty(self) -> bool:
        return not self.news_count and not self.waiting_count


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestOf(Question[FeedbackDigest]):
    """The digest of what some teams handed over; of all teams, if none is named."""

    team_ids: tuple[UUID, ...]
    since: datetime
    until: datetime
    limit: int = MOST_LISTED


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDigest(Question[DigestSubscription | None]):
    """The subscription whose digest is due first, locked; those that others hold are skipped.

    So are those of which the digest could not be made a moment ago.
    """

    at: datetime
    but: tuple[UUID, ...] = ()


async def feedback_digest(work: Work, actor: Actor, since: datetime) -> FeedbackDigest:
    """Return what became of the leads the actor's marketing teams handed over."""
    actor.require(Permission.VIEW)
    if since > work.now:
        raise Invalid("This lies in the future.", path=("since",))
    return await digest_for(work, actor.user_id, since=since, until=work.now)


async def digest_for(
    work: Work, user_id: UUID | None, *, since: datetime, until: datetime
) -> FeedbackDigest:
    """Return a user's digest of a time; who is in no marketing team is told of all of them."""
    members = [] if user_id is None else await work.find(TeamMember, user_id=user_id)
    ids = tuple(member.team_id for member in members)
    teams = await work.find(Team, id=ids, side=Side.MARKETING) if ids else []
    team_ids = tuple(team.id for team in teams)
    return await work.ask(DigestOf(team_ids=team_ids, since=since, until=until))


async def subscription_of(work: Work, actor: Actor) -> DigestSubscription | None:
    """Return the actor's own subscription."""
    actor.require(Permission.VIEW)
    if actor.user_id is None:
        return None
    return await first(work, DigestSubscription, user_id=actor.user_id)


async def subscribe(work: Work, actor: Actor, frequency: DigestFrequency) -> DigestSubscription:
    """Have digests mailed to oneself; what came so far since the last one is not lost."""
    by = actor.require_user()
    tenant = await work.get(Tenant, work.tenant_id)
    next_at = next_digest_at(frequency, tenant.time_zone, work.now)
    known = await first(work, DigestSubscription, lock=True, user_id=by)
    if known is not None:
        return await work.save(replace(known, frequency=frequency, next_at=next_at))
    return await work.add(
        DigestSubscription(
            id=new_id(),
            user_id=by,
            frequency=frequency,
            subscribed_at=work.now,
            since=work.now,
            next_at=next_at,
        )
    )


async def unsubscribe(work: Work, actor: Actor) -> DigestSubscription:
    """Have no more digests mailed to oneself."""
    by = actor.require_user()
    known = await first(work, DigestSubscription, lock=True, user_id=by)
    if known is None:
        raise NotFound("subscription")
    await work.delete(DigestSubscription, id=known.id)
    return known


def next_digest_at(frequency: DigestFrequency, time_zone: str, after: datetime) -> datetime:
    """Return when the next digest is due: at eight by the tenant's clocks, weekly on a Monday."""
    day = after.astimezone(ZoneInfo(time_zone)).date()
    while True:
        at = _at_eight(day, time_zone)
        wanted = frequency is DigestFrequency.DAILY or day.weekday() == _MONDAY
        if wanted and at > after:
            return at
        day += _A_DAY


def moved(subscription: DigestSubscription, was: str, time_zone: str) -> DigestSubscription:
    """Return a subscription whose next digest comes on the same day, by clocks of another zone."""
    day = subscription.next_at.astimezone(ZoneInfo(was)).date()
    return replace(subscription, next_at=_at_eight(day, time_zone))


def _at_eight(day: date, time_zone: str) -> datetime:
    return datetime.combine(day, _AT, ZoneInfo(time_zone)).astimezone(UTC)


def tells_until(subscription: DigestSubscription, at: datetime) -> datetime:
    """Return up to when the digest that is made at an instant tells what happened."""
    return max(subscription.since, at - SETTLED)


def told(subscription: DigestSubscription, time_zone: str, at: datetime) -> DigestSubscription:
    """Return a subscription whose digest was made at an instant, where the next one goes on."""
    next_at = next_digest_at(subscription.frequency, time_zone, at)
    return replace(subscription, since=tells_until(subscription, at), next_at=next_at)
