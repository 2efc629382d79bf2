from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from domain import handoff_flow
from domain.exchange import MissingRate
from domain.filters import parsed
from domain.grades import Grade
from domain.handoff import Handoff
from domain.identity import Tenant
from domain.ids import new_id
from domain.leads import LEAD_FIELDS, Lead
from domain.sla.agreement import Measure, Sla
from domain.sla.recalibration import ResultsOfTypes, ValueRecalibration
from infra.database import Database
from infra.scoring import MonthlyRecalibration
from tests.agreements import add_mql, sign
from tests.api.recalibration.revalued import FAIR, LIST, an_agreement, handed_off, reckoned
from tests.api.test_exchange import set_rate
from tests.world import NOON, World


async def test_what_lead_types_were_worth_is_shown_with_its_evidence(world: World) -> None:
    await an_agreement(world)
    await handed_off(world, "fair", 20, won=8, at=NOON - timedelta(days=100))
    await handed_off(world, "mail", 60, won=0, at=NOON - timedelta(days=100))
    # Too old, and of this month: neither is in the window.
    await handed_off(world, "mail", 3, won=3, at=NOON - timedelta(days=400))
    await handed_off(world, "mail", 3, won=3, at=NOON - timedelta(days=2))
    await MonthlyRecalibration(world.database).recalibrate_all()

    [shown] = (await world.data(LIST))["valueRecalibrations"]["nodes"]

    assert shown.pop("id").startswith("recalibration_")
    assert shown == {
        "monthOn": "2026-03-01",
        "windowStartsOn": "2025-03-01",
        "windowEndsOn": "2026-03-01",
        "priorWeight": 20,
        "missing": None,
        "deliveries": [
            {
                "measure": "MONEY",
                "priorRate": "0.100000",
                "unrated": 0,
                "averageRevenue": {"amount": "1000.00"},
                "pointValue": None,
                "sla": {"name": "March 2026"},
                "commitment": {"name": "Leads"},
                "values": [
                    {
                        "criterionText": 'origin source is "fair"',
                        "worthNow": "1.00",
                        "worthProposed": "250.00",  # (8 + 20 × 0.1) / (20 + 20) × 1,000.00
                        "handedOff": 20,
                        "won": 8,
                        "closeRate": "0.250000",
                        "value": {"amount": "250.00", "currency": "EUR"},
                    },
                    {
                        "criterionText": "anything",
                        "worthNow": "0.50",
                        "worthProposed": "25.00",  # (0 + 2) / (60 + 20)
                        "handedOff": 60,
                        "won": 0,
                        "closeRate": "0.025000",
                        "value": {"amount": "25.00", "currency": "EUR"},
                    },
                ],
            }
        ],
    }


async def test_a_type_is_what_the_lead_was_at_its_hand_off(world: World) -> None:
    """What sales finds out later would make lead types of what was won."""
    await an_agreement(world)
    lead = await add_mql(world, origin_source="fair", score=40)
    async with world.work() as work:
        await handoff_flow.hand_off(work, world.actor(world.marketer), lead.id)
        known = await work.get(Lead, lead.id)
        await work.save(replace(known, origin_source="mail", score=90, grade=Grade.A1))
    fair, graded = parsed(FAIR, LEAD_FIELDS), parsed({"grade": {"eq": "A1"}}, LEAD_FIELDS)
    young = parsed({"createdAt": {"gte": world.now.isoformat()}}, LEAD_FIELDS)
    mine = parsed({"ownerId": {"isNull": False}, "score": {"lt": 41}}, LEAD_FIELDS)
    question = ResultsOfTypes(
        marketing_team_id=world.marketing.id,
        sales_team_id=world.sales.id,
        starts_at=world.now - timedelta(days=1),
        ends_at=world.now + timedelta(days=1),
        currency="EUR",
        own="EUR",
        time_zone="UTC",
        types=(graded, fair),
    )
    async with world.work() as work:
        found = await work.ask(question)
        assert [each.handed_off for each in found.types] == [0, 1]
        every = [await work.ask(replace(question, types=(each,))) for each in (young, mine)]
    assert [each.types[0].handed_off for each in every] == [1, 1]


async def test_a_deal_counts_for_the_last_hand_off_before_it_alone(world: World) -> None:
    await an_agreement(world)
    at = NOON - timedelta(days=100)
    await handed_off(world, "fair", 1, won=1, at=at)
    async with world.work() as work:
        [first_one] = await work.find(Handoff)
        again = replace(first_one, id=new_id(), handed_off_at=at - timedelta(days=30))
        await work.add(again)
    found = await reckoned(world)
    assert found is not None
    [value, _] = found.deliveries[0].values
    assert (value.handed_off, value.won) == (2, 1)


async def test_a_month_is_reckoned_once_however_many_look(world: World, database: Database) -> None:
    await an_agreement(world)
    await handed_off(world, "fair", 20, won=8, at=NOON - timedelta(days=100))
    for _ in range(2):
        await MonthlyRecalibration(database).recalibrate_all()
    assert await reckoned(world) is None
    async with world.work() as work:
        assert len(await work.find(ValueRecalibration)) == 1

    world.at(datetime(2026, 4, 1, tzinfo=UTC))
    assert await reckoned(world) is not None
    async with world.work() as work:
        months = [each.month_on for each in await work.find(ValueRecalibration)]
    assert months == [date(2026, 3, 1), date(2026, 4, 1)]


async def test_two_that_look_at_the_same_instant_reckon_it_once(
    world: World, database: Database
) -> None:
    await an_agreement(world)
    await handed_off(world, "fair", 20, won=8, at=NOON - timedelta(days=100))
    await asyncio.gather(*(MonthlyRecalibration(database).recalibrate_all() for _ in range(3)))
    async with world.work() as work:
        assert len(await work.find(ValueRecalibration)) == 1


async def test_the_month_is_the_tenants_own(world: World) -> None:
    await an_agreement(world)
    await handed_off(world, "fair", 20, won=8, at=NOON - timedelta(days=100))
    async with world.work() as work:
        tenant = await work.get(Tenant, world.tenant.id)
        await work.save(replace(tenant, time_zone="Pacific/Auckland"))
    world.at(datetime(2026, 3, 31, 11, tzinfo=UTC))  # midnight in Auckland
    found = await reckoned(world)
    assert found is not None
    assert found.month_on == date(2026, 4, 1)


async def test_without_values_to_recalibrate_nothing_is_kept(world: World) -> None:
    await sign(world)
    assert await reckoned(world) is None


async def test_a_delivery_nothing_can_be_said_of_is_skipped(world: World) -> None:
    await an_agreement(world)
    await handed_off(world, "fair", 20, won=8, at=NOON - timedelta(days=100), currency="USD")
    found = await reckoned(world)
    assert found is not None
    assert (found.deliveries, len(found.skipped)) == ((), 1)
    assert found.missing == MissingRate(currency="USD", to="EUR", on=date(2025, 12, 1))


async def test_a_month_that_says_nothing_is_reckoned_again_until_it_does(world: World) -> None:
    """A history may come in, or a rate be set, after an agreement was signed."""
    await an_agreement(world)
    empty = await reckoned(world)
    assert empty is not None
    assert (empty.deliveries, empty.missing) == ((), None)
    assert await reckoned(world) is None
    await handed_off(world, "fair", 20, won=8, at=NOON - timedelta(days=100), currency="USD")
    unrated = await reckoned(world)
    assert unrated is not None
    assert unrated.missing == MissingRate(currency="USD", to="EUR", on=date(2025, 12, 1))
    await set_rate(world, "USD", "0.5", "2025-01-01")

    found = await reckoned(world)

    assert found is not None
    assert (found.id, found.month_on, found.missing) == (empty.id, empty.month_on, None)
    assert [each.average_revenue_minor for each in found.deliveries] == [50_000]
    await handed_off(world, "fair", 20, won=8, at=NOON - timedelta(days=100))
    assert await reckoned(world) is None
    async with world.work() as work:
        assert [each.deliveries for each in await work.find(ValueRecalibration)] == [
            found.deliveries
        ]


@pytest.mark.parametrize("currency", ["EUR", "USD"])
async def test_deals_in_other_currencies_count_by_the_rates_of_their_days(
    world: World, currency: str
) -> None:
    sla = await an_agreement(world)
    at = NOON - timedelta(days=100)
    await handed_off(world, "fair", 1, won=1, at=at, currency="USD")
    await handed_off(world, "fair", 1, won=1, at=at)
    await handed_off(world, "fair", 1, won=1, at=at, currency="GBP")
    await set_rate(world, "USD", "0.5", "2025-01-01")
    async with world.work() as work:
        await work.save(replace(await work.get(Sla, sla.id), currency=currency))

    found = await reckoned(world)

    # 500 and 1000 euros, which are 1000 and 2000 dollars; nobody knows what the pounds are.
    assert found is not None
    [delivery] = found.deliveries
    mean = {"EUR": 75_000, "USD": 150_000}[currency]
    assert (delivery.average_revenue_minor, delivery.unrated) == (mean, 1)
    assert found.missing == MissingRate(currency="GBP", to=currency, on=date(2025, 12, 1))


async def test_points_keep_their_worth_on_the_average(world: World) -> None:
    await an_agreement(world, Measure.POINTS)
    await handed_off(world, "fair", 20, won=8, at=NOON - timedelta(days=100))
    await handed_off(world, "mail", 60, won=0, at=NOON - timedelta(days=100))
    found = await reckoned(world)
    assert found is not None
    [delivery] = found.deliveries
    # 20 × 250.00 + 60 × 25.00 = 6,500.00 made 20 × 100 + 60 × 50 = 5,000 points.
    assert delivery.point_value_minor == 130
    assert [value.units_proposed for value in delivery.values] == [192, 19]
    [shown] = (await world.data(LIST))["valueRecalibrations"]["nodes"][0]["deliveries"]
    assert shown["pointValue"] == {"amount": "1.30"}
    assert [value["worthProposed"] for value in shown["values"]] == ["192", "19"]


async def test_what_is_worth_thousands_of_millions_is_shown(world: World) -> None:
    """Such as in dong, which have no cents: a deal of a hundred thousand euros is 2.8 thousand
    million of them, and an `Int` holds 2.1."""
    sla = await an_agreement(world)
    async with world.work() as work:
        await work.save(replace(await work.get(Sla, sla.id), currency="VND"))
    await handed_off(world, "fair", 20, won=20, at=NOON - timedelta(days=100))
    await set_rate(world, "VND", "0.00000003", "2025-01-01")
    assert await reckoned(world) is not None
    [shown] = (await world.data(LIST))["valueRecalibrations"]["nodes"][0]["deliveries"]
    assert shown["values"][0]["worthNow"] == "100"
    assert shown["values"][0]["worthProposed"] == "33333333333"
    assert shown["values"][0]["value"] == {"amount": "33333333333", "currency": "VND"}
