"""What goes of touches and visitors when they were kept long enough, and what figures keep."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.attribution import reattribute
from domain.audit import AuditEntry
from domain.content import AssetKind, ContentAsset
from domain.identity import system
from domain.ids import new_id
from domain.leads import Agency, Lead
from domain.merging import merge_leads, unmerge_leads
from domain.touch_erasure import erase_old
from domain.touch_intake import TouchDetails, identify_visitor, record_touch
from domain.touch_retention import TouchRetentionRun, update_touch_retention
from domain.touches import Channel, Touch, TouchKind, Visitor
from infra.touch_retention import TouchEraser
from tests.journeys import (
    DAY,
    a_campaign,
    a_deal,
    a_lead,
    a_stage,
    a_touch,
    recounted,
    stored_credits,
)
from tests.world import World, enter_directory

ANONYMOUS, KNOWN = 395 * DAY, 1095 * DAY
SECOND = timedelta(seconds=1)


def a_visitor(at: datetime, **said: Any) -> Visitor:
    id = new_id()
    return Visitor(**{"id": id, "token": f"visitor-{id.hex}", "first_seen_at": at, **said})


async def keep(world: World, *entities: object) -> None:
    async with world.work() as work:
        await work.add_all(entities)


async def credit(world: World, *leads: Lead) -> None:
    async with world.work() as work:
        await reattribute(work, [lead.id for lead in leads])


async def erase(world: World) -> None:
    await TouchEraser(world.database).erase_in_turn([world.tenant.id])


async def left(world: World, kind: type[Any] = Touch) -> set[Any]:
    async with world.work() as work:
        return {each.id for each in await work.find(kind)}


async def runs(world: World) -> list[TouchRetentionRun]:
    async with world.work() as work:
        return list(await work.find(TouchRetentionRun))


async def test_nobodys_touches_go_earlier_than_those_of_people(world):
    ann, visitor = a_lead(world.now), a_visitor(world.now - KNOWN)
    nobodys = [
        a_touch(world.now - ANONYMOUS + late, visitor_id=visitor.id)
        for late in (-SECOND, 0 * DAY, SECOND)
    ]
    anns = [
        a_touch(world.now - KNOWN + late, lead_id=ann.id) for late in (-SECOND, 0 * DAY, SECOND)
    ]
    await keep(world, ann, visitor, *nobodys, *anns)

    await erase(world)

    assert await left(world) == {each.id for each in (*nobodys[1:], *anns[1:])}


async def test_a_visitor_goes_with_its_last_touch_and_what_was_said_of_who_it_is(world):
    old = world.now - KNOWN - SECOND
    ann = a_lead(world.now)
    forgotten = [
        a_visitor(old),
        a_visitor(old, claimed_email="ann@x.example", claimed_at=old),
        a_visitor(old, lead_id=ann.id, identified_at=old),
    ]
    kept = [
        a_visitor(world.now),
        a_visitor(old, claimed_email="ann@x.example", claimed_at=world.now),
        a_visitor(old, lead_id=ann.id, identified_at=world.now - ANONYMOUS - DAY),
        a_visitor(old),
    ]
    touches = [
        *(a_touch(old, visitor_id=visitor.id) for visitor in forgotten),
        a_touch(world.now, visitor_id=kept[3].id),
    ]
    await keep(world, ann, *forgotten, *kept, *touches)

    await erase(world)

    assert await left(world, Visitor) == {visitor.id for visitor in kept}
    assert await left(world) == {touches[3].id}


async def test_what_a_won_deal_rests_on_is_reduced_and_its_credits_stay_as_they_are(world):
    ann, stage = a_lead(world.now - 1200 * DAY), a_stage(world.now)
    spring = a_campaign(world.now, "spring")
    visitor = a_visitor(world.now - 1200 * DAY, lead_id=ann.id, identified_at=world.now)
    guide = ContentAsset(
        id=new_id(), title="Guide", kind=AssetKind.PAGE, created_at=world.now, url="https://a.b/c"
    )
    said: dict[str, Any] = {"lead_id": ann.id, "url": "https://a.b/c", "asset_id": guide.id}
    first = a_touch(
        world.now - 1150 * DAY,
        visitor_id=visitor.id,
        campaign_id=spring.id,
        referrer="https://search.example/",
        utm_source="news",
        utm_campaign="spring",
        utm_term="crm",
        external_source="mailer",
        external_value="1",
        **said,
    )
    scanned = a_touch(world.now - 1150 * DAY, agency=Agency.AUTOMATIC, **said)
    later = a_touch(world.now - 1100 * DAY, **said)
    after = a_touch(world.now - 1096 * DAY, **said)
    recent = a_touch(world.now - 1000 * DAY, **said)
    won = a_deal(world.now - 1120 * DAY, lead=ann, stage=stage, closed_at=world.now - 1097 * DAY)
    await keep(world, ann, stage, spring, guide, visitor, first, scanned, later, after, recent, won)
    await credit(world, ann)
    credits = await stored_credits(world)

    await erase(world)
    await credit(world, ann)

    assert await stored_credits(world) == credits == await recounted(world)
    assert await left(world) == {first.id, later.id, recent.id}
    async with world.work() as work:
        reduced = await work.get(Touch, first.id)
        assert (await work.get(Lead, ann.id)).campaign_id == spring.id
    assert reduced == Touch(
        id=first.id,
        kind=TouchKind.PAGE_VIEW,
        channel=Channel.EMAIL,
        agency=Agency.HUMAN,
        occurred_at=first.occurred_at,
        recorded_at=first.recorded_at,
        lead_id=ann.id,
        campaign_id=spring.id,
        asset_id=guide.id,
        reduced_at=world.now,
        version=2,
    )
    assert await left(world, Visitor) == {visitor.id}


async def test_a_lead_stays_with_the_campaign_it_came_from(world):
    ann = a_lead(world.now - 1200 * DAY)
    spring, autumn = a_campaign(world.now, "spring"), a_campaign(world.now, "autumn")
    touches = [
        a_touch(world.now - 1190 * DAY, lead_id=ann.id),
        a_touch(world.now - 1180 * DAY, lead_id=ann.id, campaign_id=spring.id),
        a_touch(world.now - 1170 * DAY, lead_id=ann.id, campaign_id=spring.id),
        a_touch(world.now - DAY, lead_id=ann.id, campaign_id=autumn.id),
    ]
    await keep(world, ann, spring, autumn, *touches)

    await erase(world)
    await credit(world, ann)

    assert await left(world) == {touches[1].id, touches[3].id}
    async with world.work() as work:
        assert (await work.get(Lead, ann.id)).campaign_id == spring.id


async def test_leads_that_are_parted_again_keep_their_figures(world):
    ann, ben = (a_lead(world.now - 1200 * DAY, email=f"{name}@x.example") for name in ("a", "b"))
    stage = a_stage(world.now)
    touches = [
        a_touch(world.now - days * DAY, lead_id=lead.id)
        for lead in (ann, ben)
        for days in (1150, 1140, 10)
    ]
    deal = a_deal(world.now - 1100 * DAY, lead=ben, stage=stage, closed_at=world.now - DAY)
    await keep(world, ann, ben, stage, deal, *touches)
    await credit(world, ann, ben)
    async with world.work() as work:
        merged = await merge_leads(work, world.actor(), ann.id, [ben.id])
    await erase(world)
    async with world.work() as work:
        await unmerge_leads(work, world.actor(), merged.id)

    async with world.work() as work:
        whose = Counter(touch.lead_id for touch in await work.find(Touch))
    assert whose == {ann.id: 3, ben.id: 3}  # all six had led to the deal of the one they were
    assert await stored_credits(world) == await recounted(world)


async def test_a_run_goes_on_where_it_stopped_and_is_one_entry_in_the_audit_log(world):
    ann, old = a_lead(world.now), world.now - KNOWN - DAY
    visitors = [a_visitor(old) for _ in range(3)]
    await keep(
        world,
        ann,
        *visitors,
        *(a_touch(old, visitor_id=visitor.id) for visitor in visitors),
        *(a_touch(old, lead_id=ann.id) for _ in range(5)),
    )
    steps = 0
    while True:
        async with world.work() as work:
            steps += 1
            if not await erase_old(work, system(world.tenant.id), limit=2):
                break

    assert steps > 5
    [run] = await runs(world)
    assert (run.erased_touches, run.reduced_touches, run.erased_visitors) == (8, 0, 3)
    assert run.ended_at == world.now
    async with world.work() as work:
        entries = [e for e in await work.find(AuditEntry) if e.subject_kind == "TouchRetentionRun"]
    assert [{each.field: each.after for each in entry.changes} for entry in entries] == [
        {
            "anonymousDays": 395,
            "knownDays": 1095,
            "startedAt": "2026-03-10T12:00:00Z",
            "endedAt": "2026-03-10T12:00:00Z",
            "erasedTouches": 8,
            "reducedTouches": 0,
            "erasedVisitors": 3,
        }
    ]


async def test_a_day_goes_by_between_two_runs_unless_the_limits_were_changed(world):
    ann = a_lead(world.now)
    await keep(world, ann, *(a_touch(world.now - n * DAY, lead_id=ann.id) for n in (1100, 50)))
    await erase(world)
    await keep(world, a_touch(world.now - 1100 * DAY, lead_id=ann.id))
    world.wait(hours=23)
    await erase(world)
    assert len(await runs(world)) == 1

    async with world.work() as work:
        await update_touch_retention(work, world.actor(), anonymous_days=30, known_days=30)
    await erase(world)
    assert await left(world) == set()
    world.wait(hours=25)
    await erase(world)
    assert [run.erased_touches for run in await runs(world)] == [1, 2]


async def test_a_touch_that_comes_while_its_visitor_goes_is_kept(world):
    visitor = a_visitor(world.now - KNOWN - DAY)
    old = a_touch(world.now - KNOWN - DAY, visitor_id=visitor.id)
    await keep(world, visitor, old)

    async with world.work() as work:
        details = TouchDetails(kind=TouchKind.PAGE_VIEW, visitor=visitor.token)
        touch = await record_touch(work, world.actor(), details)
        erasing = asyncio.create_task(erase(world))
        await _until_somebody_waits(world)
    await erasing

    assert await left(world) == {touch.id}
    assert await left(world, Visitor) == {visitor.id}


async def test_what_becomes_somebodys_in_that_instant_stays_as_long_as_theirs(world):
    ann, visitor = a_lead(world.now), a_visitor(world.now - ANONYMOUS - DAY)
    old = a_touch(world.now - ANONYMOUS - DAY, visitor_id=visitor.id)
    await keep(world, ann, visitor, old)

    async with world.work() as work:
        await identify_visitor(work, world.actor(), visitor.token, ann.id)
        erasing = asyncio.create_task(erase(world))
        await _until_somebody_waits(world)
    await erasing

    assert await left(world) == {old.id}


async def test_other_tenants_keep_theirs(world, other_world):
    ann = a_lead(world.now)
    touch = a_touch(world.now - 100 * DAY, lead_id=ann.id)
    await keep(other_world, ann, touch)
    async with world.work() as work:
        await update_touch_retention(work, world.actor(), anonymous_days=30, known_days=30)
    await erase(world)
    assert await left(other_world) == {touch.id}


@pytest.mark.parametrize("fails", [True, False])
async def test_a_tenant_is_looked_at_once_an_hour_and_spoils_no_other(world, monkeypatch, fails):
    looked: list[Any] = []

    async def look(work: Any, actor: Any) -> bool:
        looked.append(work.tenant_id)
        if fails:
            raise RuntimeError("a bad tenant")
        return False

    monkeypatch.setattr("infra.touch_retention.erase_old", look)
    await enter_directory(world)
    ours = f"SELECT tenant_id FROM directory WHERE slug = '{world.tenant.slug}'"
    monkeypatch.setattr("infra.touch_retention._TENANTS", ours)
    eraser = TouchEraser(world.database)
    for _ in range(2):
        await eraser.erase_all()
    assert looked == [world.tenant.id]
    world.wait(hours=1)
    await eraser.erase_all()
    assert looked == [world.tenant.id] * 2


async def _until_somebody_waits(world: World) -> None:
    async with asyncio.timeout(60):
        while not await world.database.platform.fetchval(_WAITING):
            pass


_WAITING = """
SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE NOT l.granted AND a.datname = current_database()
"""
