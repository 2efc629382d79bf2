from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from domain.goals.progress import GoalProgress, MetricCounts, progress, progress_of, working_week
from domain.goals.targets import EVERYBODY, Goal, Metric, MetricTally
from domain.identity import Team, Tenant
from domain.ids import new_id
from domain.sla.calendar import Window
from domain.sla.calendars import Calendar, CalendarVersion
from domain.sla.pacing import Pace
from domain.sla.standing import SeriesDay, Unit
from domain.stages import Side
from tests.fakes import FakeWork

D = Decimal
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
# After 8 of 22 working days.
THE_12TH = datetime(2026, 3, 12, tzinfo=UTC)


def a_goal(metric: Metric = Metric.MQLS, target: str = "1000", **changes: Any) -> Goal:
    values: dict[str, Any] = {
        "id": new_id(),
        "name": "A goal",
        "metric": metric,
        "team_id": new_id(),
        "starts_on": date(2026, 3, 1),
        "ends_on": date(2026, 4, 1),
        "target": D(target),
        "created_by": new_id(),
        "created_at": LONG_AGO,
    }
    return Goal(**{**values, **changes})


def on(day: int, month: int = 3) -> date:
    return date(2026, month, day)


def told(goal: Goal, now: datetime = THE_12TH, **counts: dict[date, int]) -> GoalProgress:
    return progress(
        goal,
        counted_for=EVERYBODY,
        counts=counts,
        hours=working_week("UTC"),
        zone="UTC",
        now=now,
    )


def test_a_count_is_paced_like_a_promise() -> None:
    found = told(a_goal(), MQLS={on(28, 2): 7, on(3): 200, on(11): 110, on(1, 4): 9})

    assert (found.status, found.unit) == (Pace.BEHIND, Unit.COUNT)
    assert (found.attained, found.expected, found.gap) == (D(310), D("363.64"), D("-53.64"))
    assert (found.projected, found.needed_per_working_day) == (D("852.50"), D("49.29"))
    assert found.remaining_working_days == 14
    assert [found.series[n] for n in (1, 2, 10, 11, 12)] == [
        SeriesDay(on(2), D(0), D("45.45")),
        SeriesDay(on(3), D(200), D("90.91")),
        SeriesDay(on(11), D(310), D("363.64")),
        SeriesDay(on(12), D(310), D("409.09")),
        SeriesDay(on(13), None, D("454.55")),
    ]
    assert found.next_at == datetime(2026, 3, 12, 0, 1, tzinfo=UTC)


def test_a_rate_is_the_share_so_far() -> None:
    goal = a_goal(Metric.RESPONSE_RATE, "0.9")

    found = told(
        goal,
        RESPONSES_MET={on(2): 3, on(4): 5},
        RESPONSES_CLOSED={on(2): 4, on(4): 6, on(1, 4): 50},
    )

    assert (found.status, found.unit) == (Pace.BEHIND, Unit.SHARE)
    assert (found.attained, found.expected, found.gap) == (D("0.8000"), D("0.9"), D("-0.1000"))
    assert (found.projected, found.needed_per_working_day) == (None, None)
    assert [found.series[n].attained for n in (0, 1, 3, 11, 12)] == [
        None,
        D("0.7500"),
        D("0.8000"),
        D("0.8000"),
        None,
    ]


def test_acceptance_is_of_all_that_was_answered() -> None:
    goal = a_goal(Metric.ACCEPTANCE_RATE, "0.5")

    found = told(goal, HANDOFFS_ACCEPTED={on(2): 3}, HANDOFFS_REJECTED={on(3): 1})

    assert (found.attained, found.status) == (D("0.7500"), Pace.AHEAD)


def test_nothing_decided_is_no_failure() -> None:
    goal = a_goal(Metric.ACCEPTANCE_RATE, "0.5")

    found = told(goal, HANDOFFS_ACCEPTED={}, HANDOFFS_REJECTED={})

    assert (found.attained, found.gap, found.status) == (None, None, Pace.ON_TRACK)


def test_what_was_reached_by_the_end_stays_so() -> None:
    later = datetime(2027, 1, 1, tzinfo=UTC)

    met, missed = told(a_goal(), later, MQLS={on(31): 1000}), told(a_goal(), later, MQLS={})

    assert (met.status, missed.status, met.next_at) == (Pace.MET, Pace.MISSED, None)


async def test_several_goals_take_one_read_and_each_goes_by_its_teams_calendar() -> None:
    asked: list[MetricCounts] = []
    work = FakeWork(THE_12TH, answers={MetricCounts: lambda q: asked.append(q) or tallies})
    marketing = Team(id=new_id(), name="M", side=Side.MARKETING, created_at=LONG_AGO)
    hours = CalendarVersion(
        id=new_id(),
        calendar_id=new_id(),
        number=1,
        time_zone="UTC",
        windows=(Window(0, 540, 1020),),
        overrides=(),
        created_at=LONG_AGO,
    )
    calendar = Calendar(
        id=hours.calendar_id, name="Mondays", current_id=hours.id, created_at=LONG_AGO
    )
    sales = Team(
        id=new_id(), name="S", side=Side.SALES, created_at=LONG_AGO, calendar_id=calendar.id
    )
    tenant = Tenant(
        id=work.tenant_id,
        slug="acme",
        name="Acme",
        time_zone="UTC",
        currency="EUR",
        created_at=LONG_AGO,
    )
    await work.add_all([tenant, marketing, sales, hours, calendar])
    tallies = [
        MetricTally(metric="MQLS", team_id=EVERYBODY, on=on(2), amount=5),
        MetricTally(metric="HANDOFFS_ACCEPTED", team_id=sales.id, on=on(3), amount=2),
        MetricTally(metric="HANDOFFS_ACCEPTED", team_id=EVERYBODY, on=on(3), amount=4),
    ]
    mqls = a_goal(team_id=marketing.id, target="22")
    theirs = a_goal(Metric.HANDOFFS_ACCEPTED, "10", team_id=sales.id, ends_on=on(1, 5))
    all_of_them = a_goal(Metric.HANDOFFS_ACCEPTED, "10", team_id=marketing.id)

    found = await progress_of(work, [mqls, theirs, all_of_them])

    assert [each.attained for each in found] == [D(5), D(2), D(4)]
    assert [each.expected for each in found] == [D("8.00"), D("2.22"), D("3.64")]
    assert asked == [
        MetricCounts(
            metrics=("HANDOFFS_ACCEPTED", "MQLS"),
            team_ids=tuple(sorted([EVERYBODY, sales.id])),
            first=on(1),
            end=on(1, 5),
        )
    ]
    assert await progress_of(work, []) == []
