"""Clocks: laws that hold for any course of events."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise, permutations

from hypothesis import given
from hypothesis import strategies as st

from domain.sla.clock import (
    PRESET_LADDER,
    ClockFact,
    ClockPolicy,
    FactKind,
)
from tests.domain.sla.building_clocks import (
    BREACHED,
    MET,
    MINUTE,
    SCHEDULED,
    START,
    TICK,
    at,
    fact,
    office,
    reading,
)

moments = st.integers(-120, 60 * 24 * 6).map(lambda minutes: START + minutes * MINUTE)
# Half of the moments are edges, where mistakes live.
edges = st.sampled_from([at(4, 10), at(4, 11, 30), at(4, 12), at(4, 17), at(5, 9), at(7, 12)])
facts_of = st.lists(
    st.builds(ClockFact, st.sampled_from(FactKind), st.one_of(moments, edges)), max_size=6
)
pauses_of = st.lists(
    st.builds(
        ClockFact,
        st.sampled_from([FactKind.PAUSED, FactKind.RESUMED]),
        st.one_of(moments, edges),
    ),
    max_size=6,
)
policies = st.builds(
    ClockPolicy,
    target=st.one_of(st.integers(0, 2000), st.sampled_from([120, 420])).map(lambda n: n * MINUTE),
    attempts=st.integers(1, 3),
    warnings=st.lists(st.integers(0, 600).map(lambda n: n * MINUTE), max_size=2).map(tuple),
    escalation=st.sampled_from([(), PRESET_LADDER]),
)


@given(st.lists(st.sampled_from(FactKind), max_size=5), policies, st.data())
def test_facts_out_of_order_give_the_same_result(kinds, policy, data):
    facts = [ClockFact(kind, data.draw(st.one_of(moments, edges))) for kind in kinds]
    now = data.draw(moments)
    readings = {reading(*order, policy=policy, now=now) for order in permutations(facts)}

    assert len(readings) == 1


@given(facts_of, policies, st.one_of(moments, edges), st.one_of(moments, edges))
def test_what_was_told_once_is_never_told_otherwise(facts, policy, one, other):
    earlier, later = sorted((one, other))
    known = [fact for fact in facts if fact.at <= earlier]
    before = reading(*known, policy=policy, now=earlier)
    after = reading(*known, policy=policy, now=later)

    assert after.transitions[: len(before.transitions)] == before.transitions
    assert after.escalations[: len(before.escalations)] == before.escalations
    assert after.warnings[: len(before.warnings)] == before.warnings


@given(facts_of, policies, moments)
def test_nothing_changes_before_the_next_instant_and_something_does_at_it(facts, policy, now):
    told = reading(*facts, policy=policy, now=now)
    known = [fact for fact in facts if fact.at <= now]

    if told.next_at is None:
        much_later = reading(*known, policy=policy, now=now + timedelta(days=400))
        assert much_later.transitions == told.transitions
        assert much_later.escalations == told.escalations
        return
    assert told.next_at > now
    before = reading(*known, policy=policy, now=told.next_at - TICK)
    after = reading(*known, policy=policy, now=told.next_at)
    events = [(r.transitions, r.warnings, r.escalations) for r in (told, before, after)]
    assert events[0] == events[1]
    assert events[1] != events[2] or told.next_at == START


@given(facts_of, policies, moments)
def test_the_story_fits_the_state(facts, policy, now):
    told = reading(*facts, policy=policy, now=now)
    states = [transition.state for transition in told.transitions]
    instants = [transition.at for transition in told.transitions]

    assert told.state is (states[-1] if states else SCHEDULED)
    assert instants == sorted(instants)
    assert all(one is not two for one, two in pairwise(states))
    assert states.count(BREACHED) == (told.breached_at is not None) <= 1
    assert told.state.is_open == (told.ended_at is None)
    assert all(state.is_open for state in states[:-1])
    assert (told.state is MET) <= (told.breached_at is None)


def test_any_number_of_pauses_of_no_length_changes_nothing():
    pauses = [
        fact(kind, 4, 10, minute) for minute in range(0, 60, 2) for kind in ("PAUSED", "RESUMED")
    ]

    assert reading(*pauses, now=at(5, 9)) == reading(now=at(5, 9))


@given(pauses_of, st.integers(1, 2000))
def test_a_deadline_is_working_time_without_the_open_part_of_the_pauses(facts, minutes):
    """Walk minute by minute: only open ones outside every pause count."""
    now = at(12, 0)
    told = reading(*facts, policy=ClockPolicy(target=minutes * MINUTE), now=now)
    pending = sorted((max(each.at, START), each.kind) for each in facts)
    depth, elapsed, moment = 0, timedelta(0), START
    reached, held = None, False
    while moment < now:
        while pending and pending[0][0] == moment:
            depth = max(0, depth + (1 if pending.pop(0)[1] is FactKind.PAUSED else -1))
        if elapsed == minutes * MINUTE and reached is None:
            reached, held = moment, bool(depth) and office.is_open(moment)
        elapsed += MINUTE if not depth and office.is_open(moment) else timedelta(0)
        moment += MINUTE

    assert told.elapsed == elapsed
    if reached is None:
        assert told.breached_at is None
    elif not held:
        assert told.breached_at == told.due_at == reached
    else:
        assert told.due_at > reached
