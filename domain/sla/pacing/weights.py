"""How much of a period's work each of its days is expected to bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from domain.sla.calendar import WorkingHours, always_open
from domain.values import Period

# From Monday to Sunday; 1 is an average working day.
WeekdayWeights = tuple[Decimal, ...]

_TICK = timedelta(microseconds=1)
_EVEN: WeekdayWeights = (Decimal(1),) * 7


def weights(
    period: Period, hours: WorkingHours, weekday_weights: WeekdayWeights | None = None
) -> list[tuple[date, Decimal]]:
    """Return each day of a period with its weight: nothing on a closed day.

    A period without any weight (a custom one over a weekend) is spread over all its days instead,
    because a promise must be expected at some time.
    """
    learned = _EVEN if weekday_weights is None else weekday_weights
    if len(learned) != 7 or min(learned) < 0:
        raise ValueError(f"a week has seven weights, none negative: {learned}")
    weighted = [
        (day, learned[day.weekday()] if hours.is_working_day(day) else Decimal(0)) for day in period
    ]
    if any(weight for _, weight in weighted):
        return weighted
    return [(day, Decimal(1)) for day in period]


def learn_weekday_weights(
    counts: Mapping[date, int | Decimal],
    hours: WorkingHours,
    *,
    prior_days: Decimal = Decimal(4),
) -> WeekdayWeights:
    """Learn from past days how much more or less comes on each weekday.

    (n · mean of the weekday / mean of all + k) / (n + k) for n days seen of a weekday: with few of
    them the weight stays near 1.  Counted are the working days from the first to the last date
    given, one without a count as 0.

    Args:
        counts: What came in, by local day.
        hours: The calendar; what came in on closed days says nothing about working days.
        prior_days: k, how many average days each weekday is taken to have shown already.
    """
    if not counts:
        return _EVEN
    history = Period(min(counts), max(counts) + timedelta(days=1))
    seen: Sequence[list[Decimal]] = [[] for _ in range(7)]
    for day in history:
        if hours.is_working_day(day):
            seen[day.weekday()].append(Decimal(counts.get(day, 0)))
    total = sum((count for weekday in seen for count in weekday), Decimal(0))
    if total <= 0:
        return _EVEN
    mean = total / sum(map(len, seen))
    return tuple(_shrunk(weekday, mean, prior_days) for weekday in seen)


def _shrunk(counts: Sequence[Decimal], mean: Decimal, prior_days: Decimal) -> Decimal:
    evidence = len(counts) + prior_days
    if not evidence:
        return Decimal(1)
    weight = (sum(counts, Decimal(0)) / mean + prior_days) / evidence
    return weight.quantize(Decimal("0.0001"), ROUND_HALF_UP)


def day_share(hours: WorkingHours, at: datetime, *, zone: str) -> Decimal:
    """Return how much of a zone's day has passed: of its open time, or of all if it has none."""
    wall = always_open(zone)
    day = wall.local_day(at)
    starts, ends = wall.day_starts_at(day), wall.day_starts_at(day + timedelta(days=1))
    passed, whole = hours.between(starts, at), hours.between(starts, ends)
    if not whole:
        passed, whole = at - starts, ends - starts
    return Decimal(passed // _TICK) / Decimal(whole // _TICK)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a period has come, in weight.

    `remaining_days` counts the days with weight that are still to come, the running one with them.
    """

    elapsed: Decimal
    total: Decimal
    remaining_days: int
    is_over: bool
    has_begun: bool

    @property
    def remaining(self) -> Decimal:
        return self.total - self.elapsed


def progress(
    weighted: Sequence[tuple[date, Decimal]], on: date, share_of_day: Decimal | None
) -> Progress:
    """Return the progress at the end of a day, or when only a share of it has passed."""
    passed = Decimal(1) if share_of_day is None else share_of_day
    if not 0 <= passed <= 1:
        raise ValueError(f"a share of a day lies between 0 and 1: {passed}")
    before = sum((weight for day, weight in weighted if day < on), Decimal(0))
    today = next((weight for day, weight in weighted if day == on), Decimal(0))
    to_come = sum(1 for day, weight in weighted if day > on and weight)
    first, last = weighted[0][0], weighted[-1][0]
    return Progress(
        elapsed=before + today * passed,
        total=sum((weight for _, weight in weighted), Decimal(0)),
        remaining_days=to_come + bool(today and passed < 1),
        is_over=on > last or (on == last and share_of_day is None),
        has_begun=on >= first,
    )
