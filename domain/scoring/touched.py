"""What a rule may ask of a touch."""

from __future__ import annotations

from domain.filters import FieldType, FilterField, FilterFields
from domain.leads import Agency
from domain.touches import Channel, TouchKind


def _text(name: str, attribute: str, description: str) -> FilterField:
    return FilterField(name=name, attribute=attribute, type=FieldType.TEXT, description=description)


SCORED_TOUCH_FIELDS = FilterFields(
    "scoredTouch",
    (
        FilterField(
            name="kind",
            attribute="kind",
            type=FieldType.CHOICE,
            choices=TouchKind,
            description="In what way the buyer met us.",
        ),
        FilterField(
            name="channel",
            attribute="channel",
            type=FieldType.CHOICE,
            choices=Channel,
            description="By which road the buyer came.",
        ),
        FilterField(
            name="agency",
            attribute="agency",
            type=FieldType.CHOICE,
            choices=Agency,
            description="Whether a person did it; what software did counts for nothing anyway.",
        ),
        FilterField(
            name="campaignId",
            attribute="campaign_id",
            type=FieldType.ID,
            kind="Campaign",
            description="The campaign it belongs to.",
        ),
        FilterField(
            name="assetId",
            attribute="asset_id",
            type=FieldType.ID,
            kind="ContentAsset",
            description="What was read, heard or seen.",
        ),
        _text("url", "url", "The page's address."),
        _text("utmSource", "utm_source", "The source that the link named."),
        _text("utmMedium", "utm_medium", "The medium that the link named."),
        _text("utmCampaign", "utm_campaign", "The campaign that the link named."),
    ),
)
