"""The story all figures are told of."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.attribution import reattribute
from domain.content import AssetKind, ContentAsset
from domain.ids import new_id
from domain.leads import Agency
from domain.opportunities import OpportunityStatus
from domain.stages import Stage
from domain.touches import Channel
from tests.infra.performance.asking import a_cost, an_entry
from tests.journeys import DAY, a_campaign, a_deal, a_lead, a_stage, a_touch
from tests.world import World


@pytest.fixture
async def story(world: World) -> dict[str, Any]:
    """Two campaigns, three leads of March and one of February, and what became of them.

    Ada was touched by both campaigns and bought for 12,000.00; Bob has an open deal; Cid, of
    February, bought in March for 1,000.00 after no touch; Dan was lost.
    """
    at, stage = world.now, a_stage(world.now)
    spring, autumn = a_campaign(at, "spring"), a_campaign(at, "autumn")
    guide, film = (
        ContentAsset(id=new_id(), title=title, kind=AssetKind.ARTICLE, created_at=at)
        for title in ("Guide", "Film")
    )
    ada = a_lead(at - 8 * DAY, origin_source="organic", campaign_id=spring.id)
    bob = a_lead(at - 6 * DAY, origin_source="paid", campaign_id=autumn.id)
    cid = a_lead(at - 30 * DAY, origin_source="organic")
    dan = a_lead(at - 5 * DAY, country="IE")
    touches = [
        a_touch(at - 9 * DAY, lead_id=ada.id, campaign_id=spring.id, channel=Channel.SOCIAL,
                asset_id=guide.id),
        a_touch(at - 7 * DAY, lead_id=ada.id, campaign_id=autumn.id, asset_id=film.id),
        a_touch(at - 6 * DAY, lead_id=ada.id, campaign_id=autumn.id, agency=Agency.AUTOMATIC),
        a_touch(at - 6 * DAY, lead_id=bob.id, campaign_id=autumn.id, asset_id=guide.id),
        a_touch(at - 5 * DAY, lead_id=bob.id),
    ]  # fmt: skip
    sold = a_deal(at - 4 * DAY, lead=ada, stage=stage, closed_at=at - 2 * DAY)
    going = a_deal(at - 3 * DAY, lead=bob, stage=stage, amount_minor=300_001)
    untouched = a_deal(
        at - 20 * DAY, lead=cid, stage=stage, closed_at=at - DAY, amount_minor=100_000
    )
    lost = a_deal(
        at - 3 * DAY, lead=dan, stage=stage, status=OpportunityStatus.LOST, closed_at=at - DAY
    )
    entries = [
        *(an_entry(ada, each, at - 7 * DAY) for each in (Stage.MQL, Stage.SAL, Stage.SQL)),
        an_entry(bob, Stage.MQL, at - 5 * DAY),
        an_entry(cid, Stage.MQL, at - 29 * DAY),
    ]
    async with world.work() as work:
        await work.add_all([stage, spring, autumn, guide, film, ada, bob, cid, dan])
        await work.add_all([*touches, sold, going, untouched, lost, *entries])
        await work.add_all([a_cost(world, spring, 400_000), a_cost(world, autumn, 100_000)])
        await work.add(replace(a_cost(world, autumn, 7), on=date(2026, 4, 1)))
        await reattribute(work, [ada.id, bob.id, cid.id, dan.id])
    return {"spring": spring, "autumn": autumn, "guide": guide, "film": film, "bob": bob}
