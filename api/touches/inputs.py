"""What can be said of a touch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import strawberry
from strawberry import UNSET

from api.campaigns import CampaignRef
from api.leads.inputs import ExternalIdInput, LeadRef, RowLeadRef, or_none
from api.touches import views  # noqa: F401  # declares the enums
from api.views import shown
from domain import ids
from domain.errors import DomainError
from domain.leads import Agency, ExternalId
from domain.touch_intake import TouchDetails, Utm
from domain.touches import Channel, TouchKind

Path = Sequence[str | int]


@strawberry.input(one_of=True, description="Which content asset is meant.")
class ContentAssetRef:
    id: strawberry.Maybe[strawberry.ID] = shown("Its id.", default=None)
    url: strawberry.Maybe[str] = shown("Its address, in any of its forms.", default=None)

    def key(self) -> UUID | str:
        """Return what tells the asset to the domain."""
        if self.id is not None:
            return ids.expect("ContentAsset", self.id.value, path=("asset", "id"))
        return "" if self.url is None else self.url.value


@strawberry.input(description="What a link says of the effort it belongs to.")
class UtmInput:
    source: str | None = shown("Where the link stood.", default=UNSET)
    medium: str | None = shown("By what medium it came.", default=UNSET)
    campaign: str | None = shown("The code of the campaign.", default=UNSET)
    content: str | None = shown("Which of several links it was.", default=UNSET)
    term: str | None = shown("What was searched for.", default=UNSET)


@strawberry.input
class TouchFieldsInput:
    """What can be said of a touch."""

    kind: TouchKind = shown("In what way the buyer met us.")
    lead: RowLeadRef | None = shown("Whose it is, or else `visitor`.", default=UNSET)
    visitor: str | None = shown(
        "The token of the browser it came from.  A FORM may say both: then the visitor is this"
        " lead, and its earlier touches come along.",
        default=UNSET,
    )
    agency: Agency = shown(
        "Whether a person did it.  A program that opens e-mails by itself is AUTOMATIC.",
        default=Agency.HUMAN,
    )
    channel: Channel | None = shown(
        "By which road; follows from kind, UTM and referrer if left out.", default=UNSET
    )
    occurred_at: datetime | None = shown("When it was; now, if left out.", default=UNSET)
    campaign: CampaignRef | None = shown(
        "The campaign; the one whose code the link carries, if left out.", default=UNSET
    )
    asset: ContentAssetRef | None = shown(
        "What was read, heard or seen; what stands at `url`, if left out.", default=UNSET
    )
    utm: UtmInput | None = shown(
        "What the link says of its effort; taken from `url` where left out.", default=UNSET
    )
    url: str | None = shown("The address of the page.", default=UNSET)
    referrer: str | None = shown("The address of the page before.", default=UNSET)
    external_id: ExternalIdInput | None = shown(
        "What another system calls the touch, by which it is never taken twice.", default=UNSET
    )


@strawberry.input(description="A touch to keep.")
class TouchRecordInput(TouchFieldsInput):
    pass


@strawberry.input(description="One touch of several.")
class TouchRowInput(TouchFieldsInput):
    pass


@strawberry.input(description="Touches to keep.")
class TouchesRecordInput:
    rows: list[TouchRowInput] = shown("At most 500, taken in their order.")


@strawberry.input(description="Whose browser it is.")
class VisitorIdentifyInput:
    visitor: str = shown("The token that its pages send.")
    lead: LeadRef = shown("Who uses it.")


def details_of(given: TouchFieldsInput) -> TouchDetails:
    """Return what an input says of a touch.

    Raises:
        WrongId: if an id in it is not one, or another kind of thing's.
    """
    lead, campaign, asset = or_none(given.lead), or_none(given.campaign), or_none(given.asset)
    utm, external = or_none(given.utm), or_none(given.external_id)
    return TouchDetails(
        kind=given.kind,
        lead=lead.key() if lead else None,
        visitor=or_none(given.visitor),
        agency=given.agency,
        channel=or_none(given.channel),
        occurred_at=or_none(given.occurred_at),
        campaign=campaign.key() if campaign else None,
        asset=asset.key() if asset else None,
        utm=_utm(utm) if utm else Utm(),
        url=or_none(given.url),
        referrer=or_none(given.referrer),
        external=ExternalId(external.source, external.value) if external else None,
    )


def details_of_row(given: TouchRowInput) -> TouchDetails | DomainError:
    """Return what a row says, or why it cannot be so."""
    try:
        return details_of(given)
    except DomainError as refusal:
        return refusal


def _utm(given: UtmInput) -> Utm:
    return Utm(
        source=or_none(given.source),
        medium=or_none(given.medium),
        campaign=or_none(given.campaign),
        content=or_none(given.content),
        term=or_none(given.term),
    )
