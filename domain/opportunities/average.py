"""What a deal brings on the average: where that is a help, and not a figure somebody asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from domain.exchange import MissingRate
from domain.ports import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class WonAmounts:
    """What was won whose amount is known: how many deals, and what they are worth together.

    `unrated` are left out, because there is no rate for the day; `missing` is the earliest of
    those rates.
    """

    deals: int
    minor: int
    unrated: int = 0
    missing: MissingRate | None = None

    @property
    def mean(self) -> Fraction | None:
        """The mean in minor units, exactly; None of nothing."""
        return Fraction(self.minor, self.deals) if self.deals else None


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountsWon(Question[WonAmounts]):
    """What was won since an instant (and before another), by the rates of the days of closing.

    `currency` is what it is wanted in; rates are to the tenant's `own`.
    """

    currency: str
    own: str
    time_zone: str
    since: datetime
    until: datetime | None = None
