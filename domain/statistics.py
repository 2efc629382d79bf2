"""Distributions and intervals for shares that were observed a limited number of times.

Shares and probabilities go in and come out as `Decimal`; inside, the special functions work in
binary floating point and are good to better than 1e-9 of the value for Beta shapes of 0.1 to 1e8.
Answers carry twelve significant digits, so that the noise behind them is never shown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import NormalDist

_STANDARD_NORMAL = NormalDist()
_SMALLEST_SHAPE, _LARGEST_SHAPE = Decimal("0.1"), Decimal("1e8") + 1
_HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)

# Where the search for a quantile gives up: shares this close to 0 or 1 are 0 or 1.
_LOG_ODDS_LIMIT = 700.0


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a value lies, from `low` to `high`."""

    low: Decimal
    high: Decimal


def normal_cdf(z: Decimal) -> Decimal:
    """Return the probability that a standard normal value is at most `z`."""
    return _decimal(0.5 * math.erfc(-float(z) / math.sqrt(2)))


def normal_quantile(probability: Decimal) -> Decimal:
    """Return the value that a standard normal variable stays under with a probability.

    Source: Wichura, Algorithm AS 241 (as in the standard library).
    """
    _require_open_unit(probability)
    return _decimal(_STANDARD_NORMAL.inv_cdf(float(probability)))


def incomplete_beta(x: Decimal, a: Decimal, b: Decimal) -> Decimal:
    """Return I_x(a, b): the probability that a Beta(a, b) share is at most `x`.

    Source: DLMF 8.17.22 (continued fraction), evaluated by the modified Lentz method; its factor
    by Loader, "Fast and accurate computation of binomial probabilities" (2000).
    """
    shape_a, shape_b = _shapes(a, b)
    if not 0 <= x <= 1:
        raise ValueError(f"a share lies between 0 and 1: {x}")
    if x in (0, 1):
        return Decimal(int(x))
    return _decimal(_beta_cdf(float(x), float(1 - x), shape_a, shape_b))


def beta_quantile(probability: Decimal, a: Decimal, b: Decimal) -> Decimal:
    """Return the share that a Beta(a, b) variable stays under with a probability."""
    _require_open_unit(probability)
    shape_a, shape_b = _shapes(a, b)
    return _decimal(_beta_quantile(float(probability), shape_a, shape_b))


def beta_product_quantile(
    probability: Decimal, shapes: Sequence[tuple[Decimal, Decimal]]
) -> Decimal:
    """Return the value that a product of independent Beta variables stays under.

    Exact for one.  For more, the logarithms are added up: their cumulants add exactly, and the
    quantile follows from the first four, within 2 % between the 10th and the 90th percentile for
    shapes of 1.5 and more.

    Source: Cornish and Fisher, "Moments and cumulants in the specification of distributions"
    (1938), as in Abramowitz and Stegun 26.2.49.
    """
    if len(shapes) == 1:
        return beta_quantile(probability, *shapes[0])
    mean, variance, third, fourth = (
        sum(
            _polygamma(order, a) - _polygamma(order, a + b)
            for a, b in (_shapes(*pair) for pair in shapes)
        )
        for order in range(4)
    )
    z = float(normal_quantile(probability))
    skew, excess = third / variance**1.5, fourth / variance**2
    z += (z * z - 1) * skew / 6 + (z**3 - 3 * z) * excess / 24 - (2 * z**3 - 5 * z) * skew**2 / 36
    return _decimal(min(1.0, math.exp(mean + z * math.sqrt(variance))))


def wilson_interval(
    successes: int, trials: int, *, confidence: Decimal = Decimal("0.95")
) -> Interval:
    """Return where the true share behind an observed one lies, with a confidence.

    Never leaves 0 to 1 and stays honest for few trials.  With no trials it is all of 0 to 1.

    Source: Wilson, "Probable inference" (1927), without continuity correction.
    """
    require_observed(successes, trials)
    if trials == 0:
        return Interval(Decimal(0), Decimal(1))
    z = normal_quantile((1 + confidence) / 2)
    share = Decimal(successes) / trials
    shrink = 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / shrink
    spread = z / shrink * (share * (1 - share) / trials + z * z / (4 * trials * trials)).sqrt()
    low = Decimal(0) if successes == 0 else centre - spread
    high = Decimal(1) if successes == trials else centre + spread
    return Interval(_decimal(low), _decimal(high))


def require_observed(successes: int, trials: int) -> None:
    """Refuse counts that nobody can have observed."""
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes in {trials} trials cannot be")


def _require_open_unit(probability: Decimal) -> None:
    if not 0 < probability < 1:
        raise ValueError(f"a quantile needs a probability between 0 and 1: {probability}")


def _shapes(a: Decimal, b: Decimal) -> tuple[float, float]:
    if not all(_SMALLEST_SHAPE <= shape <= _LARGEST_SHAPE for shape in (a, b)):
        raise ValueError(f"the shapes of a Beta must be 0.1 to 1e8: {a}, {b}")
    return float(a), float(b)


def _decimal(value: float | Decimal) -> Decimal:
    return Decimal(f"{value:.12g}")


def _beta_quantile(probability: float, a: float, b: float) -> float:
    """Search in log-odds, where both ends are equally far away and nothing cancels.

    Newton's method, kept inside a bracket that every step narrows.
    """
    low, high = -_LOG_ODDS_LIMIT, _LOG_ODDS_LIMIT
    log_odds = math.log(a / b)
    for _ in range(200):
        x, rest = _logistic(log_odds), _logistic(-log_odds)
        miss = _beta_cdf(x, rest, a, b) - probability
        if miss > 0:
            high = log_odds
        else:
            low = log_odds
        slope = _beta_factor(x, rest, a, b)
        step = log_odds - miss / slope if slope > 0 else math.inf
        following = step if low < step < high else (low + high) / 2
        if abs(following - log_odds) <= 1e-14 * max(1.0, abs(log_odds)):
            return _logistic(following)
        log_odds = following
    return _logistic(log_odds)


def _logistic(log_odds: float) -> float:
    if log_odds >= 0:
        return 1 / (1 + math.exp(-log_odds))
    odds = math.exp(log_odds)
    return odds / (1 + odds)


def _beta_cdf(x: float, rest: float, a: float, b: float) -> float:
    """Return I_x(a, b) where `rest` is 1 - x, given because subtracting would lose digits."""
    if x < (a + 1) / (a + b + 2):
        return _beta_factor(x, rest, a, b) * _beta_fraction(x, a, b) / a
    return 1 - _beta_factor(rest, x, b, a) * _beta_fraction(rest, b, a) / b


def _beta_factor(x: float, rest: float, a: float, b: float) -> float:
    """Return x^a (1 - x)^b / B(a, b) without ever forming a large logarithm."""
    if x <= 0 or rest <= 0:
        return 0.0
    n = a + b
    exponent = _stirling_error(n) - _stirling_error(a) - _stirling_error(b)
    exponent -= _deviance(a, n * x) + _deviance(b, n * rest)
    return math.exp(exponent) * math.sqrt(a / n * b / (2 * math.pi))


def _polygamma(order: int, x: float) -> float:
    """Return the digamma function (order 0) or one of its first three derivatives.

    Source: DLMF 5.15.5 steps up to where the asymptotic series, DLMF 5.11.2, holds all digits.
    """
    sign = -1 if order % 2 == 0 else 1
    below = 0.0
    while x < 20:
        below += sign * math.factorial(order) / x ** (order + 1)
        x += 1
    tail = math.log(x) if order == 0 else sign * math.factorial(order - 1) / x**order
    tail += sign * math.factorial(order) / (2 * x ** (order + 1))
    for k, bernoulli in enumerate(_BERNOULLI, start=1):
        rising = math.factorial(2 * k + order - 1) / math.factorial(2 * k)
        tail += sign * bernoulli * rising / x ** (2 * k + order)
    return below + tail


def _stirling_error(n: float) -> float:
    """Return log Γ(n + 1) minus Stirling's approximation of it."""
    if n < 15:
        return math.lgamma(n + 1) - (n + 0.5) * math.log(n) + n - _HALF_LOG_TWO_PI
    square = n * n
    tail = 1 / 1680 - (1 / 1188) / square
    return (1 / 12 - (1 / 360 - (1 / 1260 - tail / square) / square) / square) / n


def _deviance(x: float, expected: float) -> float:
    """Return x log(x / expected) + expected - x, exactly also where the two nearly agree."""
    difference, total = x - expected, x + expected
    if abs(difference) >= 0.1 * total:
        return x * math.log(x / expected) - difference
    ratio = difference / total
    summed, term, square = difference * ratio, 2 * x * ratio, ratio * ratio
    for odd in range(3, 2000, 2):
        term *= square
        following = summed + term / odd
        if following == summed:
            break
        summed = following
    return summed


def _beta_fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of I_x(a, b); it takes some √max(a, b) terms at worst."""
    tiny = 1e-300
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > tiny else tiny)
    value = d
    for m in range(1, 1000 + 10 * math.isqrt(int(max(a, b)))):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for part in (even, odd):
            d = 1 + part * d
            c = 1 + part / c
            d = 1 / (d if abs(d) > tiny else tiny)
            c = c if abs(c) > tiny else tiny
            value *= d * c
        if abs(d * c - 1) < 1e-15:
            return value
    raise ArithmeticError(f"the continued fraction of I_{x}({a}, {b}) does not settle")
