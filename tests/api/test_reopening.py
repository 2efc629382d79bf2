"""Deals that turn out not to be won, or not then, through the API and on a real database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from domain.customers import Customer, CustomerStep, RevenueEvent
from domain.errors import DomainError
from domain.goals.targets import EVERYBODY, MetricTally
from domain.ids import public
from domain.leads import Lead
from domain.lifecycle import StageEntry
from domain.merging import merge_leads, unmerge_leads
from domain.opportunities import (
    Opportunity,
    OpportunityStep,
    lose_opportunity,
    reopen_opportunity,
    win_opportunity,
)
from domain.stages import Stage
from tests.api.dealing import accepted_lead, deal
from tests.api.test_opportunities import LOSE, REOPEN, UPDATE, UPSERT, WIN, done, ref, row
from tests.world import World

OUTCOME = """query($id: ID!) { handoffs(filter: {leadId: {eq: $id}}) { nodes {
  outcome { kind } opportunities { nodes { status } } lead { stage customer { id } } } } }"""
FRUIT = """{ customers { totalCount } revenueEvents { totalCount }
  salesFigures { wonCount wonAmount { amount } }
  fruitfulEfforts(by: ORIGIN) { won revenue { amount } } }"""


async def outcome(world: World, lead: Lead) -> Any:
    found = await world.data(OUTCOME, {"id": public("Lead", lead.id)}, as_=world.marketer)
    [handoff] = found["handoffs"]["nodes"]
    return handoff


async def customers_counted(world: World) -> dict[Any, int]:
    async with world.work() as work:
        found = await work.find(MetricTally, metric="CUSTOMERS", team_id=EVERYBODY)
        return {tally.on: tally.amount for tally in found if tally.amount}


async def stored(world: World) -> dict[str, list[Any]]:
    kinds = (Opportunity, OpportunityStep, RevenueEvent, Customer, CustomerStep, StageEntry, Lead)
    async with world.work() as work:
        return {kind.__name__: list(await work.find(kind)) for kind in kinds}


async def test_marketing_sees_at_once_that_a_won_deal_was_none(world: World) -> None:
    lead = await accepted_lead(world)
    won = await deal(world, lead.id, opened=world.now, won=world.now)
    assert (await outcome(world, lead))["outcome"] == {"kind": "WON"}
    assert list((await customers_counted(world)).values()) == [1]
    world.wait(hours=1)

    told = {"id": public("Opportunity", won.id)}
    answer = await done(world, REOPEN, opportunity=told, reason="They never signed.")

    assert answer["userErrors"] == []
    assert answer["opportunity"]["status"] == "OPEN"
    assert await outcome(world, lead) == {
        "outcome": {"kind": "OPPORTUNITY"},
        "opportunities": {"nodes": [{"status": "OPEN"}]},
        "lead": {"stage": "OPPORTUNITY", "customer": None},
    }
    assert await world.data(FRUIT) == {
        "customers": {"totalCount": 0},
        "revenueEvents": {"totalCount": 0},
        "salesFigures": {"wonCount": 0, "wonAmount": {"amount": "0.00"}},
        "fruitfulEfforts": [{"won": 0, "revenue": {"amount": "0.00"}}],
    }
    assert await customers_counted(world) == {}


async def test_two_who_close_or_reopen_at_once_do_it_once(world: World) -> None:
    lead = await accepted_lead(world)
    told = {"opportunity": {"id": public("Opportunity", (await deal(world, lead.id)).id)}}

    closed = await asyncio.gather(
        done(world, WIN, **told), done(world, LOSE, **told, reason="No."), done(world, WIN, **told)
    )
    await done(world, REOPEN, **told, reason="Which of them?")
    await done(world, WIN, **told)
    opened = await asyncio.gather(*(done(world, REOPEN, **told, reason="No.") for _ in range(3)))

    codes = [
        sorted(error["code"] for answer in answers for error in answer["userErrors"])
        for answers in (closed, opened)
    ]
    assert codes == [["ALREADY_CLOSED"] * 2, ["STILL_OPEN"] * 2]
    kept = await stored(world)
    assert (kept["RevenueEvent"], kept["Customer"]) == ([], [])
    assert await customers_counted(world) == {}


async def test_nothing_is_taken_back_without_a_reason(world: World) -> None:
    lead = await accepted_lead(world)
    won = await deal(world, lead.id, opened=world.now, won=world.now)
    before = await stored(world)

    answer = await done(world, REOPEN, opportunity={"id": public("Opportunity", won.id)})

    assert answer == {
        "opportunity": None,
        "userErrors": [{"code": "REOPEN_REASON_NEEDED", "path": ["reason"]}],
    }
    assert await stored(world) == before


async def test_the_day_a_deal_was_closed_may_be_put_right(world: World) -> None:
    lead = await accepted_lead(world)
    opened = world.now
    world.wait(days=3)
    won = await deal(world, lead.id, opened=opened, won=world.now)
    told = {"opportunity": {"id": public("Opportunity", won.id)}, "version": won.version}

    answer = await done(world, UPDATE, **told, closedAt="2026-03-11T09:00:00Z")
    again = await done(world, UPDATE, **told, closedAt="2026-03-12T09:00:00Z")

    assert answer["opportunity"]["closedAt"] == "2026-03-11T09:00:00Z"
    assert again["userErrors"] == [{"code": "STALE", "path": []}]
    kept = await stored(world)
    [revenue], [customer] = kept["RevenueEvent"], kept["Customer"]
    assert revenue.at == customer.bought_at == opened.replace(day=11, hour=9)
    assert {str(day): n for day, n in (await customers_counted(world)).items()} == {"2026-03-11": 1}


async def test_a_crm_that_thinks_better_of_it_is_followed(world: World) -> None:
    lead = await accepted_lead(world)
    told = {"lead": ref(lead), "amount": "10", "currency": "EUR"}
    world.wait(days=2)
    states: list[dict[str, Any]] = [
        {**told, "openedAt": "2026-03-10T13:00:00Z", "status": "WON"},
        {"status": "WON", "closedAt": "2026-03-11T12:00:00Z"},
        {"status": "LOST", "closedAt": "2026-03-10T14:00:00Z", "lostReason": "No."},
        {"status": "LOST", "lostReason": "Too dear."},
        {"status": "OPEN", "amount": None},
        {"status": "WON", "amount": "12", "currency": "EUR"},
        {"status": "OPEN", "closedAt": "2026-03-11T12:00:00Z"},
        {"status": "LOST"},
        {"status": "WON"},
    ]

    outcomes = []
    for said in states:
        world.wait(minutes=5)
        [answer] = (await world.data(UPSERT, {"rows": [row("1", **said)]}, as_=world.rep))[
            "opportunitiesUpsert"
        ]["rows"]
        errors = [error["code"] for error in answer["userErrors"]]
        kept = await stored(world)
        outcomes.append((answer["outcome"], *errors, len(kept["Customer"]), kept["Lead"][0].stage))

    assert outcomes == [
        ("CREATED", 1, Stage.CUSTOMER),
        ("UPDATED", 1, Stage.CUSTOMER),
        ("UPDATED", 0, Stage.OPPORTUNITY),
        ("UPDATED", 0, Stage.OPPORTUNITY),
        ("UPDATED", 0, Stage.OPPORTUNITY),
        ("UPDATED", 1, Stage.CUSTOMER),
        ("REFUSED", "INVALID", 1, Stage.CUSTOMER),
        ("REFUSED", "LOST_REASON_NEEDED", 1, Stage.CUSTOMER),
        ("UNCHANGED", 1, Stage.CUSTOMER),
    ]
    steps = [(step.status, step.reason) for step in kept["OpportunityStep"]]
    assert steps == [
        ("OPEN", None),
        ("LOST", "Too dear."),
        ("OPEN", "crm says that it is open."),
        ("WON", None),
    ]
    assert list((await customers_counted(world)).values()) == [1]


async def test_a_row_that_fails_after_taking_back_takes_nothing_back(world: World) -> None:
    lead = await accepted_lead(world)
    told = {"lead": ref(lead), "amount": "10", "currency": "EUR", "status": "WON"}
    await world.data(UPSERT, {"rows": [row("1", **told)]}, as_=world.rep)
    before = await stored(world)

    rows = [row("1", status="OPEN", stage={"name": "Nowhere"}), row("2", lead=ref(lead))]
    answer = await world.data(UPSERT, {"rows": rows}, as_=world.rep)

    outcomes = [each["outcome"] for each in answer["opportunitiesUpsert"]["rows"]]
    assert outcomes == ["REFUSED", "CREATED"]
    kept = await stored(world)
    assert kept.pop("Opportunity")[:1] == before.pop("Opportunity")
    assert kept.pop("OpportunityStep")[:2] == before.pop("OpportunityStep")
    assert kept == before


@pytest.mark.parametrize("what", ["the winner's", "the loser's", "lost instead"])
async def test_leads_whose_deal_was_taken_back_cannot_be_told_apart(
    world: World, what: str
) -> None:
    one, other = await accepted_lead(world), await accepted_lead(world)
    mine, theirs = [await deal(world, lead.id, opened=world.now) for lead in (one, other)]
    rep, owner = world.actor(world.rep), world.actor()
    async with world.work() as work:
        await win_opportunity(work, rep, mine.id)
        await win_opportunity(work, rep, theirs.id)
    world.wait(hours=1)
    async with world.work() as work:
        merge = await merge_leads(work, owner, one.id, [other.id])
    async with world.work() as work:
        taken = mine if what == "the winner's" else theirs
        await reopen_opportunity(work, rep, taken.id, reason="It was none.")
        if what == "lost instead":
            await lose_opportunity(work, rep, taken.id, reason="No.")
    before = await stored(world)

    with pytest.raises(DomainError) as refused:
        async with world.work() as work:
            await unmerge_leads(work, owner, merge.id)

    assert refused.value.code == "CHANGED_SINCE"
    assert await stored(world) == before
    assert [customer.bought_at for customer in before["Customer"]] == [
        world.now - timedelta(hours=1)
    ]


async def test_nor_can_those_whose_deal_was_won_anew(world: World) -> None:
    one, other = await accepted_lead(world), await accepted_lead(world)
    theirs = await deal(world, other.id, opened=world.now, won=world.now)
    rep, owner = world.actor(world.rep), world.actor()
    async with world.work() as work:
        merge = await merge_leads(work, owner, one.id, [other.id])
    world.wait(hours=1)
    async with world.work() as work:
        await reopen_opportunity(work, rep, theirs.id, reason="Not yet.")
    world.wait(hours=1)
    async with world.work() as work:
        await win_opportunity(work, rep, theirs.id)
    before = await stored(world)

    with pytest.raises(DomainError) as refused:
        async with world.work() as work:
            await unmerge_leads(work, owner, merge.id)

    assert refused.value.code == "CHANGED_SINCE"
    assert await stored(world) == before


async def test_only_so_much_may_go_from_the_books(world: World) -> None:
    """The application may delete what is taken back, and nothing it refers to."""
    async with world.work() as work:
        rows = await work.connection.fetch(
            "SELECT c.relname, has_table_privilege(current_user, c.oid, 'DELETE') FROM pg_class c"
            " WHERE c.relname = ANY($1) ORDER BY 1",
            ["customer_steps", "opportunities", "opportunity_steps", "revenue_events"],
        )
    assert [tuple(each) for each in rows] == [
        ("customer_steps", True),
        ("opportunities", False),
        ("opportunity_steps", True),
        ("revenue_events", True),
    ]
