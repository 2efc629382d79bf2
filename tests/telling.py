"""Hand-offs and what comes of them, made by the use cases, for tests of feedback."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from domain import handoff_flow
from domain.handoff import Handoff
from domain.identity import User
from domain.ids import new_id
from domain.lead_intake import log_activity
from domain.leads import ActivityKind, Agency, Lead
from domain.opportunities import Opportunity, OpportunityStatus, OpportunityStep, PipelineStage
from tests.agreements import add_mql
from tests.world import World


async def hand_over(world: World, **lead: Any) -> Handoff:
    """Hand a new MQL to sales; nobody owns it yet."""
    mql = await add_mql(world, **lead)
    async with world.work() as work:
        marketer = world.actor(world.marketer)
        return await handoff_flow.hand_off(work, marketer, mql.id, owner_id=world.rep.id)


async def accept(world: World, handoff: Handoff) -> None:
    async with world.work() as work:
        await handoff_flow.accept_lead(work, world.actor(world.rep), handoff.lead_id)


async def reject(world: World, handoff: Handoff, reason: str = "A student.") -> None:
    async with world.work() as work:
        actor = world.actor(world.rep)
        await handoff_flow.reject_lead(work, actor, handoff.lead_id, reason=reason)


async def recycle(world: World, handoff: Handoff, reason: str = "Next year.") -> Lead:
    async with world.work() as work:
        actor = world.actor(world.rep)
        return await handoff_flow.recycle_lead(work, actor, handoff.lead_id, reason=reason)


async def touch(
    world: World,
    handoff: Handoff,
    kind: ActivityKind = ActivityKind.CALL,
    *,
    by: User | None = None,
    agency: Agency = Agency.HUMAN,
    ago: timedelta = timedelta(),
) -> None:
    async with world.work() as work:
        await log_activity(
            work,
            world.actor(by or world.rep),
            handoff.lead_id,
            kind=kind,
            agency=agency,
            occurred_at=world.now - ago,
            text="Well.",
        )


async def deal(
    world: World,
    handoff: Handoff,
    status: OpportunityStatus = OpportunityStatus.OPEN,
    minor: int = 100_00,
    currency: str = "EUR",
    *,
    at: datetime | None = None,
) -> Opportunity:
    """Store an opportunity of a hand-off."""
    at = at or world.now
    stage = PipelineStage(
        id=new_id(), name="Offer", position=1, win_rate=Decimal("0.5"), created_at=at
    )
    opportunity = Opportunity(
        id=new_id(),
        name="Deal",
        lead_id=handoff.lead_id,
        handoff_id=handoff.id,
        stage_id=stage.id,
        opened_at=at,
        stage_entered_at=at,
        recorded_at=at,
        updated_at=at,
        amount_minor=minor,
        currency=currency,
        status=status,
        closed_at=None if status is OpportunityStatus.OPEN else at,
        lost_reason="Too dear." if status is OpportunityStatus.LOST else None,
    )
    step = OpportunityStep(
        id=new_id(),
        opportunity_id=opportunity.id,
        stage_id=stage.id,
        status=status,
        at=at,
        recorded_at=at,
    )
    async with world.work() as work:
        await work.add_all([stage, opportunity])
        await work.add(step)
    return opportunity
