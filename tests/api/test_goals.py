from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from api.engine.masking import OperationFailed
from domain.goals.counting import count_metric
from domain.goals.targets import Goal, Metric
from domain.ids import new_id, public
from tests.following import following
from tests.world import World

CREATE = """mutation($input: GoalCreateInput!) { goalCreate(input: $input) {
  goal { id name metric target startsOn endsOn archivedAt version team { name }
    createdBy { name } }
  userErrors { code path }
} }"""
UPDATE = """mutation($input: GoalUpdateInput!) { goalUpdate(input: $input) {
  goal { name target startsOn endsOn version team { name } } userErrors { code path }
} }"""
ARCHIVE = """mutation($input: GoalArchiveInput!) { goalArchive(input: $input) {
  goal { archivedAt } userErrors { code path }
} }"""
GOALS = """query($filter: GoalFilter) { goals(filter: $filter) {
  totalCount nodes { name progress { status attained expected } } } }"""
PROGRESS = """query($id: ID!) { goal(id: $id) { name progress {
  asOf status unit target attained expected gap projected neededPerWorkingDay
  remainingWorkingDays probability p10 p90 countsEverybody goal { id }
  series { on attained expected }
} } }"""
LIVE = "subscription($goal: ID!) { goalProgress(goal: $goal) { status attained } }"
MARCH = {"kind": "MONTH", "startsOn": "2026-03-01"}


def asked(world: World, **changes: Any) -> dict[str, Any]:
    values = {
        "name": "MQLs of March",
        "metric": "MQLS",
        "team": public("Team", world.marketing.id),
        "period": MARCH,
        "target": "22",
    }
    return {"input": {**values, **changes}}


async def set_goal(world: World, **changes: Any) -> str:
    answer = await world.data(CREATE, asked(world, **changes), as_=world.marketer)
    assert answer["goalCreate"]["userErrors"] == []
    id: str = answer["goalCreate"]["goal"]["id"]
    return id


async def count(world: World, metric: Metric, at: datetime, times: int = 1) -> None:
    async with world.work() as work:
        for _ in range(times):
            await count_metric(work, metric, at=at, team_id=world.sales.id)


def on(day: int) -> datetime:
    return datetime(2026, 3, day, 11, tzinfo=UTC)


async def stored(world: World) -> list[Goal]:
    async with world.work() as work:
        return list(await work.find(Goal))


async def test_a_goal_is_set_by_one_team_and_seen_by_both(world: World) -> None:
    answer = await world.data(CREATE, asked(world), as_=world.marketer)

    goal = answer["goalCreate"]["goal"]
    id = goal.pop("id")
    assert goal == {
        "name": "MQLs of March",
        "metric": "MQLS",
        "target": "22",
        "startsOn": "2026-03-01",
        "endsOn": "2026-04-01",
        "archivedAt": None,
        "version": 1,
        "team": {"name": "Marketing"},
        "createdBy": {"name": "Mia"},
    }
    seen = await world.data("query($id: ID!) { goal(id: $id) { name } }", {"id": id},
                            as_=world.other_rep)  # fmt: skip
    assert seen == {"goal": {"name": "MQLs of March"}}


async def test_progress_is_paced_by_the_teams_calendar(world: World) -> None:
    id = await set_goal(world)
    await count(world, Metric.MQLS, on(3), 4)
    await count(world, Metric.MQLS, on(10), 2)
    await count(world, Metric.CUSTOMERS, on(10))

    answer = await world.data(PROGRESS, {"id": id}, as_=world.analyst)

    progress = answer["goal"]["progress"]
    series = progress.pop("series")
    assert progress == {
        "asOf": "2026-03-10T12:00:00Z",
        "status": "AT_RISK",
        "unit": "COUNT",
        "target": "22",
        "attained": "6",
        "expected": "6.38",
        "gap": "-0.38",
        "projected": "20.71",
        "neededPerWorkingDay": "1.02",
        "remainingWorkingDays": 16,
        "probability": "0.4701",
        "p10": "13.00",
        "p90": "32.00",
        "countsEverybody": True,
        "goal": {"id": id},
    }
    assert [series[n] for n in (2, 9, 10)] == [
        {"on": "2026-03-03", "attained": "4", "expected": "2.00"},
        {"on": "2026-03-10", "attained": "6", "expected": "7.00"},
        {"on": "2026-03-11", "attained": None, "expected": "8.00"},
    ]


async def test_a_list_of_goals_shows_how_each_stands(world: World) -> None:
    first = await set_goal(world)
    await set_goal(world, name="Answered", metric="ACCEPTANCE_RATE", target="0.5",
                   team=public("Team", world.sales.id))  # fmt: skip
    await count(world, Metric.HANDOFFS_ACCEPTED, on(5), 3)
    await count(world, Metric.HANDOFFS_REJECTED, on(6))
    await world.data(ARCHIVE, {"input": {"goal": first}}, as_=world.marketer)

    answer = await world.data(GOALS, {"filter": {"archivedAt": {"isNull": True}}})

    assert answer["goals"] == {
        "totalCount": 1,
        "nodes": [
            {
                "name": "Answered",
                "progress": {"status": "AHEAD", "attained": "0.7500", "expected": "0.5"},
            }
        ],
    }


async def test_what_is_left_out_stays_as_it_is(world: World) -> None:
    id = await set_goal(world)
    april = {"kind": "MONTH", "startsOn": "2026-04-01"}

    one = await world.data(UPDATE, {"input": {"goal": id, "target": "30"}}, as_=world.rep)
    two = await world.data(
        UPDATE,
        {"input": {"goal": id, "period": april, "team": public("Team", world.sales.id)}},
        as_=world.rep,
    )

    assert one["goalUpdate"]["goal"] == {
        "name": "MQLs of March",
        "target": "30",
        "startsOn": "2026-03-01",
        "endsOn": "2026-04-01",
        "version": 2,
        "team": {"name": "Marketing"},
    }
    assert two["goalUpdate"]["goal"] == {
        "name": "MQLs of March",
        "target": "30",
        "startsOn": "2026-04-01",
        "endsOn": "2026-05-01",
        "version": 3,
        "team": {"name": "Sales"},
    }


async def test_a_goal_put_away_changes_no_more(world: World) -> None:
    id = await set_goal(world)
    archived = await world.data(ARCHIVE, {"input": {"goal": id}})

    answer = await world.data(UPDATE, {"input": {"goal": id, "target": "1"}})

    assert archived["goalArchive"]["goal"] == {"archivedAt": "2026-03-10T12:00:00Z"}
    assert answer["goalUpdate"] == {
        "goal": None,
        "userErrors": [{"code": "GOAL_IS_ARCHIVED", "path": ["goal"]}],
    }


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"target": "0"}, "BAD_TARGET", ["target"]),
        ({"target": "9" * 30}, "BAD_TARGET", ["target"]),
        ({"metric": "RESPONSE_RATE", "target": "90"}, "BAD_TARGET", ["target"]),
        ({"name": "\x00"}, "INVALID", ["name"]),
        ({"name": "x" * 10_000}, "INVALID", ["name"]),
        ({"period": {"kind": "MONTH", "startsOn": "2026-03-02"}}, "INVALID",
         ["period", "startsOn"]),
        ({"period": {"kind": "CUSTOM", "startsOn": "2026-03-02", "endsOn": "2026-03-01"}},
         "INVALID", ["period", "endsOn"]),
        ({"period": {"kind": "MONTH", "startsOn": "9999-12-01"}}, "BAD_PERIOD",
         ["period", "startsOn"]),
        ({"team": public("Team", new_id())}, "NOT_FOUND", ["team"]),
        ({"team": public("Lead", new_id())}, "BAD_USER_INPUT", ["team"]),
        ({"team": "team_\x00"}, "BAD_USER_INPUT", ["team"]),
    ],
)  # fmt: skip
async def test_what_cannot_be_a_goal_is_refused_and_not_kept(
    world: World, changes: dict[str, Any], code: str, path: list[str]
) -> None:
    answer = await world.data(CREATE, asked(world, **changes))

    assert answer == {"goalCreate": {"goal": None, "userErrors": [{"code": code, "path": path}]}}
    assert await stored(world) == []


async def test_another_tenants_team_and_goal_do_not_exist(world: World, other_world: World) -> None:
    id = await set_goal(world)
    foreign_team = await other_world.data(CREATE, asked(world))
    changed = await other_world.data(UPDATE, {"input": {"goal": id, "name": "Mine"}})
    archived = await other_world.data(ARCHIVE, {"input": {"goal": id}})
    seen = await other_world.data(PROGRESS, {"id": id})

    def not_found(field: str) -> dict[str, Any]:
        return {"goal": None, "userErrors": [{"code": "NOT_FOUND", "path": [field]}]}

    assert foreign_team == {"goalCreate": not_found("team")}
    assert changed == {"goalUpdate": not_found("goal")}
    assert archived == {"goalArchive": not_found("goal")}
    assert seen == {"goal": None}
    assert [(goal.name, goal.version) for goal in await stored(world)] == [("MQLs of March", 1)]
    assert await stored(other_world) == []


async def test_only_managers_set_goals(world: World) -> None:
    for document, input in (
        (CREATE, asked(world)["input"]),
        (UPDATE, {"goal": public("Goal", new_id())}),
        (ARCHIVE, {"goal": public("Goal", new_id())}),
    ):
        answer = await world.ask(document, {"input": input}, as_=world.other_rep)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    assert await stored(world) == []


async def test_a_follower_hears_of_each_step_towards_a_goal(world: World) -> None:
    id = await set_goal(world)
    async with following(world, LIVE, {"goal": id}, as_=world.analyst) as live:
        before = await live.next()
        await count(world, Metric.MQLS, on(10), 22)
        after = await live.after_news()

    assert (before, after) == (
        {"data": {"goalProgress": {"status": "BEHIND", "attained": "0"}}},
        {"data": {"goalProgress": {"status": "MET", "attained": "22"}}},
    )


@pytest.mark.parametrize(
    ("id", "code"),
    [
        (public("Goal", new_id()), "NOT_FOUND"),
        (public("Team", new_id()), "BAD_USER_INPUT"),
        ("\x00", "BAD_USER_INPUT"),
    ],
    ids=["unknown", "of another kind", "no id"],
)
async def test_who_follows_what_is_not_there_is_told_so(world: World, id: str, code: str) -> None:
    async with following(world, LIVE, {"goal": id}) as live:
        with pytest.raises(OperationFailed) as failed:
            await live.next()

    assert failed.value.code == code


FUNNEL = """query($input: ReverseFunnelInput!) { reverseFunnel(input: $input) {
  revenue { amount currency }
  customers { name planned { whole perWorkingDay perRep } lastNeededOn }
  steps { name rate planned { exact whole perWorkingDay perRep } p10 { whole } p90 { whole }
    firstNeededOn lastNeededOn }
} }"""


def funnel(**changes: Any) -> dict[str, Any]:
    values = {
        "revenueGoal": {"amount": "70000", "currency": "EUR"},
        "averageDeal": {"amount": "10000", "currency": "EUR"},
        "steps": [{"name": "LEAD", "rate": {"share": "0.05"}}],
        "period": MARCH,
        "workingDays": 20,
    }
    return {"input": {**values, **changes}}


async def test_a_revenue_goal_says_how_many_leads_it_takes(world: World) -> None:
    """7 customers at 5 % are 140 leads, 7 a working day over 20 (Volpe)."""
    answer = await world.data(FUNNEL, funnel(reps=10), as_=world.analyst)

    assert answer["reverseFunnel"] == {
        "revenue": {"amount": "70000.00", "currency": "EUR"},
        "customers": {
            "name": "CUSTOMER",
            "planned": {"whole": "7", "perWorkingDay": "0.3500", "perRep": "0.7000"},
            "lastNeededOn": "2026-03-31",
        },
        "steps": [
            {
                "name": "LEAD",
                "rate": "0.050000",
                "planned": {
                    "exact": "140.0000",
                    "whole": "140",
                    "perWorkingDay": "7.0000",
                    "perRep": "14.0000",
                },
                "p10": {"whole": "140"},
                "p90": {"whole": "140"},
                "firstNeededOn": "2026-03-01",
                "lastNeededOn": "2026-03-31",
            }
        ],
    }


async def test_an_observed_rate_says_how_far_the_need_may_be_off(world: World) -> None:
    steps = [{"name": "LEAD", "rate": {"observed": {"successes": 5, "trials": 100}}, "lagDays": 10}]

    answer = await world.data(FUNNEL, funnel(steps=steps))

    (step,) = answer["reverseFunnel"]["steps"]
    assert step["planned"]["whole"] == "140"
    assert int(step["p10"]["whole"]) < 140 < int(step["p90"]["whole"])
    assert (step["firstNeededOn"], step["lastNeededOn"]) == ("2026-02-19", "2026-03-21")


async def test_a_need_beyond_the_range_of_an_int_is_answered(world: World) -> None:
    goal, deal = ({"amount": amount, "currency": "EUR"} for amount in ("50000000000", "1"))

    answer = await world.data(FUNNEL, funnel(revenueGoal=goal, averageDeal=deal))

    assert answer["reverseFunnel"]["customers"]["planned"]["whole"] == "50000000000"


async def test_working_days_are_those_of_the_calendar_or_monday_to_friday(world: World) -> None:
    plain = funnel()
    del plain["input"]["workingDays"]
    by_calendar = {"input": {**plain["input"], "calendar": public("Calendar", world.calendar.id)}}

    for variables in (plain, by_calendar):
        answer = await world.data(FUNNEL, variables)
        assert answer["reverseFunnel"]["steps"][0]["planned"]["perWorkingDay"] == "6.3636"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"steps": []}, "BAD_USER_INPUT"),
        ({"steps": [{"name": "LEAD", "rate": {"share": "0"}}]}, "BAD_USER_INPUT"),
        ({"steps": [{"name": "LEAD", "rate": {"share": "0.000000000001"}}]}, "BAD_USER_INPUT"),
        ({"averageDeal": {"amount": "0", "currency": "EUR"}}, "BAD_USER_INPUT"),
        ({"averageDeal": {"amount": "1", "currency": "USD"}}, "BAD_USER_INPUT"),
        ({"averageDeal": {"amount": "1.005", "currency": "EUR"}}, "BAD_USER_INPUT"),
        ({"revenueGoal": {"amount": "9" * 30, "currency": "EUR"}}, "BAD_USER_INPUT"),
        ({"workingDays": 0}, "BAD_USER_INPUT"),
        ({"reps": -1}, "BAD_USER_INPUT"),
        ({"period": {"kind": "MONTH", "startsOn": "2026-03-05"}}, "BAD_USER_INPUT"),
        ({"workingDays": None, "calendar": public("Calendar", new_id())}, "NOT_FOUND"),
        ({"workingDays": None, "calendar": public("Goal", new_id())}, "BAD_USER_INPUT"),
    ],
)
async def test_figures_that_no_funnel_has_are_refused(
    world: World, changes: dict[str, Any], code: str
) -> None:
    answer = await world.ask(FUNNEL, funnel(**changes))

    assert [error["extensions"]["code"] for error in answer["errors"]] == [code]
