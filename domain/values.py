"""Values that many features share: money and periods of days."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.errors import Invalid

_FIRST_YEAR, _LAST_YEAR = 1970, 2150
_CURRENCY = re.compile(r"[A-Z]{3}")

# The currencies of ISO 4217 whose minor unit is not a hundredth.
_MINOR_DIGITS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}


def minor_digits(currency: str) -> int:
    """Return how many decimal places a currency of ISO 4217 has."""
    return _MINOR_DIGITS.get(currency, 2)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in integer minor units (cents) of one currency."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if not _CURRENCY.fullmatch(self.currency):
            raise ValueError(f"not an ISO 4217 code: {self.currency!r}")

    def __add__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.minor - other.minor, self.currency)

    def _same_currency(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"currencies differ: {self.currency} and {other.currency}")


class PeriodKind(StrEnum):
    """How long a promise runs."""

    MONTH = "MONTH"
    QUARTER = "QUARTER"
    CUSTOM = "CUSTOM"


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` up to, but not including, `end`."""

    first: date
    end: date

    def __post_init__(self) -> None:
        if self.end <= self.first:
            raise ValueError(f"a period must end after it starts: {self.first} to {self.end}")

    def __contains__(self, day: date) -> bool:
        return self.first <= day < self.end

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range(self.days))

    @property
    def days(self) -> int:
        return (self.end - self.first).days

    @property
    def last(self) -> date:
        """The last of the days."""
        return self.end - timedelta(days=1)

    def overlaps(self, other: Period) -> bool:
        return self.first < other.end and other.first < self.end

    @classmethod
    def month(cls, year: int, month: int) -> Period:
        return cls(date(year, month, 1), _month_after(year, month, 1))

    @classmethod
    def quarter(cls, year: int, quarter: int) -> Period:
        first = 3 * quarter - 2
        return cls(date(year, first, 1), _month_after(year, first, 3))


def told_instant(at: datetime) -> str:
    """Return an instant as messages tell it: as the API writes it, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def month_of(at: datetime, time_zone: str) -> Period:
    """Return the month that an instant lies in, by the clocks of a time zone."""
    day = at.astimezone(ZoneInfo(time_zone)).date()
    return Period.month(day.year, day.month)


def _month_after(year: int, month: int, months: int) -> date:
    total = min(year * 12 + month - 1 + months, 9999 * 12 + 11)
    return date(total // 12, total % 12 + 1, 1)


def period_of(kind: PeriodKind, first: date, end: date | None) -> Period:
    """Return the period a request names.

    Raises:
        Invalid: if it ends before it starts, a month or quarter does not begin on its first day,
            or the end given is not where that month or quarter ends.
    """
    if kind is PeriodKind.CUSTOM:
        if end is None:
            raise Invalid("A custom period needs its end.", path=("endsOn",))
        if end <= first:
            raise Invalid(f"The period ends on {end}, before it starts.", path=("endsOn",))
        return Period(first, end)
    months = 1 if kind is PeriodKind.MONTH else 3
    if first.day != 1 or (first.month - 1) % months:
        raise Invalid(f"No {kind.lower()} starts on {first}.", path=("startsOn",))
    expected = _month_after(first.year, first.month, months)
    if end is not None and end != expected:
        raise Invalid(f"A {kind.lower()} from {first} ends on {expected}.", path=("endsOn",))
    return Period(first, expected)


def requested_period(
    kind: PeriodKind,
    starts_on: date,
    ends_on: date | None,
    *,
    longest: int,
    too_long: str,
    refusal: type[Invalid],
) -> Period:
    """Return the period that a request names, with what is wrong told below `period`.

    Raises:
        Invalid: as `period_of`; `refusal` for one of more than `longest` days, or centuries away.
    """
    if not _FIRST_YEAR <= starts_on.year <= _LAST_YEAR:
        raise refusal(
            f"Periods start from {_FIRST_YEAR} to {_LAST_YEAR}.", path=("period", "startsOn")
        )
    try:
        period = period_of(kind, starts_on, ends_on)
    except Invalid as fault:
        raise Invalid(fault.message, path=("period", *fault.path)) from None
    if period.days > longest:
        raise refusal(too_long, path=("period", "endsOn"))
    return period


def require_text(value: str, *, name: str, path: Sequence[str | int], longest: int = 200) -> str:
    """Return a text without surrounding space.

    Raises:
        Invalid: if it is empty, longer than `longest` characters, or holds a NUL character, which
            PostgreSQL cannot store.
    """
    stripped = value.strip()
    if not stripped:
        raise Invalid(f"{name} must not be empty.", path=path)
    return limited_text(stripped, name=name, path=path, longest=longest)


def limited_text(value: str, *, name: str, path: Sequence[str | int], longest: int = 200) -> str:
    """Return a text as it is, unless it is too long or cannot be stored (see `require_text`)."""
    if len(value) > longest:
        raise Invalid(f"{name} is longer than {longest} characters.", path=path)
    if "\x00" in value:
        raise Invalid(f"{name} holds a NUL character.", path=path)
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise Invalid(f"{name} holds half a surrogate pair, which is not text.", path=path)
    return value
