from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from domain.errors import Invalid
from domain.filters import All
from domain.funnel import CohortSpan, FunnelDimension, FunnelTerms, Segment, cohorts_of
from domain.funnel.terms import check
from domain.stages import Stage
from domain.values import Period

TODAY = date(2026, 3, 10)  # a Tuesday
EVERYBODY = All(())


def segment(name: str) -> Segment:
    return Segment(name=name, filter=EVERYBODY)


@pytest.mark.parametrize(
    ("terms", "path"),
    [
        (FunnelTerms(stages=(Stage.MQL,)), ("stages",)),
        (FunnelTerms(stages=()), ("stages",)),
        (FunnelTerms(stages=(Stage.MQL, Stage.SQL, Stage.MQL)), ("stages",)),
        (FunnelTerms(first_on=date(2026, 3, 2), last_on=date(2026, 3, 1)), ("lastOn",)),
        (FunnelTerms(first_on=date(1969, 12, 31)), ("firstOn",)),
        (FunnelTerms(last_on=date(2100, 1, 1)), ("lastOn",)),
        (FunnelTerms(most=0), ("most",)),
        (FunnelTerms(most=51), ("most",)),
        (FunnelTerms(confidence=Decimal("0.49")), ("confidence",)),
        (FunnelTerms(confidence=Decimal(1)), ("confidence",)),
        (FunnelTerms(dimension=FunnelDimension.OWNER, segments=(segment("a"),)), ("segments",)),
        (FunnelTerms(segments=(segment("a"), segment("a"))), ("segments",)),
        (FunnelTerms(segments=tuple(segment(str(n)) for n in range(11))), ("segments",)),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else "",
)
def test_terms_that_make_no_report_are_refused(terms: FunnelTerms, path: tuple[str, ...]) -> None:
    with pytest.raises(Invalid) as refused:
        check(terms)
    assert refused.value.path == path


def test_the_widest_terms_are_taken() -> None:
    check(FunnelTerms(stages=tuple(Stage), most=50, confidence=Decimal("0.999")))
    check(FunnelTerms(segments=tuple(segment(str(n)) for n in range(10))))


def test_without_cohorts_all_are_taken_together() -> None:
    assert cohorts_of(FunnelTerms(), today=TODAY) == ()


@pytest.mark.parametrize(
    ("span", "first", "last", "periods"),
    [
        (
            CohortSpan.WEEK,
            date(2026, 3, 4),
            date(2026, 3, 17),
            [(4, 9), (9, 16), (16, 18)],
        ),
        (CohortSpan.MONTH, date(2026, 3, 4), date(2026, 3, 31), [(4, 32)]),
        (CohortSpan.QUARTER, date(2026, 3, 1), date(2026, 3, 5), [(1, 6)]),
    ],
)
def test_the_first_and_the_last_cohort_are_cut_to_the_days_asked_for(
    span: CohortSpan, first: date, last: date, periods: list[tuple[int, int]]
) -> None:
    def march(day: int) -> date:
        return date(2026, 3, day) if day < 32 else date(2026, 4, day - 31)

    terms = FunnelTerms(cohorts=span, first_on=first, last_on=last)

    assert cohorts_of(terms, today=TODAY) == tuple(
        Period(march(start), march(end)) for start, end in periods
    )


@pytest.mark.parametrize(
    ("span", "first", "second"),
    [
        (CohortSpan.WEEK, date(2025, 12, 22), date(2025, 12, 29)),
        (CohortSpan.MONTH, date(2025, 4, 1), date(2025, 5, 1)),
        (CohortSpan.QUARTER, date(2023, 4, 1), date(2023, 7, 1)),
    ],
)
def test_without_days_the_twelve_newest_cohorts_end_today(
    span: CohortSpan, first: date, second: date
) -> None:
    cohorts = cohorts_of(FunnelTerms(cohorts=span), today=TODAY)

    assert (len(cohorts), cohorts[0].first, cohorts[1].first) == (12, first, second)
    assert cohorts[-1].last == TODAY


def test_a_report_has_room_for_a_hundred_rows() -> None:
    by_day = FunnelTerms(
        cohorts=CohortSpan.WEEK,
        dimension=FunnelDimension.ORIGIN_SOURCE,
        most=9,
        first_on=date(2026, 1, 5),
        last_on=date(2026, 3, 15),
    )

    assert len(cohorts_of(by_day, today=TODAY)) == 10
    with pytest.raises(Invalid) as refused:
        cohorts_of(replace(by_day, last_on=date(2026, 3, 16)), today=TODAY)
    assert refused.value.path == ("cohorts",)
    assert len(cohorts_of(replace(by_day, first_on=None), today=TODAY)) == 10


def test_nobody_was_seen_in_the_future() -> None:
    with pytest.raises(Invalid) as refused:
        cohorts_of(FunnelTerms(cohorts=CohortSpan.WEEK, first_on=date(2026, 3, 11)), today=TODAY)
    assert refused.value.path == ("firstOn",)
