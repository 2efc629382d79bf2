from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from domain.board import plain_source
from domain.closed_loop import MOST_SPANS, LoopWindow, spans_of
from domain.values import Period

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
    ("text", "shown"),
    [
        ("paid_search", "paid_search"),
        ("  two   words ", "two words"),
        ("anna@corp.example", None),
        ("+353 1 234 5678", None),
        ("a story " * 20, None),
        ("", None),
        (None, None),
    ],
)
def test_whatever_may_tell_of_a_person_is_no_source(text: str | None, shown: str | None) -> None:
    assert plain_source(text) == shown
