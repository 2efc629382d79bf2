"""The campaigns of the closed loop, over the API."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from api.closed_loop import CLOSED_LOOP_DOCUMENT
from domain.attribution import reattribute
from domain.campaign_table import MOST_CAMPAIGNS
from domain.campaigns import Campaign, CampaignCost
from domain.ids import new_id
from tests.api.test_board import a_board, seen_by
from tests.following import following
from tests.journeys import DAY, a_campaign, a_deal, a_lead, a_stage, a_touch
from tests.world import World

QUERY = CLOSED_LOOP_DOCUMENT.replace("subscription", "query")


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def a_line(name: str | None, **changes: Any) -> dict[str, Any]:
    counts = dict.fromkeys(("touches", "leads", "mqls", "accepted", "sqls"), 0)
    nothing = {"cost": euros("0.00"), "pipeline": euros("0.00"), "won": euros("0.00")}
    return {
        "name": name,
        **counts,
        **nothing,
        "wonDeals": "0",
        "cac": None,
        "roiRate": None,
        **changes,
    }


def a_cost(campaign: Campaign, at: Any, minor: int, currency: str = "EUR") -> CampaignCost:
    return CampaignCost(
        id=new_id(),
        campaign_id=campaign.id,
        on=at.date(),
        amount_minor=minor,
        currency=currency,
        recorded_at=at,
    )


async def table(world: World, **variables: Any) -> dict[str, Any]:
    asked = {"window": "LAST_30_DAYS", **variables}
    answer = await world.data(QUERY, asked, as_=world.analyst)
    found: dict[str, Any] = answer["closedLoop"]["campaigns"]
    return found


@pytest.fixture
async def sold(world: World) -> UUID:
    """Store a deal of 10,000.00 EUR after a touch of each of two campaigns; return the first's id.

    The second is named after a person.  A lead that no campaign brought has an open deal.
    """
    at, stage = world.now, a_stage(world.now)
    fair = a_campaign(at, "fair", name="Spring fair")
    person = a_campaign(at, "bird", name="canary@birds.example")
    lead = a_lead(at - 5 * DAY, campaign_id=fair.id, first_name="Canary")
    stranger = a_lead(at - 4 * DAY)
    touches = [
        a_touch(at - days * DAY, lead_id=lead.id, campaign_id=campaign.id)
        for days, campaign in ((6, fair), (3, person))
    ]
    deals = [
        a_deal(at - 2 * DAY, lead=lead, stage=stage, closed_at=at - DAY, amount_minor=10_000_00),
        a_deal(at - DAY, lead=stranger, stage=stage, amount_minor=500_00),
    ]
    costs = [a_cost(fair, at - 6 * DAY, 1_500_00), a_cost(fair, at - 40 * DAY, 9_999_00)]
    async with world.work() as work:
        await work.add_all([stage, fair, person, lead, stranger, *touches, *deals, *costs])
        await reattribute(work, [lead.id, stranger.id])
    return fair.id


FAIR = a_line("Spring fair", cost=euros("1500.00"), touches=1, leads=1)
BIRD = a_line(None, touches=1)
NOBODYS = a_line(None, leads=1, pipeline=euros("500.00"))
ALL = a_line(
    None, cost=euros("1500.00"), touches=2, leads=2, pipeline=euros("500.00"),
    won=euros("10000.00"), wonDeals="1.000000000000", cac=euros("1500.00"), roiRate="5.6667",
)  # fmt: skip


async def test_campaigns_are_told_by_the_model_that_is_asked_for(world: World, sold: UUID) -> None:
    half = {"won": euros("5000.00"), "wonDeals": "0.500000000000"}
    linear, first = await table(world), await table(world, model="FIRST")

    assert linear == {
        "model": "LINEAR",
        "lines": [
            {**FAIR, **half, "cac": euros("3000.00"), "roiRate": "2.3333"},
            {**BIRD, **half, "cac": euros("0.00")},
        ],
        "others": None,
        "without": NOBODYS,
        "total": ALL,
        "missing": None,
    }
    whole = {"won": euros("10000.00"), "wonDeals": "1.000000000000"}
    assert first["lines"] == [
        {**FAIR, **whole, "cac": euros("1500.00"), "roiRate": "5.6667"},
        BIRD,
    ]
    assert (first["model"], first["total"]) == ("FIRST", ALL)


async def test_campaigns_that_there_is_no_room_for_are_told_together(
    world: World, sold: UUID
) -> None:
    more = [a_campaign(world.now, f"more {number}") for number in range(MOST_CAMPAIGNS)]
    async with world.work() as work:
        await work.add_all([*more, *(a_cost(each, world.now, 10_00) for each in more)])

    found = await table(world)

    assert [len(found["lines"]), found["lines"][0]["name"]] == [MOST_CAMPAIGNS, "Spring fair"]
    assert found["others"] == a_line(None, cost=euros("20.00"), roiRate="-1.0000")
    assert found["total"]["cost"] == euros("1620.00")


async def test_without_a_rate_nothing_is_added_up_and_the_rest_is_told(
    world: World, sold: UUID
) -> None:
    async with world.work() as work:
        fair = await work.get(Campaign, sold)
        await work.add(a_cost(fair, world.now - DAY, 1, currency="USD"))

    answer = await world.data(QUERY, {"window": "LAST_30_DAYS"})

    assert answer["closedLoop"]["campaigns"] == {
        "model": "LINEAR",
        "lines": [],
        "others": None,
        "without": None,
        "total": None,
        "missing": {"currency": "USD", "to": "EUR", "on": "2026-03-09"},
    }
    assert (answer["closedLoop"]["leads"], answer["closedLoop"]["won"]) == (2, 1)


async def test_before_any_campaign_there_is_nothing(world: World) -> None:
    found = await table(world)

    assert (found["lines"], found["without"], found["total"]) == ([], None, None)


async def test_whoever_has_a_boards_link_sees_campaigns_but_nobodys_data(
    world: World, sold: UUID
) -> None:
    context = seen_by(world, await a_board(world))
    variables = {"window": "LAST_30_DAYS", "model": "W_SHAPED"}
    async with following(world, CLOSED_LOOP_DOCUMENT, variables, context=context) as live:
        seen = (await live.next())["data"]

    assert seen["closedLoop"]["campaigns"]["model"] == "W_SHAPED"
    assert seen["closedLoop"]["campaigns"]["lines"][0]["name"] == "Spring fair"
    assert "canary" not in str(seen).lower()


async def test_a_tenant_sees_no_campaign_of_anothers(
    world: World, other_world: World, sold: UUID
) -> None:
    assert (await table(other_world))["total"] is None
