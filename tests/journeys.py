"""Touches, campaigns and opportunities for tests, stored as they are."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.attribution import AttributionCredit, credits_of, models_in_use
from domain.attribution import Journeys as JourneysOf
from domain.campaigns import Campaign, CampaignKind
from domain.ids import new_id
from domain.leads import Agency, Lead
from domain.opportunities import Opportunity, OpportunityStatus, PipelineStage
from domain.stages import Stage
from domain.touches import Channel, Touch, TouchKind
from tests.world import World


def a_lead(at: datetime, **changes: Any) -> Lead:
    values: dict[str, Any] = {
        "id": new_id(),
        "stage": Stage.LEAD,
        "stage_entered_at": at,
        "created_at": at,
        "updated_at": at,
    }
    return Lead(**{**values, **changes})


def a_touch(at: datetime, **changes: Any) -> Touch:
    values: dict[str, Any] = {
        "id": new_id(),
        "kind": TouchKind.PAGE_VIEW,
        "channel": Channel.EMAIL,
        "agency": Agency.HUMAN,
        "occurred_at": at,
        "recorded_at": at,
    }
    return Touch(**{**values, **changes})


def a_campaign(at: datetime, code: str, **changes: Any) -> Campaign:
    values: dict[str, Any] = {
        "id": new_id(),
        "name": code.capitalize(),
        "kind": CampaignKind.EMAIL,
        "code": code,
        "created_at": at,
    }
    return Campaign(**{**values, **changes})


def a_stage(at: datetime) -> PipelineStage:
    return PipelineStage(
        id=new_id(), name="Offer", position=1, win_rate=Decimal("0.5"), created_at=at
    )


def a_deal(at: datetime, *, lead: Lead, stage: PipelineStage, **changes: Any) -> Opportunity:
    """Return an open deal of 12,000.00 EUR; with `closed_at` it is won."""
    closed_at = changes.get("closed_at")
    values: dict[str, Any] = {
        "id": new_id(),
        "name": "Deal",
        "lead_id": lead.id,
        "stage_id": stage.id,
        "opened_at": at,
        "stage_entered_at": at,
        "recorded_at": at,
        "updated_at": at,
        "amount_minor": 1_200_000,
        "currency": "EUR",
        "status": OpportunityStatus.WON if closed_at else OpportunityStatus.OPEN,
    }
    return Opportunity(**{**values, **changes})


async def recounted(world: World) -> dict[Any, AttributionCredit]:
    """Return all credits there should be, computed from nothing but what they follow from."""
    async with world.work() as work:
        leads = await work.find(Lead)
        journeys = await work.ask(JourneysOf(lead_ids=tuple(lead.id for lead in leads)))
        found = credits_of(journeys, await models_in_use(work))
    return keyed(found)


async def stored_credits(world: World) -> dict[Any, AttributionCredit]:
    async with world.work() as work:
        return keyed(await work.find(AttributionCredit))


def keyed(credits: Any) -> dict[Any, AttributionCredit]:
    return {(each.model_id, each.opportunity_id, each.touch_id): each for each in credits}


DAY = timedelta(days=1)
