"""Leads that sales accepted, and deals with them, made for tests of use cases."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from domain.handoff import Handoff, HandoffStatus
from domain.ids import new_id
from domain.leads import Lead
from domain.opportunities import (
    Opportunity,
    OpportunityDetails,
    default_pipeline,
    open_opportunity,
)
from domain.stages import Stage
from tests.domain.building_leads import MEMBER, NOON, a_work
from tests.fakes import FakeWork

D = Decimal
STAGES = default_pipeline(NOON)
FIRST, SECOND, THIRD, LAST = STAGES


def an_accepted_lead(since: datetime = NOON, **values: Any) -> Lead:
    told = {"stage": Stage.SAL, "stage_entered_at": since, **values}
    return Lead(id=new_id(), created_at=since, updated_at=since, **told)


def a_handoff(lead: Lead, decided_at: datetime, **values: Any) -> Handoff:
    told = {"status": HandoffStatus.ACCEPTED, "decided_at": decided_at, **values}
    return Handoff(
        id=new_id(),
        lead_id=lead.id,
        from_team_id=new_id(),
        to_team_id=new_id(),
        score=1,
        handed_off_at=decided_at,
        recorded_at=decided_at,
        **told,
    )


async def a_pipeline(*entities: Any) -> FakeWork:
    """Return a work with a tenant, its pipeline and whatever else is given."""
    return await a_work(*STAGES, *entities)


def said(**values: Any) -> OpportunityDetails:
    told = {"name": "Big deal", "amount": D(1000), "currency": "EUR", **values}
    return OpportunityDetails(**told)


async def a_deal(work: FakeWork, lead: Lead, **values: Any) -> Opportunity:
    """Open an opportunity with a lead."""
    stage = values.pop("stage", None)
    opportunity = await open_opportunity(work, MEMBER, lead.id, said(**values), stage=stage)
    work.events.clear()
    return opportunity
