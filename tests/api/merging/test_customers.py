"""Customers who turn out to be one: who stays as one of them has not left."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain.customers import Customer, CustomerStatus, RevenueEvent, RevenueKind, set_status
from domain.leads import Lead
from domain.opportunities import OpportunityDetails, open_opportunity, win_opportunity
from domain.values import Money
from tests.api.merging.leads import accepted, merged, unmerged
from tests.api.merging.story import everything
from tests.deals import a_pipeline
from tests.world import World

NEW, EXPANSION = RevenueKind.NEW, RevenueKind.EXPANSION
ACTIVE, CHURNED = CustomerStatus.ACTIVE, CustomerStatus.CHURNED


async def buys(world: World, lead: Lead) -> UUID:
    """Let a lead buy an hour later; return the deal."""
    world.wait(hours=1)
    said = OpportunityDetails(name="Deal", opened_at=world.now - timedelta(minutes=5))
    async with world.work() as work:
        deal = await open_opportunity(work, world.actor(), lead.id, said)
    async with world.work() as work:
        await win_opportunity(work, world.actor(), deal.id, amount=Money(5_000, "EUR"))
    return deal.id


async def leaves(world: World, lead: Lead) -> None:
    world.wait(hours=1)
    async with world.work() as work:
        [customer] = await work.find(Customer, lead_id=lead.id)
        await set_status(work, world.actor(), customer.id, CHURNED)


async def kinds(world: World, *deals: UUID) -> list[RevenueKind]:
    async with world.work() as work:
        found = {each.opportunity_id: each.kind for each in await work.find(RevenueEvent)}
    return [found[deal] for deal in deals]


async def status(world: World, lead: Lead) -> CustomerStatus:
    async with world.work() as work:
        [customer] = await work.find(Customer, lead_id=lead.id)
    return customer.status


@pytest.mark.parametrize("turned", [False, True], ids=["who-left-wins", "who-stays-wins"])
async def test_who_stayed_as_another_bought_more_though_one_had_left(
    world: World, turned: bool
) -> None:
    await a_pipeline(world)
    ann, bob = await accepted(world, "ann"), await accepted(world, "bob")
    deals = [await buys(world, ann), await buys(world, bob)]
    await leaves(world, ann)
    deals.append(await buys(world, bob))
    before = await everything(world)
    assert await kinds(world, *deals) == [NEW, NEW, EXPANSION]

    merge = await merged(world, *((bob, ann) if turned else (ann, bob)))
    together = await kinds(world, *deals)
    await unmerged(world, merge.id)

    assert together == [NEW, EXPANSION, EXPANSION]
    assert await everything(world) == before


async def test_who_had_left_as_both_before_buying_again_is_new_again(world: World) -> None:
    await a_pipeline(world)
    ann, bob = await accepted(world, "ann"), await accepted(world, "bob")
    deals = [await buys(world, ann), await buys(world, bob)]
    await leaves(world, ann)
    await leaves(world, bob)
    deals.append(await buys(world, ann))

    await merged(world, ann, bob)

    assert await kinds(world, *deals) == [NEW, EXPANSION, NEW]


async def test_who_had_left_and_bought_while_they_were_one_is_back_when_they_are_parted(
    world: World,
) -> None:
    await a_pipeline(world)
    bob = await accepted(world, "bob")
    world.wait(hours=1)
    ann = await accepted(world, "ann")  # whose hand-off is the last, so deals come of hers
    deals = [await buys(world, ann), await buys(world, bob)]
    await leaves(world, ann)
    merge = await merged(world, ann, bob)
    deals.append(await buys(world, ann))
    assert await kinds(world, *deals) == [NEW, EXPANSION, EXPANSION]

    await unmerged(world, merge.id)

    assert await kinds(world, *deals) == [NEW, NEW, NEW]
    assert (await status(world, ann), await status(world, bob)) == (ACTIVE, ACTIVE)
