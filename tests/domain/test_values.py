from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest

from domain.errors import DomainError, Invalid, Refusals
from domain.values import (
    Money,
    Period,
    PeriodKind,
    limited_text,
    minor_digits,
    period_of,
    require_text,
    told_instant,
)

MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))


def test_money_is_added_in_one_currency_only():
    assert Money(1050, "EUR") + Money(50, "EUR") == Money(1100, "EUR")
    assert Money(1050, "EUR") - Money(50, "EUR") == Money(1000, "EUR")
    with pytest.raises(ValueError, match="EUR and USD"):
        Money(1, "EUR") + Money(1, "USD")
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(1, "euro")


@pytest.mark.parametrize(
    ("currency", "digits"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("XXX", 2)]
)
def test_currencies_have_their_own_decimal_places(currency: str, digits: int):
    assert minor_digits(currency) == digits


def test_a_period_ends_after_it_starts_and_leaves_its_end_out():
    assert date(2026, 3, 1) in MARCH
    assert date(2026, 3, 31) in MARCH
    assert date(2026, 4, 1) not in MARCH
    assert (MARCH.days, len(list(MARCH))) == (31, 31)
    assert MARCH.overlaps(Period(date(2026, 3, 31), date(2026, 5, 1)))
    assert not MARCH.overlaps(Period(date(2026, 4, 1), date(2026, 5, 1)))
    with pytest.raises(ValueError, match="must end after it starts"):
        Period(date(2026, 3, 1), date(2026, 3, 1))


def test_months_and_quarters_know_where_they_end():
    assert Period.month(2026, 12) == Period(date(2026, 12, 1), date(2027, 1, 1))
    assert Period.quarter(2026, 4) == Period(date(2026, 10, 1), date(2027, 1, 1))


@pytest.mark.parametrize(
    ("kind", "first", "end", "period"),
    [
        (PeriodKind.MONTH, date(2026, 3, 1), None, MARCH),
        (PeriodKind.MONTH, date(2026, 3, 1), date(2026, 4, 1), MARCH),
        (PeriodKind.QUARTER, date(2026, 4, 1), None, Period.quarter(2026, 2)),
        (
            PeriodKind.CUSTOM,
            date(2026, 3, 9),
            date(2026, 3, 12),
            Period(date(2026, 3, 9), date(2026, 3, 12)),
        ),
    ],
)
def test_a_request_names_a_period(kind: PeriodKind, first: date, end: date | None, period: Period):
    assert period_of(kind, first, end) == period


@pytest.mark.parametrize(
    ("kind", "first", "end", "path"),
    [
        (PeriodKind.CUSTOM, date(2026, 3, 9), None, ("endsOn",)),
        (PeriodKind.CUSTOM, date(2026, 3, 9), date(2026, 3, 9), ("endsOn",)),
        (PeriodKind.CUSTOM, date(2026, 3, 9), date(2026, 3, 1), ("endsOn",)),
        (PeriodKind.MONTH, date(2026, 3, 2), None, ("startsOn",)),
        (PeriodKind.QUARTER, date(2026, 2, 1), None, ("startsOn",)),
        (PeriodKind.MONTH, date(2026, 3, 1), date(2026, 3, 31), ("endsOn",)),
    ],
)
def test_a_period_that_cannot_be_is_refused(
    kind: PeriodKind, first: date, end: date | None, path: tuple[str, ...]
):
    with pytest.raises(Invalid) as refusal:
        period_of(kind, first, end)
    assert refusal.value.path == path


@pytest.mark.parametrize("text", ["", "  ", "x" * 201, "a\x00b", "\ud800"])
def test_text_that_cannot_be_kept_is_refused(text: str):
    with pytest.raises(Invalid) as refusal:
        require_text(text, name="The name", path=("name",))
    assert refusal.value.path == ("name",)


def test_text_loses_the_space_around_it_and_nothing_else():
    assert require_text("  Émile  Zola \n", name="The name", path=()) == "Émile  Zola"
    assert limited_text(" kept ", name="The note", path=()) == " kept "


def test_messages_tell_an_instant_as_the_api_does():
    berlin = timezone(timedelta(hours=2))
    at = datetime(2026, 3, 10, 1, 2, 3, 999_999, tzinfo=berlin)
    assert told_instant(at) == "2026-03-09T23:02:03Z"


def test_several_refusals_are_one_answer():
    several = Refusals([Invalid("one", path=("a",)), Invalid("two", path=("b",))])
    assert isinstance(several, DomainError)
    assert [refusal.path for refusal in several.refusals] == [("a",), ("b",)]
    with pytest.raises(ValueError, match="no refusals"):
        Refusals([])
