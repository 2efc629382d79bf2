"""Campaigns, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from domain.filters import FieldType, FilterField, FilterFields, fold_case
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
    """An effort of marketing.  `code` is the `utm_campaign` by which touches and leads find it.

    It ends the day before `ends_on`.  `adopting_after` is how far, by id, it has looked for touches
    and leads that named it before it was there; None once it has seen all.
    """

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
    adopting_after: UUID | None = None
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


def campaign_code(text: str) -> str:
    """Return the code that a `utm_campaign` or an origin names: trimmed, A-Z made a-z."""
    return fold_case(text.strip())


CAMPAIGN_FIELDS = FilterFields(
    "campaign",
    (
        FilterField(
            name="name",
            attribute="name",
            type=FieldType.TEXT,
            description="What people call it.",
        ),
        FilterField(
            name="code",
            attribute="code",
            type=FieldType.TEXT,
            description="The `utm_campaign` by which touches and leads find it, in small letters.",
        ),
        FilterField(
            name="kind",
            attribute="kind",
            type=FieldType.CHOICE,
            choices=CampaignKind,
            description="What sort of effort it is.",
        ),
        FilterField(
            name="startsOn",
            attribute="starts_on",
            type=FieldType.DAY,
            description="Its first day.",
        ),
        FilterField(
            name="endsOn",
            attribute="ends_on",
            type=FieldType.DAY,
            description="The day after its last one.",
        ),
        FilterField(
            name="archivedAt",
            attribute="archived_at",
            type=FieldType.INSTANT,
            description="When it was put away; missing before.",
        ),
    ),
)
