from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.grades import Grade
from domain.ids import new_id
from domain.sla.calendar import Window, WorkingHours
from domain.sla.clock import ClockFact, ClockPolicy, ClockReading, ClockState, FactKind, read
from domain.values import Money
from domain.work_queue import WaitingClock, WaitingLead
from domain.work_queue.ranking import (
    OpenPromise,
    Standing,
    hurry,
    in_order,
    next_change,
    predicted_chance,
    promised,
    queued,
    standing,
    urgency,
    usual_chance,
)
from tests.agreements import an_mql

OFFICE = WorkingHours("UTC", tuple(Window(day, 9 * 60, 17 * 60) for day in range(5)))
TUESDAY = datetime(2026, 3, 10, 9, tzinfo=UTC)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def a_promise(now: datetime, *, hours: int = 12, since: datetime = TUESDAY) -> OpenPromise:
    """Return a promise of so many working hours, made on Tuesday at nine, as it stands."""
    due_at = OFFICE.add(since, timedelta(hours=hours))
    return promised("Call", started_at=since, due_at=due_at, hours=OFFICE, now=now)


# Twelve working hours from Tuesday at nine end on Wednesday at one.
@pytest.mark.parametrize(
    ("now", "factor", "next_at"),
    [
        (at(10, 9), "1", at(10, 13)),  # twelve hours left; eight at one
        (at(10, 12, 59), "1", at(10, 13)),
        (at(10, 13), "1.5", at(10, 17)),  # four are left from closing on
        (at(10, 17), "2", at(11, 12)),
        (at(10, 23), "2", at(11, 12)),  # nothing hurries over night
        (at(11, 12), "3", at(11, 13) + timedelta(microseconds=1)),
        (at(11, 13), "3", at(11, 13) + timedelta(microseconds=1)),  # the due instant is in time
        (at(11, 13, 1), "4", None),
    ],
)
def test_a_promise_hurries_in_steps_of_working_time(
    now: datetime, factor: str, next_at: datetime | None
) -> None:
    assert urgency(a_promise(now)) == Decimal(factor)
    assert next_change([a_promise(now)]) == next_at


@pytest.mark.parametrize("now", [at(10, 9), at(10, 13), at(10, 17), at(11, 12)])
def test_the_urgency_is_another_at_the_instant_it_is_told_to_change(now: datetime) -> None:
    then = next_change([a_promise(now)])
    assert then is not None
    before = then - timedelta(microseconds=1)
    if before > now:
        assert urgency(a_promise(before)) == urgency(a_promise(now))
    assert urgency(a_promise(then)) > urgency(a_promise(now))


def test_no_promise_hurries_nobody() -> None:
    assert urgency(None) == 1
    assert next_change([]) is None


def test_what_starts_later_does_not_hurry_before() -> None:
    coming = a_promise(at(10, 9), hours=1, since=at(10, 15))
    assert coming.left == timedelta(hours=1)
    assert next_change([coming]) == at(10, 16) + timedelta(microseconds=1)


MINUTES = st.integers(0, 6 * 24 * 60)


@given(
    hours=st.lists(st.integers(1, 30), min_size=1, max_size=12),
    pauses=st.lists(st.tuples(MINUTES, MINUTES), max_size=3),
    later=MINUTES,
)
def test_what_is_left_is_what_a_clock_that_is_read_anew_says(
    hours: list[int], pauses: list[tuple[int, int]], later: int
) -> None:
    """A promise is ranked by its stored due instant; the clock it came from is the oracle."""
    now = TUESDAY + timedelta(minutes=later)
    facts = [
        ClockFact(kind=kind, at=TUESDAY + timedelta(minutes=minute))
        for pause in pauses
        for kind, minute in zip((FactKind.PAUSED, FactKind.RESUMED), sorted(pause), strict=True)
    ]
    for target in hours:
        reading = _read(facts, target, now)
        if reading.state is ClockState.PAUSED:
            continue
        promise = promised("Call", started_at=TUESDAY, due_at=reading.due_at, hours=OFFICE, now=now)
        assert promise.left == reading.remaining
        assert (urgency(promise) == 4) is (reading.state is ClockState.BREACHED)


def _read(facts: list[ClockFact], target: int, now: datetime) -> ClockReading:
    policy = ClockPolicy(target=timedelta(hours=target))
    return read(started_at=TUESDAY, policy=policy, facts=facts, hours=OFFICE, now=now)


@given(st.lists(st.tuples(st.integers(1, 40), MINUTES), min_size=1, max_size=12), MINUTES)
def test_the_next_change_of_many_is_the_first_of_each(
    promised: list[tuple[int, int]], later: int
) -> None:
    now = TUESDAY + timedelta(minutes=later)
    promises = [
        a_promise(now, hours=hours, since=TUESDAY + timedelta(minutes=since))
        for hours, since in promised
    ]
    each = [next_change([promise]) for promise in promises]
    assert next_change(promises) == min(
        (change for change in each if change is not None), default=None
    )


def place(lead_id: UUID, chance: str, deal: int | None = 10_000, **more: Any) -> Standing:
    due_at = more.get("due_at")
    clock = None
    if due_at is not None:
        ids = dict.fromkeys(("sla_id", "commitment_id", "calendar_version_id"), lead_id)
        clock = WaitingClock(**ids, started_at=TUESDAY, due_at=due_at)
    return standing(
        WaitingLead(id=lead_id, clock=clock),
        chance=Decimal(chance),
        deal=None if deal is None else Money(deal, "EUR"),
        urgency=more.get("urgency", Decimal(1)),
    )


def test_the_rank_is_chance_times_deal_times_urgency() -> None:
    lead, now = an_mql(TUESDAY), at(10, 17)
    entry = queued(
        lead,
        place(lead.id, "0.25", urgency=Decimal(2)),
        a_promise(now),
        reasons=("Likely.", None, hurry(a_promise(now))),
    )
    assert (entry.rank, entry.expected_value, entry.urgency, entry.due_at) == (
        Decimal("5000.00"),
        Money(2_500, "EUR"),
        Decimal(2),
        at(11, 13),
    )
    assert entry.reasons == ("Likely.", "Call: 4 h 0 min of working time left.")
    assert hurry(a_promise(at(11, 14))) == "Call is late."


def test_without_any_deal_won_all_are_worth_the_same() -> None:
    lead = an_mql(TUESDAY)
    entry = queued(lead, place(lead.id, "0.25", None), None, reasons=())
    assert (entry.rank, entry.expected_value, entry.due_at) == (Decimal("0.25"), None, None)


def test_of_the_same_rank_what_is_due_first_comes_first_then_the_oldest() -> None:
    first, second, third, fourth = sorted(new_id() for _ in range(4))
    entries = [
        place(third, "0.1"),
        place(second, "0.1"),
        place(first, "0.1", due_at=at(12, 9)),
        place(fourth, "0.1", due_at=at(11, 9)),
    ]
    assert [each.lead.id for each in in_order(entries)] == [fourth, first, second, third]


def test_a_chance_is_told_in_words() -> None:
    assert usual_chance(Grade.A1) == "30 % is usual for the grade A1."
    assert usual_chance(None) == "5 % is usual for a lead without a grade."
    assert (
        predicted_chance(Decimal("0.0636")) == "6.4 % is predicted from what became of hand-offs."
    )
