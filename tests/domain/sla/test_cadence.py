from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.sla.cadence import call_cadence
from domain.values import Money


def euros(minor: int) -> Money:
    return Money(minor, "EUR")


RATES = [Decimal("0.10"), Decimal("0.08"), Decimal("0.05"), Decimal("0.01")]
USUAL: dict[str, Any] = {
    "value": euros(100_000),
    "lead_cost": euros(5_000),
    "call_cost": euros(1_000),
    "win_rates": RATES,
}


def test_attempts_are_worth_while_until_a_win_costs_more_than_it_brings_in() -> None:
    found = call_cadence(**USUAL)
    told = [(s.attempts, s.win_rate, s.expected_attempts, s.return_ratio) for s in found.steps]
    assert told == [
        # 1,000 × 0.1 / (50 + 10)
        (1, Decimal("0.100000"), Decimal("1.000000"), Decimal("1.666667")),
        # 1 - 0.9 × 0.92 = 0.172; 1 + 0.9 = 1.9
        (2, Decimal("0.172000"), Decimal("1.900000"), Decimal("2.492754")),
        # 1 - 0.828 × 0.95; 1.9 + 0.828
        (3, Decimal("0.213400"), Decimal("2.728000"), Decimal("2.761387")),
        (4, Decimal("0.221266"), Decimal("3.514600"), Decimal("2.598666")),
    ]
    assert found.best == 3


def test_a_dear_lead_is_worth_more_calls_than_a_cheap_one() -> None:
    assert call_cadence(**{**USUAL, "lead_cost": euros(0)}).best == 1
    assert call_cadence(**{**USUAL, "lead_cost": euros(50_000)}).best == 4


def test_of_several_alike_the_least_is_best() -> None:
    found = call_cadence(**{**USUAL, "lead_cost": euros(0), "win_rates": [Decimal("0.1")] * 5})
    assert {step.return_ratio for step in found.steps} == {Decimal("10.000000")}
    assert found.best == 1


def test_the_best_is_told_apart_by_more_than_what_is_shown() -> None:
    """A small deal of a dear lead returns nothing to speak of, and more with more attempts."""
    found = call_cadence(**{**USUAL, "value": euros(1), "lead_cost": euros(10**9)})
    assert {step.return_ratio for step in found.steps} == {Decimal("0.000000")}
    assert found.best == 4


@settings(max_examples=40)
@given(
    rates=st.lists(st.decimals(0, 1, places=3), min_size=1, max_size=8),
    value=st.integers(1, 10**7),
    lead_cost=st.integers(0, 10**6),
    call_cost=st.integers(1, 10**5),
)
def test_the_best_returns_the_most_of_all_ways_a_cadence_can_go(
    rates: list[Decimal], value: int, lead_cost: int, call_cost: int
) -> None:
    """The oracle adds up the stories: won at the first attempt, at the second, or at none."""
    ratios = []
    for most in range(1, len(rates) + 1):
        won, attempts, reached = Fraction(0), Fraction(0), Fraction(1)
        for n in range(most):
            ends_here = reached * Fraction(rates[n])
            won += ends_here
            attempts += ends_here * (n + 1)
            reached -= ends_here
        attempts += reached * most
        ratios.append(value * won / (lead_cost + call_cost * attempts))
    found = call_cadence(
        value=euros(value),
        lead_cost=euros(lead_cost),
        call_cost=euros(call_cost),
        win_rates=rates,
    )
    assert found.best == 1 + ratios.index(max(ratios))


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"win_rates": []}, "OUT_OF_RANGE", ("winRates",)),
        ({"win_rates": [Decimal("0.1")] * 21}, "OUT_OF_RANGE", ("winRates",)),
        ({"win_rates": [Decimal("1.1")]}, "OUT_OF_RANGE", ("winRates", 0)),
        ({"value": euros(0)}, "OUT_OF_RANGE", ("value",)),
        ({"lead_cost": euros(-1)}, "OUT_OF_RANGE", ("leadCost",)),
        ({"call_cost": euros(0)}, "OUT_OF_RANGE", ("callCost",)),
        ({"call_cost": Money(1, "USD")}, "CURRENCY_MISMATCH", ("value",)),
    ],
)
def test_what_makes_no_sense_is_refused(
    changes: dict[str, Any], code: str, path: tuple[str | int, ...]
) -> None:
    with pytest.raises(Invalid) as refused:
        call_cadence(**{**USUAL, **changes})
    assert (refused.value.code, refused.value.path) == (code, path)
