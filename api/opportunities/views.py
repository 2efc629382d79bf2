"""What is public of opportunities and their history."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import strawberry

from api.errors import Refused, UserError
from api.filtering import enum
from api.leads.views import CompanyView, ExternalIdView
from api.pipeline import PipelineStageView
from api.types import MoneyView
from api.views import listed, related, shown, view
from domain.customers import RevenueEvent
from domain.handoff import Handoff
from domain.identity import User
from domain.lead_intake import UpsertOutcome
from domain.leads import Company, Lead
from domain.opportunities import (
    Opportunity,
    OpportunityStatus,
    OpportunityStep,
    PipelineStage,
    UpsertedOpportunity,
)
from domain.paging import Order

enum(
    OpportunityStatus,
    "Whether an opportunity is open, and how it ended.",
    OPEN="It is on its way.",
    WON="The buyer has bought.",
    LOST="It came to nothing.",
)


@view(
    OpportunityStep,
    description="That an opportunity entered a stage, or was won, lost or reopened in it.",
)
class OpportunityStepView:
    status: OpportunityStatus = shown("Whether it was open then, won or lost.")
    at: datetime = shown("When it happened.")
    reason: str | None = shown("Why it was lost then, or reopened.")
    recorded_at: datetime = shown("When we learnt of it.")
    stage = related(
        PipelineStageView,
        PipelineStage,
        by="stage_id",
        description="The stage it was in from then on.",
        required=True,
    )
    by = related(
        "api.identity.UserView",
        User,
        by="by",
        description="Who did it; null if an integration did.",
    )


@view(Opportunity, description="A deal with a lead, on its way through the pipeline.")
class OpportunityView:
    name: str = shown("What people call it.")
    status: OpportunityStatus = shown("Whether it is open, won or lost.")
    amount: MoneyView | None = shown("What it is worth; null while nobody knows.")
    expected_close_on: date | None = shown("On which day it should close.")
    opened_at: datetime = shown("When it was opened.")
    stage_entered_at: datetime = shown("Since when it is in its stage.")
    closed_at: datetime | None = shown("When it was won or lost; null while it is open.")
    lost_reason: str | None = shown("Why it was lost.")
    external_id: ExternalIdView | None = shown("What another system calls it.")
    recorded_at: datetime = shown("When we learnt of it.")
    updated_at: datetime = shown("When it was last changed.")
    version: int = shown("Goes up with every change; send it along to change what you have seen.")
    stage = related(
        PipelineStageView,
        PipelineStage,
        by="stage_id",
        description="The stage it is in, or was in when it was closed.",
    )
    lead = related("api.leads.LeadView", Lead, by="lead_id", description="The person who buys.")
    company = related(CompanyView, Company, by="company_id", description="The company that buys.")
    owner = related("api.identity.UserView", User, by="owner_id", description="Who works on it.")
    handoff = related(
        "api.handoff.HandoffView",
        Handoff,
        by="handoff_id",
        description="The hand-off it came of: the last that sales had accepted when it was opened.",
    )
    steps = listed(
        OpportunityStepView,
        OpportunityStep,
        by="opportunity_id",
        description="Every stage it entered, and how it ended, the first one first.",
        order=(Order("at"),),
    )
    revenue = listed(
        "api.customers.RevenueEventView",
        RevenueEvent,
        by="opportunity_id",
        description="What it brought.",
    )


@view(UpsertedOpportunity, name="OpportunityUpsertRow", description="What became of one row.")
class UpsertedOpportunityView:
    index: int = shown("Which row, from 0.")
    outcome: UpsertOutcome = shown("What became of it.")
    opportunity: OpportunityView | None = shown(
        "The opportunity as this request left it; null if refused."
    )

    @strawberry.field(description="Why it was refused; empty if it was not.")
    def user_errors(row: strawberry.Parent[Any]) -> list[UserError]:
        return [Refused(refusal) for refusal in row.refusals]  # type: ignore[misc]  # shown as errors
