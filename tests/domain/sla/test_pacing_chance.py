"""Forecasts: how likely a delivery is to be enough."""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.sla.calendar import Window, WorkingHours
from domain.sla.pacing import (
    PaceReading,
    pace,
)
from domain.sla.pacing.chance import Forecast
from domain.values import Period

D = Decimal
MARCH = Period.month(2026, 3)
office = WorkingHours("UTC", tuple(Window(day, 540, 1020) for day in range(5)))


def march(attained: int | Decimal, on: int, **others: Any) -> PaceReading:
    given = {"target": D(1000), "period": MARCH, "hours": office, **others}
    return pace(attained=D(attained), on=date(2026, 3, on), **given)


def negative_binomial(shape: float, over: float, to_come: float, number: int) -> float:
    """The textbook formula, term by term."""
    share_over = over / (over + to_come)
    return math.exp(
        math.lgamma(shape + number)
        - math.lgamma(shape)
        - math.lgamma(number + 1)
        + shape * math.log(share_over)
        + number * math.log(1 - share_over)
    )


@given(st.integers(0, 400), st.integers(1, 30), st.integers(1, 30), st.integers(1, 500))
def test_chances_agree_with_the_textbook(deliveries, over, to_come, number):
    forecast = Forecast(D(deliveries), D(over), D(to_come))
    below = math.fsum(negative_binomial(deliveries + 0.5, over, to_come, n) for n in range(number))

    assert float(forecast.at_least(number)) == pytest.approx(1 - below, abs=5.1e-5)


@given(
    st.integers(0, 10**9),
    st.decimals("0.001", 60, places=3),
    st.decimals("0.001", 60, places=3),
    st.sampled_from([D("0.1"), D("0.5"), D("0.9")]),
)
def test_a_quantile_is_the_first_number_that_is_likely_enough(deliveries, over, to_come, q):
    forecast = Forecast(D(deliveries), over, to_come)
    number = forecast.quantile(q)

    assert 1 - forecast.at_least(number + 1) >= q - D("0.00005")
    assert number == 0 or 1 - forecast.at_least(number) <= q + D("0.00005")


@pytest.mark.parametrize(
    ("deliveries", "over", "to_come"),
    [(D(900_000), D(20), D(20)), (D(50), D("0.001"), D(20)), (D(9_000), D("0.2"), D(20))],
)
def test_the_approximations_meet_the_exact_figures_where_they_take_over(
    deliveries, over, to_come, monkeypatch
):
    exact = Forecast(deliveries, over, to_come)
    numbers = [exact.quantile(D(n) / 10) for n in range(1, 10)]
    expected = [exact.at_least(number) for number in numbers]

    monkeypatch.setattr("domain.sla.pacing.chance._MOST_EXACT", min(numbers) // 2)

    approximate = [exact.at_least(number) for number in numbers]
    assert all(
        abs(one - other) < D("0.003") for one, other in zip(expected, approximate, strict=True)
    )


@given(st.integers(0, 2000), st.integers(1, 31), st.integers(0, 2000))
def test_more_attained_is_never_worse(attained, on, more):
    one, other = march(attained, on), march(attained + more, on)

    assert one.probability <= other.probability
    assert one.projected <= other.projected
    assert one.total_p10 <= one.total_p90
    assert one.attained <= one.total_p10
