"""Deals that were won by mistake, or then, or not at all: what followed from them follows along."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.customers import (
    Customer,
    CustomerStatus,
    CustomerStep,
    RevenueEvent,
    RevenueKind,
    record_revenue,
    set_status,
)
from domain.errors import DomainError
from domain.events import CustomerChanged, LeadEnteredStage, OpportunityChanged, RevenueRecorded
from domain.goals.targets import MetricTally
from domain.leads import Lead
from domain.lifecycle import StageEntry
from domain.opportunities import (
    Opportunity,
    OpportunityStatus,
    OpportunityStep,
    lose_opportunity,
    reopen_opportunity,
    update_opportunity,
    win_opportunity,
)
from domain.opportunities.details import OpportunityDetails
from domain.stages import Stage
from domain.values import Money
from tests.domain.building_deals import a_deal, a_pipeline, an_accepted_lead
from tests.domain.building_leads import MEMBER, NOON
from tests.fakes import FakeWork

DAY = timedelta(days=1)
BEFORE = NOON - 20 * DAY
MISTAKE = "It was another deal."


async def a_lead_with_deals(number: int) -> tuple[FakeWork, Lead, list[Opportunity]]:
    lead = an_accepted_lead(BEFORE)
    work = await a_pipeline(lead)
    return work, lead, [await a_deal(work, lead, opened_at=BEFORE) for _ in range(number)]


async def one(work: FakeWork, kind: type[Any], **equals: Any) -> Any:
    [found] = await work.find(kind, **equals)
    return found


def everything(work: FakeWork) -> dict[Any, Any]:
    """Return what is stored, steps of deals, versions and what counts to nothing aside."""
    kept = {
        place: replace(entity, version=1) if hasattr(entity, "version") else entity
        for place, entity in work._stored.items()
        if place[0] not in (OpportunityStep, Opportunity)
    }
    counted = {key: by for key, by in work.counts.items() if any(by.values())}
    return {**kept, "counts": counted}


async def test_a_won_deal_that_is_reopened_leaves_everything_as_it_was() -> None:
    work, lead, [deal] = await a_lead_with_deals(1)
    before = everything(work)
    await win_opportunity(work, MEMBER, deal.id, at=NOON - DAY)
    customer, revenue = await one(work, Customer), await one(work, RevenueEvent)
    work.events.clear()

    reopened = await reopen_opportunity(work, MEMBER, deal.id, reason=f" {MISTAKE} ")

    assert reopened == replace(deal, stage_entered_at=NOON, updated_at=NOON, version=3)
    assert everything(work) == before
    steps = await work.find(OpportunityStep)
    assert [(step.status, step.reason) for step in steps] == [
        (OpportunityStatus.OPEN, None),
        (OpportunityStatus.WON, None),
        (OpportunityStatus.OPEN, MISTAKE),
    ]
    told = {"at": NOON, "by": MEMBER.user_id}
    assert work.events == [
        RevenueRecorded(
            at=NOON - DAY,
            by=MEMBER.user_id,
            revenue_event_id=revenue.id,
            customer_id=customer.id,
        ),
        CustomerChanged(**told, customer_id=customer.id, lead_id=lead.id),
        LeadEnteredStage(**told, lead_id=lead.id, stage=Stage.OPPORTUNITY, previous=Stage.CUSTOMER),
        OpportunityChanged(**told, opportunity_id=deal.id, lead_id=lead.id),
    ]


async def test_why_a_deal_was_lost_is_kept_when_it_is_reopened() -> None:
    work, _, [deal] = await a_lead_with_deals(1)
    await lose_opportunity(work, MEMBER, deal.id, reason="Too dear.")
    await reopen_opportunity(work, MEMBER, deal.id)

    steps = await work.find(OpportunityStep)

    assert [step.reason for step in steps] == [None, "Too dear.", None]


async def test_who_had_left_and_came_back_by_it_has_left() -> None:
    work, lead, [first, second] = await a_lead_with_deals(2)
    await win_opportunity(work, MEMBER, first.id, at=NOON - 9 * DAY)
    customer = await one(work, Customer)
    await set_status(work, MEMBER, customer.id, CustomerStatus.CHURNED, at=NOON - 5 * DAY)
    before = everything(work)
    await win_opportunity(work, MEMBER, second.id, at=NOON - DAY)
    assert (await one(work, Customer)).status is CustomerStatus.ACTIVE
    work.events.clear()

    await reopen_opportunity(work, MEMBER, second.id, reason=MISTAKE)

    assert everything(work) == before
    told = CustomerChanged(at=NOON, by=MEMBER.user_id, customer_id=customer.id, lead_id=lead.id)
    assert told in work.events


@pytest.mark.parametrize("puts_right", ["reopens", "redates"])
async def test_who_bought_again_since_was_back_by_that(puts_right: str) -> None:
    work, _, [first, second, third] = await a_lead_with_deals(3)
    await win_opportunity(work, MEMBER, first.id, at=NOON - 9 * DAY)
    customer = await one(work, Customer)
    await set_status(work, MEMBER, customer.id, CustomerStatus.CHURNED, at=NOON - 5 * DAY)
    await win_opportunity(work, MEMBER, second.id, at=NOON - 4 * DAY)
    await win_opportunity(work, MEMBER, third.id, at=NOON - 3 * DAY)

    if puts_right == "reopens":
        await reopen_opportunity(work, MEMBER, second.id, reason=MISTAKE)
    else:
        nothing = OpportunityDetails()
        await update_opportunity(work, MEMBER, second.id, nothing, closed_at=NOON - DAY)

    customer = await one(work, Customer)
    assert (customer.status, customer.status_entered_at) == (
        CustomerStatus.ACTIVE,
        NOON - 3 * DAY,
    )
    kinds = {each.at: each.kind for each in await work.find(RevenueEvent)}
    assert kinds[NOON - 3 * DAY] is RevenueKind.NEW
    assert kinds.get(NOON - DAY) in {None, RevenueKind.EXPANSION}


async def test_a_purchase_that_turns_out_to_be_later_than_leaving_brings_back() -> None:
    work, _, [first, second] = await a_lead_with_deals(2)
    await win_opportunity(work, MEMBER, first.id, at=NOON - 9 * DAY)
    await win_opportunity(work, MEMBER, second.id, at=NOON - 8 * DAY)
    customer = await one(work, Customer)
    await set_status(work, MEMBER, customer.id, CustomerStatus.CHURNED, at=NOON - 5 * DAY)
    left, nothing = everything(work), OpportunityDetails()

    await update_opportunity(work, MEMBER, second.id, nothing, closed_at=NOON - 2 * DAY)
    back = await one(work, Customer)
    kinds = {each.at: each.kind for each in await work.find(RevenueEvent)}
    await update_opportunity(work, MEMBER, second.id, nothing, closed_at=NOON - 8 * DAY)

    assert (back.status, back.status_entered_at) == (CustomerStatus.ACTIVE, NOON - 2 * DAY)
    assert kinds == {NOON - 9 * DAY: RevenueKind.NEW, NOON - 2 * DAY: RevenueKind.NEW}
    assert everything(work) == left


@pytest.mark.parametrize("kind", [RevenueKind.EXPANSION, RevenueKind.RENEWAL, RevenueKind.CHURN])
async def test_what_more_revenue_rests_on_stays_won(kind: RevenueKind) -> None:
    work, lead, [deal] = await a_lead_with_deals(1)
    await win_opportunity(work, MEMBER, deal.id, at=NOON - DAY)
    await record_revenue(work, MEMBER, lead=lead.id, kind=kind, amount=Money(1, "EUR"))
    before = dict(work._stored)

    with pytest.raises(DomainError) as refused:
        await reopen_opportunity(work, MEMBER, deal.id, reason=MISTAKE)

    assert (refused.value.code, refused.value.path) == ("WON_STAYS_WON", ("opportunity",))
    assert work._stored == before


async def test_when_a_deal_was_won_may_be_put_right() -> None:
    work, _, [deal] = await a_lead_with_deals(1)
    await win_opportunity(work, MEMBER, deal.id, at=NOON - DAY)

    customer = await one(work, Customer)
    await set_status(work, MEMBER, customer.id, CustomerStatus.ADVOCATE)

    nothing = OpportunityDetails()
    await update_opportunity(work, MEMBER, deal.id, nothing, closed_at=NOON - 9 * DAY)

    revenue, customer = await one(work, RevenueEvent), await one(work, Customer)
    assert revenue.at == customer.bought_at == NOON - 9 * DAY
    entry = await one(work, StageEntry, stage=Stage.CUSTOMER)
    assert entry.entered_at == NOON - 9 * DAY
    assert (customer.status, (await one(work, Lead)).stage) == (
        CustomerStatus.ADVOCATE,
        Stage.ADVOCATE,
    )
    steps = await work.find(OpportunityStep)
    assert [(step.status, step.at) for step in steps] == [
        (OpportunityStatus.OPEN, BEFORE),
        (OpportunityStatus.WON, NOON - 9 * DAY),
    ]


@pytest.mark.parametrize(
    ("closed_at", "code"),
    [
        (BEFORE - DAY, "CLOSES_BEFORE_IT_OPENS"),
        (NOON + DAY, "INVALID"),
    ],
)
async def test_a_deal_is_closed_neither_before_it_opens_nor_in_the_future(
    closed_at: datetime, code: str
) -> None:
    work, _, [deal, still_open] = await a_lead_with_deals(2)
    await win_opportunity(work, MEMBER, deal.id, at=NOON - DAY)
    before = dict(work._stored)
    attempts = {deal.id: code, still_open.id: code if code == "INVALID" else "STILL_OPEN"}

    for id, expected in attempts.items():
        attempt = update_opportunity(work, MEMBER, id, OpportunityDetails(), closed_at=closed_at)
        with pytest.raises(DomainError) as refused:
            await attempt
        assert (refused.value.code, refused.value.path) == (expected, ("closedAt",))
    assert work._stored == before


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["win", "lose", "reopen", "redate", "leave"])),
        max_size=12,
    )
)
async def test_customers_revenue_stages_and_tallies_follow_from_what_is_won(
    steps: list[tuple[int, str]],
) -> None:
    work, lead, deals = await a_lead_with_deals(3)
    work.now = NOON - 15 * DAY
    for place, what in steps:
        work.now += DAY
        await tried(work, deals[place], what)

    won = [each for each in await work.find(Opportunity) if each.status is OpportunityStatus.WON]
    first = min((each.closed_at for each in won if each.closed_at), default=None)
    revenue = await work.find(RevenueEvent)
    assert {(each.opportunity_id, each.at) for each in revenue} == {
        (each.id, each.closed_at) for each in won
    }
    steps_taken = await work.find(CustomerStep)
    left = {each.at for each in steps_taken if each.status is CustomerStatus.CHURNED}
    assert {each.at: each.kind for each in revenue} == kinds_by_plain_count(
        sorted(each.at for each in revenue), left
    )
    customers = await work.find(Customer)
    assert [each.bought_at for each in customers] == [first] * bool(won)
    last_bought = max((each.at for each in revenue), default=work.now)
    has_left = any(gone > last_bought for gone in left)
    assert [each.status is CustomerStatus.CHURNED for each in customers] == [has_left] * bool(won)
    entries = await work.find(StageEntry, lead_id=lead.id)
    lead = await one(work, Lead)
    assert lead.stage is (Stage.CUSTOMER if won else Stage.OPPORTUNITY)
    last = max(entries, key=lambda entry: (entry.entered_at, entry.stage.rank))
    assert (last.stage, last.entered_at) == (lead.stage, lead.stage_entered_at)
    assert [each.stage for each in entries].count(Stage.CUSTOMER) == bool(won)
    counted = {
        on: by["amount"]
        for (tally, on, key), by in work.counts.items()
        if tally is MetricTally and ("metric", "CUSTOMERS") in key and by["amount"]
    }
    days = [each.entered_at.date() for each in entries if each.stage is Stage.CUSTOMER]
    assert counted == dict.fromkeys(days, 1)


def kinds_by_plain_count(bought: list[datetime], left: set[datetime]) -> dict[Any, Any]:
    """Return the kinds of what was bought when: the first, and the first since leaving, are NEW."""
    return {
        at: RevenueKind.NEW
        if before is None or any(before <= gone <= at for gone in left)
        else RevenueKind.EXPANSION
        for before, at in zip([None, *bought], bought, strict=False)
    }


async def tried(work: FakeWork, deal: Opportunity, what: str) -> None:
    """Do what can be done; what the deal is in no state for is refused."""
    try:
        match what:
            case "win":
                await win_opportunity(work, MEMBER, deal.id)
            case "lose":
                await lose_opportunity(work, MEMBER, deal.id, reason="No.")
            case "reopen":
                await reopen_opportunity(work, MEMBER, deal.id, reason=MISTAKE)
            case "leave":
                for customer in await work.find(Customer):
                    await set_status(work, MEMBER, customer.id, CustomerStatus.CHURNED)
            case _:
                closed_at = work.now - DAY / 2
                nothing = OpportunityDetails()
                await update_opportunity(work, MEMBER, deal.id, nothing, closed_at=closed_at)
    except DomainError as refusal:
        assert refusal.code in {"ALREADY_CLOSED", "STILL_OPEN", "STANDS_SO_ALREADY"}  # noqa: PT017  # any other is wrong
