"""Content assets are made, changed and put away; touches find them by their address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.content import AssetKind, ContentAsset, JourneyStage
from domain.content_matching import looking, match_touches
from domain.errors import DomainError, NotFound, StaleWrite
from domain.events import ContentAssetChanged
from domain.filters import FieldType, FilterField, FilterFields
from domain.identity import Actor, Permission
from domain.ids import new_id
from domain.lead_details import UNSAID, Said, Unsaid
from domain.personas import Persona
from domain.ports import Question, Work
from domain.values import limited_text, require_text
from domain.web_addresses import page_address

# How many assets are told of what a person consumed, the latest first.
MOST_CONSUMED = 50


def _field(
    name: str, attribute: str, type: FieldType, description: str, **more: Any
) -> FilterField:
    return FilterField(name=name, attribute=attribute, type=type, description=description, **more)


ASSET_FIELDS = FilterFields(
    "contentAsset",
    (
        _field("title", "title", FieldType.TEXT, "What it is called."),
        _field("kind", "kind", FieldType.CHOICE, "What form it has.", choices=AssetKind),
        _field("topic", "topic", FieldType.TEXT, "What it is about."),
        _field(
            "journeyStage",
            "journey_stage",
            FieldType.CHOICE,
            "How far on the buyer's way it helps.",
            choices=JourneyStage,
            ordered=True,
        ),
        _field("personaId", "persona_id", FieldType.ID, "Whom it is for.", kind="Persona"),
        _field("url", "url", FieldType.TEXT, "Its address, as it is kept."),
        _field("createdAt", "created_at", FieldType.INSTANT, "When it was made."),
        _field(
            "archivedAt", "archived_at", FieldType.INSTANT, "When it was put away; missing before."
        ),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetDetails:
    """What somebody says of a content asset; what is not said stays."""

    title: str | Unsaid = UNSAID
    kind: AssetKind | Unsaid = UNSAID
    url: Said[str] = UNSAID
    topic: Said[str] = UNSAID
    journey_stage: Said[JourneyStage] = UNSAID
    persona_id: Said[UUID] = UNSAID


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumedAsset:
    """What somebody read, heard or saw of an asset, and when; what software opened is not in it."""

    asset: ContentAsset
    times: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumedBy(Question[Sequence[Sequence[ConsumedAsset]]]):
    """For each lead the assets that he consumed himself, at most 50, the latest first."""

    lead_ids: tuple[UUID, ...]


class AssetArchived(DomainError):
    """Nothing can be changed about an asset that was put away."""

    code = "ASSET_ARCHIVED"

    def __init__(self) -> None:
        super().__init__("This asset is archived and no longer changes.", path=("asset",))


async def create_asset(work: Work, actor: Actor, details: AssetDetails) -> ContentAsset:
    """Store a content asset.  Touches of its address are touches of it, those of before too."""
    actor.require(Permission.EDIT_CONTENT)
    blank = ContentAsset(
        id=new_id(),
        title="",
        kind=AssetKind.OTHER,
        created_at=work.now,
        created_by=actor.user_id,
    )
    if details.title is UNSAID:
        details = replace(details, title="")
    asset = await work.add(looking(await _told(work, blank, details), at=work.now))
    work.record(ContentAssetChanged(at=work.now, asset_id=asset.id))
    return await _looked(work, actor, asset)


async def update_asset(
    work: Work, actor: Actor, asset_id: UUID, details: AssetDetails, *, version: int | None = None
) -> ContentAsset:
    """Change an asset.  With another address, touches there are its own too, with those of before.

    What was matched by the old address stays its own.

    Raises:
        StaleWrite: if `version` is given and no longer the asset's.
        AssetArchived: if it was put away.
    """
    actor.require(Permission.EDIT_CONTENT)
    asset = await _in_use(work, asset_id)
    if version is not None and version != asset.version:
        raise StaleWrite("content asset")
    changed = await _told(work, asset, details)
    if changed == asset:
        return asset
    if changed.url != asset.url:
        return await _looked(work, actor, await _changed(work, looking(changed, at=work.now)))
    return await _changed(work, changed)


async def archive_asset(work: Work, actor: Actor, asset_id: UUID) -> ContentAsset:
    """Put an asset away.  Its touches stay its own, and those at its address still become so."""
    actor.require(Permission.EDIT_CONTENT)
    asset = await _in_use(work, asset_id)
    return await _changed(work, replace(asset, archived_at=work.now))


async def _looked(work: Work, actor: Actor, asset: ContentAsset) -> ContentAsset:
    """Return an asset that has looked for the first of its touches."""
    if asset.matching_after is None:
        return asset
    await match_touches(work, actor)
    return await work.get(ContentAsset, asset.id)


async def _changed(work: Work, asset: ContentAsset) -> ContentAsset:
    stored = await work.save(asset)
    work.record(ContentAssetChanged(at=work.now, asset_id=asset.id))
    return stored


async def _in_use(work: Work, asset_id: UUID) -> ContentAsset:
    try:
        asset = await work.get(ContentAsset, asset_id, lock=True)
    except NotFound:
        raise NotFound("content asset", path=("asset",)) from None
    if asset.archived_at is not None:
        raise AssetArchived
    return asset


async def _told(work: Work, asset: ContentAsset, details: AssetDetails) -> ContentAsset:
    """Return an asset with everything that was said of it."""
    said: dict[str, Any] = {
        name: value
        for name in AssetDetails.__dataclass_fields__
        if (value := getattr(details, name)) is not UNSAID
    }
    if "title" in said:
        said["title"] = require_text(said["title"], name="The title", path=("title",))
    if said.get("topic") is not None:
        topic = limited_text(said["topic"].strip(), name="The topic", path=("topic",))
        said["topic"] = topic or None
    if said.get("url") is not None:
        said["url"] = page_address(said["url"])
    if said.get("persona_id") is not None:
        await _check_persona(work, said["persona_id"])
    return replace(asset, **said)


async def _check_persona(work: Work, persona_id: UUID) -> None:
    try:
        await work.get(Persona, persona_id)
    except NotFound:
        raise NotFound("persona", path=("persona",)) from None
