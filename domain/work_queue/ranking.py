"""The rank of a lead in a representative's queue: what it is worth, by how much it hurries.

    rank = chance of winning × value of the deal × urgency

The chance is what the tenant's own outcomes say, or else what is usual for the lead's grade.  The
value is that of the lead's open opportunity, or else the average of the deals won in the last 365
days; with neither, all deals are worth the same.  The urgency follows from the working time left
until the first of the lead's open promises is due (1 without any).  A promise that stands still
hurries nobody until it goes on:

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
from domain.values import Money
from domain.work_queue.waiting import WaitingLead

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
    """A promise about a lead that is open and runs, as it stands at an instant.

    `left` is the working time until it is due, from `begins` on: now, or when it starts.
    """

    name: str
    begins: datetime
    due_at: datetime
    hours: WorkingHours
    left: timedelta
    late: bool


def promised(
    name: str, *, started_at: datetime, due_at: datetime, hours: WorkingHours, now: datetime
) -> OpenPromise:
    """Return a promise as it stands now.  Exactly due is in time."""
    begins = max(now, started_at)
    return OpenPromise(
        name=name,
        begins=begins,
        due_at=due_at,
        hours=hours,
        left=hours.between(begins, due_at) if begins < due_at else timedelta(0),
        late=now > due_at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a lead stands in the queue, and what that is made of.  Without `deal` all are alike."""

    lead: WaitingLead
    chance: Decimal
    deal: Money | None
    urgency: Decimal
    rank: Decimal


def standing(
    lead: WaitingLead, *, chance: Decimal, deal: Money | None, urgency: Decimal
) -> Standing:
    """Return where a lead stands."""
    rank = (1 if deal is None else deal.minor) * chance * urgency
    return Standing(lead=lead, chance=chance, deal=deal, urgency=urgency, rank=rank)


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


def urgency(promise: OpenPromise | None) -> Decimal:
    """Return how much a lead hurries by the promise that is due first."""
    if promise is None:
        return CALM
    if promise.late:
        return LATE
    return next((factor for within, factor in STEPS if promise.left <= within), CALM)


def next_change(promises: Iterable[OpenPromise]) -> datetime | None:
    """Return when the first of some promises next makes its lead hurry more, if nothing happens.

    None if all are late already.  By the same hours the one with the least time above a step comes
    to it first, so that the working hours are asked once for each step, however many promises.
    """
    least: dict[tuple[int, datetime, timedelta], OpenPromise] = {}
    first_due: datetime | None = None
    for promise in promises:
        if promise.late:
            continue
        first_due = promise.due_at if first_due is None else min(first_due, promise.due_at)
        for within, _ in STEPS:
            place = (id(promise.hours), promise.begins, within)
            if promise.left > within and (place not in least or promise.left < least[place].left):
                least[place] = promise
    if first_due is None:
        return None
    steps = (
        each.hours.add(begins, each.left - within) for (_, begins, within), each in least.items()
    )
    return min((first_due + _TICK, *steps))


def in_order(standings: Iterable[Standing]) -> list[Standing]:
    """Return leads as they are to be worked: by rank, then what is due first, then the oldest."""
    return sorted(standings, key=_place)


def _place(each: Standing) -> tuple[int, bool, float, UUID]:
    clock = each.lead.clock
    due_at = clock.due_at.timestamp() if clock else 0.0
    # Chances have six decimal places and urgencies one; whole numbers are compared quickly.
    return -int(each.rank.scaleb(7)), clock is None, due_at, each.lead.id


def queued(
    lead: Lead, at: Standing, promise: OpenPromise | None, *, reasons: Iterable[str | None]
) -> QueuedLead:
    """Return a lead with its rank, and why it has it."""
    expected = None
    if at.deal is not None:
        expected = Money(int(at.deal.minor * at.chance), at.deal.currency)
    return QueuedLead(
        lead=lead,
        rank=at.rank.quantize(_CENT),
        chance=at.chance,
        deal=at.deal,
        expected_value=expected,
        urgency=at.urgency,
        due_at=None if promise is None else promise.due_at,
        reasons=tuple(reason for reason in reasons if reason),
    )


def usual_chance(grade: Grade | None) -> str:
    """Return in words what is usual for a grade."""
    graded = f"the grade {grade}" if grade else "a lead without a grade"
    return f"{_percent(USUAL_CHANCES[grade])} is usual for {graded}."


def predicted_chance(probability: Decimal) -> str:
    """Return a predicted chance in words."""
    return f"{_percent(probability)} is predicted from what became of hand-offs."


def hurry(promise: OpenPromise | None) -> str | None:
    """Return in words how a promise hurries."""
    if promise is None:
        return None
    if promise.late:
        return f"{promise.name} is late."
    minutes = int(promise.left.total_seconds()) // 60
    return f"{promise.name}: {minutes // 60} h {minutes % 60} min of working time left."


def _percent(share: Decimal) -> str:
    return f"{(share * 100).quantize(Decimal('0.1')).normalize():f} %"
