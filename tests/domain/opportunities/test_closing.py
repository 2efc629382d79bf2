"""Opportunities are moved along, won, lost and reopened."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.customers import Customer, CustomerStatus, RevenueEvent, RevenueKind
from domain.errors import PermissionDenied
from domain.events import (
    CustomerChanged,
    LeadEnteredStage,
    OpportunityChanged,
    OpportunityLost,
    OpportunityWon,
    RevenueRecorded,
)
from domain.ids import new_id
from domain.opportunities import (
    OpportunityDetails,
    OpportunityStatus,
    OpportunityStep,
    advance_opportunity,
    lose_opportunity,
    open_opportunity,
    reopen_opportunity,
    update_opportunity,
    win_opportunity,
)
from domain.opportunities.deal import heard_late
from domain.stages import Stage
from domain.values import Money
from tests.domain.building_deals import (
    FIRST,
    SECOND,
    THIRD,
    D,
    a_deal,
    a_handoff,
    a_pipeline,
    an_accepted_lead,
    said,
)
from tests.domain.building_leads import ANALYST, MEMBER, NOON, USER, stored
from tests.domain.opportunities.refusing import BEFORE, DAY, refused


async def test_a_deal_moves_ahead_and_back_with_a_history():
    lead = an_accepted_lead(BEFORE)
    work = await a_pipeline(lead)
    opportunity = await a_deal(work, lead, opened_at=NOON - 5 * DAY)

    await advance_opportunity(work, MEMBER, opportunity.id, stage=THIRD.id, at=NOON - 3 * DAY)
    opportunity = await advance_opportunity(work, MEMBER, opportunity.id, stage="needs analysis")

    assert (opportunity.stage_id, opportunity.stage_entered_at) == (SECOND.id, NOON)
    steps = [(step.stage_id, step.at) for step in stored(work, OpportunityStep)]
    assert steps == [
        (FIRST.id, NOON - 5 * DAY),
        (THIRD.id, NOON - 3 * DAY),
        (SECOND.id, NOON),
    ]
    changed = {"by": USER, "opportunity_id": opportunity.id, "lead_id": lead.id}
    assert work.events == [
        OpportunityChanged(at=NOON - 3 * DAY, **changed),
        OpportunityChanged(at=NOON, **changed),
    ]


async def test_winning_makes_a_customer_and_books_its_amount_once():
    lead = an_accepted_lead(BEFORE, company_id=new_id())
    handoff = a_handoff(lead, BEFORE)
    work = await a_pipeline(lead, handoff)
    opportunity = await a_deal(work, lead, opened_at=BEFORE)
    won_at = NOON - DAY

    opportunity = await win_opportunity(work, MEMBER, opportunity.id, at=won_at)

    assert (opportunity.status, opportunity.closed_at, opportunity.stage_id) == (
        OpportunityStatus.WON,
        won_at,
        FIRST.id,
    )
    [customer] = stored(work, Customer)
    assert customer == Customer(
        id=customer.id,
        lead_id=lead.id,
        bought_at=won_at,
        status=CustomerStatus.ACTIVE,
        status_entered_at=won_at,
        company_id=lead.company_id,
    )
    [revenue] = stored(work, RevenueEvent)
    assert revenue == RevenueEvent(
        id=revenue.id,
        customer_id=customer.id,
        kind=RevenueKind.NEW,
        amount_minor=100_000,
        currency="EUR",
        at=won_at,
        recorded_at=NOON,
        opportunity_id=opportunity.id,
        recorded_by=USER,
    )
    told = {"at": won_at, "by": USER}
    assert work.events == [
        LeadEnteredStage(**told, lead_id=lead.id, stage=Stage.CUSTOMER, previous=Stage.OPPORTUNITY),
        CustomerChanged(**told, customer_id=customer.id, lead_id=lead.id),
        RevenueRecorded(**told, revenue_event_id=revenue.id, customer_id=customer.id),
        OpportunityWon(
            **told, opportunity_id=opportunity.id, lead_id=lead.id, handoff_id=handoff.id
        ),
    ]
    assert await refused(work, win_opportunity(work, MEMBER, opportunity.id)) == (
        "ALREADY_CLOSED",
        ("opportunity",),
    )


async def test_a_second_deal_won_is_of_the_same_customer():
    lead = an_accepted_lead(BEFORE)
    work = await a_pipeline(lead)
    first, second = [await a_deal(work, lead, opened_at=BEFORE) for _ in range(2)]

    await win_opportunity(work, MEMBER, first.id)
    await win_opportunity(work, MEMBER, second.id, at=NOON - DAY)

    [customer] = stored(work, Customer)
    assert customer.bought_at == NOON - DAY
    # The earlier one made the customer, though it was told later.
    assert {each.opportunity_id: each.kind for each in stored(work, RevenueEvent)} == {
        first.id: RevenueKind.EXPANSION,
        second.id: RevenueKind.NEW,
    }


async def test_what_a_won_deal_brought_is_put_right_in_the_books():
    lead = an_accepted_lead(BEFORE)
    work = await a_pipeline(lead)
    opportunity = await a_deal(work, lead, amount=None)
    await win_opportunity(work, MEMBER, opportunity.id)
    assert stored(work, RevenueEvent) == []

    for amount, currency in ((D(10), "EUR"), (D(12), "USD")):
        details = OpportunityDetails(amount=amount, currency=currency)
        await update_opportunity(work, MEMBER, opportunity.id, details)

    [revenue] = stored(work, RevenueEvent)
    assert revenue.amount == Money(1200, "USD")
    attempt = update_opportunity(work, MEMBER, opportunity.id, OpportunityDetails(amount=None))
    assert await refused(work, attempt) == ("INVALID", ("amount",))


async def test_a_lost_deal_keeps_its_reason_and_may_be_reopened():
    lead = an_accepted_lead(BEFORE)
    work = await a_pipeline(lead)
    opportunity = await a_deal(work, lead, opened_at=BEFORE)

    lost = await lose_opportunity(work, MEMBER, opportunity.id, reason=" Too dear. ", at=NOON - DAY)

    assert (lost.status, lost.closed_at, lost.lost_reason) == (
        OpportunityStatus.LOST,
        NOON - DAY,
        "Too dear.",
    )
    reopened = await reopen_opportunity(work, MEMBER, opportunity.id)
    assert reopened == replace(opportunity, stage_entered_at=NOON, updated_at=NOON, version=3)
    assert [type(event) for event in work.events] == [OpportunityLost, OpportunityChanged]
    assert [step.status for step in stored(work, OpportunityStep)] == [
        OpportunityStatus.OPEN,
        OpportunityStatus.LOST,
        OpportunityStatus.OPEN,
    ]
    assert stored(work, Customer) == []


async def test_what_another_system_told_late_had_been_so_before_the_end():
    lead = an_accepted_lead(BEFORE)
    work = await a_pipeline(lead)
    opened = await a_deal(work, lead, opened_at=NOON - 5 * DAY)
    ended = NOON - 2 * DAY

    def step(**changes: Any) -> OpportunityStep:
        told = {"stage_id": SECOND.id, "recorded_at": NOON, "status": OpportunityStatus.OPEN}
        return OpportunityStep(id=new_id(), opportunity_id=opened.id, **told | changes)

    first = step(at=opened.opened_at)
    told = step(at=NOON)
    closed = step(at=NOON, status=OpportunityStatus.WON, by=USER)
    taken = step(at=NOON, by=USER)
    won = replace(opened, status=OpportunityStatus.WON, closed_at=NOON)
    assert heard_late(opened, [told, first], ended_at=ended) == [told]
    assert heard_late(won, [first, told, closed], ended_at=ended) == [told]
    assert heard_late(opened, [first, told, taken], ended_at=ended) == []
    assert heard_late(opened, [first, told], ended_at=NOON) == []


async def test_what_cannot_become_of_a_deal_is_refused():
    lead = an_accepted_lead(BEFORE)
    work = await a_pipeline(lead)
    opened = await a_deal(work, lead, opened_at=NOON - 4 * DAY)
    await advance_opportunity(work, MEMBER, opened.id, stage=SECOND.id, at=NOON - 2 * DAY)
    won = await a_deal(work, lead)
    await win_opportunity(work, MEMBER, won.id)
    lost = await a_deal(work, lead)
    await lose_opportunity(work, MEMBER, lost.id, reason="No budget.")
    attempts = {
        "CLOSES_BEFORE_IT_OPENS at": win_opportunity(work, MEMBER, opened.id, at=NOON - 5 * DAY),
        "STEP_TOO_EARLY at": win_opportunity(work, MEMBER, opened.id, at=NOON - 3 * DAY),
        "INVALID at": win_opportunity(work, MEMBER, opened.id, at=NOON + DAY),
        "LOST_REASON_NEEDED reason": lose_opportunity(work, MEMBER, opened.id, reason=" "),
        "ALREADY_IN_STAGE stage": advance_opportunity(work, MEMBER, opened.id, stage=SECOND.id),
        "STILL_OPEN opportunity": reopen_opportunity(work, MEMBER, opened.id),
        "REOPEN_REASON_NEEDED reason": reopen_opportunity(work, MEMBER, won.id, reason=" "),
        "ALREADY_CLOSED opportunity": advance_opportunity(work, MEMBER, lost.id, stage=SECOND.id),
        "NOT_FOUND opportunity": win_opportunity(work, MEMBER, new_id()),
        "STALE ": update_opportunity(work, MEMBER, opened.id, said(), version=1),
    }

    for expected, attempt in attempts.items():
        code, path = await refused(work, attempt)
        assert f"{code} {'.'.join(map(str, path))}" == expected


async def test_who_only_looks_on_changes_nothing():
    lead = an_accepted_lead()
    work = await a_pipeline(lead)
    opportunity = await a_deal(work, lead)

    for attempt in (
        open_opportunity(work, ANALYST, lead.id, said()),
        open_opportunity(work, MEMBER, lead.id, said(), as_history=True),
        update_opportunity(work, ANALYST, opportunity.id, said()),
        advance_opportunity(work, ANALYST, opportunity.id, stage=SECOND.id),
        win_opportunity(work, ANALYST, opportunity.id),
        lose_opportunity(work, ANALYST, opportunity.id, reason="x"),
        reopen_opportunity(work, ANALYST, opportunity.id),
    ):
        with pytest.raises(PermissionDenied):
            await attempt
