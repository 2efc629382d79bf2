"""What happened to campaigns, deals and customers."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domain.events.happened import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineChanged(Event):
    stage_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class OpportunityOpened(Event):
    opportunity_id: UUID
    lead_id: UUID
    handoff_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpportunityChanged(Event):
    """An opportunity was told anew, moved to another stage, or reopened."""

    opportunity_id: UUID
    lead_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class OpportunityWon(Event):
    opportunity_id: UUID
    lead_id: UUID
    handoff_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpportunityLost(Event):
    opportunity_id: UUID
    lead_id: UUID
    handoff_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerChanged(Event):
    customer_id: UUID
    lead_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueRecorded(Event):
    """Revenue came, went, or was put right."""

    revenue_event_id: UUID
    customer_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRateChanged(Event):
    exchange_rate_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignChanged(Event):
    """A campaign, its costs or its assets were changed."""

    campaign_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributionModelChanged(Event):
    """A model was made or archived, or has seen all opportunities."""

    model_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingSiteChanged(Event):
    """A web site's key was made, was given other origins, or was revoked."""

    tracking_site_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentAssetChanged(Event):
    """A content asset was made, changed or archived."""

    asset_id: UUID
