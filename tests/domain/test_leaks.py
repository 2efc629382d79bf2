"""How old is too old, by a team's calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.leaks import LeakKind, StageLimits, still_in_time_since, too_old_from
from domain.leaks.limits import DEFAULTS, limits_of
from domain.sla.calendar import Window, WorkingHours, always_open
from domain.stages import Stage

OFFICE = WorkingHours("UTC", tuple(Window(day, 9 * 60, 17 * 60) for day in range(5)))
BERLIN = WorkingHours("Europe/Berlin", tuple(Window(day, 22 * 60, 6 * 60) for day in range(7)))
TICK = timedelta(microseconds=1)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "hours", "old_from"),
    [
        (at(10, 10), 4, at(10, 14)),  # a Tuesday
        (at(10, 15), 4, at(11, 11)),  # over night
        (at(13, 16), 2, at(16, 10)),  # over the weekend
        (at(10, 9), 8, at(11, 9)),  # reached at closing, passed at opening
        (at(14, 12), 1, at(16, 10)),  # since a Saturday
    ],
)
def test_age_is_counted_in_working_time(since: datetime, hours: int, old_from: datetime) -> None:
    assert too_old_from(OFFICE, since, timedelta(hours=hours)) == old_from + TICK


@pytest.mark.parametrize("calendar", [OFFICE, BERLIN, always_open("UTC")])
@given(
    now=st.integers(0, 365 * 24 * 60).map(lambda n: at(1, 0) + timedelta(minutes=n)),
    minutes=st.integers(1, 20_000),
)
def test_the_threshold_is_where_age_passes_the_limit(
    calendar: WorkingHours, now: datetime, minutes: int
) -> None:
    limit = timedelta(minutes=minutes)

    since = still_in_time_since(calendar, now, limit)

    assert calendar.between(since, now) <= limit < calendar.between(since - TICK, now)
    # Seen from the other end: what has been so since then is not too old yet, a tick more is.
    assert too_old_from(calendar, since, limit) > now
    assert too_old_from(calendar, since - TICK, limit) <= now


def test_stages_that_nobody_set_have_the_usual_limits_or_none() -> None:
    limits = {each.stage: each for each in limits_of([])}

    assert list(limits) == list(Stage)
    assert limits[Stage.SAL] == DEFAULTS[Stage.SAL]
    assert limits[Stage.LEAD] == StageLimits(stage=Stage.LEAD)
    assert limits[Stage.MQL].of(LeakKind.NO_NEXT_STEP) is None
    assert limits[Stage.MQL].of(LeakKind.NO_OWNER) == timedelta(hours=8)
