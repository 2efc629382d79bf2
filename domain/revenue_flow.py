"""Revenue that was recorded by mistake is taken back."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from uuid import UUID

from domain.customers import (
    Customer,
    CustomerStatus,
    CustomerStep,
    Purchase,
    RevenueEvent,
    RevenueKind,
    WonStaysWon,
    settle_kinds,
    take_back,
)
from domain.customers.keeping import locked
from domain.customers.kinds import tell
from domain.errors import DomainError, NotFound
from domain.events import CustomerChanged
from domain.identity import Actor, Permission
from domain.leads import Lead
from domain.opportunities import Opportunity, OpportunityStatus
from domain.ports import Work, first


class RevenueOfDeal(DomainError):
    """What a deal brought follows from the deal."""

    code = "REVENUE_OF_DEAL"

    def __init__(self) -> None:
        super().__init__(
            "This came by an opportunity: put right what that brought, or reopen it.",
            path=("revenueEvent",),
        )


async def delete_revenue(work: Work, actor: Actor, revenue_id: UUID) -> Lead:
    """Take revenue back, as if it had never been recorded; the audit log keeps it.

    Who bought nothing else is no customer, and who was told to have left by it has not.

    Raises:
        RevenueOfDeal: if it came by an opportunity.
        WonStaysWon: if more revenue was recorded since that rests on it.
    """
    actor.require(Permission.EDIT_CUSTOMERS)
    known = await first(work, RevenueEvent, id=revenue_id)
    if known is None:
        raise NotFound("revenue event", path=("revenueEvent",))
    lead, customer = await locked(work, known.customer_id)
    revenue = await work.get(RevenueEvent, revenue_id, lock=True)
    if revenue.opportunity_id is not None:
        raise RevenueOfDeal
    if revenue.kind is RevenueKind.NEW:
        await _take_purchase_back(work, actor, lead, revenue)
    else:
        await work.delete(RevenueEvent, id=revenue.id)
        tell(work, actor, revenue)
    if revenue.kind is RevenueKind.CHURN:
        await _has_not_left(work, actor, customer, revenue)
    return await work.get(Lead, lead.id)


async def _take_purchase_back(work: Work, actor: Actor, lead: Lead, revenue: RevenueEvent) -> None:
    deals = await work.find(Opportunity, lead_id=lead.id, status=OpportunityStatus.WON)
    others = tuple(each.closed_at for each in deals if each.closed_at)
    purchase = Purchase(revenue_id=revenue.id, at=revenue.at, others=others)
    try:
        await take_back(work, actor, lead, purchase, at=work.now)
    except WonStaysWon as refusal:
        refusal.path = ("revenueEvent",)
        raise


async def _has_not_left(work: Work, actor: Actor, customer: Customer, churn: RevenueEvent) -> None:
    """Let a customer never have left who left by what is taken back."""
    steps = sorted(
        await work.find(CustomerStep, customer_id=customer.id),
        key=lambda step: (step.at, step.recorded_at, step.id),
    )
    left = [
        (before, step)
        for before, step in pairwise(steps)
        if step.status is CustomerStatus.CHURNED and step.recorded_at == churn.recorded_at
    ]
    if not left:
        return
    before, step = left[-1]
    await work.delete(CustomerStep, id=step.id)
    if step is steps[-1]:
        stood = replace(customer, status=before.status, status_entered_at=before.at)
        customer = await work.save(stood)
        work.record(
            CustomerChanged(
                at=work.now, by=actor.user_id, customer_id=customer.id, lead_id=customer.lead_id
            )
        )
    await settle_kinds(work, actor, customer)
