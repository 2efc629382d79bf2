"""Calendars as people make and change them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from domain.errors import Invalid, PermissionDenied, Refusals
from domain.events import CalendarChanged
from domain.identity import ROLE_PERMISSIONS, Actor, Role
from domain.sla.agreeing import CalendarVersionAt, calendar_version_at, hours_of
from domain.sla.calendar import CalendarNeverOpens, DayOverride, UnknownTimeZone, Window
from domain.sla.calendars import (
    Calendar,
    CalendarVersion,
    DayTwice,
    HolidaysOf,
    Opening,
    Weekday,
    check_opening,
    create_calendar,
    minute_of_day,
    opening_of,
    time_of_day,
    update_calendar,
    with_holidays,
)
from tests.fakes import FakeWork

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ADMIN = Actor(tenant_id=uuid4(), user_id=uuid4(), permissions=ROLE_PERMISSIONS[Role.ADMIN])
MANAGER = replace(ADMIN, permissions=ROLE_PERMISSIONS[Role.MANAGER])
OFFICE = Opening(time_zone="Europe/Dublin", windows=(Window(0, 540, 1020),))
PATRICK = date(2026, 3, 17)


def fake(*entities: Any) -> FakeWork:
    asked: list[HolidaysOf] = []
    work = FakeWork(
        NOW,
        *entities,
        answers={HolidaysOf: lambda q: asked.append(q) or {PATRICK: "Saint Patrick's Day"}},
    )
    work.asked = asked  # type: ignore[attr-defined]  # for this test
    return work


@pytest.mark.parametrize(
    ("text", "minute"), [("00:00", 0), ("09:30", 570), ("23:59", 1439), ("24:00", 1440)]
)
def test_a_time_is_written_as_on_the_wall(text, minute):
    assert minute_of_day(text, path=()) == minute
    assert time_of_day(minute) == text


@pytest.mark.parametrize(
    "text", ["", "9:30", "24:01", "25:00", "12:60", "12.30", "１２:30", "12:3\0"]
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(Invalid) as refused:
        minute_of_day(text, path=("windows", 0, "opens"))
    assert refused.value.path == ("windows", 0, "opens")


def test_weekdays_are_numbered_from_monday():
    assert [day.number for day in Weekday] == [0, 1, 2, 3, 4, 5, 6]


def test_own_days_win_over_holidays():
    own = DayOverride(PATRICK, ((600, 840),), "Parade, then work")
    eve = DayOverride(date(2026, 3, 16), ())

    assert with_holidays(
        {PATRICK: "Saint Patrick's Day", date(2026, 4, 6): "Easter Monday"}, [own, eve]
    ) == (
        eve,
        own,
        DayOverride(date(2026, 4, 6), (), "Easter Monday", holiday=True),
    )


async def test_a_calendar_is_made_with_the_holidays_of_its_place():
    work = fake()

    made = await create_calendar(
        work, ADMIN, name=" Dublin ", opening=replace(OFFICE, country="IE", subdivision=None)
    )

    version = await work.get(CalendarVersion, made.current_id)
    assert made == Calendar(id=made.id, name="Dublin", current_id=version.id, created_at=NOW)
    assert version == CalendarVersion(
        id=version.id,
        calendar_id=made.id,
        number=1,
        time_zone="Europe/Dublin",
        windows=OFFICE.windows,
        overrides=(DayOverride(PATRICK, (), "Saint Patrick's Day", holiday=True),),
        created_at=NOW,
        country="IE",
        created_by=ADMIN.user_id,
    )
    assert work.asked == [
        HolidaysOf(country="IE", subdivision=None, first_year=2016, last_year=2041)
    ]
    assert work.events == [CalendarChanged(at=NOW, by=ADMIN.user_id, calendar_id=made.id)]


async def test_changing_hours_makes_a_new_version_and_leaves_the_old_one():
    work = fake()
    own = DayOverride(date(2026, 12, 24), ((540, 720),), "Christmas Eve")
    made = await create_calendar(
        work, ADMIN, name="Dublin", opening=replace(OFFICE, country="IE", overrides=(own,))
    )
    first = await work.get(CalendarVersion, made.current_id)

    changed = await update_calendar(
        work, ADMIN, made.id, changes={"windows": (Window(1, 540, 1020),)}
    )

    second = await work.get(CalendarVersion, changed.current_id)
    assert await work.get(CalendarVersion, made.current_id) == first
    assert second == replace(first, id=second.id, number=2, windows=(Window(1, 540, 1020),))
    assert opening_of(second) == replace(
        OFFICE, windows=(Window(1, 540, 1020),), country="IE", overrides=(own,)
    )


async def test_renaming_makes_no_version():
    work = fake()
    made = await create_calendar(work, ADMIN, name="Dublin", opening=OFFICE)

    renamed = await update_calendar(work, ADMIN, made.id, name="Cork")

    assert renamed == replace(made, name="Cork", version=2)


async def test_moving_to_another_country_leaves_its_parts_behind():
    work = fake()
    opening = replace(OFFICE, country="DE", subdivision="BY")
    made = await create_calendar(work, ADMIN, name="Dublin", opening=opening)

    moved = await update_calendar(work, ADMIN, made.id, changes={"country": "IE"})

    version = await work.get(CalendarVersion, moved.current_id)
    assert (version.country, version.subdivision) == ("IE", None)


@pytest.mark.parametrize(
    ("opening", "code", "path"),
    [
        (replace(OFFICE, windows=()), CalendarNeverOpens, ("windows",)),
        (replace(OFFICE, time_zone="Mars/Olympus"), UnknownTimeZone, ("timeZone",)),
        (replace(OFFICE, windows=(Window(0, -1, 60),)), Invalid, ("windows", 0, "opens")),
    ],
)
def test_hours_nobody_can_work_by_are_refused(opening, code, path):
    with pytest.raises(code) as refused:
        check_opening(opening)
    assert refused.value.path == path


def test_every_fault_of_the_own_days_is_told():
    twice = replace(
        OFFICE,
        subdivision="BY",
        overrides=(DayOverride(PATRICK, (), "x" * 201), DayOverride(PATRICK, (), "a\0")),
    )

    with pytest.raises(Refusals) as refused:
        check_opening(twice)

    assert [(type(fault), fault.path) for fault in refused.value.refusals] == [
        (Invalid, ("country",)),
        (Invalid, ("overrides", 0, "name")),
        (DayTwice, ("overrides", 1, "on")),
        (Invalid, ("overrides", 1, "name")),
    ]


async def test_only_who_may_edit_calendars_makes_one():
    work = fake()

    with pytest.raises(PermissionDenied):
        await create_calendar(work, MANAGER, name="Dublin", opening=OFFICE)

    assert (await work.find(Calendar), work.events) == ([], [])


async def test_the_version_at_an_instant_is_the_one_then_current():
    work = fake()
    made = await create_calendar(work, ADMIN, name="Dublin", opening=OFFICE)
    first = await work.get(CalendarVersion, made.current_id)
    work.now = NOW.replace(hour=15)
    changed = await update_calendar(work, ADMIN, made.id, changes={"country": "IE"})
    second = await work.get(CalendarVersion, changed.current_id)
    work._answers[CalendarVersionAt] = lambda q: first if q.at < second.created_at else second

    assert await calendar_version_at(work, made.id, NOW.replace(hour=14)) == first
    assert await calendar_version_at(work, made.id, NOW.replace(hour=15)) == second
    assert await hours_of(work, first.id) is await hours_of(work, first.id)


async def test_history_goes_by_the_first_version():
    work = fake()
    made = await create_calendar(work, ADMIN, name="Dublin", opening=OFFICE)

    found = await calendar_version_at(work, made.id, NOW.replace(year=2017))

    assert found == await work.get(CalendarVersion, made.current_id)
