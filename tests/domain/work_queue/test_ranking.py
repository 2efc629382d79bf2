from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from domain.grades import Grade
from domain.sla.calendar import Window, WorkingHours
from domain.sla.clock import ClockFact, ClockPolicy, FactKind, read
from domain.values import Money
from domain.work_queue.ranking import (
    OpenPromise,
    Worth,
    changes_at,
    in_order,
    queued,
    urgency,
    usual_worth,
)
from tests.agreements import an_mql

OFFICE = WorkingHours("UTC", tuple(Window(day, 9 * 60, 17 * 60) for day in range(5)))
TUESDAY = datetime(2026, 3, 10, 9, tzinfo=UTC)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def promise(now: datetime, *, hours: int = 12, facts: tuple[ClockFact, ...] = ()) -> OpenPromise:
    """Return a promise of so many working hours, made on Tuesday at nine."""
    reading = read(
        started_at=TUESDAY,
        policy=ClockPolicy(target=timedelta(hours=hours)),
        facts=facts,
        hours=OFFICE,
        now=now,
    )
    return OpenPromise(name="Call", reading=reading, hours=OFFICE)


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
    one = promise(now)
    assert urgency([one])[0] == Decimal(factor)
    assert changes_at(one, now=now) == next_at


@pytest.mark.parametrize("now", [at(10, 9), at(10, 13), at(10, 17), at(11, 12)])
def test_the_urgency_is_another_at_the_instant_it_is_told_to_change(now: datetime) -> None:
    then = changes_at(promise(now), now=now)
    assert then is not None
    before = then - timedelta(microseconds=1)
    if before > now:
        assert urgency([promise(before)])[0] == urgency([promise(now)])[0]
    assert urgency([promise(then)])[0] > urgency([promise(now)])[0]


def test_what_stands_still_does_not_hurry_more() -> None:
    paused = (ClockFact(kind=FactKind.PAUSED, at=at(10, 10)),)
    one = promise(at(10, 16), facts=paused)
    assert urgency([one])[0] == 1
    assert changes_at(one, now=at(10, 16)) is None


def test_the_first_promise_due_decides() -> None:
    now = at(10, 9)
    assert urgency([promise(now), promise(now, hours=1)])[0] == 3
    assert urgency([]) == (Decimal(1), None)


def worth(chance: str, deal: int | None = 10_000) -> Worth:
    return Worth(
        chance=Decimal(chance),
        chance_reason="Likely.",
        deal=None if deal is None else Money(deal, "EUR"),
        deal_reason="Large.",
    )


def test_the_rank_is_chance_times_deal_times_urgency() -> None:
    lead = an_mql(TUESDAY)
    now = at(10, 17)
    entry = queued(lead, worth("0.25"), [promise(now)])
    assert (entry.rank, entry.expected_value, entry.urgency, entry.due_at) == (
        Decimal("5000.00"),
        Money(2_500, "EUR"),
        Decimal(2),
        at(11, 13),
    )
    assert entry.reasons == ("Likely.", "Large.", "Call: 4 h 0 min of working time left.")
    assert queued(lead, worth("0.25"), [promise(at(11, 14))]).reasons[-1] == "Call is late."


def test_without_any_deal_won_all_are_worth_the_same() -> None:
    entry = queued(an_mql(TUESDAY), worth("0.25", None), [])
    assert (entry.rank, entry.expected_value) == (Decimal("0.25"), None)


def test_of_the_same_rank_what_is_due_first_comes_first_then_the_oldest() -> None:
    first, second, third = (an_mql(TUESDAY, n) for n in range(3))
    now = at(10, 9)
    entries = [
        queued(third, worth("0.1"), []),
        queued(second, worth("0.1"), []),
        queued(first, worth("0.1"), [promise(now, hours=20)]),
    ]
    assert [each.lead for each in in_order(entries)] == [first, second, third]


def test_what_is_usual_follows_from_the_grade() -> None:
    assert usual_worth(an_mql(TUESDAY, grade=Grade.A1)) == (
        Decimal("0.30"),
        "30 % is usual for the grade A1.",
    )
    assert usual_worth(an_mql(TUESDAY)) == (
        Decimal("0.05"),
        "5 % is usual for a lead without a grade.",
    )
