"""Working time: laws that hold for every calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, reject
from hypothesis import strategies as st

from domain.sla.calendar import DayOverride, DeadlineTooFar, Window, WorkingHours
from domain.values import Period

MINUTE = timedelta(minutes=1)

# Havana changes its clocks at midnight, Lord Howe by half an hour.
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",
    "Australia/Lord_Howe",
    "Asia/Tehran",
)
CHANGES = (
    date(2026, 3, 8),
    date(2026, 3, 29),
    date(2026, 4, 5),
    date(2026, 10, 25),
    date(2026, 11, 1),
)
windows = st.builds(Window, st.integers(0, 6), st.integers(0, 1439), st.integers(0, 1440))
spans = st.tuples(st.integers(0, 1439), st.integers(0, 1440))
days = st.one_of(
    st.sampled_from(CHANGES),
    st.dates(date(2025, 12, 20), date(2027, 1, 10)),
).flatmap(lambda day: st.integers(-2, 2).map(lambda n: day + timedelta(days=n)))
overrides = st.builds(DayOverride, days, st.lists(spans, max_size=2).map(tuple), st.just(""))
calendars = st.builds(
    WorkingHours,
    st.sampled_from(ZONES),
    st.lists(windows, min_size=1, max_size=8).map(tuple),
    st.lists(overrides, max_size=3).map(tuple),
)
instants = st.builds(
    lambda day, minute: datetime(day.year, day.month, day.day, tzinfo=UTC) + minute * MINUTE,
    days,
    st.integers(0, 1439),
)
works = st.integers(1, 20_000).map(lambda minutes: minutes * MINUTE)


@given(calendars, instants, works)
def test_adding_and_counting_are_inverse(hours, start, work):
    due = hours.add(start, work)

    assert hours.between(start, due) == work
    assert hours.between(start, due - MINUTE / 60) < work, "due is the first such instant"


@given(calendars, instants, instants, instants)
def test_counting_is_additive(hours, one, two, three):
    assert hours.between(one, two) + hours.between(two, three) == hours.between(one, three)


@given(calendars, instants, works, works)
def test_adding_in_two_steps_is_adding_at_once(hours, start, first, second):
    try:
        at_once = hours.add(start, first + second)
    except DeadlineTooFar:
        reject()  # A minute a week reaches beyond what a calendar answers for.
    assert hours.add(hours.add(start, first), second) == at_once


@given(calendars, instants)
def test_the_next_opening_is_open_and_nothing_is_before_it(hours, start):
    opening = hours.opens_next(start)

    assert hours.is_open(opening)
    assert hours.between(start, opening) == timedelta(0)


def open_minutes(hours: WorkingHours, start: datetime, minutes: int) -> list[bool]:
    """Look at the wall clock once a minute, and know nothing of UTC offsets.

    A window is open from the first minute at which the clock shows its opening or later, until
    the first at which it shows its closing or later.
    """
    zone = ZoneInfo(hours.time_zone)
    first = start - timedelta(days=3)
    walls = [
        (first + n * MINUTE).astimezone(zone).replace(tzinfo=None) for n in range(minutes + 4320)
    ]
    changed = {override.on: override.windows for override in hours.overrides}
    is_open = [False] * len(walls)
    for day in {wall.date() for wall in walls}:
        usual = [(w.opens, w.closes) for w in hours.windows if w.weekday == day.weekday()]
        for opens, closes in changed.get(day, usual):
            midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 # a wall clock
            begin = midnight + opens * MINUTE
            end = midnight + (closes if closes > opens else closes + 1440) * MINUTE
            begins = next((n for n, wall in enumerate(walls) if wall >= begin), len(walls))
            ends = next((n for n, wall in enumerate(walls) if wall >= end), len(walls))
            is_open[begins:ends] = [True] * (ends - begins)
    return is_open[4320:]


@given(calendars, instants)
def test_counting_agrees_with_looking_at_the_clock_every_minute(hours, start):
    looked = open_minutes(hours, start, 2880)

    assert [hours.is_open(start + n * MINUTE) for n in range(2880)] == looked
    assert hours.between(start, start + timedelta(days=2)) == sum(looked) * MINUTE


@given(calendars, st.integers(0, 40), st.integers(1, 60))
def test_working_days_agree_with_asking_for_each_day(hours, offset, length):
    first = date(2026, 1, 1) + timedelta(days=offset)
    period = Period(first, first + timedelta(days=length))

    assert hours.working_days(period) == sum(map(hours.is_working_day, period))
