"""How many deliveries are still to come, as a distribution."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from domain.statistics import incomplete_beta, normal_cdf, normal_quantile

_BASIS_POINT = Decimal("0.0001")

# Up to this many deliveries the distribution is summed exactly (by its continued fraction).
_MOST_EXACT = 1_000_000
_MANY = 10_000


@dataclass(frozen=True, slots=True)
class Forecast:
    """The deliveries to come, after so many `deliveries` over so much weight.

    Their rate is Gamma distributed with shape deliveries + ½ (Jeffreys' prior) and rate `over`;
    given the rate they are Poisson with `to_come` times it; so they are negative binomial, and
    the chance of at least n is I_x(n, deliveries + ½) with x = to_come / (over + to_come).

    Beyond a million: the normal distribution of the same mean and variance, or, after few
    deliveries, when nearly all doubt is about the rate, the same sum counted in larger parcels.
    """

    deliveries: Decimal
    over: Decimal
    to_come: Decimal

    def at_least(self, deliveries: int) -> Decimal:
        """Return the probability that so many or more are to come."""
        return self._at_least(deliveries).quantize(_BASIS_POINT, ROUND_HALF_UP)

    def quantile(self, probability: Decimal) -> int:
        """Return the number that deliveries stay at or under with at least a probability."""
        if not self.to_come:
            return 0
        deviation = self._deviation
        guess = math.floor(self._mean + normal_quantile(probability) * deviation)
        step = max(1, int(deviation / 8))
        low, high = guess - step, guess + step
        while low >= 0 and self._at_most(low) >= probability:
            low, step = low - step, step * 2
        while self._at_most(high) < probability:
            high, step = high + step, step * 2
        numbers = range(max(low, -1) + 1, max(high, 0) + 1)
        return numbers[bisect_left(numbers, probability, hi=len(numbers) - 1, key=self._at_most)]

    @property
    def _shape(self) -> Decimal:
        return self.deliveries + Decimal("0.5")

    @property
    def _mean(self) -> Decimal:
        return self._shape * self.to_come / self.over

    @property
    def _deviation(self) -> Decimal:
        return (self._mean * (1 + self.to_come / self.over)).sqrt()

    def _at_most(self, deliveries: int) -> Decimal:
        return 1 - self._at_least(deliveries + 1)

    def _at_least(self, deliveries: int) -> Decimal:
        if deliveries <= 0:
            return Decimal(1)
        if not self.to_come:
            return Decimal(0)
        if max(Decimal(deliveries), self._shape) <= _MOST_EXACT:
            return self._exactly(Decimal(deliveries), self.over)
        if self._shape >= _MANY:
            half = Decimal("0.5")
            return normal_cdf((self._mean - deliveries + half) / self._deviation)
        parcel = Decimal(deliveries) / _MOST_EXACT
        return self._exactly(Decimal(_MOST_EXACT), self.over * parcel)

    def _exactly(self, deliveries: Decimal, over: Decimal) -> Decimal:
        return incomplete_beta(self.to_come / (over + self.to_come), deliveries, self._shape)
