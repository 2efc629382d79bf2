"""Ratings that sales gives to campaigns and to the leads it got."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from api.campaigns import CampaignRef, campaign_id_of
from api.context import Info
from api.errors import mutation, query
from api.filtering import collection, filter_input
from api.leads import LeadRef, lead_id_of
from api.views import related, shown, view
from domain import ratings
from domain.campaigns import Campaign
from domain.errors import NotFound
from domain.handoff import Handoff
from domain.identity import Permission, User
from domain.paging import Order
from domain.ratings import RATING_FIELDS, Rating, RatingSummary


@view(Rating, description="How good one user found a campaign, or the lead of a hand-off.")
class RatingView:
    stars: int = shown("One to five.")
    comment: str | None = shown("What there is to say about it.")
    given_at: datetime = shown("When it was given first.")
    updated_at: datetime = shown("When it was changed last.")
    version: int = shown("How often it was changed.")
    user = related("api.identity.UserView", User, by="user_id", description="Who rates.")
    handoff = related(
        "api.handoff.HandoffView",
        Handoff,
        by="handoff_id",
        description="The hand-off whose lead is rated; null where a campaign is.",
    )

    campaign = related(
        "api.campaigns.CampaignView",
        Campaign,
        by="campaign_id",
        description="The campaign that is rated; null where a lead is.",
    )


@view(RatingSummary, description="What several ratings come to.")
class RatingSummaryView:
    count: int = shown("How many there are.")
    average: Decimal | None = shown("Their mean, from 1 to 5; null where there are none.")
    shrunk: Decimal = shown(
        "The mean as if five more had been given, at the mean of all there are (3 where there are"
        " none): by this few ratings and many compare."
    )


RatingFilter = filter_input(RATING_FIELDS)


@strawberry.type
class Queries:
    ratings = collection(
        RatingView,
        Rating,
        description="Ratings, the newest first.",
        default=(Order("given_at", descending=True),),
        fields=RATING_FIELDS,
        filter=RatingFilter,
    )("ratings")

    @query(
        "What the ratings of a campaign come to, or null if there is no such campaign.",
        shows=RatingSummaryView | None,
    )
    async def rating_summary(
        self,
        info: Info,
        campaign: Annotated[CampaignRef, strawberry.argument(description="Which campaign.")],
    ) -> Any:
        try:
            async with info.context.work() as work:
                campaign_id = await campaign_id_of(work, campaign)
        except NotFound:
            return None
        return await info.context.load_with("rating summaries", _summaries, campaign_id)


async def _summaries(work: Any, campaign_ids: Any) -> list[RatingSummary | None]:
    return await ratings.summaries_of(work, tuple(campaign_ids))


@strawberry.input(one_of=True, description="What is rated: exactly one of these.")
class RatedInput:
    lead: strawberry.Maybe[LeadRef] = shown("A lead that was handed to your team.", default=None)
    campaign: strawberry.Maybe[CampaignRef] = shown("A campaign.", default=None)


@strawberry.input(description="How good you find what.")
class RatingGiveInput:
    of: RatedInput = shown("What you rate.")
    stars: int = shown("One to five.")
    comment: str | None = shown("What there is to say about it.", default=UNSET)


@strawberry.type
class Mutations:
    @mutation(
        RatingView,
        "Say how good a campaign or a lead is; a second time replaces the first.",
        needs=Permission.DISCUSS,
    )
    async def rating_give(self, info: Info, input: RatingGiveInput) -> Rating:
        actor, comment = info.context.actor, input.comment or None
        async with info.context.writing() as work:
            if input.of.lead is not None:
                lead_id = await lead_id_of(
                    work, input.of.lead.value, path=("of", "lead"), lock=True
                )
                return await ratings.rate_lead(
                    work, actor, lead_id, stars=input.stars, comment=comment
                )
            if input.of.campaign is None:
                raise ValueError("GraphQL lets exactly one key of a @oneOf input through")
            path = ("of", "campaign")
            campaign_id = await campaign_id_of(work, input.of.campaign.value, path=path)
            return await ratings.rate_campaign(
                work, actor, campaign_id, stars=input.stars, comment=comment
            )
