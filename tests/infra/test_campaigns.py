"""Touches and leads find their campaign, whichever of them comes first."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from domain.attribution import reattribute
from domain.campaigns import Campaign, CampaignPlan, adopt_strays, create_campaign
from domain.identity import system
from domain.ids import new_id
from domain.lead_details import LeadDetails
from domain.lead_intake import create_lead, update_lead, upsert_leads
from domain.leads import ExternalId, Lead
from domain.opportunities import (
    OpportunityDetails,
    OpportunityRow,
    lose_opportunity,
    open_opportunity,
    reopen_opportunity,
    upsert_opportunities,
    win_opportunity,
)
from domain.touch_intake import (
    TouchDetails,
    TouchesFollow,
    Utm,
    identify_visitor,
    record_touch,
)
from domain.touches import Touch, TouchKind, Visitor
from domain.values import Money
from infra.attribution import AttributionKeeper
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
from tests.world import World


async def make(world: World, code: str = "spring") -> Campaign:
    async with world.work() as work:
        return await create_campaign(
            work, world.actor(), code=code, plan=CampaignPlan(name="Spring")
        )


async def belongings(world: World, kind: type) -> list[Any]:
    async with world.work() as work:
        return [each.campaign_id for each in await work.find(kind)]


async def test_a_campaign_adopts_what_named_it_before_it_was_there(world: World) -> None:
    lead, other = a_lead(world.now - 9 * DAY), a_lead(world.now, origin_campaign="Spring")
    stage = a_stage(world.now)
    touches = [
        a_touch(world.now - 8 * DAY, lead_id=lead.id, utm_campaign=" SPRING"),
        a_touch(world.now - 7 * DAY, lead_id=lead.id, utm_campaign="summer"),
        a_touch(world.now - 6 * DAY, lead_id=lead.id),
    ]
    deal = a_deal(world.now - DAY, lead=lead, stage=stage)
    async with world.work() as work:
        await work.add_all([lead, other, stage, *touches, deal])
        await reattribute(work, [lead.id])

    campaign = await make(world)

    assert await belongings(world, Touch) == [campaign.id, None, None]
    assert await belongings(world, Lead) == [campaign.id, campaign.id]
    credits = await stored_credits(world)
    assert {c.touch_id for c in credits.values() if c.campaign_id} == {touches[0].id}


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_batches_of_any_size_find_everything(world: World, limit: int) -> None:
    lead = a_lead(world.now, origin_campaign="SPRING")
    touches = [a_touch(world.now, lead_id=lead.id, utm_campaign="spring") for _ in range(5)]
    leads = [a_lead(world.now, origin_campaign="spring") for _ in range(4)]
    campaign = await make(world)
    async with world.work() as work:
        await work.add_all([lead, *touches, *leads])
    world.wait(minutes=2)

    for _ in range(20):
        async with world.work() as work:
            if not await adopt_strays(work, system(world.tenant.id), limit=limit):
                break

    assert await belongings(world, Touch) == [campaign.id] * 5
    assert await belongings(world, Lead) == [campaign.id] * 5
    async with world.work() as work:
        (done,) = await work.find(Campaign)
    assert done.adopting_after is None


async def test_what_was_stored_while_a_campaign_was_made_is_found_a_little_later(
    world: World,
) -> None:
    campaign = await make(world)
    async with world.work() as work:
        lead = await work.add(a_lead(world.now))
        await work.add(a_touch(world.now, lead_id=lead.id, utm_campaign="spring"))

    await AttributionKeeper(world.database).catch_up()
    world.wait(minutes=2)
    await AttributionKeeper(world.database).catch_up()

    assert await belongings(world, Touch) == [campaign.id]
    async with world.work() as work:
        assert (await work.get(Campaign, campaign.id)).adopting_after is None


async def test_a_lead_belongs_to_the_campaign_that_its_form_names(world: World) -> None:
    spring, summer = await make(world), await make(world, "summer")
    actor = world.actor()

    async with world.work() as work:
        named = await create_lead(work, actor, LeadDetails(origin_campaign="Spring"))
        plain = await create_lead(work, actor, LeadDetails(email="a@example.com"))
    async with world.work() as work:
        await work.add(a_touch(world.now, lead_id=named.id, campaign_id=summer.id))
        moved = await update_lead(work, actor, named.id, LeadDetails(origin_campaign="nothing"))
    async with world.work() as work:
        same = await update_lead(work, actor, named.id, LeadDetails(first_name="Ann"))

    assert (named.campaign_id, plain.campaign_id) == (spring.id, None)
    assert (moved.campaign_id, same.campaign_id) == (summer.id, summer.id)


async def test_rows_in_bulk_belong_to_the_campaigns_they_name(world: World) -> None:
    spring = await make(world)
    rows = [LeadDetails(email=f"{n}@example.com", origin_campaign=code) for n, code in
            enumerate(("SPRING", "spring ", "autumn", None))]  # fmt: skip

    async with world.work() as work:
        found = await upsert_leads(work, world.actor(), rows)

    assert [row.lead and row.lead.campaign_id for row in found] == [
        spring.id,
        spring.id,
        None,
        None,
    ]


async def test_a_touch_finds_its_campaign_by_its_link_and_credits_the_deal(world: World) -> None:
    campaign, stage, lead = await make(world), a_stage(world.now), a_lead(world.now - 9 * DAY)
    async with world.work() as work:
        await work.add_all([stage, lead, a_deal(world.now - DAY, lead=lead, stage=stage)])

    async with world.work() as work:
        touch = await record_touch(
            work,
            world.actor(),
            TouchDetails(kind=TouchKind.FORM, lead=lead.id, utm=Utm(campaign="SPRING")),
        )

    assert touch.campaign_id == campaign.id
    credits = (await stored_credits(world)).values()
    assert {(c.touch_id, c.campaign_id, c.share) for c in credits} == {(touch.id, campaign.id, 1)}
    assert await belongings(world, Lead) == [campaign.id]


async def test_what_a_visitor_did_is_credited_when_it_is_known_whose_it_was(world: World) -> None:
    campaign, stage, lead = await make(world), a_stage(world.now), a_lead(world.now - 9 * DAY)
    token = "0123456789abcdef0123456789abcdef"
    async with world.work() as work:
        await work.add_all([stage, lead, a_deal(world.now - DAY, lead=lead, stage=stage)])
        seen = TouchDetails(
            kind=TouchKind.PAGE_VIEW, visitor=token, utm=Utm(campaign="spring"),
            occurred_at=world.now - 8 * DAY,
        )  # fmt: skip
        await record_touch(work, world.actor(), seen)
    before = await stored_credits(world)

    async with world.work() as work:
        await identify_visitor(work, world.actor(), token, lead.id)

    assert before == {}
    assert len(await stored_credits(world)) == 9
    assert await stored_credits(world) == await recounted(world)
    assert await belongings(world, Lead) == [campaign.id]


async def test_a_deal_is_credited_from_its_opening_and_anew_when_it_changes(world: World) -> None:
    lead = a_lead(world.now - 9 * DAY)
    touch, actor = a_touch(world.now - 8 * DAY, lead_id=lead.id), world.actor()
    async with world.work() as work:
        await work.add_all([lead, touch, a_stage(world.now)])

    async with world.work() as work:
        told = OpportunityDetails(name="Deal", amount=Decimal(100), currency="EUR")
        deal = await open_opportunity(work, actor, lead.id, told, as_history=True)
    opened = {credit.amount_minor for credit in (await stored_credits(world)).values()}
    async with world.work() as work:
        await win_opportunity(work, actor, deal.id, amount=Money(9_000, "EUR"))
    won = {credit.amount_minor for credit in (await stored_credits(world)).values()}

    assert (opened, won) == ({10_000}, {9_000})
    assert await stored_credits(world) == await recounted(world)


async def test_a_lost_deal_is_credited_to_nobody_until_it_goes_on(world: World) -> None:
    lead, actor = a_lead(world.now - 9 * DAY), world.actor()
    rows = [OpportunityRow(
        details=OpportunityDetails(
            name="Deal", amount=Decimal(100), currency="EUR", external_id=ExternalId("crm", "1")
        ),
        lead=lead.id,
    )]  # fmt: skip
    async with world.work() as work:
        await work.add_all([lead, a_touch(world.now - DAY, lead_id=lead.id), a_stage(world.now)])

    async with world.work() as work:
        (row,) = await upsert_opportunities(work, actor, rows, as_history=True)
    assert row.opportunity is not None
    kept = len(await stored_credits(world))
    async with world.work() as work:
        await lose_opportunity(work, actor, row.opportunity.id, reason="Price")
    lost = len(await stored_credits(world))
    async with world.work() as work:
        await reopen_opportunity(work, actor, row.opportunity.id)

    assert (kept, lost, len(await stored_credits(world))) == (9, 0, 9)


async def test_a_visitor_identified_meanwhile_keeps_the_credits_right(world: World) -> None:
    """What was nobody's when it was found is a person's when it is locked."""
    lead, stage = a_lead(world.now - 9 * DAY), a_stage(world.now)
    visitor = Visitor(id=new_id(), token="visitor-0123456789", first_seen_at=world.now)
    touch = a_touch(world.now - DAY / 2, visitor_id=visitor.id, utm_campaign="spring")
    async with world.work() as work:
        await work.add_all([lead, stage, visitor, touch])
        await work.add(a_deal(world.now, lead=lead, stage=stage))

    async with world.work() as work:
        await work.find(Lead, id=[lead.id], lock=True)
        await work.ask(TouchesFollow(visitor_ids=(visitor.id,), lead_ids=(lead.id,)))
        making = asyncio.create_task(make(world))
        async with asyncio.timeout(60):
            while not await world.database.platform.fetchval(_WAITING):
                pass
    campaign = await making

    credits = await stored_credits(world)
    assert await belongings(world, Touch) == [campaign.id]
    assert await belongings(world, Lead) == [campaign.id]
    assert {credit.campaign_id for credit in credits.values()} == {campaign.id}
    assert credits == await recounted(world)


async def test_no_tenant_adopts_anothers(world: World, other_world: World) -> None:
    async with other_world.work() as work:
        await work.add(a_lead(world.now, origin_campaign="spring"))
        await work.add(a_campaign(world.now, "other"))

    await make(world)

    assert await belongings(other_world, Lead) == [None]


_WAITING = """
SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE NOT l.granted AND a.datname = current_database()
"""
