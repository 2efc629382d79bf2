"""Campaigns, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from domain.values import Money


class CampaignKind(StrEnum):
    """What sort of effort a campaign is."""

    ADVERTISING = "ADVERTISING"
    CONTENT = "CONTENT"
    EMAIL = "EMAIL"
    EVENT = "EVENT"
    WEBINAR = "WEBINAR"
    SOCIAL = "SOCIAL"
    SEARCH = "SEARCH"
    REFERRAL = "REFERRAL"
    PARTNER = "PARTNER"
    OUTBOUND = "OUTBOUND"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """An effort of marketing.  `code` is the `utm_campaign` by which touches and leads find it."""

    id: UUID
    name: str
    kind: CampaignKind
    code: str
    created_at: datetime
    created_by: UUID | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    budget_minor: int | None = None
    currency: str | None = None
    archived_at: datetime | None = None
    version: int = 1

    @property
    def budget(self) -> Money | None:
        if self.budget_minor is None or self.currency is None:
            return None
        return Money(self.budget_minor, self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignCost:
    """What a campaign cost on one day.  `external_value` keeps an import from adding it twice."""

    id: UUID
    campaign_id: UUID
    on: date
    amount_minor: int
    currency: str
    recorded_at: datetime
    recorded_by: UUID | None = None
    note: str | None = None
    external_source: str | None = None
    external_value: str | None = None
    version: int = 1

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignAsset:
    """An asset that belongs to a campaign."""

    id: UUID
    campaign_id: UUID
    asset_id: UUID
    added_at: datetime
