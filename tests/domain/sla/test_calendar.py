"""Working time: tables a salesperson could check."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.errors import Invalid, Refusals
from domain.sla.calendar import (
    CalendarNeverOpens,
    DayOverride,
    DeadlineTooFar,
    InstantOutOfRange,
    UnknownTimeZone,
    Window,
    WorkingHours,
    always_open,
    check,
)
from domain.values import Period

MINUTE = timedelta(minutes=1)
WEEK = range(7)
WORKDAYS = range(5)


def calendar(
    *windows: tuple[int, int], days=WORKDAYS, zone="UTC", overrides: tuple[DayOverride, ...] = ()
) -> WorkingHours:
    return WorkingHours(
        zone,
        tuple(Window(day, opens, closes) for day in days for opens, closes in windows),
        overrides,
    )


def hm(hour: int, minute: int = 0) -> int:
    return hour * 60 + minute


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of March 2026, whose first day is a Sunday."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def local(zone: str, *moment: int, fold: int = 0) -> datetime:
    return datetime(*moment, tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)  # type: ignore[arg-type, misc] # a date and a time


office = calendar((hm(9), hm(17)))
split = calendar((hm(8), hm(12)), (hm(13), hm(17)))
night = calendar((hm(22), hm(6)))


@pytest.mark.parametrize(
    ("hours", "start", "work", "due"),
    [
        (office, at(7, 16, 30), 120, at(9, 11)),  # a Saturday afternoon counts from Monday 9:00
        (office, at(7, 20), 120, at(9, 11)),
        (office, at(6, 16, 30), 60, at(9, 9, 30)),  # over the weekend
        (office, at(4, 7), 120, at(4, 11)),  # before opening
        (office, at(4, 10), 120, at(4, 12)),
        (split, at(9, 8), 120, at(9, 10)),
        (split, at(9, 11), 120, at(9, 14)),  # over lunch
        (office, at(4, 17), 60, at(5, 10)),  # promised exactly at closing
        (office, at(4, 9), 480, at(4, 17)),  # to the minute of closing
        (office, at(4, 9), 481, at(5, 9, 1)),
        (split, at(9, 8), 240, at(9, 12)),  # to the minute of lunch
        (night, at(9, 23), 60, at(10, 0)),
        (night, at(9, 23), 420, at(10, 6)),
        (night, at(10, 1), 360, at(10, 23)),
        (night, at(7, 1), 360, at(9, 23)),  # the Friday night shift ends on Saturday
    ],
)
def test_working_time_skips_nights_lunches_and_weekends(hours, start, work, due):
    assert hours.add(start, work * MINUTE) == due
    assert hours.between(start, due) == work * MINUTE


@pytest.mark.parametrize(
    ("start", "due"),
    [
        (at(4, 10), at(4, 10)),  # open
        (at(4, 9), at(4, 9)),  # just opening
        (at(4, 17), at(5, 9)),  # just closed
        (at(7, 12), at(9, 9)),
    ],
)
def test_no_work_at_all_is_due_at_once_or_at_the_next_opening(start, due):
    assert office.add(start, timedelta(0)) == due


def test_a_holiday_is_skipped_and_only_calendars_that_know_it_skip_it():
    easter = calendar(
        (hm(9), hm(17)),
        overrides=(
            DayOverride(date(2026, 4, 3)),
            DayOverride(date(2026, 4, 6), (), "Easter Monday"),
        ),
    )
    thursday = datetime(2026, 4, 2, 16, tzinfo=UTC)
    holiday = datetime(2026, 4, 6, 10, tzinfo=UTC)

    assert easter.add(thursday, timedelta(hours=2)) == datetime(2026, 4, 7, 10, tzinfo=UTC)
    assert easter.add(holiday, timedelta(hours=2)) == datetime(2026, 4, 7, 11, tzinfo=UTC)
    assert office.add(thursday, timedelta(hours=2)) == datetime(2026, 4, 3, 10, tzinfo=UTC)


def test_an_override_opens_other_hours_and_the_later_one_of_a_day_counts():
    saturday = calendar(
        (hm(9), hm(17)),
        overrides=(
            DayOverride(date(2026, 3, 7), (), "holiday"),
            DayOverride(date(2026, 3, 7), ((hm(10), hm(12)), (hm(13), hm(14))), "stock-taking"),
        ),
    )

    assert saturday.add(at(7, 9), timedelta(hours=2, minutes=30)) == at(7, 13, 30)
    assert saturday.between(at(7, 0), at(8, 0)) == timedelta(hours=3)
    assert saturday.is_working_day(date(2026, 3, 7))


def test_closing_a_day_leaves_the_night_shift_of_its_eve_alone():
    closed_tuesday = calendar((hm(22), hm(6)), overrides=(DayOverride(date(2026, 3, 10)),))

    assert closed_tuesday.between(at(10, 0), at(11, 12)) == timedelta(hours=6)
    assert not closed_tuesday.is_working_day(date(2026, 3, 10))


def test_windows_that_overlap_are_counted_once():
    overlapping = calendar((hm(9), hm(13)), (hm(12), hm(17)), (hm(10), hm(11)))

    assert overlapping.between(at(4, 0), at(5, 0)) == timedelta(hours=8)


def test_a_window_from_a_time_to_the_same_time_lasts_a_day():
    assert calendar((hm(9), hm(9)), days=[0]).between(at(8, 0), at(15, 0)) == timedelta(hours=24)


BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("start", "hours_later", "due"),
    [
        # The vector of the specification: a day of 23 hours.
        (local(BERLIN, 2026, 3, 28, 20), 8, local(BERLIN, 2026, 3, 29, 5)),
        (local(BERLIN, 2026, 3, 29, 0), 23, local(BERLIN, 2026, 3, 30, 0)),
        (local(BERLIN, 2026, 10, 25, 0), 25, local(BERLIN, 2026, 10, 26, 0)),
    ],
)
def test_round_the_clock_counts_the_hours_that_really_pass(start, hours_later, due):
    assert always_open(BERLIN).add(start, timedelta(hours=hours_later)) == due


@pytest.mark.parametrize(
    ("day", "hours"),
    [((2026, 3, 28), 7), ((2026, 10, 24), 9), ((2026, 6, 13), 8)],
)
def test_a_night_shift_over_the_change_of_clocks_is_an_hour_shorter_or_longer(day, hours):
    shift = calendar((hm(22), hm(6)), days=[5], zone=BERLIN)
    evening = local(BERLIN, *day, 22)

    assert shift.add(evening, timedelta(hours=hours)) == shift.opens_next(evening) + timedelta(
        hours=hours
    )
    assert shift.between(evening, evening + timedelta(hours=12)) == timedelta(hours=hours)


def test_an_edge_in_the_hour_that_spring_skips_is_the_moment_of_the_jump():
    jump = local(BERLIN, 2026, 3, 29, 3)

    assert (
        calendar((hm(2, 30), hm(10)), days=[6], zone=BERLIN).opens_next(jump - timedelta(hours=1))
        == jump
    )
    assert calendar((hm(1), hm(2, 30)), days=[6], zone=BERLIN).between(
        jump - timedelta(days=1), jump + timedelta(days=1)
    ) == timedelta(hours=1)
    never = calendar((hm(2, 15), hm(2, 45)), days=[6], zone=BERLIN)
    assert never.between(jump - timedelta(days=1), jump + timedelta(days=1)) == timedelta(0)


def test_an_edge_in_the_hour_that_autumn_repeats_is_its_first_pass():
    early = calendar((hm(2, 30), hm(10)), days=[6], zone=BERLIN)
    midnight = local(BERLIN, 2026, 10, 25, 0)

    assert early.opens_next(midnight) == local(BERLIN, 2026, 10, 25, 2, 30, fold=0)
    assert early.between(midnight, midnight + timedelta(days=1)) == timedelta(hours=8, minutes=30)


def test_a_day_that_a_zone_never_had_has_no_working_time():
    apia = calendar((hm(9), hm(17)), zone="Pacific/Apia")  # there was no 30 December 2011

    assert apia.between(
        local("Pacific/Apia", 2011, 12, 29, 0), local("Pacific/Apia", 2011, 12, 31, 0)
    ) == timedelta(hours=8)


def test_a_start_in_any_zone_gives_a_deadline_in_utc():
    start = datetime(2026, 3, 4, 10, tzinfo=ZoneInfo("Asia/Kathmandu"))

    due = office.add(start, timedelta(hours=1))

    assert (due, due.tzinfo) == (at(4, 10), UTC)


@pytest.mark.parametrize(
    ("moment", "is_open", "opens"),
    [
        (at(4, 8, 59), False, at(4, 9)),
        (at(4, 9), True, at(4, 9)),
        (at(4, 16, 59), True, at(4, 16, 59)),
        (at(4, 17), False, at(5, 9)),
        (at(6, 17), False, at(9, 9)),
    ],
)
def test_a_window_includes_its_opening_and_not_its_closing(moment, is_open, opens):
    assert (office.is_open(moment), office.opens_next(moment)) == (is_open, opens)


def test_a_night_shift_runs_through_new_year():
    eve = datetime(2025, 12, 31, 20, tzinfo=UTC)

    assert night.add(eve, timedelta(hours=3)) == datetime(2026, 1, 1, 1, tzinfo=UTC)
    assert night.add(eve, timedelta(hours=2)) == datetime(2026, 1, 1, 0, tzinfo=UTC)
    assert night.is_open(datetime(2026, 1, 1, 0, tzinfo=UTC))
    assert night.between(eve, datetime(2026, 1, 1, 12, tzinfo=UTC)) == timedelta(hours=8)


def test_working_days_of_a_month_are_counted():
    closed = calendar(
        (hm(9), hm(17)),
        overrides=(
            DayOverride(date(2026, 3, 9)),
            DayOverride(date(2026, 3, 14), ((hm(9), hm(10)),)),
            DayOverride(date(2026, 3, 17), ((hm(9), hm(10)),)),
            DayOverride(date(2026, 3, 22)),
            DayOverride(date(2026, 4, 1)),
        ),
    )
    march = Period.month(2026, 3)

    assert office.working_days(march) == 22
    assert closed.working_days(march) == 22
    assert closed.working_days(march) == sum(map(closed.is_working_day, march))


def test_the_day_is_the_one_on_the_teams_wall():
    auckland = calendar((hm(9), hm(17)), zone="Pacific/Auckland")

    assert auckland.local_day(at(4, 12)) == date(2026, 3, 5)
    assert auckland.day_starts_at(date(2026, 3, 5)) == at(4, 11)


def test_ten_years_are_ten_additions():
    ten_years = timedelta(hours=8) * office.working_days(Period(date(2026, 3, 4), date(2036, 3, 4)))
    due = office.add(at(4, 9), ten_years)

    assert due == datetime(2036, 3, 3, 17, tzinfo=UTC)
    assert office.between(at(4, 9), due) == ten_years


def test_a_calendar_closed_for_ever_is_said_to_be_so_and_does_not_loop():
    never = WorkingHours("UTC", ())
    shut = calendar(
        (hm(9), hm(17)),
        days=[0],
        overrides=tuple(
            DayOverride(date(2026, 3, 2) + timedelta(weeks=week)) for week in range(53 * 60)
        ),
    )

    for hours in (never, shut):
        with pytest.raises(CalendarNeverOpens):
            hours.add(at(4, 9), timedelta(hours=1))
        with pytest.raises(CalendarNeverOpens):
            hours.opens_next(at(4, 9))
        assert hours.between(at(4, 9), at(28, 9)) == timedelta(0)
        assert not hours.is_open(at(9, 10))


def test_eleven_closed_years_are_waited_for():
    reopening = calendar(
        (hm(9), hm(17)),
        days=[0],
        overrides=tuple(
            DayOverride(date(2026, 3, 2) + timedelta(weeks=week)) for week in range(574)
        ),
    )

    assert reopening.opens_next(at(4, 9)) == datetime(2037, 3, 2, 9, tzinfo=UTC)


def test_absurd_questions_are_refused():
    with pytest.raises(DeadlineTooFar):
        office.add(at(4, 9), timedelta(days=100_000))
    with pytest.raises(InstantOutOfRange):
        office.between(datetime(1, 1, 1, tzinfo=UTC), at(4, 9))
    with pytest.raises(InstantOutOfRange):
        office.add(datetime.max.replace(tzinfo=UTC), timedelta(hours=1))
    with pytest.raises(ValueError, match="forward only"):
        office.add(at(4, 9), timedelta(hours=-1))
    with pytest.raises(TypeError):
        office.add(datetime(2026, 3, 4, 9), timedelta(hours=1))  # noqa: DTZ001 # naive on purpose


@pytest.mark.parametrize(
    "name",
    [
        "Mars/Olympus",
        "",
        "europe/berlin",
        "Europe",
        "../../etc/passwd",
        "/usr/share/zoneinfo/Europe/Berlin",
        "right/Europe/Berlin",
        "posix/Europe/Berlin",
        "localtime",
        "UTC\x00",
        "\ud800",
        "x" * 10_000,
    ],
)
def test_a_zone_that_does_not_exist_is_refused(name):
    with pytest.raises(UnknownTimeZone) as refusal:
        check(calendar((hm(9), hm(17)), zone=name), path=("input",))

    assert refusal.value.path == ("input", "timeZone")
    assert len(refusal.value.message.encode()) < 500


@pytest.mark.parametrize("name", ["UTC", BERLIN, "America/New_York", "Asia/Kathmandu"])
def test_a_calendar_that_can_be_worked_by_is_accepted(name):
    check(calendar((hm(9), hm(17)), (0, 1440), (hm(22), 0), days=WEEK, zone=name))


def test_a_calendar_without_a_window_is_refused():
    with pytest.raises(CalendarNeverOpens) as refusal:
        check(WorkingHours("UTC", (), (DayOverride(date(2026, 3, 7), ((0, 60),)),)))

    assert (refusal.value.code, refusal.value.path) == ("CALENDAR_NEVER_OPENS", ("windows",))


def test_every_fault_of_a_calendar_is_told_at_once():
    faulty = WorkingHours(
        "Nowhere",
        (Window(7, 0, 60), Window(0, 1440, 60), Window(0, -1, 1441)),
        (DayOverride(date(1, 1, 1), ((0, 9999),)),),
    )

    with pytest.raises(Refusals) as refusal:
        check(faulty)

    assert [(fault.code, fault.path) for fault in refusal.value.refusals] == [
        ("UNKNOWN_TIME_ZONE", ("timeZone",)),
        ("INVALID", ("windows", 0, "weekday")),
        ("INVALID", ("windows", 1, "opens")),
        ("INVALID", ("windows", 2, "opens")),
        ("INVALID", ("windows", 2, "closes")),
        ("INVALID", ("overrides", 0, "on")),
        ("INVALID", ("overrides", 0, "windows", 0, "closes")),
    ]


@pytest.mark.parametrize(
    ("hours", "path"),
    [
        (WorkingHours("UTC", (Window(0, 0, 60),) * 1_000_000), ("windows",)),
        (calendar((0, 60), overrides=(DayOverride(date(2026, 3, 7)),) * 1_001), ("overrides",)),
        (
            calendar((0, 60), overrides=(DayOverride(date(2026, 3, 7), ((0, 60),) * 11),)),
            ("overrides", 0, "windows"),
        ),
    ],
)
def test_a_calendar_larger_than_any_team_needs_is_refused(hours, path):
    with pytest.raises(Invalid) as refusal:
        check(hours)

    assert refusal.value.path == path


def test_equal_calendars_are_one_and_survive_being_sent():
    assert calendar((hm(9), hm(17))) == office
    assert len({calendar((hm(9), hm(17))), office}) == 1
    copy = pickle.loads(pickle.dumps(office))  # noqa: S301 # our own bytes
    assert copy.add(at(4, 9), timedelta(hours=9)) == office.add(at(4, 9), timedelta(hours=9))
