"""Which calendars are accepted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from zoneinfo import available_timezones

from domain.errors import DomainError, Invalid, Refusals
from domain.sla.calendar.hours import DayOverride, Window, WorkingHours
from domain.sla.calendar.openings import DAY_MINUTES
from domain.sla.calendar.refusals import (
    FIRST_YEAR,
    LAST_YEAR,
    CalendarNeverOpens,
    UnknownTimeZone,
)

# Generous for people, and small enough for the caches of `hours` and `openings`.
_MOST_WINDOWS, _MOST_OVERRIDES, _MOST_A_DAY = 70, 1_000, 10

# Files of a time zone database that are no place's time.
_NO_PLACE = frozenset({"localtime", "Factory", "posixrules"})


def check(hours: WorkingHours, *, path: Sequence[str | int] = ()) -> None:
    """Refuse a calendar that cannot be worked by.

    `path` is where the calendar is in the request; the fields below it are `timeZone`, `windows`
    and `overrides`.

    Raises:
        UnknownTimeZone, CalendarNeverOpens, Invalid: for a single fault.
        Refusals: for several, so that a form can show all of them.
    """
    faults = [*_faults(hours, tuple(path))]
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise Refusals(faults)


def _faults(hours: WorkingHours, path: tuple[str | int, ...]) -> Iterable[DomainError]:
    if not is_time_zone(hours.time_zone):
        yield UnknownTimeZone(hours.time_zone, path=(*path, "timeZone"))
    if not hours.windows:
        yield CalendarNeverOpens(path=(*path, "windows"))
    for name, rows, most in (
        ("windows", hours.windows, _MOST_WINDOWS),
        ("overrides", hours.overrides, _MOST_OVERRIDES),
    ):
        if len(rows) > most:
            yield Invalid(f"A calendar has at most {most} {name}.", path=(*path, name))
            return
    yield from _window_faults(hours.windows, path)
    yield from _override_faults(hours.overrides, path)


def _window_faults(windows: Iterable[Window], path: tuple[str | int, ...]) -> Iterable[DomainError]:
    for n, window in enumerate(windows):
        where = (*path, "windows", n)
        if not 0 <= window.weekday <= 6:
            yield Invalid("Weekdays run from 0, Monday, to 6.", path=(*where, "weekday"))
        yield from _minute_faults(window.opens, window.closes, where)


def _override_faults(
    overrides: Iterable[DayOverride], path: tuple[str | int, ...]
) -> Iterable[DomainError]:
    for n, override in enumerate(overrides):
        if not FIRST_YEAR <= override.on.year <= LAST_YEAR:
            yield Invalid(f"{override.on} is out of range.", path=(*path, "overrides", n, "on"))
        if len(override.windows) > _MOST_A_DAY:
            where = (*path, "overrides", n, "windows")
            yield Invalid(f"A day has at most {_MOST_A_DAY} windows.", path=where)
            continue
        for m, (opens, closes) in enumerate(override.windows):
            yield from _minute_faults(opens, closes, (*path, "overrides", n, "windows", m))


def _minute_faults(opens: int, closes: int, path: tuple[str | int, ...]) -> Iterable[DomainError]:
    if not 0 <= opens < DAY_MINUTES:
        yield Invalid("A window opens at minute 0 to 1439 of its day.", path=(*path, "opens"))
    if not 0 <= closes <= DAY_MINUTES:
        yield Invalid("A window closes at minute 0 to 1440 of a day.", path=(*path, "closes"))


def is_time_zone(name: str) -> bool:
    """Say whether a name is a zone of the IANA database, spelt exactly so."""
    # Not by opening it: a name is then a path, and "Europe", "../passwd" and NUL each fail
    # in their own way, while "right/Europe/Berlin" opens and counts leap seconds.
    return name in _zone_names()


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones()) - _NO_PLACE
