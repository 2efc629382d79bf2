"""Leads become customers, buy more, stay, praise, waver and leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.customers.customer import (
    BeforeTheCustomer,
    Customer,
    CustomerStatus,
    CustomerStep,
    RevenueEvent,
    RevenueKind,
    StandsSoAlready,
)
from domain.customers.kinds import kinds_of_deals, settle_kinds, tell
from domain.errors import NotFound
from domain.events import CustomerChanged
from domain.identity import Actor, Permission
from domain.ids import new_id
from domain.lead_details import past
from domain.lead_intake import resolve_lead
from domain.leads import Lead, LeadKey
from domain.lifecycle import enter_stage, move_stage
from domain.ports import Work, first
from domain.stages import Stage
from domain.values import Money, limited_text

LONGEST_REASON = 2000


async def bought(work: Work, actor: Actor, lead: Lead, *, at: datetime) -> Customer:
    """Return the customer that a locked lead is from an instant on; one who had left is back.

    That it bought is a fact: it is not judged by what both teams call a customer.  Who bought
    before it was known to is a customer since then, in the lead's history too.
    """
    if lead.stage.rank < Stage.CUSTOMER.rank:
        since = max(at, lead.stage_entered_at)
        lead = await enter_stage(work, actor, lead, Stage.CUSTOMER, at=since, judged=False)
    customer = await first(work, Customer, lock=True, lead_id=lead.id)
    if customer is None:
        customer = Customer(
            id=new_id(),
            lead_id=lead.id,
            bought_at=at,
            status=CustomerStatus.ACTIVE,
            status_entered_at=at,
            company_id=lead.company_id,
        )
        await work.add(customer)
        await _tell(work, actor, customer)
        return customer
    if at < customer.bought_at:
        await move_stage(work, lead, Stage.CUSTOMER, was=customer.bought_at, since=at)
        customer = await known_since(work, customer, was=customer.bought_at, since=at)
    return await back(work, actor, customer, at=at)


async def known_since(
    work: Work, customer: Customer, *, was: datetime, since: datetime
) -> Customer:
    """Let somebody be a customer since another instant, if it was one since a purchase."""
    if since < customer.bought_at or was == customer.bought_at:
        customer = await work.save(replace(customer, bought_at=since))
    steps = await work.find(CustomerStep, customer_id=customer.id)
    if len(steps) == 1 and steps[0].at == was != since:
        await work.delete(CustomerStep, id=steps[0].id)
        await work.add(replace(steps[0], at=since))
        customer = await work.save(replace(customer, status_entered_at=since))
    return customer


async def back(work: Work, actor: Actor, customer: Customer, *, at: datetime) -> Customer:
    """Return a customer who buys: one who had left before is back."""
    if customer.status is not CustomerStatus.CHURNED or at < customer.status_entered_at:
        return customer
    return await stand(work, actor, customer, CustomerStatus.ACTIVE, at=at)


async def stand(
    work: Work,
    actor: Actor,
    customer: Customer,
    status: CustomerStatus,
    *,
    at: datetime,
    reason: str | None = None,
) -> Customer:
    """Let things stand otherwise with a locked customer, and keep since when and why."""
    customer = await work.save(replace(customer, status=status, status_entered_at=at))
    await _tell(work, actor, customer, reason=reason)
    return customer


async def set_status(
    work: Work,
    actor: Actor,
    customer_id: UUID,
    status: CustomerStatus,
    *,
    reason: str | None = None,
    at: datetime | None = None,
) -> Customer:
    """Say how things stand with a customer.  One who recommends us makes its lead an ADVOCATE.

    Raises:
        StandsSoAlready: if that is how they stand.
        BeforeTheCustomer: if they came to stand as they do later than that.
        CriterionNotMet: if the lead is no ADVOCATE as both teams defined it.
    """
    actor.require(Permission.EDIT_CUSTOMERS)
    lead, customer = await locked(work, customer_id)
    at = work.now if at is None else past(at, work.now, path=("at",))
    if reason is not None:
        reason = limited_text(
            reason.strip(), name="The reason", path=("reason",), longest=LONGEST_REASON
        )
    if status is customer.status:
        raise StandsSoAlready(customer)
    if at < customer.status_entered_at:
        raise BeforeTheCustomer(customer.status_entered_at)
    if status is CustomerStatus.ADVOCATE and lead.stage.rank < Stage.ADVOCATE.rank:
        since = max(at, lead.stage_entered_at)
        await enter_stage(work, actor, lead, Stage.ADVOCATE, at=since, reason=reason or None)
    customer = await stand(work, actor, customer, status, at=at, reason=reason or None)
    await settle_kinds(work, actor, customer)
    return customer


async def customer_of(work: Work, key: LeadKey, *, path: Sequence[str | int]) -> Customer:
    """Return what a lead is as a customer.

    Raises:
        NotFound: if there is no such lead, or it has bought nothing yet.
    """
    lead = await resolve_lead(work, key, path=path)
    customer = await first(work, Customer, lead_id=lead.id)
    if customer is None:
        raise NotFound("customer", path=path)
    return customer


async def locked(work: Work, customer_id: UUID) -> tuple[Lead, Customer]:
    """Return a customer and its lead, locked in the order that everybody locks them."""
    customer = await first(work, Customer, id=customer_id)
    if customer is None:
        raise NotFound("customer", path=("customer",))
    lead = await work.get(Lead, customer.lead_id, lock=True)
    return lead, await work.get(Customer, customer_id, lock=True)


async def book(
    work: Work,
    actor: Actor,
    customer: Customer,
    *,
    amount: Money,
    at: datetime,
    opportunity_id: UUID,
) -> RevenueEvent:
    """Keep what an opportunity brought: once, and put right if it is told anew."""
    known = await first(work, RevenueEvent, lock=True, opportunity_id=opportunity_id)
    if known is not None and known.amount == amount:
        return known
    if known is not None:
        changed = replace(known, amount_minor=amount.minor, currency=amount.currency)
        revenue = await work.save(changed)
        tell(work, actor, revenue)
        return revenue
    others = await work.find(RevenueEvent, customer_id=customer.id)
    steps = await work.find(CustomerStep, customer_id=customer.id)
    revenue = RevenueEvent(
        id=new_id(),
        customer_id=customer.id,
        kind=RevenueKind.NEW,
        amount_minor=amount.minor,
        currency=amount.currency,
        at=at,
        recorded_at=work.now,
        opportunity_id=opportunity_id,
        recorded_by=actor.user_id,
    )
    kinds = kinds_of_deals(customer, [*others, revenue], steps)
    revenue = await work.add(replace(revenue, kind=kinds[revenue.id]))
    tell(work, actor, revenue)
    return revenue


async def _tell(work: Work, actor: Actor, customer: Customer, *, reason: str | None = None) -> None:
    await work.add(
        CustomerStep(
            id=new_id(),
            customer_id=customer.id,
            status=customer.status,
            at=customer.status_entered_at,
            recorded_at=work.now,
            by=actor.user_id,
            reason=reason,
        )
    )
    work.record(
        CustomerChanged(
            at=customer.status_entered_at,
            by=actor.user_id,
            customer_id=customer.id,
            lead_id=customer.lead_id,
        )
    )
