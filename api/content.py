"""Content assets: what marketing made to be read, heard or seen, and who consumed it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from api.context import Info
from api.errors import mutation, query
from api.filtering import collection, enum, filter_input, order_input
from api.leads.inputs import or_none
from api.types import Url
from api.views import listed, related, shown, view
from domain import content_flow, ids
from domain.content import AssetKind, ContentAsset, JourneyStage
from domain.content_flow import ASSET_FIELDS, AssetDetails, ConsumedAsset
from domain.identity import Permission, User
from domain.paging import Order
from domain.personas import Persona
from domain.threads import Thread
from domain.touches import Touch

enum(
    AssetKind,
    "What form a content asset has.",
    PAGE="A page of the web site.",
    ARTICLE="An article or a post.",
    WHITEPAPER="A paper to download.",
    CASE_STUDY="How a customer fared.",
    VIDEO="Something to watch.",
    WEBINAR="A talk that people attend on the web.",
    TOOL="Something to use, such as a calculator.",
    EMAIL="A letter by e-mail.",
    OTHER="Anything else.",
)
enum(
    JourneyStage,
    "How far on the buyer's way an asset helps.",
    AWARENESS="The buyer learns that there is a problem.",
    CONSIDERATION="The buyer compares ways to solve it.",
    DECISION="The buyer chooses whom to buy from.",
    RETENTION="The buyer has bought, and stays.",
)


@view(ContentAsset, description="Something that marketing made to be read, heard or seen.")
class ContentAssetView:
    title: str = shown("What it is called.")
    kind: AssetKind = shown("What form it has.")
    url: Url | None = shown("Its address, by which touches of pages find it.")
    topic: str | None = shown("What it is about.")
    journey_stage: JourneyStage | None = shown("How far on the buyer's way it helps.")
    created_at: datetime = shown("When it was made known here.")
    archived_at: datetime | None = shown("When it was put away.")
    matching_started_at: datetime | None = shown(
        "When it began to look for earlier touches at its address; null once all are its own."
    )
    version: int = shown("Goes up with every change; send it along to change what you have seen.")
    persona = related(
        "api.personas.PersonaView", Persona, by="persona_id", description="Whom it is for."
    )
    created_by = related(
        "api.identity.UserView", User, by="created_by", description="Who made it known here."
    )
    touches = listed(
        "api.touches.TouchView",
        Touch,
        by="asset_id",
        description="Each time somebody met it, the latest first.",
        order=(Order("occurred_at", descending=True),),
    )
    threads = listed(
        "api.threads.ThreadView",
        Thread,
        by="asset_id",
        description="What the teams say to each other about it, the latest first.",
        order=(Order("last_message_at", descending=True),),
    )


@view(
    ConsumedAsset,
    name="ContentConsumption",
    description="What a person consumed of an asset.  What software opened is not in it.",
)
class ContentConsumptionView:
    asset: ContentAssetView = shown("What it was.")
    times: int = shown("How often.")
    first_at: datetime = shown("When for the first time.")
    last_at: datetime = shown("When for the last time.")


AssetFilter = filter_input(ASSET_FIELDS)
AssetOrder = order_input(
    "ContentAsset", {"CREATED_AT": "created_at"}, "How content assets are ordered"
)


@strawberry.type
class Queries:
    content_assets = collection(
        ContentAssetView,
        ContentAsset,
        description="Content assets, the newest first, archived ones too unless filtered.",
        default=(Order("created_at", descending=True),),
        fields=ASSET_FIELDS,
        filter=AssetFilter,
        order=AssetOrder,
    )("content_assets")

    @query("One content asset, or null if there is none.", shows=ContentAssetView | None)
    async def content_asset(self, info: Info, id: strawberry.ID) -> Any:
        return await info.context.load(ContentAsset, ids.expect("ContentAsset", id, path=("id",)))


@strawberry.input(description="A new content asset.")
class ContentAssetCreateInput:
    title: str = shown("What to call it.")
    kind: AssetKind = shown("What form it has.")
    url: Url | None = shown(
        "Its address; touches of this page are touches of it, those of before too.", default=UNSET
    )
    topic: str | None = shown("What it is about.", default=UNSET)
    journey_stage: JourneyStage | None = shown(
        "How far on the buyer's way it helps.", default=UNSET
    )
    persona: strawberry.ID | None = shown("Whom it is for.", default=UNSET)


@strawberry.input(description="What changes about a content asset.  What is left out stays.")
class ContentAssetUpdateInput:
    asset: strawberry.ID = shown("Which asset.")
    version: int | None = shown(
        "The version you have seen; if it has changed since, the answer is STALE.", default=UNSET
    )
    title: strawberry.Maybe[str] = shown("What to call it.", default=None)
    kind: strawberry.Maybe[AssetKind] = shown("What form it has.", default=None)
    url: strawberry.Maybe[Url | None] = shown(
        "Its address; earlier touches there become its own too, and those it has stay.",
        default=None,
    )
    topic: strawberry.Maybe[str | None] = shown("What it is about.", default=None)
    journey_stage: strawberry.Maybe[JourneyStage | None] = shown(
        "How far on the buyer's way it helps.", default=None
    )
    persona: strawberry.Maybe[strawberry.ID | None] = shown("Whom it is for.", default=None)


@strawberry.input(description="Which content asset to put away.")
class ContentAssetArchiveInput:
    asset: strawberry.ID = shown("Which asset.")


@strawberry.type
class Mutations:
    @mutation(ContentAssetView, "Make a content asset known.", needs=Permission.EDIT_CONTENT)
    async def content_asset_create(
        self, info: Info, input: ContentAssetCreateInput
    ) -> ContentAsset:
        details = AssetDetails(
            title=input.title,
            kind=input.kind,
            url=or_none(input.url),
            topic=or_none(input.topic),
            journey_stage=or_none(input.journey_stage),
            persona_id=_persona_id(or_none(input.persona)),
        )
        async with info.context.writing() as work:
            return await content_flow.create_asset(work, info.context.actor, details)

    @mutation(ContentAssetView, "Change a content asset.", needs=Permission.EDIT_CONTENT)
    async def content_asset_update(
        self, info: Info, input: ContentAssetUpdateInput
    ) -> ContentAsset:
        asset_id, details = _asset_id(input.asset), _changes(input)
        async with info.context.writing() as work:
            return await content_flow.update_asset(
                work, info.context.actor, asset_id, details, version=or_none(input.version)
            )

    @mutation(ContentAssetView, "Put a content asset away.", needs=Permission.EDIT_CONTENT)
    async def content_asset_archive(
        self, info: Info, input: ContentAssetArchiveInput
    ) -> ContentAsset:
        async with info.context.writing() as work:
            return await content_flow.archive_asset(
                work, info.context.actor, _asset_id(input.asset)
            )


def _asset_id(text: str) -> UUID:
    return ids.expect("ContentAsset", text, path=("asset",))


def _persona_id(text: str | None) -> UUID | None:
    return None if text is None else ids.expect("Persona", text, path=("persona",))


def _changes(given: ContentAssetUpdateInput) -> AssetDetails:
    said: dict[str, Any] = {
        name: some.value
        for name in ("title", "kind", "url", "topic", "journey_stage")
        if (some := getattr(given, name)) is not None
    }
    if given.persona is not None:
        said["persona_id"] = _persona_id(given.persona.value)
    return AssetDetails(**said)
