"""The openings of a calendar, laid out year by year so that nothing steps through time."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from domain.sla.calendar.ticks import MINUTE, SECOND, TICK, instant_of, midnight

DAY_MINUTES = 1440


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """A calendar sorted for look-up.  Compared by identity, which makes it a cheap cache key."""

    zone: ZoneInfo
    weekdays: tuple[tuple[tuple[int, int], ...], ...]
    overrides: Mapping[date, tuple[tuple[int, int], ...]]

    def windows_on(self, day: date) -> tuple[tuple[int, int], ...]:
        windows = self.overrides.get(day)
        return self.weekdays[day.weekday()] if windows is None else windows


@dataclass(frozen=True, slots=True)
class Openings:
    """The open intervals of one UTC year, in microseconds since 1970, apart and in order."""

    opens: array[int]
    closes: array[int]
    worked_until: array[int]  # open time of the year up to each closing

    @property
    def total(self) -> int:
        return self.worked_until[-1] if self.worked_until else 0

    def worked(self, at: int) -> int:
        """Return the open time of the year before an instant of it."""
        n = bisect_right(self.opens, at) - 1
        return 0 if n < 0 else self.worked_until[n] - max(0, self.closes[n] - at)

    def reach(self, work: int) -> int:
        """Return when the year's open time reaches `work`, above 0 and at most the total."""
        n = bisect_left(self.worked_until, work)
        return self.closes[n] - (self.worked_until[n] - work)

    def is_open(self, at: int) -> bool:
        n = bisect_right(self.opens, at) - 1
        return n >= 0 and at < self.closes[n]

    def open_from(self, at: int) -> int | None:
        """Return the first open instant not before `at`, if the year has one."""
        n = bisect_right(self.closes, at)
        return max(at, self.opens[n]) if n < len(self.opens) else None


# At two windows a day a year takes 12 kB, at the ten that are accepted 90: at worst 90 MB.
@lru_cache(maxsize=1024)
def openings(timeline: Timeline, year: int) -> Openings:
    first, after = date(year, 1, 1), date(year + 1, 1, 1)
    begin, end = midnight(first), midnight(after)
    # A window ends within two days of its midnight, and no zone is a whole day from UTC: only
    # these days reach into the year.
    days = (first + timedelta(days=n) for n in range(-2, (after - first).days + 1))
    spans = sorted(
        (max(begin, edge(timeline.zone, day, opens)), min(end, edge(timeline.zone, day, closes)))
        for day in days
        for opens, closes in timeline.windows_on(day)
    )
    laid_out = Openings(array("q"), array("q"), array("q"))
    for opens, closes in _united(spans):
        laid_out.worked_until.append(laid_out.total + closes - opens)
        laid_out.opens.append(opens)
        laid_out.closes.append(closes)
    return laid_out


def _united(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    united: list[tuple[int, int]] = []
    for opens, closes in spans:
        if closes <= opens:
            continue
        if united and opens <= united[-1][1]:
            united[-1] = (united[-1][0], max(closes, united[-1][1]))
        else:
            united.append((opens, closes))
    return united


def edge(zone: ZoneInfo, day: date, minutes: int) -> int:
    """Return the first instant at which the wall clock reaches a time of a day."""
    days, minute = divmod(minutes, DAY_MINUTES)
    day = day + timedelta(days=days) if days else day
    wall = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)
    before, after = _offset(wall), _offset(wall.replace(fold=1))
    shown = midnight(day) + minute * MINUTE
    return shown - before if before >= after else _jump(zone, shown, before, after)


def _jump(zone: ZoneInfo, shown: int, before: int, after: int) -> int:
    """Return when the wall clock skips over a time that it never shows."""
    early, late = shown - after, shown - before
    while late - early > SECOND:
        middle = early + (late - early) // (2 * SECOND) * SECOND
        if middle + _offset(instant_of(middle).astimezone(zone)) >= shown:
            late = middle
        else:
            early = middle
    return late


def _offset(local: datetime) -> int:
    offset = local.utcoffset()
    return 0 if offset is None else offset // TICK
