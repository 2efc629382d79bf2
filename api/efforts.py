"""Which efforts of marketing are fruitful, by figures and by what sales says."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from api.context import Info
from api.errors import query
from api.filtering import OrderDirection, enum
from api.ratings import RatingSummaryView
from api.types import MoneyView
from api.views import related, shown, view
from domain.campaigns import Campaign
from domain.efforts import Effort, EffortFigure, EffortKind, fruitful_efforts

enum(
    EffortKind,
    "What efforts are told apart by.",
    CAMPAIGN="By the campaign the lead came by.",
    ORIGIN="By the source the lead came from.",
)
enum(
    EffortFigure,
    "By which figure efforts are ordered; what has none comes last.",
    HANDED_OFF="By how many leads were handed over.",
    ACCEPTED_SHARE="By the share that sales accepted.",
    FEEDBACK_SHARE="By the share marketing has heard of.",
    WON="By how many deals were won.",
    REVENUE="By what they were worth.",
    CAMPAIGN_RATING="By how sales rates the campaign.",
    LEAD_RATING="By how sales rates the leads.",
)


@view(Effort, description="What came of one campaign, or of all that came from one source.")
class EffortView:
    key: str | None = shown("The campaign's code or the source; null where the lead names none.")
    handed_off: int = shown("How many hand-offs were made of its leads.")
    accepted: int = shown("How many of them sales accepted.")
    accepted_share: Decimal | None = shown("Accepted by answered; null while none is answered.")
    feedback_share: Decimal | None = shown("Those marketing has heard of, by all.")
    won: int = shown("How many deals of these hand-offs were won.")
    revenue: MoneyView = shown(
        "What they were worth, in the tenant's currency: each by the rate of the day it was closed"
        " on."
    )
    campaign_rating: RatingSummaryView | None = shown(
        "How sales rates the campaign; null if there is no campaign of this code."
    )
    lead_rating: RatingSummaryView = shown("How sales rates the leads.")

    campaign = related(
        "api.campaigns.CampaignView",
        Campaign,
        by="campaign_id",
        description="The campaign, if there is one of this code.",
    )


def _told(description: str) -> Any:
    return strawberry.argument(description=description)


@strawberry.type
class Queries:
    @query(
        "Which efforts are fruitful: what came of the leads each brought, beside how sales rates"
        " them.  The best first, at most 100.",
        shows=list[EffortView],
    )
    async def fruitful_efforts(  # noqa: PLR0917  # GraphQL gives them by name
        self,
        info: Info,
        by: Annotated[EffortKind, _told("What they are told apart by.")] = EffortKind.CAMPAIGN,
        since: Annotated[datetime | None, _told("Only hand-offs from then on.")] = UNSET,
        until: Annotated[datetime | None, _told("Only hand-offs before then.")] = UNSET,
        order_by: Annotated[EffortFigure, _told("By which figure.")] = EffortFigure.REVENUE,
        direction: Annotated[OrderDirection, _told("Which way.")] = OrderDirection.DESC,
        first: Annotated[int, _told("How many, from the front; at most 100.")] = 25,
    ) -> Any:
        async with info.context.work() as work:
            return await fruitful_efforts(
                work,
                info.context.actor,
                by=by,
                since=since or None,
                until=until or None,
                order=order_by,
                descending=direction is OrderDirection.DESC,
                limit=first,
            )
