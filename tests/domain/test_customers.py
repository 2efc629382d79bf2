"""Leads become customers, buy more, stay, praise, waver and leave."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.customers import (
    Customer,
    CustomerStatus,
    CustomerStep,
    RevenueEvent,
    RevenueKind,
    record_revenue,
    set_status,
    standing,
)
from domain.errors import DomainError, PermissionDenied
from domain.events import CustomerChanged, LeadEnteredStage, RevenueRecorded
from domain.exchange import RatesOn
from domain.ids import new_id
from domain.leads import ExternalId, Lead
from domain.lifecycle import StageEntry
from domain.stages import Stage
from domain.values import Money
from tests.domain.building_deals import an_accepted_lead
from tests.domain.building_leads import (
    ANALYST,
    MANAGER,
    MEMBER,
    NOON,
    USER,
    a_definition,
    a_lead,
    a_work,
    stored,
)

DAY = timedelta(days=1)
BEFORE = NOON - 10 * DAY
NEW, EXPANSION, RENEWAL, CHURN = RevenueKind


def euros(minor: int) -> Money:
    return Money(minor, "EUR")


async def a_customer(work, lead: Lead, minor: int = 1000) -> Customer:
    """Let a lead buy for the first time, nine days ago."""
    await record_revenue(
        work, MEMBER, lead=lead.id, kind=NEW, amount=euros(minor), at=NOON - 9 * DAY
    )
    work.events.clear()
    return stored(work, Customer)[0]


async def revenue(work, customer: Customer, kind: RevenueKind, minor: int, **more):
    more = {"amount": euros(minor), **more}
    return await record_revenue(work, MEMBER, customer_id=customer.id, kind=kind, **more)


async def refused(work, attempt):
    """Return the code and path of a refusal that left everything as it was."""
    kinds = (Lead, Customer, CustomerStep, RevenueEvent, StageEntry)
    before = [stored(work, kind) for kind in kinds], list(work.events)
    with pytest.raises(DomainError) as refusal:
        await attempt
    assert ([stored(work, kind) for kind in kinds], list(work.events)) == before
    return refusal.value.code, refusal.value.path


async def test_new_revenue_makes_a_lead_a_customer():
    lead = an_accepted_lead(BEFORE, company_id=new_id())
    work = await a_work(lead)
    at = NOON - DAY

    made = await record_revenue(
        work,
        MEMBER,
        lead=lead.id,
        kind=NEW,
        amount=euros(1000),
        at=at,
        note=" First order. ",
        name=ExternalId("Billing", "I-1"),
    )

    [customer], [step] = stored(work, Customer), stored(work, CustomerStep)
    assert customer == Customer(
        id=customer.id,
        lead_id=lead.id,
        bought_at=at,
        status=CustomerStatus.ACTIVE,
        status_entered_at=at,
        company_id=lead.company_id,
    )
    assert step == CustomerStep(
        id=step.id,
        customer_id=customer.id,
        status=CustomerStatus.ACTIVE,
        at=at,
        recorded_at=NOON,
        by=USER,
    )
    assert made == RevenueEvent(
        id=made.id,
        customer_id=customer.id,
        kind=NEW,
        amount_minor=1000,
        currency="EUR",
        at=at,
        recorded_at=NOON,
        recorded_by=USER,
        external_source="billing",
        external_value="I-1",
        note="First order.",
    )
    told = {"at": at, "by": USER}
    assert work.events == [
        LeadEnteredStage(**told, lead_id=lead.id, stage=Stage.CUSTOMER, previous=Stage.SAL),
        CustomerChanged(**told, customer_id=customer.id, lead_id=lead.id),
        RevenueRecorded(**told, revenue_event_id=made.id, customer_id=customer.id),
    ]


async def test_the_same_told_again_changes_nothing_and_something_else_is_refused():
    lead, other = an_accepted_lead(BEFORE), an_accepted_lead(BEFORE)
    work = await a_work(lead, other)
    name = ExternalId("billing", "I-1")
    told = {"lead": lead.id, "kind": NEW, "amount": euros(1000), "name": name}
    first = await record_revenue(work, MEMBER, **told)
    work.events.clear()

    assert await record_revenue(work, MEMBER, **told) == first
    assert work.events == []
    for change in ({"amount": euros(1)}, {"kind": EXPANSION}, {"lead": other.id}):
        attempt = record_revenue(work, MEMBER, **{**told, **change})
        assert await refused(work, attempt) == ("DUPLICATE_REVENUE", ("externalId",))


async def test_churn_that_takes_all_ends_it_and_what_is_bought_then_begins_again():
    work = await a_work(lead := an_accepted_lead(BEFORE))
    customer = await a_customer(work, lead)
    await revenue(work, customer, EXPANSION, 500, at=NOON - 8 * DAY)
    await revenue(work, customer, RENEWAL, 1500, at=NOON - 7 * DAY)

    await revenue(work, customer, CHURN, 1499, at=NOON - 6 * DAY)
    assert (await work.get(Customer, customer.id)).status is CustomerStatus.ACTIVE
    await revenue(work, customer, CHURN, 1, at=NOON - 5 * DAY, note="Moved away.")
    assert (await work.get(Customer, customer.id)).status is CustomerStatus.CHURNED
    await revenue(work, customer, EXPANSION, 10)

    steps = [(step.status, step.at, step.reason) for step in stored(work, CustomerStep)]
    assert steps == [
        (CustomerStatus.ACTIVE, NOON - 9 * DAY, None),
        (CustomerStatus.CHURNED, NOON - 5 * DAY, "Moved away."),
        (CustomerStatus.ACTIVE, NOON, None),
    ]


@pytest.mark.parametrize(
    ("amounts", "comes_to"),
    [
        ([], 0),
        ([(NEW, 5), (EXPANSION, 3)], 8),
        ([(NEW, 5), (RENEWAL, 5)], 5),
        ([(NEW, 5), (CHURN, 5)], 0),
    ],
)
def test_what_is_renewed_was_counted_when_it_came(amounts, comes_to):
    assert standing(amounts) == comes_to


async def test_churn_is_held_against_other_currencies_by_the_rates_of_their_days():
    work = await a_work(lead := an_accepted_lead(BEFORE))
    customer = await a_customer(work, lead, 50)
    rates = {("USD", date(2026, 3, 10)): Decimal("0.5")}
    work._answers[RatesOn] = lambda question: {day: rates[day] for day in question.days}

    await revenue(work, customer, CHURN, 0, amount=Money(98, "USD"))
    assert (await work.get(Customer, customer.id)).status is CustomerStatus.ACTIVE
    await revenue(work, customer, CHURN, 0, amount=Money(2, "USD"))

    assert (await work.get(Customer, customer.id)).status is CustomerStatus.CHURNED


async def test_churn_in_a_currency_without_a_rate_is_refused():
    work = await a_work(lead := an_accepted_lead(BEFORE))
    customer = await a_customer(work, lead)
    work._answers[RatesOn] = lambda question: {}

    with pytest.raises(DomainError) as refusal:
        await revenue(work, customer, CHURN, 0, amount=Money(98, "USD"))

    assert refusal.value.code == "RATE_MISSING"


async def test_how_things_stand_is_kept_with_a_reason():
    work = await a_work(lead := an_accepted_lead(BEFORE))
    customer = await a_customer(work, lead)

    at_risk = await set_status(
        work, MEMBER, customer.id, CustomerStatus.AT_RISK, reason="Unpaid.", at=NOON - DAY
    )
    await set_status(work, MEMBER, customer.id, CustomerStatus.ADVOCATE)

    assert (at_risk.status, at_risk.status_entered_at) == (CustomerStatus.AT_RISK, NOON - DAY)
    assert (await work.get(Lead, lead.id)).stage is Stage.ADVOCATE
    assert [(step.status, step.reason) for step in stored(work, CustomerStep)] == [
        (CustomerStatus.ACTIVE, None),
        (CustomerStatus.AT_RISK, "Unpaid."),
        (CustomerStatus.ADVOCATE, None),
    ]
    changed = {"by": USER, "customer_id": customer.id, "lead_id": lead.id}
    assert work.events == [
        CustomerChanged(at=NOON - DAY, **changed),
        LeadEnteredStage(
            at=NOON, by=USER, lead_id=lead.id, stage=Stage.ADVOCATE, previous=Stage.CUSTOMER
        ),
        CustomerChanged(at=NOON, **changed),
    ]


async def test_an_advocate_is_what_both_teams_call_one():
    definition = a_definition(Stage.ADVOCATE, {"score": {"gte": 50}}, BEFORE)
    work = await a_work(lead := an_accepted_lead(BEFORE), definition)
    customer = await a_customer(work, lead)

    attempt = set_status(work, MEMBER, customer.id, CustomerStatus.ADVOCATE)

    assert await refused(work, attempt) == ("CRITERION_NOT_MET", ("lead",))


async def test_what_cannot_be_is_refused():
    lead, stranger = an_accepted_lead(BEFORE), a_lead()
    work = await a_work(lead, stranger)
    customer = await a_customer(work, lead)
    told = {"kind": NEW, "amount": euros(1)}
    attempts = {
        "NEEDS_ACCEPTANCE customer": record_revenue(work, MEMBER, lead=stranger.id, **told),
        "NOT_A_CUSTOMER customer": record_revenue(
            work, MEMBER, lead=stranger.id, kind=CHURN, amount=euros(1)
        ),
        "NOT_FOUND customer.lead": record_revenue(work, MEMBER, lead=new_id(), **told),
        "NOT_FOUND customer": record_revenue(work, MEMBER, customer_id=new_id(), **told),
        "BEFORE_THE_CUSTOMER at": revenue(work, customer, CHURN, 1, at=BEFORE),
        "INVALID amount": revenue(work, customer, NEW, 0),
        "UNKNOWN_CURRENCY amount.currency": revenue(work, customer, NEW, 1, amount=Money(1, "XXX")),
        "INVALID at": revenue(work, customer, NEW, 1, at=NOON + DAY),
        "INVALID note": revenue(work, customer, NEW, 1, note="x" * 2001),
        "STANDS_SO_ALREADY status": set_status(work, MEMBER, customer.id, CustomerStatus.ACTIVE),
        "BEFORE_THE_CUSTOMER at ": set_status(
            work, MEMBER, customer.id, CustomerStatus.AT_RISK, at=BEFORE
        ),
        "NOT_FOUND customer ": set_status(work, MEMBER, new_id(), CustomerStatus.AT_RISK),
    }
    for expected, attempt in attempts.items():
        code, path = await refused(work, attempt)
        assert f"{code} {'.'.join(path)}" == expected.strip()


async def test_a_history_is_not_asked_whether_the_lead_was_accepted():
    work = await a_work(lead := a_lead())
    told = {"lead": lead.id, "kind": NEW, "amount": euros(1)}

    with pytest.raises(PermissionDenied):
        await record_revenue(work, MEMBER, **told, as_history=True)
    await record_revenue(work, MANAGER, **told, as_history=True)

    assert (await work.get(Lead, lead.id)).stage is Stage.CUSTOMER


async def test_who_only_looks_on_changes_nothing():
    work = await a_work(lead := an_accepted_lead(BEFORE))
    customer = await a_customer(work, lead)

    for attempt in (
        record_revenue(work, ANALYST, lead=lead.id, kind=NEW, amount=euros(1)),
        set_status(work, ANALYST, customer.id, CustomerStatus.AT_RISK),
    ):
        with pytest.raises(PermissionDenied):
            await attempt
