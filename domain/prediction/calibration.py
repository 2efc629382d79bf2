"""Calibration: of leads with a chance of 20 %, one in five is to be won.

Naive Bayes counts what says the same twice, so its chances lie too near 0 and 1.  A straight line
through the log-odds, fitted on outcomes that were not learnt from, puts that right.  It works in
binary floating point inside, and rounds to six decimal places; the order of leads stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

PLACES = Decimal("0.000001")
_STEPS = 50
_LEAST, _MOST = Decimal("0.000001"), Decimal("0.999999")
_SMALLEST_SLOPE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """log-odds(calibrated) = slope · log-odds(raw) + shift."""

    slope: Decimal = Decimal(1)
    shift: Decimal = Decimal(0)


AS_IT_IS = Calibration()


def calibrated(raw: Decimal, by: Calibration) -> Decimal:
    """Return a chance as it turned out to be meant, to six decimal places."""
    if by == AS_IT_IS:
        return min(max(raw, _LEAST), _MOST).quantize(PLACES)
    line = float(by.slope) * _log_odds(raw) + float(by.shift)
    return min(max(Decimal(_logistic(line)), _LEAST), _MOST).quantize(PLACES)


def fitted(pairs: Sequence[tuple[Decimal, bool]]) -> Calibration:
    """Return the line that fits chances to what became of them, by Newton's method.

    Outcomes are drawn in a little from 0 and 1, as Platt proposes, so that a few of them cannot
    make the line infinitely steep.  Without outcomes of both kinds, or where the chances run the
    wrong way, they stay as they are.

    Source: Platt, "Probabilistic outputs for support vector machines" (1999), with the targets and
    the safeguards of Lin, Lin and Weng (2007).
    """
    won = sum(is_won for _, is_won in pairs)
    lost = len(pairs) - won
    if not won or not lost:
        return AS_IT_IS
    high, low = (won + 1) / (won + 2), 1 / (lost + 2)
    points = [(_log_odds(raw), high if is_won else low) for raw, is_won in pairs]
    slope, shift = 1.0, 0.0
    for _ in range(_STEPS):
        step = _newton_step(points, slope, shift)
        slope, shift = slope + step[0], shift + step[1]
        if abs(step[0]) + abs(step[1]) < 1e-9:
            break
    if not math.isfinite(slope) or slope < _SMALLEST_SLOPE or abs(shift) > 50:
        return AS_IT_IS
    return Calibration(slope=Decimal(slope).quantize(PLACES), shift=Decimal(shift).quantize(PLACES))


def _newton_step(
    points: Sequence[tuple[float, float]], slope: float, shift: float
) -> tuple[float, float]:
    g_slope = g_shift = h_shift = h_mixed = 0.0
    h_slope = h_shift = 1e-12
    for x, target in points:
        p = _logistic(slope * x + shift)
        weight = p * (1 - p)
        g_slope += (target - p) * x
        g_shift += target - p
        h_slope += weight * x * x
        h_shift += weight
        h_mixed += weight * x
    determinant = h_slope * h_shift - h_mixed * h_mixed
    if abs(determinant) < 1e-12:
        # All chances are one: only the level can be put right.
        return 0.0, g_shift / h_shift
    steps = (
        (h_shift * g_slope - h_mixed * g_shift) / determinant,
        (h_slope * g_shift - h_mixed * g_slope) / determinant,
    )
    largest = max(abs(steps[0]), abs(steps[1]), 1.0)
    return steps[0] / largest, steps[1] / largest


def _log_odds(chance: Decimal) -> float:
    share = float(min(max(chance, _LEAST), _MOST))
    return math.log(share / (1 - share))


def _logistic(line: float) -> float:
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, line))))
