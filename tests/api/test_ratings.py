"""How sales rates what it gets, and which efforts are fruitful."""

from __future__ import annotations

from typing import Any

import pytest

from domain.campaigns import Campaign, CampaignKind
from domain.ids import new_id, public
from domain.opportunities import OpportunityStatus
from domain.ratings import Rating
from tests.agreements import add_mql
from tests.api.test_exchange import set_rate
from tests.telling import accept, deal, hand_over, reject, touch
from tests.world import World

RATE = """mutation($input: RatingGiveInput!) { ratingGive(input: $input) {
  rating { stars comment updatedAt handoff { id } user { name } }
  userErrors { code path } } }"""
SUMMARY = """query($campaign: CampaignRef!) {
  ratingSummary(campaign: $campaign) { count average shrunk } }"""
RATINGS = "query($filter: RatingFilter) { ratings(filter: $filter) { nodes { stars } } }"
EFFORTS = """query($by: EffortKind!, $order: EffortFigure!, $direction: OrderDirection!,
    $since: DateTime, $until: DateTime, $first: Int!) {
  fruitfulEfforts(by: $by, orderBy: $order, direction: $direction, since: $since, until: $until,
    first: $first) {
    key campaign { name } handedOff accepted acceptedShare feedbackShare won
    revenue { amount currency }
    campaignRating { count average shrunk } leadRating { count average shrunk }
  } }"""
USUAL = {"by": "CAMPAIGN", "order": "REVENUE", "direction": "DESC", "first": 25}


async def a_campaign(world: World, code: str) -> Campaign:
    campaign = Campaign(
        id=new_id(), name=code.title(), kind=CampaignKind.EVENT, code=code, created_at=world.now
    )
    async with world.work() as work:
        await work.add(campaign)
    return campaign


async def rate(world: World, user: Any, of: dict[str, Any], stars: int, **more: Any) -> Any:
    input = {"of": of, "stars": stars, **more}
    return (await world.data(RATE, {"input": input}, as_=user))["ratingGive"]


def lead(handoff: Any) -> dict[str, Any]:
    return {"lead": {"id": public("Lead", handoff.lead_id)}}


async def test_a_second_rating_replaces_the_first(world: World) -> None:
    campaign = await a_campaign(world, "fair")
    of = {"campaign": {"id": public("Campaign", campaign.id)}}
    await rate(world, world.rep, of, 5)
    world.wait(hours=1)

    again = await rate(world, world.rep, of, 2, comment=" Students only. ")
    other = await rate(world, world.other_rep, of, 3)

    assert again == {
        "rating": {
            "stars": 2,
            "comment": "Students only.",
            "updatedAt": "2026-03-10T13:00:00Z",
            "handoff": None,
            "user": {"name": "Sam"},
        },
        "userErrors": [],
    }
    assert other["userErrors"] == []
    assert (await world.data(SUMMARY, of))["ratingSummary"] == {
        "count": 2,
        "average": "2.50",
        "shrunk": "2.50",
    }
    wanted = {"filter": {"campaignId": {"eq": of["campaign"]["id"]}}}
    assert len((await world.data(RATINGS, wanted))["ratings"]["nodes"]) == 2


async def test_a_lead_is_rated_by_those_who_got_it(world: World) -> None:
    handoff = await hand_over(world)

    given = await rate(world, world.other_rep, lead(handoff), 4)
    foreign = await rate(world, world.marketer, lead(handoff), 5)

    assert given["rating"]["handoff"] == {"id": public("Handoff", handoff.id)}
    assert foreign == {
        "rating": None,
        "userErrors": [{"code": "NOT_YOURS_TO_RATE", "path": ["of", "lead"]}],
    }


@pytest.mark.parametrize(
    ("as_marketer", "of", "stars", "code", "path"),
    [
        (True, "campaign", 3, "ONLY_SALES_RATES", ["of", "campaign"]),
        (False, "campaign", 0, "INVALID", ["stars"]),
        (False, "campaign", 6, "INVALID", ["stars"]),
        (False, "unknown campaign", 3, "NOT_FOUND", ["of", "campaign"]),
        (False, "unknown lead", 3, "NOT_FOUND", ["of", "lead"]),
        (False, "lead nobody got", 3, "NOT_YOURS_TO_RATE", ["of", "lead"]),
    ],
)
async def test_a_rating_that_cannot_be_is_refused_and_nothing_is_stored(
    world: World, as_marketer: bool, of: str, stars: int, code: str, path: list[str]
) -> None:
    campaign, mql = await a_campaign(world, "fair"), await add_mql(world)
    rated = {
        "campaign": {"campaign": {"id": public("Campaign", campaign.id)}},
        "unknown campaign": {"campaign": {"id": public("Campaign", new_id())}},
        "unknown lead": {"lead": {"id": public("Lead", new_id())}},
        "lead nobody got": {"lead": {"id": public("Lead", mql.id)}},
    }[of]

    answer = await rate(world, world.marketer if as_marketer else world.rep, rated, stars)

    assert answer == {"rating": None, "userErrors": [{"code": code, "path": path}]}
    async with world.work() as work:
        assert await work.find(Rating) == []


async def test_efforts_show_what_came_of_them_beside_what_sales_says(world: World) -> None:
    fair = await a_campaign(world, "fair")
    won, lost, silent = [await hand_over(world, origin_campaign="fair") for _ in range(3)]
    unknown = await hand_over(world, origin_campaign="flyer")
    for handoff in (won, lost):
        await accept(world, handoff)
    await deal(world, won, OpportunityStatus.WON, 900_00)
    await deal(world, won, OpportunityStatus.WON, 70_00, "USD")
    await set_rate(world, "USD", "0.5", "2026-03-01")
    await deal(world, lost, OpportunityStatus.LOST)
    await reject(world, unknown)
    await touch(world, silent)
    await hand_over(world)
    await rate(world, world.rep, {"campaign": {"id": public("Campaign", fair.id)}}, 4)
    await rate(world, world.rep, lead(won), 5)
    await rate(world, world.other_rep, lead(won), 4)
    await rate(world, world.rep, lead(unknown), 1)

    efforts = (await world.data(EFFORTS, USUAL, as_=world.marketer))["fruitfulEfforts"]

    # Leads: (9 + 5 * 10/3) / 7, (1 + 5 * 10/3) / 6, and the mean of all for those without.
    assert efforts == [
        {
            "key": "fair",
            "campaign": {"name": "Fair"},
            "handedOff": 3,
            "accepted": 2,
            "acceptedShare": "1.0000",
            "feedbackShare": "1.0000",
            "won": 2,
            "revenue": {"amount": "935.00", "currency": "EUR"},
            "campaignRating": {"count": 1, "average": "4.00", "shrunk": "4.00"},
            "leadRating": {"count": 2, "average": "4.50", "shrunk": "3.67"},
        },
        {
            "key": "flyer",
            "campaign": None,
            "handedOff": 1,
            "accepted": 0,
            "acceptedShare": "0.0000",
            "feedbackShare": "1.0000",
            "won": 0,
            "revenue": {"amount": "0.00", "currency": "EUR"},
            "campaignRating": None,
            "leadRating": {"count": 1, "average": "1.00", "shrunk": "2.94"},
        },
        {
            "key": None,
            "campaign": None,
            "handedOff": 1,
            "accepted": 0,
            "acceptedShare": None,
            "feedbackShare": "0.0000",
            "won": 0,
            "revenue": {"amount": "0.00", "currency": "EUR"},
            "campaignRating": None,
            "leadRating": {"count": 0, "average": None, "shrunk": "3.33"},
        },
    ]


@pytest.mark.parametrize(
    ("order", "direction", "keys"),
    [
        ("HANDED_OFF", "DESC", ["ads", "fair", "mail"]),
        ("HANDED_OFF", "ASC", ["mail", "fair", "ads"]),
        ("ACCEPTED_SHARE", "DESC", ["fair", "ads", "mail"]),
        ("FEEDBACK_SHARE", "ASC", ["mail", "ads", "fair"]),
        ("WON", "DESC", ["mail", "ads", "fair"]),
        ("LEAD_RATING", "DESC", ["fair", "ads", "mail"]),
        ("CAMPAIGN_RATING", "DESC", ["ads", "fair", "mail"]),
    ],
)
async def test_efforts_are_ordered_by_any_figure(
    world: World, order: str, direction: str, keys: list[str]
) -> None:
    ads = [await hand_over(world, origin_source="ads") for _ in range(3)]
    fair = [await hand_over(world, origin_source="fair") for _ in range(2)]
    (mail,) = [await hand_over(world, origin_source="mail")]
    await accept(world, ads[0])
    await reject(world, ads[1])
    for handoff in fair:
        await accept(world, handoff)
    await rate(world, world.rep, lead(fair[0]), 5)
    await rate(world, world.rep, lead(ads[0]), 2)
    if order == "WON":
        await deal(world, mail, OpportunityStatus.WON, 1)
    asked = {**USUAL, "by": "ORIGIN", "order": order, "direction": direction}

    efforts = (await world.data(EFFORTS, asked))["fruitfulEfforts"]
    best = (await world.data(EFFORTS, {**asked, "first": 1}))["fruitfulEfforts"]

    assert [effort["key"] for effort in efforts] == keys
    assert [effort["key"] for effort in best] == keys[:1]


async def test_efforts_need_a_rate_also_for_what_is_not_shown(world: World) -> None:
    good, other = await hand_over(world, origin_campaign="a"), await hand_over(world)
    await deal(world, good, OpportunityStatus.WON, 9_00)
    await deal(world, other, OpportunityStatus.WON, 7_00, "USD")

    answer = await world.ask(EFFORTS, {**USUAL, "first": 1})

    assert answer["data"] is None
    [error] = answer["errors"]
    assert (error["extensions"]["code"], error["extensions"]["reason"]) == (
        "BAD_USER_INPUT",
        "RATE_MISSING",
    )
    assert error["message"].startswith("There is no rate from USD to EUR on ")


async def test_efforts_of_a_time_count_its_hand_offs_only(world: World) -> None:
    await hand_over(world, origin_campaign="old")
    since = world.wait(days=1).isoformat()
    await hand_over(world, origin_campaign="new")
    until = world.wait(days=1).isoformat()

    async def keys(**time: str) -> list[str]:
        found = (await world.data(EFFORTS, {**USUAL, **time}))["fruitfulEfforts"]
        return [effort["key"] for effort in found]

    assert await keys(since=since) == ["new"]
    assert await keys(until=since) == ["old"]
    assert await keys(since=since, until=until) == ["new"]
    backwards = await world.ask(EFFORTS, {**USUAL, "since": until, "until": since})
    assert backwards["errors"][0]["message"] == "This ends before it starts."
    many = await world.ask(EFFORTS, {**USUAL, "first": 101})
    assert many["errors"][0]["message"] == "`first` must be from 1 to 100."
