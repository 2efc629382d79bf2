from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain import handoff_flow
from domain.exchange import MissingRate
from domain.filters import parsed
from domain.grades import Grade
from domain.handoff import Handoff, HandoffStatus
from domain.identity import Tenant, system
from domain.ids import new_id, public
from domain.leads import LEAD_FIELDS, Lead
from domain.opportunities import Opportunity, OpportunityStatus, PipelineStage
from domain.sla.agreement import Commitment, CommitmentKind, Measure, Sla, ValueRule
from domain.sla.recalibration import ResultsOfTypes, ValueRecalibration, recalibrate
from infra.database import Database
from infra.scoring import MonthlyRecalibration
from tests.agreements import a_commitment, a_sla, add_mql, an_mql, sign
from tests.api.test_exchange import set_rate
from tests.world import NOON, World

FAIR = {"originSource": {"eq": "fair"}}
LIST = """{ valueRecalibrations(first: 1) { nodes {
  id monthOn windowStartsOn windowEndsOn priorWeight missing { currency to on }
  deliveries { measure priorRate unrated averageRevenue { amount } pointValue { amount }
    sla { name } commitment { name }
    values { criterionText worthNow worthProposed handedOff won closeRate
      value { amount currency } } } } } }"""
TAKE = """mutation($sla: ID!, $id: ID!, $at: DateTime) {
  slaTakeValues(input: {sla: $sla, recalibration: $id, effectiveAt: $at}) {
    sla { number status } userErrors { code path }
}}"""
EVERYBODY = (date(2026, 3, 1), date(2026, 6, 1))


async def an_agreement(world: World, measure: Measure = Measure.MONEY) -> Sla:
    sla = a_sla(world, period=EVERYBODY)
    delivery = a_commitment(
        sla,
        CommitmentKind.DELIVERY,
        0,
        name="Leads",
        measure=measure,
        target=100_000,
        values=(ValueRule(criterion=FAIR, units=100), ValueRule(criterion={}, units=50)),
    )
    response = a_commitment(
        sla,
        CommitmentKind.RESPONSE,
        1,
        name="Call",
        within_minutes=240,
        target_share=Decimal("0.9"),
    )
    await sign(world, delivery, response, sla=sla)
    return sla


async def handed_off(
    world: World, origin: str, number: int, *, won: int, at: datetime, currency: str = "EUR"
) -> None:
    """Store hand-offs of leads from one origin, of which the first ones were won for 1,000."""
    stage = PipelineStage(id=new_id(), name="Talks", position=1, win_rate=Decimal(0), created_at=at)
    made: list[Any] = [stage]
    for n in range(number):
        lead = an_mql(at, n, origin_source=origin)
        handoff = Handoff(
            id=new_id(),
            lead_id=lead.id,
            from_team_id=world.marketing.id,
            to_team_id=world.sales.id,
            score=0,
            handed_off_at=at,
            recorded_at=at,
            status=HandoffStatus.ACCEPTED,
            decided_at=at,
        )
        made += [lead, handoff]
        if n < won:
            made.append(
                Opportunity(
                    id=new_id(),
                    name="Deal",
                    lead_id=lead.id,
                    stage_id=stage.id,
                    opened_at=at,
                    stage_entered_at=at,
                    recorded_at=at,
                    updated_at=at,
                    amount_minor=100_000,
                    currency=currency,
                    status=OpportunityStatus.WON,
                    closed_at=at + timedelta(days=1),
                )
            )
    async with world.work() as work:
        await work.add_all(made)


async def reckoned(world: World) -> ValueRecalibration | None:
    async with world.work() as work:
        found: ValueRecalibration | None = await recalibrate(work, system(world.tenant.id))
        return found


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


async def test_the_next_version_of_an_agreement_may_take_the_values(world: World) -> None:
    sla = await an_agreement(world)
    await handed_off(world, "fair", 20, won=8, at=NOON - timedelta(days=100))
    found = await reckoned(world)
    assert found is not None
    variables = {"sla": public("Sla", sla.id), "id": public("ValueRecalibration", found.id)}

    answer = await world.data(TAKE, variables, as_=world.marketer)

    assert answer["slaTakeValues"]["userErrors"] == []
    assert (answer["slaTakeValues"]["sla"]["number"], answer["slaTakeValues"]["sla"]["status"]) == (
        2,
        "PROPOSED",
    )
    async with world.work() as work:
        [proposed] = [each for each in await work.find(Sla) if each.number == 2]
        made = {each.name: each for each in await work.find(Commitment, sla_id=proposed.id)}
    assert [rule.units for rule in made["Leads"].values] == [
        value.units_proposed for value in found.deliveries[0].values
    ]
    assert (made["Call"].within_minutes, proposed.supersedes_id) == (240, sla.id)


async def test_values_are_taken_from_an_instant_to_come(world: World) -> None:
    sla = await an_agreement(world)
    await handed_off(world, "fair", 20, won=8, at=NOON - timedelta(days=100))
    found = await reckoned(world)
    assert found is not None
    variables = {"sla": public("Sla", sla.id), "id": public("ValueRecalibration", found.id)}
    late = await world.data(TAKE, {**variables, "at": "2026-06-01T00:00:01Z"}, as_=world.marketer)
    assert late["slaTakeValues"] == {
        "sla": None,
        "userErrors": [{"code": "BAD_EFFECTIVE_DATE", "path": ["effectiveAt"]}],
    }
    await world.data(TAKE, {**variables, "at": "2026-04-01T00:00:00Z"}, as_=world.marketer)
    async with world.work() as work:
        [proposed] = [each for each in await work.find(Sla) if each.number == 2]
    assert proposed.effective_at == datetime(2026, 4, 1, tzinfo=UTC)


async def test_values_of_a_month_are_not_taken_once_there_are_newer_ones(world: World) -> None:
    sla = await an_agreement(world)
    await handed_off(world, "fair", 20, won=8, at=NOON - timedelta(days=100))
    months = [await reckoned(world)]
    world.at(datetime(2026, 4, 1, tzinfo=UTC))
    months.append(await reckoned(world))
    march, april = (public("ValueRecalibration", each.id) for each in months if each is not None)
    variables = {"sla": public("Sla", sla.id), "id": march}

    answer = await world.data(TAKE, variables, as_=world.marketer)

    assert answer["slaTakeValues"] == {
        "sla": None,
        "userErrors": [{"code": "VALUES_OUTDATED", "path": ["recalibration"]}],
    }
    async with world.work() as work:
        assert [each.number for each in await work.find(Sla)] == [1]
    taken = await world.data(TAKE, {**variables, "id": april}, as_=world.marketer)
    assert taken["slaTakeValues"]["sla"] == {"number": 2, "status": "PROPOSED"}


async def test_the_last_values_of_an_agreement_are_taken_though_a_later_month_says_nothing_of_it(
    world: World,
) -> None:
    sla = await an_agreement(world)
    await handed_off(world, "fair", 20, won=8, at=NOON - timedelta(days=100))
    march = await reckoned(world)
    assert march is not None
    async with world.work() as work:
        await work.add(
            replace(march, id=new_id(), month_on=date(2026, 4, 1), deliveries=(), skipped=())
        )
    variables = {"sla": public("Sla", sla.id), "id": public("ValueRecalibration", march.id)}
    taken = await world.data(TAKE, variables, as_=world.marketer)
    assert taken["slaTakeValues"]["sla"] == {"number": 2, "status": "PROPOSED"}


async def test_values_of_another_agreement_are_not_taken(world: World) -> None:
    await an_agreement(world)
    await handed_off(world, "fair", 20, won=8, at=NOON - timedelta(days=100))
    found = await reckoned(world)
    assert found is not None
    other = a_sla(world, period=(date(2027, 1, 1), date(2027, 2, 1)))
    await sign(world, sla=other)
    variables = {"sla": public("Sla", other.id), "id": public("ValueRecalibration", found.id)}
    answer = await world.data(TAKE, variables, as_=world.marketer)
    assert answer["slaTakeValues"] == {
        "sla": None,
        "userErrors": [{"code": "NOTHING_CALIBRATED", "path": ["recalibration"]}],
    }
    async with world.work() as work:
        assert [each for each in await work.find(Sla) if each.number == 2] == []


@pytest.mark.parametrize("kind", ["Sla", "ValueRecalibration"])
async def test_what_is_not_there_is_not_found(world: World, kind: str) -> None:
    sla = await an_agreement(world)
    await handed_off(world, "fair", 20, won=8, at=NOON - timedelta(days=100))
    found = await reckoned(world)
    assert found is not None
    ids = {"Sla": sla.id, "ValueRecalibration": found.id, kind: new_id()}
    variables = {
        "sla": public("Sla", ids["Sla"]),
        "id": public("ValueRecalibration", ids["ValueRecalibration"]),
    }
    answer = await world.data(TAKE, variables, as_=world.marketer)
    assert answer["slaTakeValues"]["userErrors"][0]["code"] == "NOT_FOUND"


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
