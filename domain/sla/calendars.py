"""Working calendars as stored: a name, and versions that never change."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.errors import DomainError, Invalid, Refusals
from domain.events import CalendarChanged
from domain.identity import Actor, Permission
from domain.ids import new_id
from domain.ports import Question, Work
from domain.sla.calendar import DayOverride, Window, WorkingHours, check
from domain.values import limited_text, require_text

# How far around the present the holidays of a country are written down.
_YEARS_BACK, _YEARS_AHEAD = 10, 15
# With the holidays of any country this stays below what `check` accepts.
_MOST_OWN_DAYS = 200

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)


class Weekday(StrEnum):
    """A day of the week."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"

    @property
    def number(self) -> int:
        """Its place in the week; Monday is 0."""
        return _WEEK.index(self)


_WEEK = tuple(Weekday)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """A named working calendar.  `current_id` is its newest version."""

    id: UUID
    name: str
    current_id: UUID
    created_at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarVersion:
    """The hours of a calendar as they were from `created_at` on.

    The holidays of `country` (ISO 3166-1) and `subdivision` are written into `overrides` when the
    version is made, so that a new release of a holiday list never moves an old due date.
    """

    id: UUID
    calendar_id: UUID
    number: int
    time_zone: str
    windows: tuple[Window, ...]
    overrides: tuple[DayOverride, ...]
    created_at: datetime
    country: str | None = None
    subdivision: str | None = None
    created_by: UUID | None = None

    @property
    def hours(self) -> WorkingHours:
        return WorkingHours(self.time_zone, self.windows, self.overrides)

    @property
    def own_days(self) -> tuple[DayOverride, ...]:
        """The days that people named, which is what an editor shows."""
        return tuple(override for override in self.overrides if not override.holiday)

    @property
    def holidays(self) -> tuple[DayOverride, ...]:
        """The public holidays, without those that people gave other hours."""
        return tuple(override for override in self.overrides if override.holiday)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """When a team is at work, as people say it: without the holidays that follow from the place."""

    time_zone: str
    windows: tuple[Window, ...]
    overrides: tuple[DayOverride, ...] = ()
    country: str | None = None
    subdivision: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HolidaysOf(Question[Mapping[date, str]]):
    """The public holidays of a place with their names, both years included.

    Answering raises UnknownPlace for a country or subdivision without a list.
    """

    country: str
    subdivision: str | None
    first_year: int
    last_year: int


class UnknownPlace(Invalid):
    """There is no list of holidays for a country or subdivision."""

    code = "UNKNOWN_PLACE"

    def __init__(self, what: str, code: str, known: Sequence[str]) -> None:
        hint = f"  Did you mean {', '.join(known)}?" if known else ""
        super().__init__(f"No holidays are known for the {what} {code[:20]!a}.{hint}", path=(what,))


class DayTwice(Invalid):
    """Two entries for one day contradict each other."""

    code = "DAY_TWICE"


def minute_of_day(text: str, *, path: Sequence[str | int]) -> int:
    """Return the minutes after midnight of a time such as "09:30"; "24:00" is the day's end.

    Raises:
        Invalid: if it is no time.
    """
    if not _TIME.fullmatch(text):
        raise Invalid(f"{text[:20]!a} is not a time: write it as 09:30.", path=path)
    return int(text[:2]) * 60 + int(text[3:])


def time_of_day(minute: int) -> str:
    """Return minutes after midnight as people write them: 570 is "09:30"."""
    return f"{minute // 60:02}:{minute % 60:02}"


def opening_of(version: CalendarVersion) -> Opening:
    """Return what people said when they made a version."""
    return Opening(
        time_zone=version.time_zone,
        windows=version.windows,
        overrides=version.own_days,
        country=version.country,
        subdivision=version.subdivision,
    )


def with_holidays(
    holidays: Mapping[date, str], own_days: Sequence[DayOverride]
) -> tuple[DayOverride, ...]:
    """Return all days that differ from their weekday, in order.  What people say wins."""
    days = {on: DayOverride(on, (), name[:200], holiday=True) for on, name in holidays.items()}
    days |= {own.on: own for own in own_days}
    return tuple(days[on] for on in sorted(days))


def check_opening(opening: Opening) -> None:
    """Refuse hours that nobody can work by.

    Raises:
        DomainError: CALENDAR_NEVER_OPENS, UNKNOWN_TIME_ZONE, DAY_TWICE or INVALID; Refusals for
            several faults.
    """
    faults = [*_own_faults(opening)]
    if faults:
        raise Refusals(faults)
    check(WorkingHours(opening.time_zone, opening.windows, opening.overrides))


def _own_faults(opening: Opening) -> Iterator[DomainError]:
    if len(opening.overrides) > _MOST_OWN_DAYS:
        yield Invalid(f"A calendar has at most {_MOST_OWN_DAYS} own days.", path=("overrides",))
        return
    if opening.subdivision is not None and opening.country is None:
        yield Invalid("A subdivision needs its country.", path=("country",))
    seen: set[date] = set()
    for n, own in enumerate(opening.overrides):
        if own.on in seen:
            yield DayTwice(f"{own.on} is named twice.", path=("overrides", n, "on"))
        seen.add(own.on)
        try:
            limited_text(own.name, name="The day's name", path=("overrides", n, "name"))
        except Invalid as fault:
            yield fault


async def create_calendar(work: Work, actor: Actor, *, name: str, opening: Opening) -> Calendar:
    """Make a calendar with its first version."""
    actor.require(Permission.EDIT_CALENDARS)
    name = require_text(name, name="The name", path=("name",))
    calendar_id = new_id()
    version = await _version(work, actor, calendar_id, 1, opening)
    calendar = Calendar(id=calendar_id, name=name, current_id=version.id, created_at=work.now)
    await work.add(calendar)
    await work.add(version)
    work.record(CalendarChanged(at=work.now, by=actor.user_id, calendar_id=calendar.id))
    return calendar


async def update_calendar(
    work: Work,
    actor: Actor,
    calendar_id: UUID,
    *,
    name: str | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Calendar:
    """Rename a calendar, or give it a new version whose `changes` are fields of Opening.

    Clocks that run keep the version they were started by.  Each new version looks up the holidays
    afresh, so that changing anything also carries their list on.
    """
    actor.require(Permission.EDIT_CALENDARS)
    calendar = await work.get(Calendar, calendar_id, lock=True)
    if name is not None:
        calendar = replace(calendar, name=require_text(name, name="The name", path=("name",)))
    if changes:
        current = await work.get(CalendarVersion, calendar.current_id)
        if "country" in changes:  # Its parts are not those of the country before.
            changes = {"subdivision": None, **changes}
        opening = replace(opening_of(current), **changes)
        version = await _version(work, actor, calendar.id, current.number + 1, opening)
        await work.add(version)
        calendar = replace(calendar, current_id=version.id)
    calendar = await work.save(calendar)
    work.record(CalendarChanged(at=work.now, by=actor.user_id, calendar_id=calendar.id))
    return calendar


async def _version(
    work: Work, actor: Actor, calendar_id: UUID, number: int, opening: Opening
) -> CalendarVersion:
    check_opening(opening)
    holidays: Mapping[date, str] = {}
    if opening.country is not None:
        holidays = await work.ask(
            HolidaysOf(
                country=opening.country,
                subdivision=opening.subdivision,
                first_year=work.now.year - _YEARS_BACK,
                last_year=work.now.year + _YEARS_AHEAD,
            )
        )
    return CalendarVersion(
        id=new_id(),
        calendar_id=calendar_id,
        number=number,
        time_zone=opening.time_zone,
        windows=opening.windows,
        overrides=with_holidays(holidays, opening.overrides),
        created_at=work.now,
        country=opening.country,
        subdivision=opening.subdivision,
        created_by=actor.user_id,
    )
