"""The pace of a promise to deliver so much in a period."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from domain.sla.calendar import WorkingHours
from domain.sla.pacing.chance import Forecast
from domain.sla.pacing.weights import Progress, WeekdayWeights, progress, weights
from domain.values import Period

_CENT, _BASIS_POINT = Decimal("0.01"), Decimal("0.0001")


class Pace(StrEnum):
    """How a promise is doing.  NOT_STARTED is only said before the first day of its period."""

    NOT_STARTED = "NOT_STARTED"
    AHEAD = "AHEAD"
    ON_TRACK = "ON_TRACK"
    AT_RISK = "AT_RISK"
    BEHIND = "BEHIND"
    MET = "MET"
    MISSED = "MISSED"


@dataclass(frozen=True, slots=True)
class Bands:
    """Where one pace ends and the next begins.

    `ahead` is how much more than expected is AHEAD; `on_track` and `at_risk` are the least shares
    of the target that the projection must reach for those two.
    """

    ahead: Decimal = Decimal("0.05")
    on_track: Decimal = Decimal(1)
    at_risk: Decimal = Decimal("0.90")

    def __post_init__(self) -> None:
        if self.ahead < 0 or not 0 <= self.at_risk <= self.on_track:
            raise ValueError(f"the bands overlap: {self}")


DEFAULT_BANDS = Bands()


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceReading:
    """How a delivery stands at an instant, and how it is likely to end.

    `gap` is attained less expected.  `needed_per_day` is for a day of weight 1, and None when no
    weight remains.  `probability` is that of reaching the target by the end of the period; the
    total ends up under `total_p10` once in ten times, and under `total_p90` nine times.
    """

    pace: Pace
    target: Decimal
    attained: Decimal
    expected: Decimal
    gap: Decimal
    projected: Decimal
    needed_per_day: Decimal | None
    remaining_days: int
    elapsed_weight: Decimal
    total_weight: Decimal
    probability: Decimal
    total_p10: Decimal
    total_p90: Decimal


def pace(
    *,
    target: Decimal,
    attained: Decimal,
    period: Period,
    on: date,
    hours: WorkingHours,
    share_of_day: Decimal | None = None,
    weekday_weights: WeekdayWeights | None = None,
    bands: Bands = DEFAULT_BANDS,
    prior_weight: Decimal = Decimal(5),
    prior_per_day: Decimal | None = None,
    unit: Decimal = Decimal(1),
) -> PaceReading:
    """Say whether a delivery is ahead or behind at the end of a day, or in the middle of it.

    expected = T · w / W, with w the weight elapsed and W that of the period; projected = A plus
    what the remaining weight brings at the current rate.  The rate is A / w once `prior_weight`
    has elapsed, so that projected = A · W / w; before, the weight still missing to it counts as
    having gone at the prior rate, because one lucky Monday does not make a month.

    AHEAD, if at least `bands.ahead` more than expected is there; else by the projection.  MET as
    soon as the target is reached, MISSED when the period is over without.

    Args:
        target: T, never negative; 0 is met from the start.
        attained: A, net of what was clawed back; never negative.
        on: The last day that counts.
        share_of_day: How much of that day has passed (`day_share`); None once it is over.
        weekday_weights: See `learn_weekday_weights`; None counts every working day alike.
        prior_weight: How many days of evidence a projection stands on at least.
        prior_per_day: The rate for a day of weight 1 before anything is known; None takes the
            promise by its word.
        unit: What one delivery is worth on average, in units of the target: 1 for counts, the
            points or money of a lead otherwise.  Chance acts on deliveries, not on cents.

    Source: Gamma–Poisson model; the deliveries to come are negative binomial.
    """
    if target < 0 or attained < 0 or prior_weight < 0 or unit <= 0:
        raise ValueError(f"no pace of {attained} of {target} by {prior_weight} and {unit}")
    done = progress(weights(period, hours, weekday_weights), on, share_of_day)
    assumed = target / done.total if prior_per_day is None else prior_per_day
    missing = max(prior_weight - done.elapsed, Decimal(0))
    if not done.elapsed + missing:
        missing = Decimal(1)  # Nothing is known and no prior is wanted: it is still all there is.
    evidence, over = attained + missing * assumed, done.elapsed + missing
    forecast = Forecast(deliveries=evidence / unit, over=over, to_come=done.remaining)
    # The verdict is drawn from the rounded figures that are shown: neither the last of 28 digits
    # nor a reader with a pocket calculator can come to another one.
    expected = _rounded(target * done.elapsed / done.total)
    projected = _rounded(attained + evidence * done.remaining / over)
    short = max(target - attained, Decimal(0))
    return PaceReading(
        pace=_pace(target, attained, expected, projected, done, bands),
        target=target,
        attained=attained,
        expected=expected,
        gap=_rounded(attained - expected),
        projected=projected,
        needed_per_day=_rounded(short / done.remaining) if done.remaining else None,
        remaining_days=done.remaining_days,
        elapsed_weight=done.elapsed.quantize(_BASIS_POINT, ROUND_HALF_UP),
        total_weight=done.total,
        probability=forecast.at_least(math.ceil(short / unit)),
        total_p10=_rounded(attained + forecast.quantile(Decimal("0.1")) * unit),
        total_p90=_rounded(attained + forecast.quantile(Decimal("0.9")) * unit),
    )


def _pace(
    target: Decimal,
    attained: Decimal,
    expected: Decimal,
    projected: Decimal,
    done: Progress,
    bands: Bands,
) -> Pace:
    if attained >= target:
        return Pace.MET
    if done.is_over:
        return Pace.MISSED
    if not done.has_begun:
        return Pace.NOT_STARTED
    if attained > expected and attained >= expected * (1 + bands.ahead):
        return Pace.AHEAD
    if projected >= target * bands.on_track:
        return Pace.ON_TRACK
    return Pace.AT_RISK if projected >= target * bands.at_risk else Pace.BEHIND


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(_CENT, ROUND_HALF_UP)
