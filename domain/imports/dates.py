"""Instants and days as files write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

ISO = "iso"
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?", re.ASCII)
_DIRECTIVE = re.compile("%.?")
_DIRECTIVES = frozenset(f"%{letter}" for letter in "YymbBdHIMSfpz%")
_PROBE = datetime(2003, 4, 5, 6, 7, 8, tzinfo=UTC)


class NotADate(ValueError):
    """No date format of the mapping fits."""


class OutOfRange(ValueError):
    """A date that nothing here can have: somebody mistyped the year."""


@lru_cache(maxsize=8192)
def read_instant(text: str, formats: tuple[str, ...], zone: ZoneInfo) -> datetime:
    """Return the instant that a text means by the first format that fits.

    A day alone is its first instant.  A local time that a change of the clocks skipped counts by
    the offset before the change; one that came twice is the first (RFC 5545, 3.3.5).

    Raises:
        NotADate: if no format fits.
        OutOfRange: if it is before 1970 or not before 2100.
    """
    for style in formats:
        local = _parsed(text, style)
        if local is None:
            continue
        if not EARLIEST.year - 1 <= local.year <= LATEST.year:
            raise OutOfRange(text)
        at = (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(UTC)
        if not EARLIEST <= at < LATEST:
            raise OutOfRange(text)
        return at
    raise NotADate(text)


def _parsed(text: str, style: str) -> datetime | None:
    try:
        if style != ISO:
            return datetime.strptime(text, style)  # noqa: DTZ007  # the file's zone is put on later
        return datetime.fromisoformat(text) if _ISO_DATE.fullmatch(text) else None
    except (ValueError, OverflowError):
        return None


def example_of(style: str) -> str:
    """Return how a date looks in a format."""
    day = datetime(2018, 2, 26, 19, 58, tzinfo=UTC)
    return day.date().isoformat() if style == ISO else day.strftime(style)


def fault_in_format(style: str) -> str | None:
    """Return why a date format cannot be used, if it cannot."""
    if style == ISO:
        return None
    found = _DIRECTIVE.findall(style)
    strange = [directive for directive in found if directive not in _DIRECTIVES]
    if strange:
        return f"{strange[0]!r} is not known; use {' '.join(sorted(_DIRECTIVES - {'%%'}))}"
    if len(found) - found.count("%%") != len(set(found) - {"%%"}):
        return "it says the same thing twice"
    for needed in ({"%Y", "%y"}, {"%m", "%b", "%B"}, {"%d"}):
        if len(needed & set(found)) != 1:
            return f"it must hold exactly one of {' '.join(sorted(needed))}"
    if ("%I" in found) != ("%p" in found):
        return "a 12-hour clock needs both %I and %p"
    return None


def contradicting(formats: Sequence[str]) -> tuple[str, str] | None:
    """Return two formats that read the same text as two different days, if there are such."""
    for style in formats:
        written = _PROBE.date().isoformat() if style == ISO else _PROBE.strftime(style)
        for other in formats:
            if _day(written, other) not in (None, _PROBE.date()):
                return style, other
    return None


def _day(text: str, style: str) -> date | None:
    parsed = _parsed(text, style)
    return None if parsed is None else parsed.date()
