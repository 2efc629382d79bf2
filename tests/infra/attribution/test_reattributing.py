from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from domain.attribution import (
    BY_KIND,
    AttributionCredit,
    AttributionModel,
    BuiltInModel,
    reattribute,
)
from domain.ids import new_id
from domain.leads import Agency, Lead
from domain.opportunities import OpportunityStatus
from domain.touches import Channel, Touch
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


async def store(world: World, *entities: Any, of: tuple[Lead, ...] = ()) -> None:
    """Store some entities as use cases would, and attribute their leads anew."""
    async with world.work() as work:
        await work.add_all(list(entities))
        await reattribute(work, [lead.id for lead in of])


async def amounts(world: World, kind: BuiltInModel) -> dict[UUID, int | None]:
    credits = await stored_credits(world)
    return {
        credit.touch_id: credit.amount_minor
        for (model_id, _, _), credit in credits.items()
        if model_id == BY_KIND[kind].id
    }


async def test_a_deal_is_credited_to_the_human_touches_before_its_close(world: World) -> None:
    at, lead, stage = world.now - 50 * DAY, a_lead(world.now - 45 * DAY), a_stage(world.now)
    campaign = a_campaign(world.now, "spring")
    first, second, late = (
        a_touch(at + days * DAY, lead_id=lead.id, campaign_id=campaign.id, channel=channel)
        for days, channel in ((0, Channel.SOCIAL), (20, Channel.EMAIL), (49, Channel.EMAIL))
    )
    robot = a_touch(at + DAY, lead_id=lead.id, agency=Agency.AUTOMATIC)
    deal = a_deal(at + 30 * DAY, lead=lead, stage=stage, closed_at=at + 40 * DAY)

    await store(world, campaign, lead, stage, first, second, late, robot, deal, of=(lead,))

    assert await amounts(world, BuiltInModel.LINEAR) == {first.id: 600_000, second.id: 600_000}
    credits = await stored_credits(world)
    assert credits[BY_KIND[BuiltInModel.FIRST].id, deal.id, first.id] == AttributionCredit(
        opportunity_id=deal.id,
        model_id=BY_KIND[BuiltInModel.FIRST].id,
        touch_id=first.id,
        channel=Channel.SOCIAL,
        share=1,  # type: ignore[arg-type]  # equal to the decimal
        campaign_id=campaign.id,
        amount_minor=1_200_000,
        currency="EUR",
    )
    assert credits == await recounted(world)


async def test_a_lost_deal_loses_its_credits_and_has_them_back_when_it_is_reopened(
    world: World,
) -> None:
    lead, stage = a_lead(world.now - 9 * DAY), a_stage(world.now)
    touch = a_touch(world.now - 8 * DAY, lead_id=lead.id)
    deal = a_deal(world.now - 7 * DAY, lead=lead, stage=stage)
    await store(world, lead, stage, touch, deal, of=(lead,))
    before = await stored_credits(world)

    async with world.work() as work:
        lost = {"status": OpportunityStatus.LOST, "closed_at": world.now}
        deal = await work.save(replace(deal, **lost))  # type: ignore[arg-type]  # its own fields
        await reattribute(work, [lead.id])
    gone = await stored_credits(world)
    async with world.work() as work:
        await work.save(replace(deal, status=OpportunityStatus.OPEN, closed_at=None))
        await reattribute(work, [lead.id])

    assert (len(before), gone) == (9, {})
    assert await stored_credits(world) == before


async def test_nothing_is_written_that_is_right_already(world: World) -> None:
    lead, stage = a_lead(world.now - 9 * DAY), a_stage(world.now)
    touches = [a_touch(world.now - n * DAY, lead_id=lead.id) for n in (8, 7)]
    await store(world, lead, stage, *touches, a_deal(world.now, lead=lead, stage=stage), of=(lead,))

    async def rows() -> Any:
        async with world.work() as work:
            return await work.connection.fetch(
                "SELECT xmin::text, ctid::text FROM attribution_credits ORDER BY ctid"
            )

    before = await rows()
    await store(world, of=(lead,))

    assert await rows() == before


@pytest.mark.parametrize("number", [1, 40])
async def test_many_leads_take_as_many_statements_as_one(
    world: World, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    stage = a_stage(world.now)
    leads = [a_lead(world.now - 9 * DAY) for _ in range(number)]
    touches = [a_touch(world.now - n * DAY, lead_id=lead.id) for lead in leads for n in (8, 7, 6)]
    deals = [a_deal(world.now - 5 * DAY, lead=lead, stage=stage) for lead in leads]
    await store(world, stage, *leads, *touches, *deals, of=tuple(leads[:1]))
    asked: list[str] = []

    async with world.work() as work:
        for name in ("fetch", "execute"):
            run = getattr(work.connection, name)

            async def counted(text: str, *rest: Any, run: Any = run, **more: Any) -> Any:
                asked.append(text)
                return await run(text, *rest, **more)

            monkeypatch.setattr(type(work.connection), name, staticmethod(counted), raising=False)
        await reattribute(work, [lead.id for lead in leads])
        monkeypatch.undo()

    # Campaigns, whose deals, locks, deals, touches, models, what is stored; and what is new.
    assert len(asked) == (7 if number == 1 else 8)
    assert await stored_credits(world) == await recounted(world)


async def test_a_lead_belongs_to_the_campaign_its_origin_names_or_that_touched_it_first(
    world: World,
) -> None:
    spring, autumn = a_campaign(world.now, "spring"), a_campaign(world.now, "autumn")
    named = a_lead(world.now, origin_campaign=" SPRING ")
    touched, both, neither = (
        a_lead(world.now),
        a_lead(world.now, origin_campaign="autumn"),
        a_lead(world.now, origin_campaign="unknown"),
    )
    touches = [
        a_touch(world.now - 3 * DAY, lead_id=touched.id),
        a_touch(world.now - 4 * DAY, lead_id=touched.id, campaign_id=autumn.id,
                agency=Agency.AUTOMATIC),
        a_touch(world.now - 2 * DAY, lead_id=touched.id, campaign_id=spring.id),
        a_touch(world.now - 1 * DAY, lead_id=touched.id, campaign_id=autumn.id),
        a_touch(world.now - 2 * DAY, lead_id=both.id, campaign_id=spring.id),
    ]  # fmt: skip
    leads = (named, touched, both, neither)

    await store(world, spring, autumn, *leads, *touches, of=leads)

    async with world.work() as work:
        found = {lead.id: (lead.campaign_id, lead.version) for lead in await work.find(Lead)}
    assert found == {
        named.id: (spring.id, 2),
        touched.id: (spring.id, 2),
        both.id: (autumn.id, 2),
        neither.id: (None, 1),
    }


async def test_of_two_touches_at_once_neither_is_forgotten(world: World) -> None:
    lead, stage = a_lead(world.now - 9 * DAY), a_stage(world.now)
    deal = a_deal(world.now - 5 * DAY, lead=lead, stage=stage)
    await store(world, lead, stage, deal, of=(lead,))

    await asyncio.gather(
        *(
            store(world, a_touch(world.now - n * DAY, lead_id=lead.id), of=(lead,))
            for n in range(1, 7)
        )
    )

    assert len(await amounts(world, BuiltInModel.LINEAR)) == 6
    assert await stored_credits(world) == await recounted(world)


async def test_another_tenants_leads_are_nobodys_here(world: World, other_world: World) -> None:
    lead, stage = a_lead(world.now), a_stage(world.now)
    deal, touch = a_deal(world.now, lead=lead, stage=stage), a_touch(world.now, lead_id=lead.id)
    await store(world, lead, stage, deal, touch)

    await store(other_world, of=(lead,))

    assert await stored_credits(world) == {}
    async with other_world.work() as work:
        assert await work.find(AttributionModel) == []


async def test_random_stories_leave_what_a_recount_finds(world: World) -> None:
    """Touches come and are stitched, deals open, change, close and move: always only one lead."""
    import random

    chance = random.Random(20261122)  # a story, not a secret
    stage = a_stage(world.now)
    campaigns = [a_campaign(world.now, f"c{n}") for n in range(3)]
    leads = [a_lead(world.now - chance.randrange(40) * DAY) for _ in range(6)]
    await store(world, stage, *campaigns, *leads)
    done: Counter[str] = Counter()
    for _ in range(120):
        story = _Story(world, chance, leads, campaigns, stage)
        done[await story.go_on()] += 1

    assert set(done) == {"touched", "opened", "changed", "closed", "lost", "moved"}
    assert await stored_credits(world) == await recounted(world)
    async with world.work() as work:
        await reattribute(work, [lead.id for lead in leads])
    assert await stored_credits(world) == await recounted(world)


class _Story:
    """One thing that happens to a lead, and what a use case does about the credits."""

    def __init__(
        self, world: World, chance: Any, leads: list[Lead], campaigns: list[Any], stage: Any
    ) -> None:
        self.world, self.chance = world, chance
        self.lead = chance.choice(leads)
        self.other = chance.choice(leads)
        self.campaign = chance.choice([*campaigns, None])
        self.stage = stage

    async def go_on(self) -> str:
        what = self.chance.choice(
            ["touched", "touched", "opened", "changed", "closed", "lost", "moved"]
        )
        async with self.world.work() as work:
            changed = await getattr(self, what)(work)
            await reattribute(work, changed)
        return str(what)

    async def touched(self, work: Any) -> list[UUID]:
        touch = a_touch(
            self.world.now - self.chance.randrange(60 * 24) * DAY / 24,
            lead_id=self.lead.id,
            channel=self.chance.choice(list(Channel)),
            agency=self.chance.choice([Agency.HUMAN, Agency.HUMAN, Agency.AUTOMATIC]),
            campaign_id=self.campaign and self.campaign.id,
        )
        await work.add(touch)
        return [self.lead.id]

    async def opened(self, work: Any) -> list[UUID]:
        at = self.world.now - self.chance.randrange(1, 30) * DAY
        amount = self.chance.choice([None, 1, 99_999, 10**9])
        money = {"amount_minor": amount, "currency": None if amount is None else "EUR"}
        await work.add(a_deal(at, lead=self.lead, stage=self.stage, **money))
        return [self.lead.id]

    async def changed(self, work: Any) -> list[UUID]:
        return await self._each(work, amount_minor=self.chance.randrange(10**7), currency="USD")

    async def closed(self, work: Any) -> list[UUID]:
        return await self._each(work, status=OpportunityStatus.WON, closed_at=self.world.now)

    async def lost(self, work: Any) -> list[UUID]:
        return await self._each(work, status=OpportunityStatus.LOST, closed_at=self.world.now)

    async def moved(self, work: Any) -> list[UUID]:
        """As by a merge: the deals and touches of one become another's."""
        from domain.opportunities import Opportunity

        deals = await work.find(Opportunity, lead_id=self.lead.id)
        touches = await work.find(Touch, lead_id=self.lead.id)
        await work.save_all([replace(each, lead_id=self.other.id) for each in (*deals, *touches)])
        return [self.other.id, self.lead.id]

    async def _each(self, work: Any, **changes: Any) -> list[UUID]:
        from domain.opportunities import Opportunity

        deals = await work.find(Opportunity, lead_id=self.lead.id)
        await work.save_all([replace(deal, **changes) for deal in deals[:1]])
        return [self.lead.id]


async def test_nobody_at_all_is_no_statement(world: World) -> None:
    async with world.work() as work:
        await reattribute(work, [])
        await reattribute(work, [new_id()])
        assert await work.find(AttributionModel) == []
