"""Opportunities are opened, moved along, won, lost and reopened."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from domain.customers import Customer, CustomerStatus, CustomerStep, RevenueEvent, RevenueKind
from domain.errors import DomainError, PermissionDenied
from domain.events import (
    CustomerChanged,
    LeadEnteredStage,
    OpportunityChanged,
    OpportunityLost,
    OpportunityOpened,
    OpportunityWon,
    RevenueRecorded,
)
from domain.goals.targets import MetricTally
from domain.ids import new_id
from domain.leads import ExternalId, Lead
from domain.lifecycle import StageEntry
from domain.opportunities import (
    Opportunity,
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
from tests.domain.building_leads import ANALYST, MANAGER, MEMBER, NOON, USER, a_definition, stored

# The id of nothing; the same in every process, because names of tests are made from it.
NOBODY = UUID("01890000-0000-7000-8000-000000000000")

DAY = timedelta(days=1)
BEFORE = NOON - 10 * DAY


def snapshot(work):
    kinds = (Lead, Opportunity, OpportunityStep, Customer, CustomerStep, RevenueEvent, StageEntry)
    return [stored(work, kind) for kind in kinds], list(work.events), dict(work.counts)


async def refused(work, attempt):
    """Return the code and path of a refusal that left everything as it was."""
    before = snapshot(work)
    with pytest.raises(DomainError) as refusal:
        await attempt
    assert snapshot(work) == before
    return refusal.value.code, refusal.value.path


async def test_a_deal_takes_company_owner_and_hand_off_from_its_lead():
    lead = an_accepted_lead(BEFORE, company_id=new_id(), owner_id=USER)
    first, last, later = (a_handoff(lead, NOON - days * DAY) for days in (9, 5, 1))
    work = await a_pipeline(lead, first, last, later)
    opened_at = NOON - 3 * DAY

    opportunity = await open_opportunity(
        work, MEMBER, lead.id, said(opened_at=opened_at, expected_close_on=date(2026, 4, 1))
    )

    assert opportunity == Opportunity(
        id=opportunity.id,
        name="Big deal",
        lead_id=lead.id,
        stage_id=FIRST.id,
        opened_at=opened_at,
        stage_entered_at=opened_at,
        recorded_at=NOON,
        updated_at=NOON,
        company_id=lead.company_id,
        handoff_id=last.id,
        owner_id=USER,
        amount_minor=100_000,
        currency="EUR",
        expected_close_on=date(2026, 4, 1),
    )
    assert work.events == [
        LeadEnteredStage(
            at=opened_at, by=USER, lead_id=lead.id, stage=Stage.OPPORTUNITY, previous=Stage.SAL
        ),
        OpportunityOpened(
            at=opened_at,
            by=USER,
            opportunity_id=opportunity.id,
            lead_id=lead.id,
            handoff_id=last.id,
        ),
    ]
    [step] = stored(work, OpportunityStep)
    assert (step.stage_id, step.status, step.at, step.by) == (
        FIRST.id,
        OpportunityStatus.OPEN,
        opened_at,
        USER,
    )


async def test_a_deal_dated_before_the_answer_belongs_to_the_first_hand_off_accepted():
    lead = an_accepted_lead()
    handoffs = [a_handoff(lead, NOON - DAY), a_handoff(lead, NOON)]
    work = await a_pipeline(lead, *handoffs)

    opportunity = await open_opportunity(work, MEMBER, lead.id, said(opened_at=BEFORE))

    assert opportunity.handoff_id == handoffs[0].id


async def test_a_leads_history_never_runs_backward():
    lead = an_accepted_lead(NOON)
    work = await a_pipeline(lead)

    opportunity = await open_opportunity(work, MEMBER, lead.id, said(opened_at=BEFORE))

    assert opportunity.opened_at == BEFORE
    assert (await work.get(Lead, lead.id)).stage_entered_at == NOON


async def test_a_second_deal_counts_the_lead_once():
    lead = an_accepted_lead(BEFORE)
    work = await a_pipeline(lead)

    await a_deal(work, lead)
    await a_deal(work, lead)

    assert [key[0] is MetricTally for key in work.counts] == [True]
    assert list(work.counts.values()) == [{"amount": 1}]


async def test_a_tenant_without_a_pipeline_gets_one_when_it_is_needed():
    lead = an_accepted_lead()
    work = await a_pipeline(lead)
    for stage in [key for key in work._stored if key[0] is type(FIRST)]:
        del work._stored[stage]

    opportunity = await open_opportunity(work, MEMBER, lead.id, said())

    stages = stored(work, type(FIRST))
    assert [(stage.name, stage.win_rate) for stage in stages] == [
        ("Qualification", D("0.1")),
        ("Needs analysis", D("0.25")),
        ("Proposal", D("0.5")),
        ("Negotiation", D("0.75")),
    ]
    assert opportunity.stage_id == stages[0].id


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"name": "  "}, "INVALID", ("name",)),
        ({"currency": "EURO"}, "UNKNOWN_CURRENCY", ("currency",)),
        ({"currency": None}, "CURRENCY_NEEDED", ("currency",)),
        ({"amount": D(-1)}, "INVALID", ("amount",)),
        ({"amount": D("0.001")}, "INVALID", ("amount",)),
        ({"amount": D(10) ** 18}, "INVALID", ("amount",)),
        ({"opened_at": NOON + DAY}, "INVALID", ("openedAt",)),
        ({"expected_close_on": date(2026, 3, 9)}, "CLOSES_BEFORE_IT_OPENS", ("expectedCloseOn",)),
        ({"expected_close_on": date(1900, 1, 1)}, "INVALID", ("expectedCloseOn",)),
        ({"owner_id": NOBODY}, "NOT_FOUND", ("owner",)),
        ({"company_id": NOBODY}, "NOT_FOUND", ("company",)),
        ({"external_id": ExternalId("", "1")}, "INVALID", ("externalId", "source")),
    ],
    ids=str,
)
async def test_a_deal_that_cannot_be_is_refused(changes, code, path):
    lead = an_accepted_lead()
    work = await a_pipeline(lead)

    attempt = open_opportunity(work, MEMBER, lead.id, said(**changes))

    assert await refused(work, attempt) == (code, path)


async def test_only_stages_of_the_tenant_that_are_in_use_are_entered():
    lead = an_accepted_lead()
    work = await a_pipeline(lead)
    await work.save(replace(SECOND, archived_at=NOON))

    for stage, code in ((new_id(), "NOT_FOUND"), ("Nowhere", "NOT_FOUND")):
        attempt = open_opportunity(work, MEMBER, lead.id, said(), stage=stage)
        assert await refused(work, attempt) == (code, ("stage",))
    attempt = open_opportunity(work, MEMBER, lead.id, said(), stage=SECOND.id)
    assert await refused(work, attempt) == ("STAGE_IS_ARCHIVED", ("stage",))


async def test_only_a_lead_that_sales_accepted_comes_to_a_deal():
    lead = replace(an_accepted_lead(BEFORE), stage=Stage.MQL)
    work = await a_pipeline(lead)

    attempt = open_opportunity(work, MEMBER, lead.id, said())
    assert await refused(work, attempt) == ("NEEDS_ACCEPTANCE", ("lead",))

    opportunity = await open_opportunity(
        work, MANAGER, lead.id, said(opened_at=NOON - DAY), as_history=True
    )
    assert opportunity.opened_at == NOON - DAY
    lead = await work.get(Lead, lead.id)
    assert (lead.stage, lead.stage_entered_at) == (Stage.OPPORTUNITY, NOON - DAY)


async def test_what_both_teams_call_an_opportunity_is_asked_for_but_not_of_history():
    lead = an_accepted_lead(BEFORE)
    definition = a_definition(Stage.OPPORTUNITY, {"score": {"gte": 50}}, BEFORE)
    work = await a_pipeline(lead, definition)

    attempt = open_opportunity(work, MEMBER, lead.id, said())
    assert await refused(work, attempt) == ("CRITERION_NOT_MET", ("lead",))

    await open_opportunity(work, MANAGER, lead.id, said(), as_history=True)
    assert (await work.get(Lead, lead.id)).stage is Stage.OPPORTUNITY


async def test_what_another_system_calls_a_deal_it_calls_no_other():
    lead = an_accepted_lead(BEFORE)
    work = await a_pipeline(lead)
    name = ExternalId("CRM", "D-1")
    first = await a_deal(work, lead, external_id=name)
    other = await a_deal(work, lead)

    for attempt in (
        open_opportunity(work, MEMBER, lead.id, said(external_id=ExternalId("crm", "D-1"))),
        update_opportunity(work, MEMBER, other.id, OpportunityDetails(external_id=name)),
    ):
        assert await refused(work, attempt) == ("DUPLICATE_OPPORTUNITY", ("externalId",))

    same = await update_opportunity(work, MEMBER, name, OpportunityDetails(external_id=name))
    assert same == first


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
