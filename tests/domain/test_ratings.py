"""What ratings come to."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.ratings import RatingSummary, StarsGiven, shrunk, summary


@pytest.mark.parametrize(
    ("given", "everything", "mean"),
    [
        ((0, 0), (0, 0), "3.00"),  # nobody has rated anything
        ((0, 0), (10, 40), "4.00"),  # this one not: it is taken for a usual one
        ((1, 5), (10, 30), "3.33"),  # (5 + 5 * 3) / 6
        ((1, 1), (10, 30), "2.67"),  # (1 + 5 * 3) / 6
        ((5, 25), (10, 30), "4.00"),  # half and half
        ((95, 475), (100, 400), "4.95"),  # many: their own mean
    ],
)
def test_few_ratings_lean_towards_the_mean_of_all(
    given: tuple[int, int], everything: tuple[int, int], mean: str
) -> None:
    stars = [StarsGiven(count=count, stars=stars) for count, stars in (given, everything)]

    assert shrunk(*stars) == Decimal(mean)


def test_a_summary_has_no_mean_of_nothing() -> None:
    all_of = StarsGiven(count=3, stars=9)

    assert summary(StarsGiven(), all_of) == RatingSummary(
        count=0, average=None, shrunk=Decimal("3.00")
    )
    assert summary(StarsGiven(count=3, stars=10), all_of) == RatingSummary(
        count=3, average=Decimal("3.33"), shrunk=Decimal("3.13")
    )
