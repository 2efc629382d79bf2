"""What is public of touches and visitors, and the story that is told of a person."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry

from api.errors import Refused, UserError
from api.filtering import enum
from api.types import EmailAddress, Url
from api.views import listed, related, shown, view
from domain.campaigns import Campaign
from domain.content import ContentAsset
from domain.leads import Agency, Lead
from domain.paging import Order
from domain.touch_intake import RecordedTouch, TouchOutcome
from domain.touches import Channel, Touch, TouchKind, Visitor

enum(
    TouchKind,
    "In what way a buyer met us.",
    PAGE_VIEW="Looked at a page.",
    FORM="Sent a form.",
    DOWNLOAD="Downloaded something.",
    EMAIL_OPEN="Opened an e-mail.  What opens pictures by itself is to be told as AUTOMATIC.",
    EMAIL_CLICK="Followed a link of an e-mail.",
    EVENT="Came to an event.",
    WEBINAR="Attended a talk on the web.",
    AD_CLICK="Followed an advertisement.",
    CALL="Was called, or called.",
    MEETING="Met somebody of ours.",
    CHAT="Wrote in a chat.",
)
enum(
    Channel,
    "By which road a buyer came.",
    DIRECT="By none that we know of.",
    ORGANIC_SEARCH="From what a search engine found.",
    PAID_SEARCH="From an advertisement of a search engine.",
    SOCIAL="From a social network.",
    PAID_SOCIAL="From an advertisement of a social network.",
    DISPLAY="From an advertisement on a page.",
    EMAIL="From an e-mail.",
    REFERRAL="From another web site.",
    PARTNER="From a partner.",
    EVENT="From an event.",
    OFFLINE="From something that is not on the web.",
    OTHER="By another one.",
)
enum(
    TouchOutcome,
    "What became of a row.",
    CREATED="It was stored.",
    DUPLICATE="There is a touch of this external name already, and it stays as it is.",
    REFUSED="Nothing was done, for the reasons in `userErrors`.",
)


@strawberry.type(description="The five parameters by which a link says which effort it belongs to.")
class Utm:
    source: str | None = shown("Where the link stood.")
    medium: str | None = shown("By what medium it came.")
    campaign: str | None = shown("The code of the campaign.")
    content: str | None = shown("Which of several links it was.")
    term: str | None = shown("What was searched for.")


@view(Touch, description="One meeting of a buyer with us.")
class TouchView:
    kind: TouchKind = shown("In what way.")
    channel: Channel = shown("By which road.")
    agency: Agency = shown("Whether a person did it; only what people do counts for a score.")
    occurred_at: datetime = shown("When it was.")
    recorded_at: datetime = shown("When we learnt of it.")
    url: Url | None = shown("The page, without what only tracks a click.")
    referrer: Url | None = shown("The page before, without its parameters.")
    reduced_at: datetime | None = shown(
        "When it was kept long enough, and all of it was erased but what figures rest on: kind,"
        " channel, instant, campaign and asset."
    )
    lead = related(
        "api.leads.LeadView", Lead, by="lead_id", description="Whose it is; null while unknown."
    )
    visitor = related(
        "api.touches.VisitorView",
        Visitor,
        by="visitor_id",
        description="The browser it came from; null if it came from none.",
    )
    asset = related(
        "api.content.ContentAssetView",
        ContentAsset,
        by="asset_id",
        description="What was read, heard or seen.",
    )
    campaign = related(
        "api.campaigns.CampaignView",
        Campaign,
        by="campaign_id",
        description="The campaign it belongs to.",
    )

    @strawberry.field(description="What the link said of the effort it belongs to.")
    def utm(touch: strawberry.Parent[Touch]) -> Utm:
        return Utm(
            source=touch.utm_source,
            medium=touch.utm_medium,
            campaign=touch.utm_campaign,
            content=touch.utm_content,
            term=touch.utm_term,
        )

    @strawberry.field(description="Which system told of it; null if none named it.")
    def external_source(touch: strawberry.Parent[Touch]) -> str | None:
        return touch.external_source

    @strawberry.field(description="What that system calls it.")
    def external_value(touch: strawberry.Parent[Touch]) -> str | None:
        return touch.external_value


@view(Visitor, description="A browser whose user we may not know yet.")
class VisitorView:
    token: str = shown("The random id that its pages send.")
    first_seen_at: datetime = shown("When it was first seen.")
    identified_at: datetime | None = shown("When somebody said whose it is.")
    claimed_email: EmailAddress | None = shown(
        "Whom a page says it is, which anybody could say: `visitorIdentify` confirms it."
    )
    claimed_at: datetime | None = shown("When the page said so.")
    lead = related(
        "api.leads.LeadView", Lead, by="lead_id", description="Whose it is; null while unknown."
    )
    touches = listed(
        TouchView,
        Touch,
        by="visitor_id",
        description="What it did, the latest first.",
        order=(Order("occurred_at", descending=True),),
    )


@view(RecordedTouch, name="TouchRow", description="What became of one row.")
class RecordedTouchView:
    index: int = shown("Which row, from 0.")
    outcome: TouchOutcome = shown("What became of it.")
    touch: TouchView | None = shown("The touch as this request left it; null if refused.")

    @strawberry.field(description="Why it was refused; empty if it was not.")
    def user_errors(row: strawberry.Parent[Any]) -> list[UserError]:
        return [Refused(refusal) for refusal in row.refusals]  # type: ignore[misc]  # shown as errors
