"""What lead types turned out to be worth, by what became of them.

value of a type = (won + k·p0) / (n + k) × average revenue

over the trailing window, with `n` hand-offs of the type, `won` of them closed-won, `p0` the close
rate of all hand-offs of the window and `k` the weight of that prior: a type of which little is
known is held to be like all others.

Source: docs/sources.md, "Tie the marketing pipeline to sales quota".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any
from uuid import UUID

from domain.errors import DomainError
from domain.exchange import MissingRate
from domain.filters import describe, parsed
from domain.leads import LEAD_FIELDS
from domain.opportunities import WonAmounts
from domain.sla.agreement import Commitment, Measure, Sla
from domain.values import minor_digits

PRIOR_WEIGHT = 20
"""k: how many hand-offs' worth of evidence the average of all is given."""
WINDOW_MONTHS = 12
_RATE = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedValue:
    """What one lead type is worth now and would be by what became of it, and from what."""

    criterion: Mapping[str, Any]
    units_now: int
    units_proposed: int
    handed_off: int
    won: int
    close_rate: Decimal
    value_minor: int

    @property
    def criterion_text(self) -> str:
        """The criterion as a clause of a sentence."""
        return describe(parsed(self.criterion, LEAD_FIELDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedDelivery:
    """The values of one delivery commitment.

    A point is worth what it was worth on the average of the window: the same hand-offs would have
    made about as many points by the proposed values.  `unrated` deals are left out of the average
    revenue, because there was no rate for the day.
    """

    sla_id: UUID
    commitment_id: UUID
    measure: Measure
    currency: str
    prior_rate: Decimal
    average_revenue_minor: int
    point_value_minor: int
    values: tuple[CalibratedValue, ...]
    unrated: int = 0

    def worth(self, units: int) -> Decimal:
        """Return what a type is worth as people write it: points, or units of the currency."""
        if self.measure is not Measure.MONEY:
            return Decimal(units)
        return Decimal(units).scaleb(-minor_digits(self.currency))


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRecalibration:
    """What the lead types of all agreements in force were worth, reckoned for one month.

    The window ends where the month begins.  `skipped` says which deliveries nothing can be said of,
    because nothing was handed off or won in the window whose worth is known.  `missing` is the
    earliest rate for want of which deals were left out.  While it says nothing of any delivery it
    is reckoned again, and after that it stays.
    """

    id: UUID
    month_on: date
    window_starts_on: date
    window_ends_on: date
    made_at: datetime
    prior_weight: int
    deliveries: tuple[CalibratedDelivery, ...]
    skipped: tuple[UUID, ...] = ()
    missing: MissingRate | None = None
    version: int = 1

    def says_something_of(self, commitments: Iterable[Commitment]) -> bool:
        """Say whether it proposes values for one of some commitments."""
        found = {each.commitment_id for each in self.deliveries}
        return any(each.id in found for each in commitments)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeResult:
    """What became of the hand-offs of one type."""

    handed_off: int
    won: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowResults:
    """What became of the hand-offs of a window by type, of all, and what was won in it."""

    types: tuple[TypeResult, ...]
    handed_off: int
    won: int
    revenue: WonAmounts


class NothingCalibrated(DomainError):
    """The recalibration says nothing about this agreement."""

    code = "NOTHING_CALIBRATED"

    def __init__(self) -> None:
        super().__init__(
            "Nothing was reckoned for this version of the agreement: a month's values are for the"
            " versions that both sides had signed when it was reckoned.",
            path=("recalibration",),
        )


class ValuesOutdated(DomainError):
    """A later month says something about the agreement, too."""

    code = "VALUES_OUTDATED"

    def __init__(self, *, month_on: date, newest_on: date) -> None:
        super().__init__(
            f"These values were reckoned for {month_on:%Y-%m}, and newer ones for"
            f" {newest_on:%Y-%m}: take those.",
            path=("recalibration",),
        )


def shrunk_rate(*, won: int, handed_off: int, prior: Fraction, weight: int) -> Fraction:
    """Return a close rate drawn to the prior: (won + k·p0) / (n + k).

    Raises:
        ValueError: if there is neither evidence nor a prior.
    """
    if handed_off + weight <= 0:
        raise ValueError("neither evidence nor a prior")
    return (won + weight * prior) / (handed_off + weight)


def window_before(month_on: date) -> tuple[date, date]:
    """Return the twelve months before a month."""
    return month_on.replace(year=month_on.year - WINDOW_MONTHS // 12), month_on


def calibrated(
    commitment: Commitment, sla: Sla, results: WindowResults
) -> CalibratedDelivery | None:
    """Return what the types of a delivery are worth; None where nothing was won to tell it by."""
    mean = results.revenue.mean
    revenue = 0 if mean is None else _rounded(mean)
    if revenue <= 0 or not results.won:
        return None
    prior = Fraction(results.won, results.handed_off)
    rates = [
        shrunk_rate(won=each.won, handed_off=each.handed_off, prior=prior, weight=PRIOR_WEIGHT)
        for each in results.types
    ]
    worths = [rate * revenue for rate in rates]
    unit = Fraction(1)
    if commitment.measure is Measure.POINTS:
        unit = _point_value(commitment, results.types, worths)
    return CalibratedDelivery(
        sla_id=sla.id,
        commitment_id=commitment.id,
        measure=commitment.measure,
        currency=sla.currency,
        prior_rate=_share(prior),
        average_revenue_minor=revenue,
        point_value_minor=max(1, _rounded(unit)),
        unrated=results.revenue.unrated,
        values=tuple(
            CalibratedValue(
                criterion=rule.criterion,
                units_now=rule.units,
                units_proposed=max(1, _rounded(worth / unit)),
                handed_off=each.handed_off,
                won=each.won,
                close_rate=_share(rate),
                value_minor=_rounded(worth),
            )
            for rule, each, rate, worth in zip(
                commitment.values, results.types, rates, worths, strict=True
            )
        ),
    )


def _point_value(
    commitment: Commitment, results: Sequence[TypeResult], worths: Sequence[Fraction]
) -> Fraction:
    """Return what a point was worth: the value of what was handed off by the points it made."""
    weights = [each.handed_off for each in results]
    if not any(weights):
        weights = [1] * len(worths)
    points = sum(n * rule.units for n, rule in zip(weights, commitment.values, strict=True))
    value = sum((n * worth for n, worth in zip(weights, worths, strict=True)), Fraction(0))
    return value / points


def _share(rate: Fraction) -> Decimal:
    return (Decimal(rate.numerator) / rate.denominator).quantize(_RATE)


def _rounded(exact: Fraction) -> int:
    return floor(exact + Fraction(1, 2))
