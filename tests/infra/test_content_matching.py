"""Touches that were there before the content asset at their address."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.content import AssetKind, ContentAsset
from domain.content_flow import AssetDetails, ConsumedBy, create_asset, update_asset
from domain.content_matching import match_touches
from domain.ids import new_id
from domain.leads import Agency, Lead
from domain.strays import BEFORE_ALL
from domain.touch_intake import TouchesFollow
from domain.touches import Touch, Visitor
from infra.attribution import AttributionKeeper
from tests.journeys import (
    DAY,
    a_deal,
    a_lead,
    a_stage,
    a_touch,
    recounted,
    stored_credits,
)
from tests.world import World

GUIDE, OTHER = "https://acme.example/guide", "https://acme.example/other"


def told(url: str | None = GUIDE) -> AssetDetails:
    return AssetDetails(title="Guide", kind=AssetKind.ARTICLE, url=url)


async def make(world: World, url: str | None = GUIDE) -> ContentAsset:
    async with world.work() as work:
        return await create_asset(work, world.actor(), told(url))


async def assets_of(world: World) -> list[Any]:
    async with world.work() as work:
        return [touch.asset_id for touch in await work.find(Touch)]


async def keep(world: World, *entities: object) -> None:
    async with world.work() as work:
        await work.add_all(entities)


async def look(world: World) -> None:
    await AttributionKeeper(world.database).catch_up()


async def test_what_was_read_before_an_asset_was_known_is_part_of_the_story(world):
    ann = a_lead(world.now)
    views = [a_touch(world.now - n * DAY, lead_id=ann.id, url=GUIDE) for n in (2, 1)]
    scanned = a_touch(world.now, lead_id=ann.id, url=GUIDE, agency=Agency.AUTOMATIC)
    elsewhere = a_touch(world.now, lead_id=ann.id, url=OTHER)
    await keep(world, ann, *views, scanned, elsewhere)

    asset = await make(world, "http://ACME.example/guide/?utm_source=x")

    assert await assets_of(world) == [asset.id, asset.id, asset.id, None]
    assert asset.version == 1
    async with world.work() as work:
        [[consumed]] = await work.ask(ConsumedBy(lead_ids=(ann.id,)))
    assert (consumed.asset.id, consumed.times) == (asset.id, 2)


async def test_what_has_an_asset_already_keeps_it_when_the_address_becomes_anothers(world):
    ann = a_lead(world.now)
    await keep(world, ann, a_touch(world.now, lead_id=ann.id, url=GUIDE))
    first = await make(world)
    async with world.work() as work:
        await update_asset(work, world.actor(), first.id, AssetDetails(url=OTHER))
    await keep(world, a_touch(world.now, lead_id=ann.id, url=GUIDE))
    second = await make(world)

    assert await assets_of(world) == [first.id, second.id]


async def test_an_asset_without_an_address_looks_for_nothing(world):
    asset = await make(world, None)
    assert (asset.matching_after, asset.matching_started_at) == (None, None)


async def test_what_an_asset_did_for_a_deal_is_credited_to_it(world):
    ann, stage = a_lead(world.now - 9 * DAY), a_stage(world.now)
    touch = a_touch(world.now - DAY, lead_id=ann.id, url=GUIDE)
    await keep(world, ann, stage, touch, a_deal(world.now, lead=ann, stage=stage))
    asset = await make(world)

    credits = await stored_credits(world)

    assert {credit.asset_id for credit in credits.values()} == {asset.id}
    assert credits == await recounted(world)


async def test_the_worker_goes_on_in_batches_and_looks_once_more_at_latecomers(world):
    ann = a_lead(world.now)
    await keep(world, ann, *(a_touch(world.now, lead_id=ann.id, url=GUIDE) for _ in range(5)))
    asset = await make(world, OTHER)
    async with world.work() as work:
        await work.save(replace(asset, url=GUIDE, matching_after=BEFORE_ALL))
    done = []
    for _ in range(3):
        async with world.work() as work:
            done.append(await match_touches(work, world.actor(), limit=2))
    assert done == [True, True, False]
    assert await assets_of(world) == [asset.id] * 5

    await keep(world, a_touch(world.now, lead_id=ann.id, url=GUIDE))
    world.wait(minutes=2)
    await look(world)

    assert await assets_of(world) == [asset.id] * 6
    async with world.work() as work:
        kept = await work.get(ContentAsset, asset.id)
    assert (kept.matching_after, kept.matching_started_at) == (None, None)


async def test_a_visitor_identified_meanwhile_keeps_the_credits_right(world):
    """What was nobody's when it was found is a person's when it is locked."""
    ann, stage = a_lead(world.now - 9 * DAY), a_stage(world.now)
    visitor = Visitor(id=new_id(), token="visitor-0123456789", first_seen_at=world.now)
    touch = a_touch(world.now - timedelta(hours=1), visitor_id=visitor.id, url=GUIDE)
    await keep(world, ann, stage, visitor, touch, a_deal(world.now, lead=ann, stage=stage))

    async with world.work() as work:
        await work.find(Lead, id=[ann.id], lock=True)
        await work.ask(TouchesFollow(visitor_ids=(visitor.id,), lead_ids=(ann.id,)))
        making = asyncio.create_task(make(world))
        async with asyncio.timeout(60):
            while not await world.database.platform.fetchval(_WAITING):
                pass
    asset = await making

    credits = await stored_credits(world)
    assert await assets_of(world) == [asset.id]
    assert {credit.asset_id for credit in credits.values()} == {asset.id}
    assert credits == await recounted(world)


async def test_another_tenants_touches_are_none_of_an_assets(world, other_world):
    ann = a_lead(world.now)
    await keep(other_world, ann, a_touch(world.now, lead_id=ann.id, url=GUIDE))
    await make(world)
    assert await assets_of(other_world) == [None]


@pytest.mark.parametrize("changed", [AssetDetails(title="Handbook"), AssetDetails(url=GUIDE)])
async def test_an_asset_looks_only_when_its_address_changes(world, changed):
    asset = await make(world)
    world.wait(minutes=2)
    await look(world)
    async with world.work() as work:
        kept = await update_asset(work, world.actor(), asset.id, changed)
    assert kept.matching_after is None


_WAITING = """
SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE NOT l.granted AND a.datname = current_database()
"""
