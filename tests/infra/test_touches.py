"""Touches against a real database: what many do at the same instant."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from domain.consent import Consent, ConsentPurpose, ConsentStatus, LegalBasis
from domain.errors import AlreadyExists
from domain.ids import new_id
from domain.leads import ExternalId, Lead
from domain.touch_intake import (
    TouchDetails,
    TouchOutcome,
    TrackingWithdrawn,
    identify_visitor,
    record_touch,
    record_touches,
)
from domain.touches import Touch, TouchKind, Visitor
from tests.agreements import an_mql
from tests.api.asking_leads import StatementCount
from tests.journeys import a_deal, a_stage
from tests.world import World

TOKEN = "visitor-0123456789"
VIEW = TouchKind.PAGE_VIEW


async def a_lead(world: World) -> Lead:
    lead = an_mql(world.now)
    async with world.work() as work:
        await work.add(lead)
    return lead


async def view(world: World, token: str = TOKEN) -> Touch:
    """Keep a touch, again if somebody made the visitor in the same instant."""
    for _ in range(2):
        try:
            async with world.work() as work:
                return await record_touch(
                    work, world.actor(), TouchDetails(kind=VIEW, visitor=token)
                )
        except AlreadyExists:
            continue
    raise AssertionError("the visitor was made, and yet is not there")


async def identify(world: World, lead: Lead, token: str = TOKEN) -> None:
    async with world.work() as work:
        await identify_visitor(work, world.actor(), token, lead.id)


async def owners(world: World) -> list[UUID | None]:
    async with world.work() as work:
        return [touch.lead_id for touch in await work.find(Touch)]


async def test_a_touch_that_arrives_while_the_stitch_commits_does_not_stay_behind(world):
    lead = await a_lead(world)
    await view(world)

    async with world.work() as work:
        await identify_visitor(work, world.actor(), TOKEN, lead.id)
        arriving = asyncio.create_task(view(world))
        await _until_somebody_waits(world)
    await arriving

    assert await owners(world) == [lead.id, lead.id]


async def test_a_stitch_that_begins_while_a_touch_commits_takes_it_along(world):
    lead = await a_lead(world)
    await view(world)

    async with world.work() as work:
        await record_touch(work, world.actor(), TouchDetails(kind=VIEW, visitor=TOKEN))
        stitching = asyncio.create_task(identify(world, lead))
        await _until_somebody_waits(world)
    await stitching

    assert await owners(world) == [lead.id, lead.id]


@pytest.mark.parametrize("seed", range(5))
async def test_however_touches_and_stitches_interleave_nobodys_are_left(world, seed):
    chance = random.Random(seed)  # the order of a test
    ann, ben = await a_lead(world), await a_lead(world)
    await view(world)
    doing: list[Any] = [view(world) for _ in range(6)]
    doing += [identify(world, ann), identify(world, ben), identify(world, ann)]
    chance.shuffle(doing)

    await asyncio.gather(*doing)

    async with world.work() as work:
        [visitor] = await work.find(Visitor)
        touches = await work.find(Touch)
    assert visitor.lead_id in {ann.id, ben.id}
    assert len(touches) == 7
    assert {touch.lead_id for touch in touches} <= {ann.id, ben.id}
    assert {touch.visitor_id for touch in touches} == {visitor.id}


async def test_requests_that_name_the_same_visitors_and_leads_never_deadlock(world):
    leads = [await a_lead(world) for _ in range(3)]
    tokens = [f"{TOKEN}-{n}" for n in range(4)]
    for token in tokens:
        await view(world, token)

    async def many(seed: int) -> None:
        chance = random.Random(seed)  # the order of a test
        rows = [
            TouchDetails(
                kind=TouchKind.FORM, visitor=chance.choice(tokens), lead=chance.choice(leads).id
            )
            for _ in range(10)
        ]
        async with world.work() as work:
            await record_touches(work, world.actor(), rows)

    await asyncio.gather(*(many(seed) for seed in range(8)))

    assert len(await owners(world)) == 4 + 80


async def test_a_visitor_that_changes_hands_meanwhile_costs_nobody_a_deadlock(world):
    ann, ben = await a_lead(world), await a_lead(world)
    stage = a_stage(world.now)
    async with world.work() as work:
        await work.add_all([stage, a_deal(world.now, lead=ann, stage=stage)])
    await identify(world, ben)

    async def both() -> None:
        async with world.work() as work:
            await work.find(Lead, id=[ann.id, ben.id], lock=True)

    async with world.work() as work:
        await identify_visitor(work, world.actor(), TOKEN, ann.id)
        arriving = asyncio.create_task(view(world))
        await _until_somebody_waits(world)
        locking = asyncio.create_task(both())
        await _until_somebody_waits(world, many=2)
    touch, _ = await asyncio.gather(arriving, locking)

    assert touch.lead_id == ann.id


async def test_what_a_visitor_does_who_changes_hands_meanwhile_is_kept_of_nobody_unwilling(world):
    ann, ben = await a_lead(world), await a_lead(world)
    await identify(world, ben)

    async with world.work() as work:
        await identify_visitor(work, world.actor(), TOKEN, ann.id)
        await work.add(a_withdrawal(ann, world.now))
        arriving = asyncio.create_task(view(world))
        await _until_somebody_waits(world)
    with pytest.raises(TrackingWithdrawn):
        await arriving

    assert await owners(world) == []


async def test_two_who_say_whose_browsers_are_whose_never_deadlock(world):
    ann, ben = await a_lead(world), await a_lead(world)
    await identify(world, ann)

    async with world.work() as work:
        await work.find(Lead, id=[ann.id], lock=True)
        changing = asyncio.create_task(identify(world, ben))
        await _until_somebody_waits(world)
        await work.find(Lead, id=[ben.id], lock=True)
    await changing

    async with world.work() as work:
        assert [visitor.lead_id for visitor in await work.find(Visitor)] == [ben.id]


async def test_the_same_external_name_at_the_same_instant_is_taken_once(world):
    lead = await a_lead(world)
    row = TouchDetails(kind=VIEW, lead=lead.id, external=ExternalId("mailer", "m1"))

    async def once() -> Touch:
        async with world.work() as work:
            return await record_touch(work, world.actor(), row)

    first, second = await asyncio.gather(once(), once())

    assert first == second
    assert await owners(world) == [lead.id]


async def test_another_tenants_visitor_of_the_same_token_is_another(world, other_world):
    await view(world)
    await identify(other_world, await a_lead(other_world))
    assert await owners(world) == [None]
    assert await owners(other_world) == []


async def test_500_rows_take_no_more_statements_than_five(world, monkeypatch):
    leads = [await a_lead(world) for _ in range(3)]
    counts = []
    for size in (5, 500):
        rows = [
            TouchDetails(
                kind=TouchKind.FORM,
                lead=leads[n % 3].id,
                visitor=f"{TOKEN}-{size}-{n}",
                external=ExternalId("mailer", f"{size}-{n}"),
                url=f"https://acme.example/{n}?utm_campaign=c{n}",
            )
            for n in range(size)
        ]
        sent = StatementCount()
        with sent.of(monkeypatch):
            async with world.work() as work:
                done = await record_touches(work, world.actor(), rows)
        assert {row.outcome for row in done} == {TouchOutcome.CREATED}
        counts.append(sent.count)
    assert counts[0] == counts[1]


async def test_a_token_that_was_never_seen_is_remembered(world):
    lead = await a_lead(world)
    token = f"visitor-{new_id().hex}"
    await identify(world, lead, token)
    assert (await view(world, token)).lead_id == lead.id


def a_withdrawal(lead: Lead, at: datetime) -> Consent:
    return Consent(
        id=new_id(),
        lead_id=lead.id,
        purpose=ConsentPurpose.TRACKING,
        status=ConsentStatus.WITHDRAWN,
        basis=LegalBasis.CONSENT,
        source="letter",
        occurred_at=at,
        recorded_at=at,
    )


async def _until_somebody_waits(world: World, *, many: int = 1) -> None:
    async with asyncio.timeout(60):
        while await world.database.platform.fetchval(_WAITING) < many:
            pass


_WAITING = """
SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE NOT l.granted AND a.datname = current_database()
"""
