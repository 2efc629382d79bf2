from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.board import (
    BoardBreach,
    BoardClock,
    BoardCountdown,
    CountdownState,
    label_of,
    latest_breaches,
    most_urgent,
)
from domain.ids import new_id
from domain.sla.clock import ClockState

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def a_clock(hours: float, state: ClockState = ClockState.RUNNING, **changes: Any) -> BoardClock:
    """Return a clock that is due so many hours from now."""
    values: dict[str, Any] = {
        "clock_id": new_id(),
        "origin_source": "webinar",
        "team_name": "Sales",
        "commitment_name": "First touch",
        "state": state,
        "due_at": NOON + timedelta(hours=hours),
        "warn_at": None,
        "ended_at": None,
    }
    return BoardClock(**{**values, **changes})


def due(countdowns: list[BoardCountdown]) -> list[float]:
    return [(each.due_at - NOON) / timedelta(hours=1) for each in countdowns]


def test_a_countdown_says_what_is_owed_and_nothing_of_whom():
    clock = a_clock(2)

    assert most_urgent([clock], NOON) == [
        BoardCountdown(
            id=clock.clock_id,
            label="Lead from webinar",
            team_name="Sales",
            commitment_label="First touch",
            due_at=NOON + timedelta(hours=2),
            state=CountdownState.RUNNING,
        )
    ]


@pytest.mark.parametrize(
    ("clock", "state"),
    [
        (a_clock(1, warn_at=NOON), CountdownState.WARNING),
        (a_clock(1, warn_at=NOON + timedelta(seconds=1)), CountdownState.RUNNING),
        (a_clock(1, ClockState.SCHEDULED), CountdownState.RUNNING),
        (a_clock(0), CountdownState.RUNNING),  # the due instant itself is in time
        (a_clock(-1), CountdownState.BREACHED),  # whether or not anybody has noticed
        (a_clock(-1, ClockState.BREACHED), CountdownState.BREACHED),
        (a_clock(-1, ClockState.PAUSED), CountdownState.PAUSED),
    ],
)
def test_a_countdown_stands_as_its_clock_does_now(clock: BoardClock, state: CountdownState):
    (countdown,) = most_urgent([clock], NOON)

    assert countdown.state is state


def test_what_can_still_be_kept_is_not_crowded_out_by_what_cannot():
    overdue = [a_clock(-hours) for hours in range(1, 11)]
    coming = [a_clock(hours) for hours in range(1, 16)]

    assert due(most_urgent([*coming, *overdue], NOON)) == [-4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7, 8]
    assert due(most_urgent(overdue, NOON)) == [-10, -9, -8, -7, -6, -5, -4, -3, -2, -1]
    assert due(most_urgent([*coming[:3], *overdue], NOON)) == [-9, -8, -7, -6, -5, -4, -3, -2, -1,
                                                               1, 2, 3]  # fmt: skip


def test_breaches_are_those_of_a_week_newest_first_each_once():
    done = NOON - timedelta(hours=1)
    open_one = a_clock(-1)
    late = a_clock(-3, ClockState.MET_LATE, ended_at=done)
    clocks = [
        late,
        open_one,
        late,
        a_clock(1),
        a_clock(-2, ClockState.PAUSED),
        a_clock(-2, ClockState.MET, ended_at=NOON),
        a_clock(-2, ClockState.WAIVED, ended_at=NOON),
        a_clock(-7 * 24 - 1),
    ]

    assert latest_breaches(clocks, NOON) == [
        BoardBreach(
            id=clock.clock_id,
            label="Lead from webinar",
            commitment_label="First touch",
            at=clock.due_at,
            ended_at=clock.ended_at,
        )
        for clock in (open_one, late)
    ]


def test_at_most_eight_breaches_are_shown():
    clocks = [a_clock(-hours) for hours in range(1, 12)]

    assert [each.at for each in latest_breaches(clocks, NOON)] == [
        NOON - timedelta(hours=hours) for hours in range(1, 9)
    ]


@pytest.mark.parametrize(
    ("source", "label"),
    [
        ("paid_search", "Lead from paid_search"),
        ("  Spring \n fair 2026 ", "Lead from Spring fair 2026"),
        (None, "Lead"),
        ("   ", "Lead"),
        ("ada@example.com", "Lead"),
        ("call +353 (1) 234-5678", "Lead"),
        ("a" * 61, "Lead"),
    ],
)
def test_a_lead_is_called_by_where_it_came_from_unless_that_may_be_somebody(
    source: str | None, label: str
):
    assert label_of(source) == label
