"""Deals with leads, and what they bring, for tests of whatever adds them up."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from domain.customers import Customer, CustomerStatus, RevenueEvent, RevenueKind
from domain.ids import new_id
from domain.leads import Lead
from domain.opportunities import Opportunity, OpportunityStatus, PipelineStage
from tests.world import World


async def a_pipeline(world: World) -> PipelineStage:
    """Store a pipeline of one stage."""
    stage = PipelineStage(
        id=new_id(), name="Proposal", position=0, win_rate=Decimal("0.5"), created_at=world.now
    )
    async with world.work() as work:
        return await work.add(stage)


async def add_deal(
    world: World,
    stage: PipelineStage,
    lead: Lead,
    *,
    closed_at: datetime | None = None,
    minor: int | None = None,
    currency: str = "EUR",
    lost: bool = False,
) -> Opportunity:
    """Store a deal with a lead; one that is closed was won, and was opened when the lead came."""
    closed = OpportunityStatus.LOST if lost else OpportunityStatus.WON
    deal = Opportunity(
        id=new_id(),
        name="A deal",
        lead_id=lead.id,
        stage_id=stage.id,
        opened_at=lead.created_at,
        stage_entered_at=lead.created_at,
        recorded_at=world.now,
        updated_at=world.now,
        amount_minor=minor,
        currency=None if minor is None else currency,
        status=OpportunityStatus.OPEN if closed_at is None else closed,
        closed_at=closed_at,
    )
    async with world.work() as work:
        return await work.add(deal)


async def add_revenue(world: World, lead: Lead, *events: tuple[RevenueKind, int, datetime],
                      currency: str = "EUR") -> Customer:  # fmt: skip
    """Store a customer and what came from it."""
    customer = Customer(
        id=new_id(),
        lead_id=lead.id,
        bought_at=events[0][2],
        status=CustomerStatus.ACTIVE,
        status_entered_at=events[0][2],
    )
    rows: list[Any] = [
        RevenueEvent(
            id=new_id(),
            customer_id=customer.id,
            kind=kind,
            amount_minor=minor,
            currency=currency,
            at=at,
            recorded_at=world.now,
        )
        for kind, minor, at in events
    ]
    async with world.work() as work:
        await work.add(customer)
        await work.add_all(rows)
    return customer
