"""Clocks: what every promise comes to, whoever looks and whenever."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.sla.calendar import DayOverride, WorkingHours, always_open
from domain.sla.clock import (
    PRESET_LADDER,
    ClockPolicy,
    ClockReading,
    ClockState,
    Escalation,
    EscalationAction,
    EscalationStep,
    Transition,
)
from tests.domain.sla.building_clocks import (
    BREACHED,
    HOUR,
    MET,
    MET_LATE,
    MINUTE,
    PAUSED,
    RUNNING,
    SCHEDULED,
    TICK,
    WARNING,
    at,
    fact,
    office,
    reading,
    story,
)


def test_a_running_clock_tells_everything_about_itself():
    assert reading(now=at(4, 11)) == ClockReading(
        state=RUNNING,
        due_at=at(4, 12),
        warn_at=at(4, 11, 30),
        next_at=at(4, 11, 30),
        ended_at=None,
        breached_at=None,
        attempts=0,
        elapsed=HOUR,
        remaining=HOUR,
        overdue=timedelta(0),
        transitions=(Transition(RUNNING, at(4, 10)),),
        warnings=(),
        escalations=(),
    )


def test_a_promise_kept_late_tells_the_breach_and_the_end():
    assert reading(fact("SATISFIED", 5, 9, 30), now=at(9, 9)) == ClockReading(
        state=MET_LATE,
        due_at=at(4, 12),
        warn_at=at(4, 11, 30),
        next_at=None,
        ended_at=at(5, 9, 30),
        breached_at=at(4, 12),
        attempts=0,
        elapsed=7 * HOUR + 30 * MINUTE,
        remaining=timedelta(0),
        overdue=5 * HOUR + 30 * MINUTE,
        transitions=(
            Transition(RUNNING, at(4, 10)),
            Transition(WARNING, at(4, 11, 30)),
            Transition(BREACHED, at(4, 12)),
            Transition(MET_LATE, at(5, 9, 30)),
        ),
        warnings=(at(4, 11, 30),),
        escalations=(),
    )


@pytest.mark.parametrize(
    ("now", "state", "next_at"),
    [
        (at(4, 9), SCHEDULED, at(4, 10)),
        (at(4, 10), RUNNING, at(4, 11, 30)),
        (at(4, 11, 30) - TICK, RUNNING, at(4, 11, 30)),
        (at(4, 11, 30), WARNING, at(4, 12) + TICK),
        (at(4, 12), WARNING, at(4, 12) + TICK),  # the due instant itself is in time
        (at(4, 12) + TICK, BREACHED, None),
        (at(16, 9), BREACHED, None),
    ],
)
def test_states_follow_the_clock_to_the_microsecond(now, state, next_at):
    told = reading(now=now)

    assert (told.state, told.next_at) == (state, next_at)


def test_a_clock_started_on_a_weekend_is_scheduled_until_opening():
    before, after = (reading(start=at(7, 16, 30), now=now) for now in (at(8, 12), at(9, 9)))

    assert (before.state, before.next_at, before.due_at) == (SCHEDULED, at(9, 9), at(9, 11))
    assert story(before) == [(SCHEDULED, at(7, 16, 30))]
    assert story(after) == [(SCHEDULED, at(7, 16, 30)), (RUNNING, at(9, 9))]


def test_a_reply_on_the_weekend_meets_a_promise_that_has_not_begun():
    told = reading(fact("SATISFIED", 8, 12), start=at(7, 16, 30), now=at(9, 12))

    assert story(told) == [(SCHEDULED, at(7, 16, 30)), (MET, at(8, 12))]
    assert (told.elapsed, told.remaining) == (timedelta(0), 2 * HOUR)


def test_a_start_in_the_future_has_no_history_yet():
    told = reading(start=at(5, 10), now=at(4, 10))

    assert (told.state, told.next_at, told.due_at) == (SCHEDULED, at(5, 10), at(5, 12))
    assert (told.transitions, told.elapsed, told.remaining) == ((), timedelta(0), 2 * HOUR)


@pytest.mark.parametrize(
    ("moment", "state"),
    [((4, 11), MET), ((4, 12), MET), ((4, 12, 1), MET_LATE), ((4, 20), MET_LATE)],
)
def test_exactly_on_time_is_in_time(moment, state):
    assert reading(fact("SATISFIED", *moment), now=at(5, 9)).state is state


def test_a_reply_at_the_instant_of_the_warning_needs_none():
    told = reading(fact("SATISFIED", 4, 11, 30), now=at(5, 9))

    assert story(told) == [(RUNNING, at(4, 10)), (MET, at(4, 11, 30))]
    assert told.warnings == ()


def test_a_reply_stamped_before_the_hand_off_meets_it_at_the_start():
    told = reading(fact("SATISFIED", 4, 9), now=at(4, 11))

    assert (story(told), told.ended_at) == ([(MET, at(4, 10))], at(4, 10))


def test_what_is_not_known_yet_does_not_count():
    told = reading(fact("SATISFIED", 4, 11), fact("PAUSED", 4, 10, 45), now=at(4, 10, 30))

    assert told == reading(now=at(4, 10, 30))


def test_a_breach_that_came_and_went_between_two_sweeps_is_told_once_at_its_instant():
    sweeps = [
        reading(fact("SATISFIED", 4, 12, 2), now=now)
        for now in (at(4, 11, 59), at(4, 12, 4), at(6, 9), at(6, 9, 5))
    ]

    assert [story(sweep).count((BREACHED, at(4, 12))) for sweep in sweeps] == [0, 1, 1, 1]
    assert {sweep.state for sweep in sweeps[1:]} == {MET_LATE}


def test_a_breach_needs_nobody_to_save_anything():
    assert reading(now=at(30, 9)).breached_at == at(4, 12)


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("WAIVED", ClockState.WAIVED),
        ("CANCELLED", ClockState.CANCELLED),
        ("TRANSFERRED", ClockState.TRANSFERRED),
    ],
)
def test_a_clock_that_is_called_off_is_not_met(kind, state):
    in_time = reading(fact(kind, 4, 11), now=at(5, 9))
    too_late = reading(fact(kind, 4, 13), now=at(5, 9))

    assert story(in_time) == [(RUNNING, at(4, 10)), (state, at(4, 11))]
    assert story(too_late)[-2:] == [(BREACHED, at(4, 12)), (state, at(4, 13))]
    assert (in_time.next_at, in_time.ended_at) == (None, at(4, 11))


def test_a_clock_can_be_called_off_before_it_starts():
    told = reading(fact("CANCELLED", 4, 9), now=at(4, 9, 30))

    assert story(told) == [(ClockState.CANCELLED, at(4, 9))]
    assert (told.next_at, told.ended_at) == (None, at(4, 9))


def test_the_first_closing_fact_wins():
    told = reading(fact("WAIVED", 4, 11), fact("SATISFIED", 4, 10, 30), now=at(5, 9))
    tied = reading(fact("WAIVED", 4, 11), fact("SATISFIED", 4, 11), now=at(5, 9))

    assert (told.state, told.ended_at) == (MET, at(4, 10, 30))
    assert tied.state is MET


def test_open_states_are_open():
    assert {state for state in ClockState if state.is_open} == {
        SCHEDULED,
        RUNNING,
        PAUSED,
        WARNING,
        BREACHED,
    }


# Attempts

calls = ClockPolicy(target=14 * 8 * HOUR, attempts=3)


def test_enough_attempts_meet_the_promise_and_one_more_changes_nothing():
    tries = [fact("ATTEMPTED", 4 + n, 11) for n in range(4)]

    assert reading(*tries[:2], policy=calls, now=at(9, 9)).state is RUNNING
    told = reading(*tries, policy=calls, now=at(9, 9))
    assert (told.state, told.ended_at, told.attempts) == (MET, at(6, 11), 3)


def test_an_answer_is_enough_however_few_the_attempts():
    told = reading(fact("ATTEMPTED", 4, 11), fact("SATISFIED", 5, 11), policy=calls, now=at(9, 9))

    assert (told.state, told.attempts) == (MET, 1)


def test_two_attempts_in_the_same_minute_are_two():
    told = reading(*[fact("ATTEMPTED", 4, 11)] * 3, policy=calls, now=at(9, 9))

    assert (told.state, told.attempts) == (MET, 3)


def test_a_single_attempt_is_a_response():
    assert reading(fact("ATTEMPTED", 4, 11), now=at(4, 11)).state is MET


# Policies and calendars


@pytest.mark.parametrize(("start", "due"), [(at(4, 10), at(4, 10)), (at(7, 10), at(9, 9))])
def test_a_target_of_nothing_is_due_at_the_start_or_the_next_opening(start, due):
    at_once = ClockPolicy(target=timedelta(0))

    assert reading(start=start, policy=at_once, now=due).state is RUNNING
    assert story(reading(start=start, policy=at_once, now=at(10, 9)))[-2:] == [
        (RUNNING, due),
        (BREACHED, due),
    ]


def test_a_clock_started_at_closing_begins_at_the_next_opening():
    assert reading(start=at(4, 17), now=at(4, 18)).due_at == at(5, 11)


def test_a_promise_due_at_closing_is_breached_then_and_not_in_the_morning():
    told = reading(start=at(4, 15), now=at(4, 23))

    assert (told.state, told.breached_at, told.overdue) == (BREACHED, at(4, 17), timedelta(0))


def test_a_holiday_added_afterwards_leaves_clocks_on_their_own_calendar_version():
    newer = WorkingHours("UTC", office.windows, (DayOverride(at(5, 0).date(), (), "holiday"),))

    assert reading(start=at(4, 16), now=at(4, 16)).due_at == at(5, 10)
    assert reading(start=at(4, 16), now=at(4, 16), hours=newer).due_at == at(6, 10)


def test_round_the_clock_promises_run_on_saturday():
    assert reading(start=at(7, 23), hours=always_open("UTC"), now=at(8, 0)).due_at == at(8, 1)


def test_every_warning_is_told_and_the_first_one_changes_the_state():
    policy = ClockPolicy(target=2 * HOUR, warnings=(15 * MINUTE, 60 * MINUTE))
    told = reading(policy=policy, now=at(4, 11, 50))

    assert told.warnings == (at(4, 11), at(4, 11, 45))
    assert told.warn_at == at(4, 11)
    assert story(told) == [(RUNNING, at(4, 10)), (WARNING, at(4, 11))]
    assert reading(policy=policy, now=at(4, 11)).next_at == at(4, 11, 45)


def test_a_warning_longer_than_the_target_warns_at_the_start():
    policy = ClockPolicy(target=HOUR, warnings=(2 * HOUR,))

    assert story(reading(policy=policy, now=at(4, 10))) == [(WARNING, at(4, 10))]


def test_the_ladder_is_climbed_in_working_time_and_past_the_breach():
    policy = ClockPolicy(target=30 * MINUTE, escalation=PRESET_LADDER)
    told = reading(policy=policy, start=at(4, 16, 40), now=at(5, 9, 35))

    assert [(e.index, e.step.action, e.at) for e in told.escalations] == [
        (0, EscalationAction.NOTIFY, at(4, 16, 55)),
        (1, EscalationAction.NOTIFY_MANAGER, at(5, 9, 25)),
        (2, EscalationAction.SET_STATUS, at(5, 9, 35)),
    ]
    assert (told.state, told.next_at) == (BREACHED, at(5, 9, 40))


def test_the_ladder_is_not_climbed_in_a_pause_nor_after_the_end():
    policy = ClockPolicy(target=2 * HOUR, escalation=PRESET_LADDER)
    facts = (fact("PAUSED", 4, 10, 20), fact("RESUMED", 4, 11), fact("SATISFIED", 4, 11, 30))

    assert reading(*facts, policy=policy, now=at(6, 9)).escalations == (
        Escalation(0, PRESET_LADDER[0], at(4, 10, 15)),
        Escalation(1, PRESET_LADDER[1], at(4, 11, 25)),
    )


def test_steps_written_out_of_order_are_climbed_in_order():
    steps = (
        EscalationStep(30 * MINUTE, EscalationAction.REASSIGN),
        EscalationStep(10 * MINUTE, EscalationAction.NOTIFY),
    )
    told = reading(policy=ClockPolicy(target=HOUR, escalation=steps), now=at(4, 12))

    assert [e.index for e in told.escalations] == [1, 0]


def test_a_policy_that_cannot_be_is_our_own_mistake():
    with pytest.raises(ValueError, match="never negative"):
        ClockPolicy(target=-HOUR)
    with pytest.raises(ValueError, match="at least one attempt"):
        ClockPolicy(target=HOUR, attempts=0)
