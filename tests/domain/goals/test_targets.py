from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import DomainError, NotFound, PermissionDenied
from domain.events import GoalChanged
from domain.goals.targets import (
    EVERYBODY,
    Goal,
    Metric,
    archive_goal,
    counted_for,
    create_goal,
    goal_period,
    update_goal,
)
from domain.identity import ROLE_PERMISSIONS, Actor, Role, Team
from domain.ids import new_id
from domain.stages import Side
from domain.values import Period, PeriodKind
from tests.fakes import FakeWork

D = Decimal
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MARCH = Period.month(2026, 3)
MARKETING, SALES = (Team(id=new_id(), name=side.value, side=side, created_at=NOON) for side in Side)


def someone(role: Role) -> Actor:
    return Actor(tenant_id=new_id(), user_id=new_id(), permissions=ROLE_PERMISSIONS[role])


MIA = someone(Role.MANAGER)


def a_goal(**changes: Any) -> Goal:
    values: dict[str, Any] = {
        "id": new_id(),
        "name": "MQLs",
        "metric": Metric.MQLS,
        "team_id": MARKETING.id,
        "starts_on": MARCH.first,
        "ends_on": MARCH.end,
        "target": D(100),
        "created_by": MIA.user_id,
        "created_at": NOON,
    }
    return Goal(**{**values, **changes})


def a_work(*goals: Goal) -> FakeWork:
    return FakeWork(NOON, MARKETING, SALES, *goals)


async def set_goal(work: FakeWork, actor: Actor = MIA, **changes: Any) -> Goal:
    values: dict[str, Any] = {
        "name": " MQLs ",
        "metric": Metric.MQLS,
        "team_id": MARKETING.id,
        "period": MARCH,
        "target": D(100),
    }
    return await create_goal(work, actor, **{**values, **changes})


async def test_a_goal_is_kept_and_told() -> None:
    work = a_work()

    goal = await set_goal(work)

    assert goal == a_goal(id=goal.id)
    assert await work.get(Goal, goal.id) == goal
    assert work.events == [GoalChanged(at=NOON, goal_id=goal.id)]


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"target": D(0)}, "BAD_TARGET", ("target",)),
        ({"target": D(-3)}, "BAD_TARGET", ("target",)),
        ({"target": D("10.5")}, "BAD_TARGET", ("target",)),
        ({"target": D(10) ** 13}, "BAD_TARGET", ("target",)),
        ({"metric": Metric.RESPONSE_RATE, "target": D(90)}, "BAD_TARGET", ("target",)),
        ({"metric": Metric.RESPONSE_RATE, "target": D(0)}, "BAD_TARGET", ("target",)),
        ({"name": "  "}, "INVALID", ("name",)),
        ({"name": "a\x00b"}, "INVALID", ("name",)),
        ({"name": "a" * 201}, "INVALID", ("name",)),
        ({"team_id": new_id()}, "NOT_FOUND", ("team",)),
    ],
)
async def test_what_cannot_be_a_goal_is_refused_and_not_kept(
    changes: dict[str, Any], code: str, path: tuple[str, ...]
) -> None:
    work = a_work()

    with pytest.raises(DomainError) as refused:
        await set_goal(work, **changes)

    assert (refused.value.code, refused.value.path) == (code, path)
    assert (await work.find(Goal), work.events) == ([], [])


@pytest.mark.parametrize(
    ("period", "code", "path"),
    [
        ((PeriodKind.MONTH, date(2026, 3, 2), None), "INVALID", ("period", "startsOn")),
        ((PeriodKind.CUSTOM, date(2026, 3, 2), None), "INVALID", ("period", "endsOn")),
        ((PeriodKind.CUSTOM, date(2026, 3, 2), date(2026, 3, 2)), "INVALID", ("period", "endsOn")),
        ((PeriodKind.CUSTOM, date(2026, 1, 1), date(2028, 2, 1)), "BAD_PERIOD",
         ("period", "endsOn")),
        ((PeriodKind.MONTH, date(9999, 12, 1), None), "BAD_PERIOD", ("period", "startsOn")),
        ((PeriodKind.MONTH, date(1, 1, 1), None), "BAD_PERIOD", ("period", "startsOn")),
    ],
)  # fmt: skip
def test_days_that_nobody_sets_goals_for_are_refused(
    period: tuple[PeriodKind, date, date | None], code: str, path: tuple[str, ...]
) -> None:
    with pytest.raises(DomainError) as refused:
        goal_period(*period)

    assert (refused.value.code, refused.value.path) == (code, path)


def test_a_period_is_named_as_people_do() -> None:
    assert goal_period(PeriodKind.QUARTER, date(2026, 4, 1), None) == Period.quarter(2026, 2)


@pytest.mark.parametrize("role", [Role.MEMBER, Role.ANALYST])
async def test_only_managers_set_goals(role: Role) -> None:
    work = a_work(goal := a_goal())

    with pytest.raises(PermissionDenied):
        await set_goal(work, someone(role))
    with pytest.raises(PermissionDenied):
        await update_goal(work, someone(role), goal.id, name="Mine")
    with pytest.raises(PermissionDenied):
        await archive_goal(work, someone(role), goal.id)

    assert (await work.find(Goal), work.events) == ([goal], [])


async def test_what_is_not_named_stays_as_it_is() -> None:
    work = a_work(goal := a_goal())

    named = await update_goal(work, MIA, goal.id, name="All MQLs")
    moved = await update_goal(
        work, MIA, goal.id, team_id=SALES.id, period=Period.month(2026, 4), target=D(120)
    )

    assert named == replace(goal, name="All MQLs", version=2)
    assert moved == replace(
        named,
        team_id=SALES.id,
        starts_on=date(2026, 4, 1),
        ends_on=date(2026, 5, 1),
        target=D(120),
        version=3,
    )
    assert work.events == [GoalChanged(at=NOON, goal_id=goal.id)] * 2


async def test_a_refused_change_changes_nothing() -> None:
    work = a_work(goal := a_goal())

    with pytest.raises(DomainError):
        await update_goal(work, MIA, goal.id, name="Fine", target=D("0.5"))
    with pytest.raises(NotFound):
        await update_goal(work, MIA, new_id(), name="Fine")

    assert (await work.find(Goal), work.events) == ([goal], [])


async def test_a_goal_put_away_is_kept_and_changes_no_more() -> None:
    work = a_work(goal := a_goal())

    archived = await archive_goal(work, MIA, goal.id)
    again = await archive_goal(work, MIA, goal.id)
    with pytest.raises(DomainError) as refused:
        await update_goal(work, MIA, goal.id, name="Again")

    assert archived == again == replace(goal, archived_at=NOON, version=2)
    assert refused.value.code == "GOAL_IS_ARCHIVED"
    assert work.events == [GoalChanged(at=NOON, goal_id=goal.id)]


@pytest.mark.parametrize(
    ("metric", "team", "whose"),
    [
        (Metric.MQLS, MARKETING, EVERYBODY),
        (Metric.HANDOFFS, MARKETING, MARKETING.id),
        (Metric.HANDOFFS_ACCEPTED, MARKETING, EVERYBODY),
        (Metric.HANDOFFS_ACCEPTED, SALES, SALES.id),
        (Metric.RESPONSE_RATE, SALES, SALES.id),
        (Metric.CUSTOMERS, SALES, EVERYBODY),
    ],
)
def test_a_goal_goes_by_its_teams_own_counts_where_it_has_any(
    metric: Metric, team: Team, whose: object
) -> None:
    assert counted_for(a_goal(metric=metric, team_id=team.id), team) == whose
