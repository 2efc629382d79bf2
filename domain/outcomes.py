"""What became of a hand-off: exactly one outcome, the furthest thing that happened to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.handoff import Handoff, HandoffStatus
from domain.opportunities import Opportunity, OpportunityStatus
from domain.paging import Narrowing
from domain.ports import Question, Work
from domain.values import Money


class Outcome(StrEnum):
    """What marketing hears of a lead it handed over."""

    NONE = "NONE"
    ACCEPTED = "ACCEPTED"
    ATTEMPTED = "ATTEMPTED"
    MEETING = "MEETING"
    RECYCLED = "RECYCLED"
    REJECTED = "REJECTED"
    OPPORTUNITY = "OPPORTUNITY"
    WON = "WON"
    LOST = "LOST"
    MERGED = "MERGED"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """What happened to a hand-off's lead until it was handed over again.

    `attempts` are human calls, e-mails and meetings of the team that got it, the first of them at
    `first_touch_at`; `meeting_at` is the first meeting.
    """

    attempts: int = 0
    first_touch_at: datetime | None = None
    meeting_at: datetime | None = None
    opportunities: tuple[Opportunity, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffOutcome:
    """The outcome of a hand-off, with what there is to say about it.

    `at` is when it came to that.  `opportunity` decided it, and `amounts` are what the deals of
    its kind are worth together, one amount for each currency: won, open, or lost.
    """

    kind: Outcome
    at: datetime | None
    reason: str | None
    attempts: int
    first_touch_at: datetime | None
    meeting_at: datetime | None
    opportunity_id: UUID | None = None
    amounts: tuple[Money, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUps(Question[Mapping[UUID, FollowUp]]):
    """What happened to each of some hand-offs."""

    handoff_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffsWith(Narrowing):
    """Only hand-offs with an outcome, and only those made at least so long ago."""

    outcome: Outcome | None = None
    older_than: timedelta | None = None


# Of several opportunities the best one speaks for the hand-off.
_OF_DEALS: Mapping[OpportunityStatus, Outcome] = {
    OpportunityStatus.WON: Outcome.WON,
    OpportunityStatus.OPEN: Outcome.OPPORTUNITY,
    OpportunityStatus.LOST: Outcome.LOST,
}


async def outcomes_of(work: Work, handoffs: Sequence[Handoff]) -> list[HandoffOutcome]:
    """Return the outcome of each hand-off, in two statements however many there are."""
    ids = tuple(dict.fromkeys(handoff.id for handoff in handoffs))
    found = await work.ask(FollowUps(handoff_ids=ids)) if ids else {}
    return [outcome_of(handoff, found.get(handoff.id, FollowUp())) for handoff in handoffs]


def outcome_of(handoff: Handoff, follow_up: FollowUp) -> HandoffOutcome:
    """Return the one outcome of a hand-off.

    A deal says more than anything else (won before open before lost); then that sales sent the
    lead back, and why; then a meeting, attempts, that it was accepted.  Attempts count whether
    anybody has said "accepted" or not.
    """
    for status, kind in _OF_DEALS.items():
        deals = [deal for deal in follow_up.opportunities if deal.status is status]
        if deals:
            return _with_deals(kind, deals, follow_up)
    kind, at, reason = _without_deals(handoff, follow_up)
    return _told(kind, follow_up, at=at, reason=reason)


def _with_deals(kind: Outcome, deals: Sequence[Opportunity], follow_up: FollowUp) -> HandoffOutcome:
    newest = max(deals, key=lambda deal: (deal.closed_at or deal.opened_at, deal.id))
    return HandoffOutcome(
        kind=kind,
        at=newest.closed_at or newest.opened_at,
        reason=newest.lost_reason if kind is Outcome.LOST else None,
        attempts=follow_up.attempts,
        first_touch_at=follow_up.first_touch_at,
        meeting_at=follow_up.meeting_at,
        opportunity_id=newest.id,
        amounts=summed(deal.amount for deal in deals),
    )


def _without_deals(
    handoff: Handoff, follow_up: FollowUp
) -> tuple[Outcome, datetime | None, str | None]:
    if handoff.status is HandoffStatus.REJECTED:
        return Outcome.REJECTED, handoff.decided_at, handoff.decision_reason
    if handoff.status is HandoffStatus.MERGED:
        return Outcome.MERGED, handoff.decided_at, handoff.decision_reason
    if handoff.status is HandoffStatus.RECYCLED:
        return Outcome.RECYCLED, handoff.decided_at, handoff.decision_reason
    if handoff.returned_at is not None:
        return Outcome.RECYCLED, handoff.returned_at, handoff.return_reason
    if follow_up.meeting_at is not None:
        return Outcome.MEETING, follow_up.meeting_at, None
    if follow_up.attempts:
        return Outcome.ATTEMPTED, follow_up.first_touch_at, None
    if handoff.status is HandoffStatus.ACCEPTED:
        return Outcome.ACCEPTED, handoff.decided_at, None
    return Outcome.NONE, None, None


def _told(
    kind: Outcome, follow_up: FollowUp, *, at: datetime | None, reason: str | None
) -> HandoffOutcome:
    return HandoffOutcome(
        kind=kind,
        at=at,
        reason=reason,
        attempts=follow_up.attempts,
        first_touch_at=follow_up.first_touch_at,
        meeting_at=follow_up.meeting_at,
    )


def summed(amounts: Iterable[Money | None]) -> tuple[Money, ...]:
    """Return the sums of amounts by currency, in the currencies' order."""
    sums: dict[str, int] = {}
    for amount in amounts:
        if amount is not None:
            sums[amount.currency] = sums.get(amount.currency, 0) + amount.minor
    return tuple(Money(minor, currency) for currency, minor in sorted(sums.items()))
