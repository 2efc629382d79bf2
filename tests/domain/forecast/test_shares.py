"""Shares, velocity and percentiles: tables that a salesperson could check."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from domain.forecast import Spread, StageRecord, observed_chance, percentile, spread, velocity
from domain.forecast.shares import rounded, share_of, whole_minor

D = Decimal


def hours(*lengths: float) -> list[timedelta]:
    return [timedelta(hours=length) for length in lengths]


def test_velocity_is_what_the_pipeline_brings_in_a_day():
    """The vector: 50 deals x 20 % x 10,000 / 30 days = 3,333.33 a day."""
    found = velocity(
        opportunities=50,
        win_rate=Fraction(1, 5),
        average_deal=Fraction(1_000_000),
        cycle_days=Fraction(30),
    )

    assert found == 333_333


@pytest.mark.parametrize("cycle_days", [Fraction(0), Fraction(-1)])
def test_deals_that_take_no_time_have_no_velocity(cycle_days):
    with pytest.raises(ValueError, match="take no time"):
        velocity(
            opportunities=1, win_rate=Fraction(1), average_deal=Fraction(1), cycle_days=cycle_days
        )


@pytest.mark.parametrize(
    ("closed", "won", "agreed", "chance"),
    [
        (0, 0, "0.5", Fraction(1, 2)),  # nothing known: what was agreed
        (10, 10, "0.5", Fraction(3, 4)),  # half each
        (10, 0, "0.5", Fraction(1, 4)),
        (990, 99, "0.5", Fraction(104, 1000)),  # much known: nearly what was observed
        (5, 2, "0", Fraction(2, 15)),
    ],
)
def test_history_counts_the_more_the_more_of_it_there_is(closed, won, agreed, chance):
    assert observed_chance(StageRecord(closed=closed, won=won), D(agreed)) == chance


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        (hours(5), hours(5, 5, 5, 5, 5)),
        (hours(1, 2), hours(1.1, 1.25, 1.5, 1.75, 1.9)),
        (hours(10, 11), hours(10.1, 10.25, 10.5, 10.75, 10.9)),
        (hours(1, 2, 3, 4, 5), hours(1.4, 2, 3, 4, 4.6)),
        (hours(0, 0, 0, 0, 100), hours(0, 0, 0, 0, 60)),
    ],
)
def test_a_percentile_lies_between_the_two_nearest_ranks(lengths, expected):
    assert [percentile(lengths, percent) for percent in (10, 25, 50, 75, 90)] == expected


def test_there_is_no_percentile_of_nothing():
    with pytest.raises(ValueError, match="of nothing"):
        percentile([], 50)


def test_a_spread_orders_what_it_is_given():
    assert spread(hours(4, 1, 5, 2, 3)) == Spread(
        mean=timedelta(hours=3),
        p10=timedelta(hours=1.4),
        p25=timedelta(hours=2),
        p50=timedelta(hours=3),
        p75=timedelta(hours=4),
        p90=timedelta(hours=4.6),
    )
    assert spread([]) is None


@pytest.mark.parametrize(
    ("exact", "minor"),
    [
        (Fraction(1, 2), 1),
        (Fraction(49, 100), 0),
        (Fraction(-1, 2), -1),
        (Fraction(5, 2), 3),
        (Fraction(7), 7),
        (Fraction(-49, 100), 0),
    ],
)
def test_money_is_rounded_half_away_from_zero(exact, minor):
    assert whole_minor(exact) == minor


def test_shares_are_rounded_to_four_places_half_up():
    assert rounded(Fraction(1, 3)) == D("0.3333")
    assert rounded(Fraction(2, 3)) == D("0.6667")
    assert rounded(Fraction(1, 20000)) == D("0.0001")
    assert share_of(1, 8) == D("0.1250")
    assert share_of(1, 0) is None
