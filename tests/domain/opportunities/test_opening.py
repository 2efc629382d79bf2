"""Opportunities are opened: by whom, of whom, and where they begin."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from domain.events import LeadEnteredStage, OpportunityOpened
from domain.ids import new_id
from domain.leads import ExternalId, Lead
from domain.opportunities import (
    Opportunity,
    OpportunityDetails,
    OpportunityStatus,
    OpportunityStep,
    open_opportunity,
    update_opportunity,
)
from domain.stages import Stage
from tests.domain.building_deals import (
    FIRST,
    SECOND,
    D,
    a_deal,
    a_handoff,
    a_pipeline,
    an_accepted_lead,
    said,
)
from tests.domain.building_leads import MANAGER, MEMBER, NOON, USER, a_definition, stored
from tests.domain.opportunities.refusing import BEFORE, DAY, NOBODY, refused


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

    # Nobody said when it had come to what it passed.
    assert {dict(key)["metric"]: by for (_, _, key), by in work.counts.items()} == {
        "MQLS": {"amount": 1},
        "SQLS": {"amount": 1},
        "OPPORTUNITIES": {"amount": 1},
    }


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
