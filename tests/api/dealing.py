"""Leads that sales accepted, and deals with them, made for tests of the API."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from domain import handoff_flow
from domain.identity import Actor, User
from domain.leads import ExternalId, Lead
from domain.opportunities import (
    Opportunity,
    OpportunityDetails,
    advance_opportunity,
    lose_opportunity,
    open_opportunity,
    win_opportunity,
)
from domain.values import Money
from tests.agreements import add_mql
from tests.world import World


def on(day: int, month: int = 3, hour: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


async def accepted_lead(world: World, *, by: User | None = None) -> Lead:
    """Hand a lead over and have it accepted, now."""
    lead = await add_mql(world)
    async with world.work() as work:
        await handoff_flow.hand_off(
            work, world.actor(world.marketer), lead.id, owner_id=(by or world.rep).id
        )
        await handoff_flow.accept_lead(work, world.actor(by or world.rep), lead.id)
        found: Lead = await work.get(Lead, lead.id)
        return found


async def deal(
    world: World,
    lead_id: UUID,
    amount: str | None = "1000",
    currency: str = "EUR",
    *,
    stages: tuple[str, ...] = (),
    closes: date | None = None,
    opened: datetime | None = None,
    won: datetime | None = None,
    lost: datetime | None = None,
    name: ExternalId | None = None,
) -> Opportunity:
    """Open a deal, let it enter stages one after the other, and close it."""
    actor = importer(world)
    details = OpportunityDetails(
        name="Deal",
        amount=None if amount is None else Decimal(amount),
        currency=currency,
        external_id=name,
        opened_at=opened,
        **({"expected_close_on": closes} if closes else {}),
    )
    async with world.work() as work:
        opportunity: Opportunity = await open_opportunity(
            work, actor, lead_id, details, as_history=True
        )
        for stage in stages:
            opportunity = await advance_opportunity(
                work, actor, opportunity.id, stage=stage, at=opened
            )
        if won is not None:
            opportunity = await win_opportunity(work, actor, opportunity.id, at=won)
        if lost is not None:
            opportunity = await lose_opportunity(
                work, actor, opportunity.id, reason="No budget.", at=lost
            )
    return opportunity


def importer(world: World) -> Actor:
    """Return the marketer's manager, whom nobody asks whether a lead was accepted."""
    return replace(world.actor(world.marketer), name="importer")


def euros(minor: int) -> Money:
    return Money(minor, "EUR")
