"""How often to call: the number of attempts at which a commitment pays best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from domain.sla.terms import CurrencyMismatch, OutOfRange
from domain.values import Money

MOST_ATTEMPTS = 20
_PLACES = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class CadenceStep:
    """What a commitment to so many attempts gives.

    `return_ratio` is what comes in for what is spent.
    """

    attempts: int
    win_rate: Decimal
    expected_attempts: Decimal
    return_ratio: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCadence:
    """Every number of attempts, and the one that pays best."""

    best: int
    steps: tuple[CadenceStep, ...]


def call_cadence(
    *, value: Money, lead_cost: Money, call_cost: Money, win_rates: Sequence[Decimal]
) -> CallCadence:
    """Return the number of attempts that pays best: of several alike, the least.

    argmax over n of value × P(win within n attempts) / (lead cost + call cost × expected attempts).
    P(win within n) is 1 − Π (1 − p_i); an attempt is made only if none before it won, so
    n attempts are expected to take Σ Π (1 − p_j) over the attempts before each.

    Args:
        value: What a win is worth.
        lead_cost: What the lead cost; same currency, 0 or more.
        call_cost: What an attempt costs; same currency, above 0.
        win_rates: The chance that each attempt wins if none before it did, the first one's first.

    Raises:
        OutOfRange: if there are no rates or more than 20, one is no share, or an amount is wrong.
        CurrencyMismatch: if the currencies differ.

    Source: docs/sources.md, "Call cadence".
    """
    if not 1 <= len(win_rates) <= MOST_ATTEMPTS:
        raise OutOfRange(f"There are 1 to {MOST_ATTEMPTS} attempts.", path=("winRates",))
    for n, rate in enumerate(win_rates):
        if not 0 <= rate <= 1:
            raise OutOfRange("A rate runs from 0 to 1.", path=("winRates", n))
    for name, amount, least in (("value", value, 1), ("leadCost", lead_cost, 0)):
        if amount.minor < least:
            raise OutOfRange("The amount is too small.", path=(name,))
    if call_cost.minor < 1:
        raise OutOfRange("An attempt costs something.", path=("callCost",))
    if len({value.currency, lead_cost.currency, call_cost.currency}) > 1:
        raise CurrencyMismatch("The amounts are in different currencies.", path=("value",))
    tried = tuple(_tries(value, lead_cost, call_cost, win_rates))
    # By the exact figures: rounded ones may tie where these do not.
    best = max(tried, key=lambda each: (each.ratio, -each.step.attempts))
    return CallCadence(best=best.step.attempts, steps=tuple(each.step for each in tried))


class _Try(NamedTuple):
    step: CadenceStep
    ratio: Fraction


def _tries(
    value: Money, lead_cost: Money, call_cost: Money, win_rates: Sequence[Decimal]
) -> Iterator[_Try]:
    still_open, made = Fraction(1), Fraction(0)
    for attempts, rate in enumerate(win_rates, start=1):
        made += still_open
        still_open *= 1 - Fraction(rate)
        ratio = value.minor * (1 - still_open) / (lead_cost.minor + call_cost.minor * made)
        step = CadenceStep(
            attempts=attempts,
            win_rate=_rounded(1 - still_open),
            expected_attempts=_rounded(made),
            return_ratio=_rounded(ratio),
        )
        yield _Try(step, ratio)


def _rounded(exact: Fraction) -> Decimal:
    return (Decimal(exact.numerator) / exact.denominator).quantize(_PLACES)
