"""What is public of campaigns and their costs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import strawberry

from api.errors import Refused, UserError
from api.filtering import enum
from api.types import MoneyView
from api.views import listed, related, shown, view
from domain.campaigns import (
    Campaign,
    CampaignAsset,
    CampaignCost,
    CampaignKind,
    CostOutcome,
    CostRow,
)
from domain.content import ContentAsset
from domain.identity import User
from domain.leads import Lead
from domain.paging import Order
from domain.ratings import Rating
from domain.threads import Thread
from domain.touches import Touch

enum(
    CampaignKind,
    "What sort of effort a campaign is.",
    ADVERTISING="Advertisements, in print or on screens.",
    CONTENT="Something to read, hear or see.",
    EMAIL="E-mails.",
    EVENT="A fair, a meeting, a dinner.",
    WEBINAR="A talk over the internet.",
    SOCIAL="Social networks.",
    SEARCH="Search engines.",
    REFERRAL="Customers who recommend us.",
    PARTNER="Partners who sell with us.",
    OUTBOUND="We speak to people first.",
    OTHER="None of these.",
)
enum(
    CostOutcome,
    "What became of a row.",
    CREATED="A new cost was recorded.",
    UPDATED="The cost there was has changed.",
    UNCHANGED="The cost there was said all of this already.",
    REFUSED="Nothing was done, for the reasons in `userErrors`.",
)


@view(CampaignCost, description="What a campaign cost on one day.")
class CampaignCostView:
    on: date = shown("The day.")
    amount: MoneyView = shown("How much.")
    note: str | None = shown("What for.")
    recorded_at: datetime = shown("When it was recorded.")
    external_source: str | None = shown("Which other system has a name for it.")
    external_value: str | None = shown("What that system calls it.")
    version: int = shown("How often it was changed.")
    campaign = related(
        "api.campaigns.CampaignView", Campaign, by="campaign_id", description="The campaign."
    )
    recorded_by = related(
        "api.identity.UserView", User, by="recorded_by", description="Who recorded it."
    )


@view(CampaignAsset, description="That an asset belongs to a campaign.")
class CampaignAssetView:
    added_at: datetime = shown("When it was put there.")
    asset = related(
        "api.content.ContentAssetView", ContentAsset, by="asset_id", description="The asset."
    )
    campaign = related(
        "api.campaigns.CampaignView", Campaign, by="campaign_id", description="The campaign."
    )


@view(Campaign, description="An effort of marketing, with what it costs and what belongs to it.")
class CampaignView:
    name: str = shown("What people call it.")
    kind: CampaignKind = shown("What sort of effort it is.")
    code: str = shown("The `utm_campaign` by which touches and leads find it, in small letters.")
    starts_on: date | None = shown("Its first day.")
    ends_on: date | None = shown("The day after its last one.")
    budget: MoneyView | None = shown("What may be spent.")
    created_at: datetime = shown("When it was made.")
    archived_at: datetime | None = shown("When it was put away; null before.")
    version: int = shown("How often it was changed.")
    created_by = related("api.identity.UserView", User, by="created_by", description="Who made it.")
    costs = listed(
        CampaignCostView,
        CampaignCost,
        by="campaign_id",
        description="What it cost, by day.",
        order=(Order("on"),),
    )
    assets = listed(
        CampaignAssetView,
        CampaignAsset,
        by="campaign_id",
        description="The contents that belong to it, in the order they were added.",
    )
    leads = listed(
        "api.leads.LeadView",
        Lead,
        by="campaign_id",
        description="The leads that came from it, the newest first.",
        order=(Order("created_at", descending=True),),
    )
    touches = listed(
        "api.touches.TouchView",
        Touch,
        by="campaign_id",
        description="The touches that belong to it, the latest first.",
        order=(Order("occurred_at", descending=True),),
    )
    threads = listed(
        "api.threads.ThreadView",
        Thread,
        by="campaign_id",
        description="What the teams say to each other about it, the latest first.",
        order=(Order("last_message_at", descending=True),),
    )
    ratings = listed(
        "api.ratings.RatingView",
        Rating,
        by="campaign_id",
        description="How good those who work with its leads found it, the newest first.",
        order=(Order("given_at", descending=True),),
    )


@view(CostRow, name="CampaignCostRow", description="What became of one row.")
class CostRowView:
    index: int = shown("Which row, from 0.")
    outcome: CostOutcome = shown("What became of it.")
    cost: CampaignCostView | None = shown("The cost as this request left it; null if refused.")

    @strawberry.field(description="Why it was refused; empty if it was not.")
    def user_errors(row: strawberry.Parent[Any]) -> list[UserError]:
        return [Refused(refusal) for refusal in row.refusals]  # type: ignore[misc]  # shown as errors
