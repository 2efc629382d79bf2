"""How revenue came to stand, counted by hand."""

from __future__ import annotations

from typing import Any

from domain.customers import (
    Customer,
    CustomerStep,
    RevenueEvent,
    RevenueKind,
    record_revenue,
)
from domain.ids import public
from domain.leads import Lead
from domain.lifecycle import StageEntry
from domain.stages import Stage
from domain.values import Money
from tests.agreements import add_mql
from tests.api.dealing import accepted_lead, deal, importer, on
from tests.api.test_exchange import set_rate
from tests.api.test_opportunities import ref
from tests.deals import add_revenue
from tests.world import World

FIGURES = """query($period: GoalPeriodInput!) { revenueFigures(period: $period) {
  startsOn endsOn opening { amount currency } new { amount } expansion { amount }
  renewal { amount } churn { amount } total { amount } closing { amount }
  grossRetentionRate netRetentionRate } }"""
CUSTOMERS = """{ customers { nodes { id value { new { amount } expansion { amount }
  renewal { amount } churn { amount } total { amount } current { amount currency }
  missing { currency to on } } } } }"""
RECORD = """mutation($input: RevenueRecordInput!) { revenueRecord(input: $input) {
  revenueEvent { id } userErrors { code } } }"""
DELETE = """mutation($id: ID!) { revenueDelete(input: {revenueEvent: $id}) {
  lead { stage customer { status value { current { amount } } } } userErrors { code path } } }"""
MARCH = {"kind": "MONTH", "startsOn": "2026-03-01"}
K = RevenueKind


async def figures(world: World, **period: Any) -> dict[str, Any]:
    found: dict[str, Any] = await world.data(FIGURES, {"period": {**MARCH, **period}})
    return {
        name: each["amount"] if isinstance(each, dict) else each
        for name, each in found["revenueFigures"].items()
    }


async def test_a_period_begins_with_what_there_was_and_ends_with_what_there_is(
    world: World,
) -> None:
    old, other, new = [await add_mql(world) for _ in range(3)]
    at = on(5)
    await add_revenue(world, old, (K.NEW, 100_00, on(1, 2)), (K.RENEWAL, 100_00, at))
    await add_revenue(
        world,
        other,
        (K.NEW, 300_00, on(1, 2)),
        (K.CHURN, 50_00, on(28, 2)),
        (K.EXPANSION, 30_00, at),
        (K.CHURN, 100_00, at),
    )
    await add_revenue(world, new, (K.NEW, 40_00, at), (K.CHURN, 15_00, at), currency="USD")
    await add_revenue(world, await add_mql(world), (K.NEW, 7_00, on(1, 4, hour=0)))
    await set_rate(world, "USD", "2", "2026-03-05")

    assert await figures(world) == {
        "startsOn": "2026-03-01",
        "endsOn": "2026-04-01",
        "opening": "350.00",
        "new": "80.00",
        "expansion": "30.00",
        "renewal": "100.00",
        "churn": "130.00",  # 100 of those there were, 30 of the new one
        "total": "210.00",
        "closing": "330.00",
        "grossRetentionRate": "0.7143",  # 250 / 350
        "netRetentionRate": "0.8000",  # 280 / 350
    }
    before = await figures(world, startsOn="2026-02-01")
    assert (before["opening"], before["closing"]) == ("0.00", "350.00")
    assert (before["grossRetentionRate"], before["netRetentionRate"]) == (None, None)


async def test_without_a_rate_a_period_is_refused_and_a_customer_says_so(world: World) -> None:
    events = ((K.NEW, 100_00, on(1, 2)), (K.EXPANSION, 20_00, on(2, 2)), (K.CHURN, 5_00, on(3, 2)))
    euros = await add_revenue(world, await add_mql(world), *events, (K.RENEWAL, 1_00, on(4, 2)))
    dollars = await add_revenue(world, await add_mql(world), *events, currency="USD")
    await set_rate(world, "USD", "0.5", "2026-02-02")

    refused = await world.ask(FIGURES, {"period": MARCH})
    shown = (await world.data(CUSTOMERS))["customers"]["nodes"]

    assert refused["errors"][0]["extensions"]["reason"] == "RATE_MISSING"
    by_id = {each["id"]: each["value"] for each in shown}
    assert by_id == {
        public("Customer", euros.id): {
            "new": {"amount": "100.00"},
            "expansion": {"amount": "20.00"},
            "renewal": {"amount": "1.00"},
            "churn": {"amount": "5.00"},
            "total": {"amount": "121.00"},
            "current": {"amount": "115.00", "currency": "EUR"},
            "missing": None,
        },
        public("Customer", dollars.id): {
            "new": {"amount": "0.00"},
            "expansion": {"amount": "10.00"},
            "renewal": {"amount": "0.00"},
            "churn": {"amount": "2.50"},
            "total": {"amount": "10.00"},
            "current": {"amount": "7.50", "currency": "EUR"},
            "missing": {"currency": "USD", "to": "EUR", "on": "2026-02-01"},
        },
    }


async def recorded(world: World, lead: Lead, kind: str, amount: str = "100") -> str:
    told = {"amount": amount, "currency": "EUR"}
    input = {"customer": {"lead": ref(lead)}, "kind": kind, "amount": told}
    answer = (await world.data(RECORD, {"input": input}, as_=world.rep))["revenueRecord"]
    assert answer["userErrors"] == []
    world.wait(hours=1)
    id: str = answer["revenueEvent"]["id"]
    return id


async def deleted(world: World, id: str) -> Any:
    answer = await world.data(DELETE, {"id": id}, as_=world.rep)
    return answer["revenueDelete"]


async def test_revenue_that_was_a_mistake_is_taken_back_with_what_followed(world: World) -> None:
    lead = await accepted_lead(world)
    first = await recorded(world, lead, "NEW")
    churn = await recorded(world, lead, "CHURN")

    refused = await deleted(world, first)
    back = await deleted(world, churn)
    none = await deleted(world, first)

    assert refused == {
        "lead": None,
        "userErrors": [{"code": "WON_STAYS_WON", "path": ["revenueEvent"]}],
    }
    customer = {"status": "ACTIVE", "value": {"current": {"amount": "100.00"}}}
    assert back == {"lead": {"stage": "CUSTOMER", "customer": customer}, "userErrors": []}
    assert none == {"lead": {"stage": "SAL", "customer": None}, "userErrors": []}
    async with world.work() as work:
        kinds = (RevenueEvent, Customer, CustomerStep)
        assert [await work.find(kind) for kind in kinds] == [[], [], []]
        entries = [entry.stage for entry in await work.find(StageEntry, lead_id=lead.id)]
        assert Stage.CUSTOMER not in entries


async def test_who_left_by_a_mistake_had_not_left_when_they_bought_more(world: World) -> None:
    lead = await accepted_lead(world)
    await recorded(world, lead, "NEW")
    churn = await recorded(world, lead, "CHURN")
    await deal(world, lead.id, "50", opened=world.now, won=world.now)
    as_told = await figures(world)
    world.wait(hours=1)

    answer = await deleted(world, churn)

    assert (as_told["new"], as_told["expansion"]) == ("150.00", "0.00")
    assert answer["lead"]["customer"]["status"] == "ACTIVE"
    found = await figures(world)
    assert (found["new"], found["expansion"], found["closing"]) == ("100.00", "50.00", "150.00")


async def test_what_a_deal_brought_is_put_right_with_the_deal(world: World) -> None:
    lead = await accepted_lead(world)
    await deal(world, lead.id, opened=world.now, won=world.now)
    again = await recorded(world, lead, "NEW", "7")
    async with world.work() as work:
        before = await work.find(RevenueEvent)
    ids = {each.opportunity_id is None: public("RevenueEvent", each.id) for each in before}

    unknown = public("RevenueEvent", lead.id)
    answers = [await deleted(world, id) for id in (ids[False], unknown)]
    kept = await deleted(world, again)

    assert [answer["userErrors"] for answer in answers] == [
        [{"code": "REVENUE_OF_DEAL", "path": ["revenueEvent"]}],
        [{"code": "NOT_FOUND", "path": ["revenueEvent"]}],
    ]
    assert kept["lead"]["stage"] == "CUSTOMER"
    async with world.work() as work:
        assert await work.find(RevenueEvent) == [each for each in before if each.opportunity_id]


async def test_only_a_deal_that_makes_a_customer_or_brings_one_back_is_new(world: World) -> None:
    lead = await accepted_lead(world)
    for amount, day in (("20", 4), ("100", 2)):
        await deal(world, lead.id, amount, opened=on(1), won=on(day))
    async with world.work() as work:
        lost = Money(120_00, "EUR")
        await record_revenue(
            work, importer(world), lead=lead.id, kind=K.CHURN, amount=lost, at=on(6)
        )
    await deal(world, lead.id, "50", opened=on(1), won=on(8))

    found = await figures(world)

    told = {kind: found[kind] for kind in ("new", "expansion", "churn", "closing")}
    assert told == {"new": "150.00", "expansion": "20.00", "churn": "120.00", "closing": "50.00"}


async def test_another_tenants_revenue_is_in_no_figure(world: World, other_world: World) -> None:
    await add_revenue(other_world, await add_mql(other_world), (K.NEW, 100_00, on(1)))

    assert (await figures(world))["closing"] == "0.00"


async def test_who_had_left_before_a_period_is_not_kept_in_it(world: World) -> None:
    """Nor is anything kept of what nobody knows the amount of."""
    at = on(5)
    for events in (
        ((K.NEW, 100_00, on(1, 2)), (K.CHURN, 25_00, at), (K.EXPANSION, 50_00, at)),
        # Left and came back within it, and then bought less: all of the opening had been lost.
        (
            (K.NEW, 100_00, on(1, 2)),
            (K.CHURN, 100_00, at),
            (K.NEW, 90_00, at),
            (K.CHURN, 20_00, at),
        ),
        ((K.NEW, 300_00, on(1, 2)), (K.CHURN, 300_00, on(20, 2)), (K.NEW, 300_00, at)),
        ((K.RENEWAL, 40_00, on(2, 2)), (K.EXPANSION, 10_00, at), (K.CHURN, 10_00, at)),
    ):
        await add_revenue(world, await add_mql(world), *events)

    found = await figures(world)

    told = {name: found[name] for name in ("opening", "new", "expansion", "churn", "closing")}
    assert told == {
        "opening": "200.00",
        "new": "390.00",
        "expansion": "60.00",
        "churn": "155.00",
        "closing": "495.00",
    }
    # 75 and 0 of 200; 125 and 70 of 200.
    assert (found["grossRetentionRate"], found["netRetentionRate"]) == ("0.3750", "0.9750")


async def test_nobody_loses_more_than_they_brought_in_either_rate(world: World) -> None:
    """Net retention is never below gross: one who left keeps nothing of the others'."""
    for events in (
        ((K.NEW, 100_00, on(1, 2)), (K.CHURN, 250_00, on(5))),
        ((K.NEW, 100_00, on(1, 2)), (K.CHURN, 10_00, on(5)), (K.EXPANSION, 30_00, on(6))),
        ((K.NEW, 100_00, on(1, 2)), (K.CHURN, 150_00, on(2, 2))),  # and that was before
    ):
        await add_revenue(world, await add_mql(world), *events)

    found = await figures(world)

    assert (found["opening"], found["churn"], found["closing"]) == ("150.00", "260.00", "-80.00")
    # 90 of 200 is left, and 120 with what was bought more.
    assert (found["grossRetentionRate"], found["netRetentionRate"]) == ("0.4500", "0.6000")


async def test_who_left_in_dollars_is_not_kept_by_what_the_rates_leave(world: World) -> None:
    left = ((K.NEW, 100_00, on(1, 2)), (K.CHURN, 100_00, on(20, 2)), (K.NEW, 500_00, on(5)))
    await add_revenue(world, await add_mql(world), *left, currency="USD")
    await add_revenue(world, await add_mql(world), (K.NEW, 100_00, on(1, 2)))
    await set_rate(world, "USD", "0.9", "2026-02-01")
    await set_rate(world, "USD", "0.8", "2026-02-10")

    found = await figures(world)

    # 90 euros came and 80 went.
    assert (found["opening"], found["new"]) == ("110.00", "400.00")
    assert (found["grossRetentionRate"], found["netRetentionRate"]) == ("1.0000", "1.0000")
