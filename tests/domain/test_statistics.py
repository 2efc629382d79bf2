"""Constants were computed once with mpmath (40 digits) and SciPy; neither is needed here."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.statistics import (
    Interval,
    beta_product_quantile,
    beta_quantile,
    incomplete_beta,
    normal_cdf,
    normal_quantile,
    wilson_interval,
)

shapes = st.decimals(min_value="0.1", max_value="100000", places=1)
probabilities = st.decimals(min_value="0.001", max_value="0.999", places=3)


def close(value: Decimal, expected: str) -> bool:
    return abs(value - Decimal(expected)) <= Decimal("1e-9") * abs(Decimal(expected))


@pytest.mark.parametrize(
    ("x", "a", "b", "expected"),
    [
        ("0.3", "2", "5", "0.579825"),
        ("0.5", "0.5", "0.5", "0.5"),
        ("0.05", "5.5", "95.5", "0.47191170239697"),
        ("0.001", "0.5", "20.5", "0.15953930304017"),
        ("0.9", "30", "2", "0.16956463310086"),
        ("0.02", "1000.5", "50000.5", "0.73550393427641"),
        ("0.5", "3000", "2900", "0.096456101098356"),
        ("0.999", "0.5", "0.1", "0.55735567083689"),
    ],
)
def test_the_incomplete_beta_agrees_with_high_precision(x, a, b, expected):
    assert close(incomplete_beta(Decimal(x), Decimal(a), Decimal(b)), expected)


def test_nothing_lies_below_zero_and_everything_below_one():
    assert incomplete_beta(Decimal(0), Decimal(2), Decimal(3)) == 0
    assert incomplete_beta(Decimal(1), Decimal(2), Decimal(3)) == 1


@pytest.mark.parametrize(
    ("probability", "a", "b", "expected"),
    [
        ("0.1", "5.5", "95.5", "0.028132762522551"),
        ("0.9", "5.5", "95.5", "0.084595720022657"),
        ("0.5", "0.5", "0.5", "0.5"),
        ("0.1", "0.5", "20.5", "0.0003897898118241"),
        ("0.975", "1.5", "0.5", "0.99961441901924"),
        ("0.025", "1000.5", "50000.5", "0.018431637715051"),
        ("0.9", "100000.5", "200000.5", "0.33443710853155"),
        ("0.1", "2", "1", "0.31622776601684"),
    ],
)
def test_the_beta_quantile_agrees_with_high_precision(probability, a, b, expected):
    assert close(beta_quantile(Decimal(probability), Decimal(a), Decimal(b)), expected)


@given(probability=probabilities, a=shapes, b=shapes)
def test_the_quantile_undoes_the_probability(probability, a, b):
    share = beta_quantile(probability, a, b)
    # Where the density is steep, twelve digits of the share are fewer digits of the probability.
    width = Decimal("1e-12") * max(share, Decimal("1e-12"))
    if not width < share < 1 - Decimal("1e-9"):
        return
    lower, upper = (incomplete_beta(share + off, a, b) for off in (-width, width))
    assert lower - Decimal("1e-9") <= probability <= upper + Decimal("1e-9")


@given(a=shapes, b=shapes, x=st.decimals(min_value="0.001", max_value="0.999", places=3))
def test_the_two_tails_add_up_to_one(a, b, x):
    total = incomplete_beta(x, a, b) + incomplete_beta(1 - x, b, a)
    assert abs(total - 1) <= Decimal("1e-11")


def test_a_hundred_million_trials_are_no_trouble():
    share = beta_quantile(Decimal("0.1"), Decimal("50000000.5"), Decimal("50000000.5"))
    assert close(share, "0.499935922420")


@pytest.mark.parametrize(
    ("counts", "simulated"),
    [
        ([(50, 100), (30, 50), (15, 30), (5, 15)], ("0.02634", "0.04850", "0.07994")),
        ([(2, 40), (3, 10)], ("0.004744", "0.015451", "0.039170")),
        ([(1, 20), (1, 4), (1, 3)], ("0.000464", "0.004090", "0.020202")),
        ([(800, 8000), (380, 800)], ("0.044504", "0.047461", "0.050582")),
    ],
)
def test_a_product_of_betas_spreads_as_two_hundred_thousand_draws_of_it_do(counts, simulated):
    half = Decimal("0.5")
    posteriors = [(won + half, trials - won + half) for won, trials in counts]
    for tail, share in zip(("0.1", "0.5", "0.9"), simulated, strict=True):
        quantile = beta_product_quantile(Decimal(tail), posteriors)
        assert abs(quantile / Decimal(share) - 1) < Decimal("0.015")


def test_a_product_of_one_beta_is_that_beta():
    shapes = Decimal("5.5"), Decimal("95.5")
    assert beta_product_quantile(Decimal("0.1"), [shapes]) == beta_quantile(Decimal("0.1"), *shapes)


@pytest.mark.parametrize(
    ("z", "expected"),
    [
        ("0", "0.5"),
        ("1", "0.84134474606854"),
        ("-1", "0.15865525393146"),
        ("1.96", "0.97500210485178"),
        ("-6", "9.865876450377e-10"),
        ("3.5", "0.99976737092096"),
    ],
)
def test_the_normal_distribution_is_right_also_far_out(z, expected):
    assert close(normal_cdf(Decimal(z)), expected)


@pytest.mark.parametrize(
    ("probability", "expected"),
    [
        ("0.975", "1.9599639845401"),
        ("0.9", "1.2815515655446"),
        ("0.5", "0"),
        ("0.001", "-3.0902323061678"),
        ("1e-10", "-6.3613409024041"),
    ],
)
def test_the_normal_quantile_agrees_with_high_precision(probability, expected):
    assert close(normal_quantile(Decimal(probability)), expected)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (5, 100, "0.0215436791544", "0.111750469232"),
        (0, 20, "0", "0.161125158053"),
        (20, 20, "0.838874841947", "1"),
        (1, 3, "0.0614919447204", "0.792340399198"),
        (0, 0, "0", "1"),
    ],
)
def test_the_wilson_interval_holds_what_few_trials_allow(successes, trials, low, high):
    assert wilson_interval(successes, trials) == Interval(Decimal(low), Decimal(high))


@pytest.mark.parametrize(
    "impossible",
    [
        lambda: incomplete_beta(Decimal("1.1"), Decimal(1), Decimal(1)),
        lambda: incomplete_beta(Decimal("0.5"), Decimal(0), Decimal(1)),
        lambda: incomplete_beta(Decimal("0.5"), Decimal(1), Decimal("1e9")),
        lambda: beta_quantile(Decimal(0), Decimal(1), Decimal(1)),
        lambda: normal_quantile(Decimal(1)),
        lambda: wilson_interval(3, 2),
        lambda: wilson_interval(-1, 2),
    ],
)
def test_impossible_questions_are_our_own_fault(impossible):
    with pytest.raises(ValueError):  # noqa: PT011  # each has its own words
        impossible()
