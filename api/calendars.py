"""Working calendars: when teams are at work, and how long that makes a promise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from api.context import Info
from api.errors import mutation, query
from api.filtering import collection, enum
from api.types import CountryCode, TimeZone
from api.views import listed, related, shown, view
from domain import ids
from domain.identity import Permission, User
from domain.paging import Order
from domain.sla.agreeing import hours_of
from domain.sla.calendar import DayOverride, Window, WorkingHours
from domain.sla.calendars import (
    Calendar,
    CalendarVersion,
    Opening,
    Weekday,
    create_calendar,
    minute_of_day,
    time_of_day,
    update_calendar,
)
from domain.values import limited_text

enum(
    Weekday,
    "A day of the week.",
    MONDAY="Monday.",
    TUESDAY="Tuesday.",
    WEDNESDAY="Wednesday.",
    THURSDAY="Thursday.",
    FRIDAY="Friday.",
    SATURDAY="Saturday.",
    SUNDAY="Sunday.",
)
_WEEK = tuple(Weekday)


@strawberry.type(description="Opening hours on one day, on the clock on the wall.")
class OpenHours:
    @strawberry.field(description="When work begins: 09:00.")
    def opens(times: strawberry.Parent[tuple[int, int]]) -> str:
        return time_of_day(times[0])

    @strawberry.field(
        description="When work ends: 17:30.  At or before `opens` it is on the next day."
    )
    def closes(times: strawberry.Parent[tuple[int, int]]) -> str:
        return time_of_day(times[1])


@view(Window, description="Opening hours on a weekday.")
class WindowView:
    @strawberry.field(description="On which day it opens.")
    def weekday(window: strawberry.Parent[Window]) -> Weekday:
        return _WEEK[window.weekday]

    @strawberry.field(description="When work begins: 09:00.")
    def opens(window: strawberry.Parent[Window]) -> str:
        return time_of_day(window.opens)

    @strawberry.field(
        description="When work ends: 17:30.  At or before `opens` it is on the next day."
    )
    def closes(window: strawberry.Parent[Window]) -> str:
        return time_of_day(window.closes)


@view(DayOverride, name="CalendarDay", description="A date that differs from its weekday.")
class DayView:
    on: date = shown("Which day.")
    name: str = shown("What day it is, such as a holiday's name; may be empty.")
    windows: list[OpenHours] = shown("When work is done all the same; empty on a closed day.")


@view(CalendarVersion, description="A calendar's hours from one instant on; it never changes.")
class CalendarVersionView:
    number: int = shown("Which version it is, from 1.")
    time_zone: TimeZone = shown("On whose wall the clock hangs.")
    windows: list[WindowView] = shown("The hours of a usual week.")
    country: CountryCode | None = shown("Whose public holidays are closed.")
    subdivision: str | None = shown("Which part of the country, by its code in ISO 3166-2.")
    own_days: list[DayView] = shown(
        "The days you named, which differ from their weekday.", name="overrides"
    )
    created_at: datetime = shown("From when on it counts.")
    created_by = related("api.identity.UserView", User, by="created_by", description="Who made it.")

    @strawberry.field(
        description="The public holidays, oldest first: those of one year, or all that are known.",
        graphql_type=list[DayView],
    )
    def holidays(
        version: strawberry.Parent[CalendarVersion],
        year: Annotated[
            int | None, strawberry.argument(description="Only those of this year.")
        ] = UNSET,
    ) -> Sequence[DayOverride]:
        return [day for day in version.holidays if not year or day.on.year == year]


@view(Calendar, description="A working calendar.")
class CalendarView:
    name: str = shown("What people call it.")
    created_at: datetime = shown("When it was made.")
    version: int = shown("How often it was changed.")
    current = related(
        CalendarVersionView, CalendarVersion, by="current_id", description="Its hours now."
    )
    versions = listed(
        CalendarVersionView,
        CalendarVersion,
        by="calendar_id",
        description="Its hours now and before, the newest first.",
        order=(Order("number", descending=True),),
    )


@strawberry.type
class Queries:
    calendars = collection(
        CalendarView,
        Calendar,
        description="All working calendars, by name.",
        default=(Order("name"),),
    )("calendars")

    @query("One calendar, or null if there is none of that id.", shows=CalendarView | None)
    async def calendar(self, info: Info, id: strawberry.ID) -> Any:
        return await info.context.load(Calendar, ids.expect("Calendar", id, path=("id",)))

    @query("By when so much working time has passed, to the minute and the holiday.")
    async def working_time_add(
        self,
        info: Info,
        calendar: Annotated[strawberry.ID, strawberry.argument(description="By whose hours.")],
        start: Annotated[
            datetime, strawberry.argument(name="from", description="From which instant on.")
        ],
        duration: Annotated[timedelta, strawberry.argument(description="How much work.")],
    ) -> datetime:
        return (await _hours(info, calendar)).add(start, duration)

    @query("How much working time lies between two instants.")
    async def working_time_between(
        self,
        info: Info,
        calendar: Annotated[strawberry.ID, strawberry.argument(description="By whose hours.")],
        start: Annotated[
            datetime, strawberry.argument(name="from", description="From which instant on.")
        ],
        end: Annotated[
            datetime, strawberry.argument(name="to", description="Until which instant.")
        ],
    ) -> timedelta:
        return (await _hours(info, calendar)).between(start, end)


async def _hours(info: Info, calendar: strawberry.ID) -> WorkingHours:
    async with info.context.work() as work:
        found = await work.get(Calendar, ids.expect("Calendar", calendar, path=("calendar",)))
        return await hours_of(work, found.current_id)


@strawberry.input(description="Opening hours on one day.")
class OpenHoursInput:
    opens: str = shown("When work begins, on the clock on the wall: 09:00.")
    closes: str = shown(
        "When work ends: 17:30, or 24:00.  At or before `opens` it is on the next day, so 22:00 to"
        " 06:00 is one window."
    )

    def minutes(self, *path: str | int) -> tuple[int, int]:
        """Return both as minutes after midnight."""
        opens = minute_of_day(self.opens, path=(*path, "opens"))
        return opens, minute_of_day(self.closes, path=(*path, "closes"))


@strawberry.input(description="Opening hours on a weekday.")
class WindowInput(OpenHoursInput):
    weekday: Weekday = shown("On which day it opens.")


@strawberry.input(description="A date that differs from its weekday.")
class CalendarDayInput:
    on: date = shown("Which day.")
    windows: list[OpenHoursInput] = shown(
        "When work is done all the same; left out, the day is closed.", default_factory=list
    )
    name: str = shown("What day it is.", default="")


@strawberry.input(description="A new working calendar.")
class CalendarCreateInput:
    name: str = shown("What people call it.")
    time_zone: TimeZone = shown("On whose wall the clock hangs.")
    windows: list[WindowInput] = shown("The hours of a usual week; several a day are fine.")
    country: CountryCode | None = shown("Whose public holidays are closed.", default=UNSET)
    subdivision: str | None = shown(
        "Which part of that country, by its code in ISO 3166-2: BY for Bavaria.",
        default=UNSET,
    )
    overrides: list[CalendarDayInput] = shown(
        "Days that differ from their weekday; they win over holidays.", default_factory=list
    )


@strawberry.input(
    description="What changes about a calendar.  Changing its hours makes a new version; clocks"
    " that run keep theirs."
)
class CalendarUpdateInput:
    calendar: strawberry.ID = shown("Which calendar.")
    name: strawberry.Maybe[str] = shown("What people call it.", default=None)
    time_zone: strawberry.Maybe[TimeZone] = shown("On whose wall the clock hangs.", default=None)
    windows: strawberry.Maybe[list[WindowInput]] = shown("The hours of a usual week.", default=None)
    country: strawberry.Maybe[CountryCode | None] = shown(
        "Whose public holidays are closed; null for none.", default=None
    )
    subdivision: strawberry.Maybe[str | None] = shown(
        "Which part of that country; null for none.", default=None
    )
    overrides: strawberry.Maybe[list[CalendarDayInput]] = shown(
        "All days that differ from their weekday, in place of those named before.", default=None
    )


@strawberry.type
class Mutations:
    @mutation(CalendarView, "Make a working calendar.", needs=Permission.EDIT_CALENDARS)
    async def calendar_create(self, info: Info, input: CalendarCreateInput) -> Calendar:
        opening = Opening(
            time_zone=input.time_zone,
            windows=_windows(input.windows),
            overrides=_overrides(input.overrides),
            country=input.country or None,
            subdivision=_part(input.subdivision or None),
        )
        async with info.context.writing() as work:
            return await create_calendar(work, info.context.actor, name=input.name, opening=opening)

    @mutation(
        CalendarView,
        "Rename a working calendar, or give it other hours from now on.",
        needs=Permission.EDIT_CALENDARS,
    )
    async def calendar_update(self, info: Info, input: CalendarUpdateInput) -> Calendar:
        calendar_id = ids.expect("Calendar", input.calendar, path=("calendar",))
        name = None if input.name is None else input.name.value
        async with info.context.writing() as work:
            return await update_calendar(
                work, info.context.actor, calendar_id, name=name, changes=_changes(input)
            )


def _changes(input: CalendarUpdateInput) -> dict[str, Any]:
    """Return what was given of a calendar's opening, by the names of its fields."""
    changes: dict[str, Any] = {}
    if input.time_zone is not None:
        changes["time_zone"] = input.time_zone.value
    if input.windows is not None:
        changes["windows"] = _windows(input.windows.value)
    if input.overrides is not None:
        changes["overrides"] = _overrides(input.overrides.value)
    if input.country is not None:
        changes["country"] = input.country.value
    if input.subdivision is not None:
        changes["subdivision"] = _part(input.subdivision.value)
    return changes


def _windows(given: Sequence[WindowInput]) -> tuple[Window, ...]:
    return tuple(
        Window(window.weekday.number, *window.minutes("windows", n))
        for n, window in enumerate(given)
    )


def _overrides(given: Sequence[CalendarDayInput]) -> tuple[DayOverride, ...]:
    return tuple(
        DayOverride(
            day.on,
            tuple(
                hours.minutes("overrides", n, "windows", m) for m, hours in enumerate(day.windows)
            ),
            day.name.strip(),
        )
        for n, day in enumerate(given)
    )


def _part(subdivision: str | None) -> str | None:
    if subdivision is None:
        return None
    return limited_text(subdivision, name="The subdivision", path=("subdivision",), longest=20)
