"""What deals bring: NEW where they make a customer, EXPANSION where there is one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.customers import (
    Customer,
    CustomerStatus,
    CustomerStep,
    RevenueEvent,
    RevenueKind,
    kinds_of_deals,
    record_revenue,
    set_status,
)
from domain.ids import new_id
from domain.opportunities import reopen_opportunity, update_opportunity, win_opportunity
from domain.opportunities.details import OpportunityDetails
from domain.values import Money
from tests.domain.building_deals import a_deal, a_pipeline, an_accepted_lead
from tests.domain.building_leads import MEMBER, NOON, stored
from tests.fakes import FakeWork

DAY = timedelta(days=1)
NEW, EXPANSION = RevenueKind.NEW, RevenueKind.EXPANSION
CHURNED, ACTIVE = CustomerStatus.CHURNED, CustomerStatus.ACTIVE


def kinds(bought: list[int], steps: list[tuple[int, CustomerStatus]], since: int) -> list[Any]:
    """Return the kinds of deals by the days on which they were won."""
    customer = Customer(
        id=new_id(),
        lead_id=new_id(),
        bought_at=NOON + since * DAY,
        status=ACTIVE,
        status_entered_at=NOON,
    )
    deals = [
        RevenueEvent(
            id=new_id(),
            customer_id=customer.id,
            kind=EXPANSION,
            amount_minor=1,
            currency="EUR",
            at=NOON + day * DAY,
            recorded_at=NOON,
            opportunity_id=new_id(),
        )
        for day in bought
    ]
    taken = [
        CustomerStep(
            id=new_id(),
            customer_id=customer.id,
            status=status,
            at=NOON + day * DAY,
            recorded_at=NOON,
        )
        for day, status in steps
    ]
    found = kinds_of_deals(customer, deals, taken)
    return [found[deal.id] for deal in deals]


@pytest.mark.parametrize(
    ("bought", "steps", "since", "expected"),
    [
        ([1], [(1, ACTIVE)], 1, [NEW]),
        ([1, 2], [(1, ACTIVE)], 1, [NEW, EXPANSION]),
        ([2, 1], [(1, ACTIVE)], 1, [EXPANSION, NEW]),  # told in any order
        ([1, 1], [(1, ACTIVE)], 1, [NEW, EXPANSION]),  # on the same day
        ([2], [(1, ACTIVE)], 1, [EXPANSION]),  # a deal without an amount came before
        ([1, 3, 4], [(1, ACTIVE), (2, CHURNED), (3, ACTIVE)], 1, [NEW, NEW, EXPANSION]),
        ([1, 3], [(1, ACTIVE), (3, CHURNED), (3, ACTIVE)], 1, [NEW, NEW]),  # back on that day
        ([1, 2], [(1, ACTIVE), (3, CHURNED)], 1, [NEW, EXPANSION]),  # left later
        ([1, 4], [(1, ACTIVE), (2, CHURNED), (3, ACTIVE)], 1, [NEW, EXPANSION]),  # back before
        ([1, 3], [(1, ACTIVE), (2, CustomerStatus.AT_RISK)], 1, [NEW, EXPANSION]),
        ([3], [(1, ACTIVE), (2, CHURNED), (3, ACTIVE)], 3, [NEW]),  # steps of a deal that was none
    ],
)
def test_a_deal_is_new_where_it_makes_a_customer_or_brings_one_back(bought, steps, since, expected):
    assert kinds(bought, steps, since) == expected


async def won(number: int) -> tuple[FakeWork, Any, list[Any]]:
    """Return deals won one after the other, a day apart, the last of them yesterday."""
    lead = an_accepted_lead(NOON - 20 * DAY)
    work = await a_pipeline(lead)
    deals = [await a_deal(work, lead, opened_at=NOON - 20 * DAY) for _ in range(number)]
    for place, deal in enumerate(deals):
        await win_opportunity(work, MEMBER, deal.id, at=NOON - (number - place) * DAY)
    return work, lead, deals


def told(work: FakeWork) -> list[RevenueKind]:
    return [each.kind for each in sorted(stored(work, RevenueEvent), key=lambda each: each.at)]


async def test_the_next_deal_makes_the_customer_when_the_first_is_reopened() -> None:
    work, _, [first, _, _] = await won(3)
    before = told(work)
    await reopen_opportunity(work, MEMBER, first.id, reason="It was another deal.")

    assert (before, told(work)) == ([NEW, EXPANSION, EXPANSION], [NEW, EXPANSION])
    [customer] = stored(work, Customer)
    assert customer.bought_at == NOON - 2 * DAY


async def test_a_deal_that_turns_out_to_be_the_first_is_new() -> None:
    work, _, [first, second] = await won(2)
    nothing = OpportunityDetails()
    await update_opportunity(work, MEMBER, second.id, nothing, closed_at=NOON - 9 * DAY)

    kinds = {each.opportunity_id: each.kind for each in stored(work, RevenueEvent)}
    assert kinds == {second.id: NEW, first.id: EXPANSION}


async def test_new_revenue_that_was_told_before_makes_the_customer() -> None:
    work, lead, _ = await won(2)
    amount = Money(1, "EUR")
    at = NOON - 9 * DAY
    await record_revenue(work, MEMBER, lead=lead.id, kind=NEW, amount=amount, at=at)
    await record_revenue(work, MEMBER, lead=lead.id, kind=NEW, amount=amount)

    # What somebody said stays as it was said.
    assert told(work) == [NEW, EXPANSION, EXPANSION, NEW]


async def test_who_had_left_before_a_deal_that_is_known_came_back_by_it() -> None:
    work, _, _ = await won(2)
    [customer] = stored(work, Customer)
    at = NOON - 1.5 * DAY
    await set_status(work, MEMBER, customer.id, CHURNED, at=at, reason="Left in between.")

    assert told(work) == [NEW, NEW]
