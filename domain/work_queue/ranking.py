"""The rank of a lead in a representative's queue: what it is worth, by how much it hurries.

    rank = chance of winning × value of the deal × urgency

The chance is what the tenant's own outcomes say, or else what is usual for the lead's grade.  The
value is that of the lead's open opportunity, or else the average of the deals won in the last 365
days; with neither, all deals are worth the same.  The urgency follows from the working time left
until the first of the lead's open promises is due (1 without any):

    late                     4
    an hour or less          3
    four hours or less       2
    eight hours or less      1.5
    more                     1

Steps, not a curve: so the order changes at instants that can be told in advance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from domain.grades import Grade
from domain.leads import Lead
from domain.sla.calendar import WorkingHours
from domain.sla.clock import ClockReading, ClockState
from domain.values import Money

LATE = Decimal(4)
CALM = Decimal(1)
# The working time left up to which each urgency holds, the most urgent first.
STEPS = (
    (timedelta(hours=1), Decimal(3)),
    (timedelta(hours=4), Decimal(2)),
    (timedelta(hours=8), Decimal("1.5")),
)
# What is usual, where a tenant's own outcomes do not say.
USUAL_CHANCES: Mapping[Grade | None, Decimal] = {
    Grade.A1: Decimal("0.30"),
    Grade.A2: Decimal("0.20"),
    Grade.A3: Decimal("0.10"),
    Grade.B1: Decimal("0.15"),
    Grade.B2: Decimal("0.10"),
    Grade.B3: Decimal("0.05"),
    Grade.C1: Decimal("0.05"),
    Grade.C2: Decimal("0.03"),
    Grade.C3: Decimal("0.01"),
    None: Decimal("0.05"),
}
_TICK = timedelta(microseconds=1)
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPromise:
    """One promise about a lead that is still open: how it stands, and by which hours."""

    name: str
    reading: ClockReading
    hours: WorkingHours


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What is known of a lead's worth: the chance of winning it, and the deal it would be."""

    chance: Decimal
    chance_reason: str
    deal: Money | None
    deal_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedLead:
    """A lead in the queue, with what its rank is made of."""

    lead: Lead
    rank: Decimal
    chance: Decimal
    deal: Money | None
    expected_value: Money | None
    urgency: Decimal
    due_at: datetime | None
    reasons: tuple[str, ...]


def urgency(promises: Iterable[OpenPromise]) -> tuple[Decimal, OpenPromise | None]:
    """Return how much a lead hurries, and the promise that makes it so: the first one due."""
    first = min(promises, key=lambda each: (each.reading.due_at, each.name), default=None)
    if first is None:
        return CALM, None
    if first.reading.state is ClockState.BREACHED:
        return LATE, first
    left = first.reading.remaining
    return next((factor for within, factor in STEPS if left <= within), CALM), first


def changes_at(promise: OpenPromise, *, now: datetime) -> datetime | None:
    """Return when a promise next makes its lead hurry more, if nothing happens.

    None of one that is late already, or that stands still.
    """
    reading = promise.reading
    if reading.state in (ClockState.BREACHED, ClockState.PAUSED):
        return None
    reached = [within for within, _ in STEPS if within < reading.remaining]
    if not reached:
        return reading.due_at + _TICK
    return promise.hours.add(max(now, _begins(reading, now)), reading.remaining - max(reached))


def _begins(reading: ClockReading, now: datetime) -> datetime:
    """Return when a clock that is to start later starts."""
    if reading.state is ClockState.SCHEDULED and reading.next_at is not None:
        return reading.next_at
    return now


def queued(lead: Lead, worth: Worth, promises: Iterable[OpenPromise]) -> QueuedLead:
    """Return a lead with its rank, and why it has it."""
    factor, promise = urgency(promises)
    deal = Decimal(worth.deal.minor) if worth.deal else Decimal(1)
    expected = None
    if worth.deal is not None:
        expected = Money(int(deal * worth.chance), worth.deal.currency)
    reasons = [worth.chance_reason, worth.deal_reason, _hurry(factor, promise)]
    return QueuedLead(
        lead=lead,
        rank=(deal * worth.chance * factor).quantize(_CENT),
        chance=worth.chance,
        deal=worth.deal,
        expected_value=expected,
        urgency=factor,
        due_at=None if promise is None else promise.reading.due_at,
        reasons=tuple(reason for reason in reasons if reason),
    )


def in_order(entries: Iterable[QueuedLead]) -> list[QueuedLead]:
    """Return leads as they are to be worked: by rank, then what is due first, then the oldest."""
    return sorted(
        entries,
        key=lambda each: (
            -each.rank,
            each.due_at is None,
            each.due_at.timestamp() if each.due_at else 0.0,
            each.lead.id,
        ),
    )


def usual_worth(lead: Lead) -> tuple[Decimal, str]:
    """Return the usual chance of a lead's grade, in words too."""
    chance = USUAL_CHANCES[lead.grade]
    graded = f"the grade {lead.grade}" if lead.grade else "a lead without a grade"
    return chance, f"{_percent(chance)} is usual for {graded}."


def predicted_worth(probability: Decimal) -> tuple[Decimal, str]:
    """Return a predicted chance, in words too."""
    return probability, f"{_percent(probability)} of such hand-offs were won."


def _hurry(factor: Decimal, promise: OpenPromise | None) -> str | None:
    if promise is None:
        return None
    if factor == LATE:
        return f"{promise.name} is late."
    minutes = int(promise.reading.remaining.total_seconds()) // 60
    return f"{promise.name}: {minutes // 60} h {minutes % 60} min of working time left."


def _percent(share: Decimal) -> str:
    return f"{(share * 100).quantize(Decimal('0.1')).normalize():f} %"


def seen_by(lead_id: UUID) -> bytes:
    """Return what a cursor keeps of a lead: the end of its id, which is chance alone."""
    return lead_id.bytes[-6:]
