"""What the pipeline should bring, and how deals went, counted by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.goals.targets import Goal, Metric
from domain.ids import new_id, public
from tests.api.dealing import accepted_lead, deal, on
from tests.api.test_exchange import set_rate
from tests.following import following
from tests.world import World

FORECAST = """query($input: PipelineForecastInput!) { pipelineForecast(input: $input) {
  startsOn endsOn sinceOn undatedCount overdueCount
  total { ...Part }
  stages { stage { name } agreedWinRate observedWinRate closedCount wonOfClosed part { ...Part } }
  owners { owner { name } part { openCount openAmount { amount } } }
  teams { team { name } part { openCount weightedAgreed { amount } } }
  coverage { quota { amount currency } wonAmount { amount } remaining { amount }
    openAmount { amount } coverage valueWinRate needed goal { name } coverageUnknown
    neededUnknown }
} }
fragment Part on ForecastPart {
  openCount unpricedCount openAmount { amount currency } weightedAgreed { amount }
  weightedObserved { amount } wonCount wonAmount { amount } lostCount lostAmount { amount }
}"""
FIGURES = """query($sinceOn: Date) { salesFigures(sinceOn: $sinceOn) {
  sinceOn openCount wonCount lostCount wonAmount { amount currency } lostAmount { amount }
  winRate valueWinRate averageDeal { amount } velocityPerDay { amount currency } velocityUnknown
  cycle { deals elapsed { ...All } working { ...All } } leadCycle { deals elapsed { p50 } }
} }
fragment All on CycleSpread { mean p10 p25 p50 p75 p90 }"""
LIVE = """subscription($input: PipelineForecastInput!) { pipelineForecast(input: $input) {
  total { openCount } } }"""
MARCH = {"kind": "MONTH", "startsOn": "2026-03-01"}
NEXT, LAST = date(2026, 3, 20), date(2026, 3, 31)


async def forecast(world: World, **more: Any) -> dict[str, Any]:
    data = await world.data(FORECAST, {"input": {"period": MARCH, **more}})
    found: dict[str, Any] = data["pipelineForecast"]
    return found


async def figures(world: World, since: str | None = None) -> dict[str, Any]:
    data = await world.data(FIGURES, {"sinceOn": since} if since else {})
    found: dict[str, Any] = data["salesFigures"]
    return found


async def a_quarter(world: World) -> None:
    """Open deals of 1,000 and 2,000 that close in March, and others that count otherwise."""
    lead = (await accepted_lead(world)).id
    other = (await accepted_lead(world, by=world.other_rep)).id
    await deal(world, lead, "1000.01", closes=NEXT)  # 10 %
    await deal(world, lead, "2000", closes=LAST, stages=("Proposal",))  # 50 %
    await deal(world, other, None, closes=NEXT)  # of unknown worth
    await deal(world, lead, "50000", closes=date(2026, 4, 1))  # in April
    await deal(world, lead, "60000")  # nobody knows when
    opened = {"opened": on(1, 2)}
    await deal(world, other, "700", **opened, stages=("Proposal",), won=on(1, hour=0))
    await deal(world, other, "300", **opened, stages=("Proposal",), lost=on(9))
    await deal(world, lead, "100", **opened, won=on(28, 2))  # in February


async def test_a_forecast_weighs_what_is_open_and_tells_what_was_won(world: World) -> None:
    await a_quarter(world)

    found = await forecast(world)

    assert (found["startsOn"], found["endsOn"], found["sinceOn"], found["undatedCount"]) == (
        "2026-03-01",
        "2026-04-01",
        "2025-03-10",
        1,
    )
    assert found["total"] == {
        "openCount": 3,
        "unpricedCount": 1,
        "openAmount": {"amount": "3000.01", "currency": "EUR"},
        # 1000.01 * 0.1 + 2000 * 0.5 = 1100.001
        "weightedAgreed": {"amount": "1100.00"},
        # 1000.01 * (2 + 1) / (3 + 10) + 2000 * (1 + 5) / (2 + 10) = 230.7715... + 1000
        "weightedObserved": {"amount": "1230.77"},
        "wonCount": 1,
        "wonAmount": {"amount": "700.00"},
        "lostCount": 1,
        "lostAmount": {"amount": "300.00"},
    }
    first, _, proposal, _ = found["stages"]
    assert (first["stage"]["name"], first["part"]["openAmount"]["amount"]) == (
        "Qualification",
        "1000.01",
    )
    assert {name: first[name] for name in ("closedCount", "wonOfClosed", "observedWinRate")} == {
        "closedCount": 3,
        "wonOfClosed": 2,
        "observedWinRate": "0.2308",
    }
    assert (proposal["agreedWinRate"], proposal["observedWinRate"]) == ("0.5", "0.5000")
    assert (proposal["closedCount"], proposal["wonOfClosed"]) == (2, 1)
    assert found["owners"] == [
        {"owner": {"name": "Sam"}, "part": {"openCount": 2, "openAmount": {"amount": "3000.01"}}},
        {"owner": {"name": "Rita"}, "part": {"openCount": 1, "openAmount": {"amount": "0.00"}}},
    ]
    assert found["teams"] == [
        {
            "team": {"name": "Sales"},
            "part": {"openCount": 3, "weightedAgreed": {"amount": "1100.00"}},
        }
    ]


async def test_coverage_says_how_often_the_rest_of_the_quota_is_in_the_pipeline(
    world: World,
) -> None:
    await a_quarter(world)

    found = await forecast(world, quota={"amount": {"amount": "1700", "currency": "EUR"}})

    assert found["coverage"] == {
        "quota": {"amount": "1700.00", "currency": "EUR"},
        "wonAmount": {"amount": "700.00"},
        "remaining": {"amount": "1000.00"},
        "openAmount": {"amount": "3000.01"},
        "coverage": "3.0000",
        "valueWinRate": "0.7273",  # 800 / 1100
        "needed": "1.3750",
        "goal": None,
        "coverageUnknown": None,
        "neededUnknown": None,
    }


async def test_a_quota_that_is_reached_needs_no_cover(world: World) -> None:
    await a_quarter(world)

    found = await forecast(world, quota={"amount": {"amount": "500", "currency": "EUR"}})

    assert found["coverage"]["remaining"] == {"amount": "0.00"}
    assert found["coverage"]["coverage"] is None
    assert found["coverage"]["coverageUnknown"] == "QUOTA_REACHED"


async def test_the_quota_follows_from_the_one_goal_for_customers_of_these_days(
    world: World,
) -> None:
    await a_quarter(world)
    goal = a_goal(world, Metric.CUSTOMERS)
    async with world.work() as work:
        await work.add_all([goal, a_goal(world, Metric.MQLS)])

    coverage = (await forecast(world))["coverage"]
    async with world.work() as work:
        await work.add(replace(goal, id=new_id()))
    ambiguous = (await forecast(world))["coverage"]

    assert (coverage["quota"]["amount"], coverage["goal"]) == ("4000.00", {"name": "Goal"})
    assert (ambiguous["quota"], ambiguous["goal"]) == (None, None)
    assert ambiguous["coverageUnknown"] == "NO_QUOTA"


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [("0", "EUR", "INVALID"), ("-1", "EUR", "INVALID"), ("1", "XXX", "UNKNOWN_CURRENCY")],
)
async def test_a_quota_is_above_zero_and_of_some_currency(
    world: World, amount: str, currency: str, expected: str
) -> None:
    quota = {"amount": {"amount": amount, "currency": currency}}
    assert await code(world, {"input": {"period": MARCH, "quota": quota}}) == expected


async def test_what_should_have_closed_already_is_told(world: World) -> None:
    lead = (await accepted_lead(world)).id
    for closes in (date(2026, 2, 27), date(2026, 3, 9), date(2026, 3, 10)):
        await deal(world, lead, "100", closes=closes, opened=on(1, 2))

    found = await forecast(world)

    assert (found["total"]["openCount"], found["overdueCount"]) == (2, 2)


async def test_a_quota_may_be_a_goal_for_customers(world: World) -> None:
    goals = {metric: a_goal(world, metric) for metric in (Metric.CUSTOMERS, Metric.MQLS)}
    async with world.work() as work:
        await work.add_all(list(goals.values()))
    ours, other = (public("Goal", goals[metric].id) for metric in goals)
    unknown = {"input": {"period": MARCH, "quota": {"goal": ours}}}
    assert await code(world, unknown) == "QUOTA_UNKNOWN"  # nothing won yet

    await a_quarter(world)

    found = await forecast(world, quota={"goal": ours})
    assert found["coverage"]["quota"] == {"amount": "4000.00", "currency": "EUR"}  # 10 * 400
    for goal, expected in ((other, "QUOTA_UNKNOWN"), (public("Goal", new_id()), "NOT_FOUND")):
        asked = {"input": {"period": MARCH, "quota": {"goal": goal}}}
        assert await code(world, asked) == expected


def a_goal(world: World, metric: Metric) -> Goal:
    return Goal(
        id=new_id(),
        name="Goal",
        metric=metric,
        team_id=world.sales.id,
        starts_on=date(2026, 3, 1),
        ends_on=date(2026, 4, 1),
        target=10,
        created_by=world.owner.id,
        created_at=world.now,
    )


async def code(world: World, variables: dict[str, Any], document: str = FORECAST) -> str:
    answer = await world.ask(document, variables)
    told = answer["errors"][0]["extensions"]
    found: str = told.get("reason", told["code"])
    return found


async def test_other_currencies_go_by_todays_rate_until_they_are_closed(world: World) -> None:
    lead = (await accepted_lead(world)).id
    await deal(world, lead, "100", "USD", closes=NEXT)
    await deal(world, lead, "100", "USD", opened=on(1), won=on(2))
    await set_rate(world, "USD", "0.5", "2026-03-01")
    await set_rate(world, "USD", "0.8", "2026-03-10")

    found = await forecast(world)

    assert found["total"]["openAmount"] == {"amount": "80.00", "currency": "EUR"}
    assert found["total"]["wonAmount"] == {"amount": "50.00"}


@pytest.mark.parametrize("document", [FORECAST, FIGURES], ids=["forecast", "figures"])
async def test_a_missing_rate_is_refused_and_never_passed_over(world: World, document: str) -> None:
    lead = (await accepted_lead(world)).id
    await deal(world, lead, "100", "USD", opened=on(1), won=on(2))
    await set_rate(world, "USD", "0.5", "2026-03-03")
    asked = {"input": {"period": MARCH}} if document == FORECAST else {}

    answer = await world.ask(document, asked)

    [error] = answer["errors"]
    assert error["extensions"]["reason"] == "RATE_MISSING"
    assert error["message"] == (
        "There is no rate from USD to EUR on 2026-03-02; set one with exchangeRateSet."
    )


async def test_figures_say_what_they_are_made_of(world: World) -> None:
    lead = (await accepted_lead(world)).id
    for days in (2, 4, 6, 8):  # from Monday noon on
        await deal(world, lead, "1000", opened=on(2, 2), won=on(2 + days, 2))
    await deal(world, lead, "3000", opened=on(2, 2), lost=on(3, 2))
    await deal(world, lead, "9", opened=on(1, 1), won=on(2, 1))  # too long ago
    await deal(world, lead, "9")

    found = await figures(world, since="2026-02-01")

    assert found == {
        "sinceOn": "2026-02-01",
        "openCount": 1,
        "wonCount": 4,
        "lostCount": 1,
        "wonAmount": {"amount": "4000.00", "currency": "EUR"},
        "lostAmount": {"amount": "3000.00"},
        "winRate": "0.8000",
        "valueWinRate": "0.5714",
        "averageDeal": {"amount": "1000.00"},
        # 1 * 0.8 * 1000 / 5
        "velocityPerDay": {"amount": "160.00", "currency": "EUR"},
        "velocityUnknown": None,
        "cycle": {
            "deals": 4,
            "elapsed": {
                "mean": "P5D",
                "p10": "P2DT14H24M",
                "p25": "P3DT12H",
                "p50": "P5D",
                "p75": "P6DT12H",
                "p90": "P7DT9H36M",
            },
            # The office is open from 9 to 17, Monday to Friday: 16, 32, 37 and 48 hours.
            "working": {
                "mean": "P1DT9H15M",
                "p10": "PT20H48M",
                "p25": "P1DT4H",
                "p50": "P1DT10H30M",
                "p75": "P1DT15H45M",
                "p90": "P1DT20H42M",
            },
        },
        # The lead was stored after its deals, so it was first seen with them.
        "leadCycle": {"deals": 4, "elapsed": {"p50": "P5D"}},
    }


async def test_a_tenant_that_sold_nothing_yet_has_no_figures(world: World) -> None:
    found = await figures(world)

    nothing = ("winRate", "valueWinRate", "averageDeal", "velocityPerDay")
    assert [found[name] for name in nothing] == [None] * 4
    assert found["cycle"] == {"deals": 0, "elapsed": None, "working": None}
    assert found["velocityUnknown"] == "NOTHING_CLOSED"
    coverage = (await forecast(world))["coverage"]
    assert (coverage["needed"], coverage["coverage"]) == (None, None)
    assert (coverage["neededUnknown"], coverage["coverageUnknown"]) == (
        "NOTHING_CLOSED",
        "NO_QUOTA",
    )


async def test_nothing_to_divide_by_is_told_and_not_nought(world: World) -> None:
    lead = (await accepted_lead(world)).id

    async def why() -> tuple[str | None, str | None]:
        coverage = (await forecast(world))["coverage"]
        return (await figures(world))["velocityUnknown"], coverage["neededUnknown"]

    await deal(world, lead, "5", opened=on(2), lost=on(3))
    assert await why() == ("NOTHING_WON", "NOTHING_WON")
    await deal(world, lead, None, opened=on(2), won=on(2))
    assert await why() == ("NO_AMOUNTS", "NO_AMOUNTS")
    await deal(world, lead, "10", opened=on(2), won=on(2))
    assert await why() == ("NO_TIME", None)
    await deal(world, lead, "10", opened=on(2), won=on(3))
    assert await why() == (None, None)


async def test_figures_look_back_to_a_day_that_has_been(world: World) -> None:
    for since in ("2026-03-11", "1969-12-31"):
        assert await code(world, {"sinceOn": since}, FIGURES) == "INVALID"


async def test_another_tenants_deals_are_in_no_figure(world: World, other_world: World) -> None:
    await a_quarter(other_world)

    assert (await forecast(world))["total"]["openCount"] == 0
    assert (await figures(world))["wonCount"] == 0


async def test_a_forecast_is_told_again_when_a_deal_changes(world: World) -> None:
    lead = (await accepted_lead(world)).id
    async with following(world, LIVE, {"input": {"period": MARCH}}) as events:
        first = await events.next()
        await deal(world, lead, closes=NEXT)
        second = await events.after_news()
    told = [each["data"]["pipelineForecast"]["total"] for each in (first, second)]
    assert told == [{"openCount": 0}, {"openCount": 1}]
