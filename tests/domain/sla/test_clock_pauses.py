"""Pauses: only their open part counts, and nothing happens in them."""

from __future__ import annotations

import pytest

from tests.domain.sla.building_clocks import (
    BREACHED,
    HOUR,
    MET,
    PAUSED,
    RUNNING,
    SCHEDULED,
    WARNING,
    at,
    fact,
    reading,
    story,
)


def test_a_pause_inside_hours_shifts_everything_by_its_length():
    told = reading(fact("PAUSED", 4, 11), fact("RESUMED", 4, 11, 45), now=at(5, 9))

    assert (told.warn_at, told.due_at) == (at(4, 12, 15), at(4, 12, 45))
    assert story(told) == [
        (RUNNING, at(4, 10)),
        (PAUSED, at(4, 11)),
        (RUNNING, at(4, 11, 45)),
        (WARNING, at(4, 12, 15)),
        (BREACHED, at(4, 12, 45)),
    ]


@pytest.mark.parametrize(
    ("start", "due"),
    [
        (at(4, 16), at(5, 10)),  # due the next morning
        (at(4, 15), at(4, 17)),  # due just when the pause begins: no overlap, no shift
    ],
)
def test_a_pause_from_closing_to_opening_shifts_nothing(start, due):
    night = (fact("PAUSED", 4, 17), fact("RESUMED", 5, 9))

    assert reading(*night, start=start, now=at(5, 9)).due_at == due
    assert reading(start=start, now=at(5, 9)).due_at == due


def test_a_pause_over_closing_shifts_by_its_open_part_only():
    told = reading(
        fact("PAUSED", 4, 16, 30), fact("RESUMED", 5, 9, 15), start=at(4, 16), now=at(5, 10)
    )

    assert told.due_at == at(5, 10, 45)


def test_while_a_pause_lasts_nothing_happens_by_itself():
    told = reading(fact("PAUSED", 4, 11), now=at(5, 12))

    assert (told.state, told.next_at, told.breached_at) == (PAUSED, None, None)
    assert (told.elapsed, told.remaining) == (HOUR, HOUR)
    assert (told.warn_at, told.due_at) == (at(5, 12, 30), at(5, 13)), "as if it ended now"


def test_two_overlapping_pauses_are_one():
    overlapping = (
        fact("PAUSED", 4, 10, 30),
        fact("PAUSED", 4, 11),
        fact("RESUMED", 4, 11, 30),
        fact("RESUMED", 4, 12),
    )
    told = reading(*overlapping, now=at(4, 12, 30))

    assert told.due_at == at(4, 13, 30)
    assert story(told) == [
        (RUNNING, at(4, 10)),
        (PAUSED, at(4, 10, 30)),
        (RUNNING, at(4, 12)),
    ]


def test_pauses_that_touch_are_one_and_one_of_no_length_is_none():
    touching = (
        fact("PAUSED", 4, 10, 30),
        fact("RESUMED", 4, 11),
        fact("PAUSED", 4, 11),
        fact("RESUMED", 4, 11, 30),
        fact("PAUSED", 4, 12),
        fact("RESUMED", 4, 12),
    )

    assert story(reading(*touching, now=at(4, 12, 15))) == [
        (RUNNING, at(4, 10)),
        (PAUSED, at(4, 10, 30)),
        (RUNNING, at(4, 11, 30)),
    ]


def test_a_pause_does_not_undo_a_breach():
    told = reading(fact("PAUSED", 4, 13), fact("RESUMED", 4, 15), now=at(4, 16))

    assert (told.state, told.due_at, told.breached_at) == (BREACHED, at(4, 12), at(4, 12))
    assert story(told)[-1] == (BREACHED, at(4, 12))
    assert told.overdue == 2 * HOUR, "a pause is not held against anybody"


def test_a_pause_at_the_due_instant_is_in_time_and_holds_the_clock():
    paused = (fact("PAUSED", 4, 12),)

    assert reading(*paused, now=at(4, 14)).state is PAUSED
    told = reading(*paused, fact("RESUMED", 4, 15), now=at(4, 16))
    assert (told.due_at, story(told)[-2:]) == (
        at(4, 15),
        [(WARNING, at(4, 15)), (BREACHED, at(4, 15))],
    )


def test_a_pause_at_the_instant_of_the_warning_holds_it_back():
    told = reading(fact("PAUSED", 4, 11, 30), fact("RESUMED", 4, 12), now=at(4, 12))

    assert story(told)[1:] == [(PAUSED, at(4, 11, 30)), (WARNING, at(4, 12))]


def test_a_warned_clock_is_still_warned_after_a_pause():
    told = reading(fact("PAUSED", 4, 11, 45), fact("RESUMED", 4, 12), now=at(4, 12))

    assert story(told)[1:] == [
        (WARNING, at(4, 11, 30)),
        (PAUSED, at(4, 11, 45)),
        (WARNING, at(4, 12)),
    ]


def test_a_reply_during_a_pause_is_in_time():
    told = reading(fact("PAUSED", 4, 11), fact("SATISFIED", 9, 9), now=at(10, 9))

    assert (told.state, told.elapsed, told.breached_at) == (MET, HOUR, None)


def test_a_pause_from_before_the_start_holds_from_the_start():
    told = reading(fact("PAUSED", 4, 9), fact("RESUMED", 4, 11), now=at(4, 11))

    assert (story(told), told.due_at) == ([(PAUSED, at(4, 10)), (RUNNING, at(4, 11))], at(4, 13))


def test_a_paused_weekend_start_goes_back_to_being_scheduled():
    told = reading(fact("PAUSED", 7, 20), fact("RESUMED", 8, 10), start=at(7, 16, 30), now=at(9, 9))

    assert story(told) == [
        (SCHEDULED, at(7, 16, 30)),
        (PAUSED, at(7, 20)),
        (SCHEDULED, at(8, 10)),
        (RUNNING, at(9, 9)),
    ]
    assert told.due_at == at(9, 11)


def test_a_resumption_with_nothing_to_resume_is_ignored():
    assert reading(fact("RESUMED", 4, 11), now=at(4, 11)) == reading(now=at(4, 11))
