"""What a scene has of the web: a site, an asset, a visitor, and the touch that joins them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from domain.campaigns import Campaign, CampaignKind
from domain.content import AssetKind, ContentAsset, JourneyStage
from domain.ids import new_id
from domain.leads import Agency
from domain.touch_retention import TouchRetentionRun
from domain.touches import Channel, Touch, TouchKind, Visitor
from domain.tracking import TrackingSite
from tests.world import World


async def the_web(world: World, names: Mapping[str, Any]) -> list[Any]:
    """Store what pages of the web are known by, and one touch that carries it all."""
    lead_id, persona_id = (UUID(hex=names[kind][-32:]) for kind in ("Lead", "Persona"))
    made: dict[str, Any] = {"created_by": world.owner.id, "created_at": world.now}
    page = "https://acme.example/guide"
    campaign = Campaign(id=new_id(), name="Spring", kind=CampaignKind.EMAIL, code="spring", **made)
    site = TrackingSite(
        id=new_id(), name="Acme", key=new_id().hex, origins=("https://acme.example",), **made
    )
    asset = ContentAsset(
        id=new_id(),
        title="Guide",
        kind=AssetKind.ARTICLE,
        url=page,
        journey_stage=JourneyStage.AWARENESS,
        persona_id=persona_id,
        **made,
    )
    visitor = Visitor(
        id=new_id(), token="visitor-9876543210", first_seen_at=world.now, lead_id=lead_id
    )
    touch = Touch(
        id=new_id(),
        kind=TouchKind.PAGE_VIEW,
        channel=Channel.DIRECT,
        agency=Agency.HUMAN,
        occurred_at=world.now,
        recorded_at=world.now,
        lead_id=lead_id,
        visitor_id=visitor.id,
        asset_id=asset.id,
        url=page,
    )
    run = TouchRetentionRun(
        id=new_id(), anonymous_days=395, known_days=1095, started_at=world.now, ended_at=world.now
    )
    things = [campaign, site, asset, visitor, touch, run]
    async with world.work() as work:
        await work.add_all(things)
    return things
