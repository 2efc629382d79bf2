"""A calendar, and the questions it answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from domain.sla.calendar.openings import DAY_MINUTES, Openings, Timeline, edge, openings
from domain.sla.calendar.refusals import (
    FIRST_YEAR,
    HORIZON_YEARS,
    LAST_YEAR,
    CalendarNeverOpens,
    DeadlineTooFar,
    InstantOutOfRange,
)
from domain.sla.calendar.ticks import TICK, instant_of, ticks_of
from domain.values import Period


@dataclass(frozen=True, slots=True)
class Window:
    """Opening hours on one weekday (Monday is 0), in minutes after local midnight.

    `closes` at or before `opens` is on the next day, so 22:00 to 06:00 is one window, and a
    window from a time to the same time lasts a whole day.  1440 is midnight at the day's end.
    """

    weekday: int
    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class DayOverride:
    """One date that differs from its weekday: other windows, or none on a day that is closed.

    `holiday` is whether a list of public holidays says so, and not the people themselves.
    """

    on: date
    windows: tuple[tuple[int, int], ...] = ()
    name: str = ""
    holiday: bool = False


@dataclass(frozen=True)  # No slots: the derived timeline is kept in the instance's dict.
class WorkingHours:
    """A team's calendar.  Of two overrides for one date the later in the list counts."""

    time_zone: str
    windows: tuple[Window, ...]
    overrides: tuple[DayOverride, ...] = ()

    def add(self, start: datetime, work: timedelta) -> datetime:
        """Return the instant by which `work` has been worked since `start`.

        Work that just fills a window ends at its closing, not at the next opening.  No work at
        all ends at `start` if that is open, else at the next opening.

        Raises:
            ValueError: if `work` is negative.
            CalendarNeverOpens, DeadlineTooFar: if the next fifty years do not hold it.
            InstantOutOfRange: if `start` is no plausible instant.
        """
        if work < timedelta(0):
            raise ValueError(f"working time runs forward only: {work}")
        if not work:
            return self.opens_next(start)
        at, year = _ticks(start)
        left = work // TICK + self._year(year).worked(at)
        for later in range(year, year + HORIZON_YEARS):
            laid_out = self._year(later)
            if left <= laid_out.total:
                return instant_of(laid_out.reach(left))
            left -= laid_out.total
        self.opens_next(start)  # Says so if the cause is a calendar that does not open again.
        raise DeadlineTooFar

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Return the open time from `start` to `end`, negative if `end` is the earlier."""
        if end < start:
            return -self.between(end, start)
        (first, first_year), (last, last_year) = _ticks(start), _ticks(end)
        whole_years = sum(self._year(year).total for year in range(first_year, last_year))
        before = self._year(first_year).worked(first)
        return (whole_years + self._year(last_year).worked(last) - before) * TICK

    def is_open(self, at: datetime) -> bool:
        """Say whether the team is at work.  The opening instant is open, the closing one is not."""
        ticks, year = _ticks(at)
        return self._year(year).is_open(ticks)

    def opens_next(self, at: datetime) -> datetime:
        """Return `at` itself if it is open, else the next opening.

        Raises:
            CalendarNeverOpens: if there is none in the next fifty years.
        """
        ticks, year = _ticks(at)
        for later in range(year, year + HORIZON_YEARS):
            opening = self._year(later).open_from(ticks)
            if opening is not None:
                return instant_of(opening)
        raise CalendarNeverOpens(f"in the {HORIZON_YEARS} years after {at.date()}")

    def openings(self, first_year: int, last_year: int) -> Iterator[tuple[int, int]]:
        """Yield the open intervals of some UTC years in order, in microseconds since 1970.

        What is open over New Year comes in two.
        """
        for year in range(first_year, last_year + 1):
            laid_out = self._year(year)
            yield from zip(laid_out.opens, laid_out.closes, strict=True)

    def is_working_day(self, day: date) -> bool:
        """Say whether a window opens on a local day."""
        return bool(self._timeline.windows_on(day))

    def working_days(self, period: Period) -> int:
        """Count the local days of a period on which a window opens."""
        weeks, rest = divmod(period.days, 7)
        first = period.first.weekday()
        usual = [bool(windows) for windows in self._timeline.weekdays]
        days = weeks * sum(usual) + sum(usual[(first + n) % 7] for n in range(rest))
        return days + sum(
            bool(windows) - usual[day.weekday()]
            for day, windows in self._timeline.overrides.items()
            if day in period
        )

    def local_day(self, at: datetime) -> date:
        """Return the date on the team's wall."""
        return at.astimezone(self._timeline.zone).date()

    def day_starts_at(self, day: date) -> datetime:
        """Return the first instant of a local day; the next day's is where it ends."""
        return instant_of(edge(self._timeline.zone, day, 0))

    def _year(self, year: int) -> Openings:
        return openings(self._timeline, year)

    @cached_property
    def _timeline(self) -> Timeline:
        return _timeline(self)


def always_open(time_zone: str) -> WorkingHours:
    """Return the calendar of a team that is never closed."""
    return WorkingHours(time_zone, tuple(Window(day, 0, DAY_MINUTES) for day in range(7)))


# Calendars are read from the database anew each time: equal ones share one timeline.
@lru_cache(maxsize=256)
def _timeline(hours: WorkingHours) -> Timeline:
    return Timeline(
        zone=ZoneInfo(hours.time_zone),
        weekdays=tuple(
            _lengths((w.opens, w.closes) for w in hours.windows if w.weekday == day)
            for day in range(7)
        ),
        overrides={override.on: _lengths(override.windows) for override in hours.overrides},
    )


def _lengths(windows: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Write closings on the next day as minutes after the midnight of the first."""
    return tuple(
        (opens, closes if closes > opens else closes + DAY_MINUTES) for opens, closes in windows
    )


def _ticks(at: datetime) -> tuple[int, int]:
    """Return an instant in ticks, and its UTC year."""
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise InstantOutOfRange(at)
    utc = at.astimezone(UTC) if at.tzinfo else at  # A naive one fails below, as it should.
    return ticks_of(utc), utc.year
