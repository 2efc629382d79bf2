from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from domain.board import label_of
from domain.closed_loop import MOST_SPANS, Effort, LoopWindow, spans_of, told_apart
from domain.values import Money, Period

TODAY = date(2026, 3, 10)  # a Tuesday


@pytest.mark.parametrize(
    ("window", "first", "count", "second"),
    [
        (LoopWindow.LAST_30_DAYS, date(2026, 2, 9), 5, date(2026, 2, 16)),
        (LoopWindow.LAST_90_DAYS, date(2025, 12, 11), 14, date(2025, 12, 15)),
        (LoopWindow.LAST_12_MONTHS, date(2025, 4, 1), 12, date(2025, 5, 1)),
    ],
)
def test_a_window_ends_today_and_is_cut_into_weeks_or_months(
    window: LoopWindow, first: date, count: int, second: date
) -> None:
    spans = spans_of(window, TODAY)

    assert (spans[0].first, len(spans), spans[1].first) == (first, count, second)
    assert spans[-1].last == TODAY
    assert len(spans) <= MOST_SPANS
    assert all(one.end == other.first for one, other in pairwise(spans))


def test_a_window_of_days_has_so_many_days() -> None:
    def days(window: LoopWindow) -> int:
        spans = spans_of(window, TODAY)
        return Period(spans[0].first, spans[-1].end).days

    assert (days(LoopWindow.LAST_30_DAYS), days(LoopWindow.LAST_90_DAYS)) == (30, 90)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("paid_search", "Lead from paid_search"),
        ("s" * 60, f"Lead from {'s' * 60}"),
        ("s" * 61, "Lead"),
        ("anna@corp.example", "Lead"),
        (None, "Lead"),
    ],
)
def test_a_board_tells_no_story_of_a_lead(text: str | None, label: str) -> None:
    assert label_of(text) == label


def test_efforts_that_bear_the_same_labels_are_one() -> None:
    def an_effort(source: str, campaign: str | None, number: int) -> Effort:
        return Effort(
            source=source,
            campaign=campaign,
            leads=number,
            mqls=number,
            sqls=number,
            opportunities=number,
            won=number,
            revenue=Money(number, "EUR"),
            foreign=number,
        )

    several = [
        an_effort("Unknown", None, 4),
        an_effort("fair", None, 3),
        an_effort("Unknown", None, 2),
        an_effort("Unknown", "spring", 1),
    ]

    assert told_apart(several) == (
        an_effort("Unknown", None, 6),
        an_effort("fair", None, 3),
        an_effort("Unknown", "spring", 1),
    )
