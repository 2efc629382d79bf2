"""Instants and days as files write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

ISO = "iso"
# Seconds or milliseconds since 1970 in UTC, by the number of them in a second.
EPOCHS = {"epoch": 1, "epoch_ms": 1000}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST, LATEST = EPOCH, datetime(2100, 1, 1, tzinfo=UTC)

_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?", re.ASCII)
# From 1973 on: neither 0, which says that there is none, nor one taken for the other.
_COUNTS = {
    "epoch": re.compile(r"\d{9,11}", re.ASCII),
    "epoch_ms": re.compile(r"\d{12,14}", re.ASCII),
}
_DIRECTIVE = re.compile("%.?")
_DIRECTIVES = frozenset(f"%{letter}" for letter in "YymbBdHIMSfpz%")
_TIMES = frozenset(f"%{letter}" for letter in "HIMSfpz")
_PROBE = datetime(2003, 4, 5, 6, 7, 8, tzinfo=UTC)


class NotADate(ValueError):
    """No date format of the mapping fits."""


class OutOfRange(ValueError):
    """A date that nothing here can have: somebody mistyped the year."""


@lru_cache(maxsize=8192)
def read_instant(text: str, formats: tuple[str, ...], zone: ZoneInfo) -> datetime:
    """Return the instant that a text means by the first format that fits.

    A day alone is its first instant, a month alone that of its first day.  A local time that a
    change of the clocks skipped counts by the offset before the change; one that came twice is the
    first (RFC 5545, 3.3.5).

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
        if style in EPOCHS:
            return _counted(text, style)
        if style != ISO:
            return datetime.strptime(text, style)  # noqa: DTZ007  # the file's zone is put on later
        return datetime.fromisoformat(text) if _ISO_DATE.fullmatch(text) else None
    except (ValueError, OverflowError):
        return None


def _counted(text: str, style: str) -> datetime | None:
    if not _COUNTS[style].fullmatch(text):
        return None
    return EPOCH + timedelta(seconds=1) * int(text) / EPOCHS[style]


def example_of(style: str) -> str:
    """Return how a date looks in a format."""
    return _written(datetime(2018, 2, 26, 19, 58, tzinfo=UTC), style)


def _written(at: datetime, style: str) -> str:
    if style in EPOCHS:
        return str(int(at.timestamp()) * EPOCHS[style])
    return at.date().isoformat() if style == ISO else at.strftime(style)


def fault_in_format(style: str) -> str | None:
    """Return why a date format cannot be used, if it cannot."""
    if style == ISO or style in EPOCHS:
        return None
    found = _DIRECTIVE.findall(style)
    strange = [directive for directive in found if directive not in _DIRECTIVES]
    if strange:
        return f"{strange[0]!r} is not known; use {' '.join(sorted(_DIRECTIVES - {'%%'}))}"
    if len(found) - found.count("%%") != len(set(found) - {"%%"}):
        return "it says the same thing twice"
    for needed in ({"%Y", "%y"}, {"%m", "%b", "%B"}):
        if len(needed & set(found)) != 1:
            return f"it must hold exactly one of {' '.join(sorted(needed))}"
    if "%d" not in found and _TIMES & set(found):
        return "a time needs a day, %d"
    if ("%I" in found) != ("%p" in found):
        return "a 12-hour clock needs both %I and %p"
    return None


def contradicting(formats: Sequence[str]) -> tuple[str, str] | None:
    """Return two formats that read the same text as two different days, if there are such."""
    for style in formats:
        written = _written(_PROBE, style)
        for other in formats:
            if _day(written, other) not in (None, _day(written, style)):
                return style, other
    return None


def _day(text: str, style: str) -> date | None:
    parsed = _parsed(text, style)
    return None if parsed is None else parsed.date()
