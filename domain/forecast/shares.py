"""Shares that were observed, and what follows from them: rules without a clock or a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from fractions import Fraction

_BASIS_POINT = Decimal("0.0001")
_TICK = timedelta(microseconds=1)
_DAY = timedelta(days=1)

# How many deals the agreed chance of a stage weighs as much as: with as many closed ones, what was
# agreed and what was observed count half each.
PRIOR_DEALS = 10
PERCENTILES = (10, 25, 50, 75, 90)


class WhyUnknown(StrEnum):
    """Why there is no figure: nothing to divide by is not nought."""

    NO_QUOTA = "NO_QUOTA"
    QUOTA_REACHED = "QUOTA_REACHED"
    NOTHING_CLOSED = "NOTHING_CLOSED"
    NOTHING_WON = "NOTHING_WON"
    NO_AMOUNTS = "NO_AMOUNTS"
    NO_TIME = "NO_TIME"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRecord:
    """How many opportunities that ever entered a stage are closed, and how many of them won."""

    closed: int = 0
    won: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How a length of time is spread over deals."""

    mean: timedelta
    p10: timedelta
    p25: timedelta
    p50: timedelta
    p75: timedelta
    p90: timedelta


def observed_chance(record: StageRecord, agreed: Decimal) -> Fraction:
    """Return the chance that history gives a stage, drawn towards what was agreed while it is few.

    (won + k * agreed) / (closed + k), the mean of the Beta posterior whose prior is worth k deals;
    k is PRIOR_DEALS.  With nothing closed it is what was agreed.

    Source: docs/sources.md, "Recalibrate on a trailing window with shrinkage".
    """
    prior = PRIOR_DEALS * Fraction(agreed)
    return (record.won + prior) / (record.closed + PRIOR_DEALS)


def share_of(part: int, whole: int) -> Decimal | None:
    """Return a part of a whole to four places, half up; nothing where there is no whole."""
    return None if whole == 0 else rounded(Fraction(part, whole))


def rounded(share: Fraction) -> Decimal:
    """Return a share to four places, half up."""
    exact = Decimal(share.numerator) / Decimal(share.denominator)
    return exact.quantize(_BASIS_POINT, ROUND_HALF_UP)


def whole_minor(amount: Fraction) -> int:
    """Return an amount in whole minor units, half away from zero, from what is exact till here."""
    floor, rest = divmod(abs(amount), 1)
    whole = int(floor) + (rest >= Fraction(1, 2))
    return whole if amount >= 0 else -whole


def velocity(
    *, opportunities: int, win_rate: Fraction, average_deal: Fraction, cycle_days: Fraction
) -> int:
    """Return what the pipeline brings in a day: opportunities * win rate * average deal / cycle.

    Args:
        opportunities: How many are open.
        win_rate: Won of all that were closed, 0 to 1.
        average_deal: The mean of those won, in minor units.
        cycle_days: The mean number of days from opening to winning, above zero.

    Returns:
        Minor units a day, rounded half up once, at the end.

    Source: docs/sources.md, "Velocity".
    """
    if cycle_days <= 0:
        raise ValueError("deals that take no time bring any amount in a day")
    return whole_minor(opportunities * win_rate * average_deal / cycle_days)


def percentile(ordered: Sequence[timedelta], percent: int) -> timedelta:
    """Return the length that a share of deals stays under, of lengths in ascending order.

    Between the two nearest ranks it is interpolated: with h = (n - 1) * percent / 100, it is
    x[floor h] + (h - floor h) * (x[floor h + 1] - x[floor h]), to the microsecond.  This is
    PERCENTILE_CONT of SQL; the 50th of an even number is the mean of the middle two.
    """
    if not ordered:
        raise ValueError("there is no percentile of nothing")
    place, rest = divmod((len(ordered) - 1) * percent, 100)
    if rest == 0:
        return ordered[place]
    below, above = ordered[place], ordered[place + 1]
    return below + round(Fraction((above - below) // _TICK * rest, 100)) * _TICK


def spread(lengths: Sequence[timedelta]) -> Spread | None:
    """Return the mean of lengths and their percentiles; nothing where there are none."""
    if not lengths:
        return None
    ordered = sorted(lengths)
    p10, p25, p50, p75, p90 = (percentile(ordered, percent) for percent in PERCENTILES)
    mean = sum(ordered, timedelta(0)) / len(ordered)
    return Spread(mean=mean, p10=p10, p25=p25, p50=p50, p75=p75, p90=p90)


def mean_days(lengths: Sequence[timedelta]) -> Fraction | None:
    """Return the mean of lengths in days, exactly; nothing where there are none."""
    if not lengths:
        return None
    return Fraction(sum(lengths, timedelta(0)) // _TICK, len(lengths) * (_DAY // _TICK))
