from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain.attribution import BuiltInModel, reattribute
from domain.attribution.performance import (
    EvidenceRow,
    Figures,
    Number,
    Performance,
    PerformanceBasis,
    PerformanceDimension,
    PerformanceMeasure,
    Scope,
    evidence,
    performance,
    scope_of,
)
from domain.campaigns import CampaignCost
from domain.content import AssetKind, ContentAsset
from domain.exchange import ExchangeRate, RateMissing
from domain.filters import parse
from domain.ids import new_id
from domain.leads import LEAD_FIELDS, Agency, Lead
from domain.lifecycle import StageEntry
from domain.opportunities import OpportunityStatus
from domain.paging import PageRequest, read_cursor
from domain.stages import Stage
from domain.touches import Channel
from domain.values import Money, Period
from tests.histories import a_journey, add_journeys
from tests.journeys import DAY, a_campaign, a_deal, a_lead, a_stage, a_touch
from tests.world import World

MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))


def an_entry(lead: Lead, stage: Stage, at: Any) -> StageEntry:
    return StageEntry(
        id=new_id(), lead_id=lead.id, stage=stage, previous=None, entered_at=at, recorded_at=at
    )


def a_cost(world: World, campaign: Any, minor: int, *, currency: str = "EUR", on: int = 3) -> Any:
    return CampaignCost(
        id=new_id(),
        campaign_id=campaign.id,
        on=date(2026, 3, on),
        amount_minor=minor,
        currency=currency,
        recorded_at=world.now,
    )


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


async def scoped(world: World, dimension: PerformanceDimension, **changes: Any) -> Scope:
    wanted = {
        "model": BuiltInModel.LINEAR,
        "basis": PerformanceBasis.CLOSE,
        "period": MARCH,
        **changes,
    }
    async with world.work() as work:
        return await scope_of(work, world.actor(), dimension, **wanted)


async def figures(world: World, dimension: PerformanceDimension, **changes: Any) -> Performance:
    scope = await scoped(world, dimension, **changes)
    async with world.work() as work:
        return await performance(work, world.actor(), scope)


async def behind(
    world: World, scope: Scope, measure: PerformanceMeasure, key: str | None
) -> list[EvidenceRow]:
    """Return all rows behind a number, two a page."""
    found: list[EvidenceRow] = []
    number, page = Number(scope=scope, measure=measure, key=key), PageRequest(size=2)
    while True:
        async with world.work() as work:
            got = await evidence(work, world.actor(), number, page)
            total = await work.ask(got.counting)
        found += got.nodes
        if not got.has_next_page:
            assert len(found) == total
            return found
        page = PageRequest(size=2, cursor=read_cursor(got.cursors[-1], "after"))


def told(row: Figures) -> tuple[Any, ...]:
    return (
        row.cost_minor,
        row.touches,
        (row.leads, row.mqls, row.accepted, row.sqls),
        row.pipeline_minor,
        row.won_minor,
        row.influenced_minor,
    )


async def test_what_campaigns_are_worth_by_date_of_close(
    world: World, story: dict[str, Any]
) -> None:
    found = await figures(world, PerformanceDimension.CAMPAIGN)

    spring, autumn = str(story["spring"].id), str(story["autumn"].id)
    assert {row.key: told(row) for row in found.rows} == {
        spring: (400_000, 1, (1, 1, 1, 1), 0, 600_000, 1_200_000),
        autumn: (100_000, 2, (1, 1, 0, 0), 150_001, 600_000, 1_200_000),
        None: (0, 1, (1, 0, 0, 0), 150_000, 100_000, 0),
    }
    assert told(found.total) == (500_000, 4, (3, 2, 1, 1), 300_001, 1_300_000, 1_200_000)
    # Of the 13,000.00 that were won 12,000.00 were campaigns' doing, and one of the two deals.
    assert (found.total.roi_rate, found.total.cac) == (Decimal("1.4"), Money(500_000, "EUR"))
    by_key = {row.key: row for row in found.rows}
    assert (by_key[spring].roi_rate, by_key[autumn].roi_rate) == (Decimal("0.5"), Decimal(5))
    assert by_key[None].roi_rate is None
    assert [row.cac and row.cac.minor for row in found.rows] == [200_000, 800_000, None]
    assert by_key[spring].sourced_share == Decimal("0.4615")
    assert by_key[spring].influenced_share == Decimal("0.9231")


async def test_what_became_of_a_cohort(world: World, story: dict[str, Any]) -> None:
    """Cid came in February: neither his stages nor his deal are of March's leads."""
    found = await figures(
        world,
        PerformanceDimension.CAMPAIGN,
        basis=PerformanceBasis.COHORT,
        model=BuiltInModel.FIRST,
    )

    spring, autumn = str(story["spring"].id), str(story["autumn"].id)
    assert {row.key: told(row) for row in found.rows} == {
        spring: (400_000, 1, (1, 1, 1, 1), 0, 1_200_000, 1_200_000),
        autumn: (100_000, 2, (1, 1, 0, 0), 300_001, 0, 1_200_000),
        None: (0, 1, (1, 0, 0, 0), 0, 0, 0),
    }


@pytest.mark.parametrize(
    ("dimension", "expected"),
    [
        (
            PerformanceDimension.CHANNEL,
            {
                "SOCIAL": (400_000, 1, (1, 1, 1, 1), 0, 600_000, 1_200_000),
                "EMAIL": (100_000, 3, (1, 1, 0, 0), 300_001, 600_000, 1_200_000),
                None: (0, 0, (1, 0, 0, 0), 0, 100_000, 0),
            },
        ),
        (
            PerformanceDimension.ORIGIN,
            {
                "organic": (450_000, 2, (1, 1, 1, 1), 0, 1_300_000, 1_300_000),
                "paid": (50_000, 2, (1, 1, 0, 0), 300_001, 0, 0),
                None: (0, 0, (1, 0, 0, 0), 0, 0, 0),
            },
        ),
        (
            PerformanceDimension.PERSONA,
            {None: (500_000, 4, (3, 2, 1, 1), 300_001, 1_300_000, 1_300_000)},
        ),
    ],
)
async def test_what_sources_and_personas_are_worth(
    world: World, story: dict[str, Any], dimension: PerformanceDimension, expected: dict[Any, Any]
) -> None:
    found = await figures(world, dimension)

    assert {row.key: told(row) for row in found.rows} == expected


async def test_a_lead_that_met_two_contents_is_in_both_rows_and_once_in_the_total(
    world: World, story: dict[str, Any]
) -> None:
    found = await figures(world, PerformanceDimension.CONTENT)

    guide, film = str(story["guide"].id), str(story["film"].id)
    assert {row.key: told(row) for row in found.rows} == {
        guide: (450_000, 2, (2, 2, 1, 1), 150_001, 600_000, 1_200_000),
        film: (50_000, 1, (1, 1, 1, 1), 0, 600_000, 1_200_000),
        None: (0, 1, (1, 0, 0, 0), 150_000, 100_000, 0),
    }
    assert told(found.total) == (500_000, 4, (3, 2, 1, 1), 300_001, 1_300_000, 1_200_000)


async def test_a_filter_narrows_leads_and_all_that_is_theirs_but_no_costs(
    world: World, story: dict[str, Any]
) -> None:
    paid = parse({"originSource": {"eq": "paid"}}, LEAD_FIELDS)

    found = await figures(world, PerformanceDimension.CAMPAIGN, filter=paid)

    assert {row.key: told(row) for row in found.rows} == {
        str(story["autumn"].id): (None, 1, (1, 1, 0, 0), 150_001, 0, 0),
        None: (None, 1, (0, 0, 0, 0), 150_000, 0, 0),
    }


@pytest.mark.parametrize(
    ("month", "expected"),
    [
        (Period(date(2026, 2, 1), date(2026, 3, 1)), (5, 3, 1, 1)),
        (MARCH, (0, 2, 3, 2)),
        (Period(date(2026, 2, 1), date(2026, 4, 1)), (5, 5, 4, 3)),
    ],
    ids=["february", "march", "both"],
)
async def test_a_lead_counts_once_when_it_first_came_so_far(
    world: World, month: Period, expected: tuple[int, ...]
) -> None:
    """What was skipped counts as passed; who was sent back does not come again."""
    seen_at, march = datetime(2026, 2, 20, tzinfo=UTC), 14 * 24
    await add_journeys(
        world,
        a_journey(seen_at, (Stage.LEAD, 0), (Stage.CUSTOMER, march)),
        a_journey(seen_at, (Stage.MQL, 1), (Stage.LEAD, 2), (Stage.MQL, march)),
        (a_lead(seen_at, stage=Stage.SQL, stage_entered_at=seen_at + 14 * DAY), ()),
        a_journey(seen_at, (Stage.SQL, 3), (Stage.CUSTOMER, march)),
        a_journey(seen_at, (Stage.MQL, 4), (Stage.SAL, march)),
    )

    found = await figures(world, PerformanceDimension.CAMPAIGN, period=month)

    total = found.total
    assert (total.leads, total.mqls, total.accepted, total.sqls) == expected
    rows = await behind(world, found.scope, PerformanceMeasure.MQLS, None)
    assert len({row.lead_id for row in rows}) == total.mqls


async def test_costs_are_held_against_what_campaigns_won_alone(
    world: World, story: dict[str, Any]
) -> None:
    """By channel all is held against them; campaigns that are told alone, what these won."""
    spring = frozenset({story["spring"].id})
    scope = await scoped(world, PerformanceDimension.CAMPAIGN)
    async with world.work() as work:
        alone = await performance(work, world.actor(), replace(scope, campaigns=spring))
    channels = await figures(world, PerformanceDimension.CHANNEL)

    assert (alone.total.roi_rate, alone.total.cac) == (Decimal("0.5"), Money(800_000, "EUR"))
    assert (channels.total.roi_rate, channels.total.cac) == (
        Decimal("1.6"),
        Money(250_000, "EUR"),
    )


VALUE = {
    PerformanceMeasure.COST: lambda row: row.cost_minor or 0,
    PerformanceMeasure.TOUCHES: lambda row: row.touches,
    PerformanceMeasure.LEADS: lambda row: row.leads,
    PerformanceMeasure.MQLS: lambda row: row.mqls,
    PerformanceMeasure.ACCEPTED: lambda row: row.accepted,
    PerformanceMeasure.SQLS: lambda row: row.sqls,
    PerformanceMeasure.PIPELINE: lambda row: row.pipeline_minor,
    PerformanceMeasure.WON: lambda row: row.won_minor,
    PerformanceMeasure.INFLUENCED: lambda row: row.influenced_minor,
}


@pytest.mark.parametrize("basis", PerformanceBasis)
@pytest.mark.parametrize("dimension", PerformanceDimension)
async def test_the_rows_behind_each_number_add_up_to_it(
    world: World, story: dict[str, Any], dimension: PerformanceDimension, basis: PerformanceBasis
) -> None:
    found = await figures(world, dimension, basis=basis)

    for row in found.rows:
        for measure, value in VALUE.items():
            if (
                measure is PerformanceMeasure.COST
                and dimension is not PerformanceDimension.CAMPAIGN
            ):
                continue
            rows = await behind(world, found.scope, measure, row.key)
            amounts = [each.amount_minor or 0 for each in rows]
            assert (sum(amounts) if measure.is_money else len(rows)) == value(row), measure
            if measure is PerformanceMeasure.WON:
                assert sum(each.credited_share or 0 for each in rows) == row.won_deals


def _rate(world: World, currency: str, rate: str, on: date) -> ExchangeRate:
    return ExchangeRate(
        id=new_id(),
        currency=currency,
        to_currency="EUR",
        starts_on=on,
        rate=Decimal(rate),
        recorded_at=world.now,
    )


async def foreign(world: World, minor: int, currency: str) -> UUID:
    """Store a deal won yesterday after three touches, in another currency; return its lead."""
    at, stage = world.now, a_stage(world.now)
    lead = a_lead(at - 8 * DAY)
    touches = [a_touch(at - day * DAY, lead_id=lead.id, channel=channel) for day, channel in
               ((7, Channel.SOCIAL), (6, Channel.EMAIL), (5, Channel.REFERRAL))]  # fmt: skip
    deal = a_deal(at - 4 * DAY, lead=lead, stage=stage, closed_at=at - DAY,
                  amount_minor=minor, currency=currency)  # fmt: skip
    async with world.work() as work:
        await work.add_all([stage, lead, *touches, deal])
        await reattribute(work, [lead.id])
    return lead.id


@pytest.mark.parametrize(
    ("minor", "currency", "rate", "won"),
    [
        (1000, "USD", "0.9", [300, 300, 300]),  # 3.34, 3.33 and 3.33 dollars: 300.6, 299.7, 299.7
        (1000, "JPY", "0.0061", [204, 203, 203]),  # 334 yen are 2.0374 euros
        (3000, "KWD", "3.01", [301, 301, 301]),  # a dinar has a thousand fils
        (30, "USD", "0.05", [1, 1, 0]),  # half a cent each: together one and a half, so two
    ],
)
async def test_each_amount_is_exchanged_by_the_rate_of_the_day_it_was_won(
    world: World, minor: int, currency: str, rate: str, won: Sequence[int]
) -> None:
    await foreign(world, minor, currency)
    async with world.work() as work:
        await work.add_all(
            [
                _rate(world, currency, "5", date(2026, 1, 1)),
                _rate(world, currency, rate, date(2026, 3, 9)),
                _rate(world, currency, "7", date(2026, 3, 10)),
            ]
        )

    found = await figures(world, PerformanceDimension.CHANNEL)

    by_key = {row.key: row.won_minor for row in found.rows}
    assert [by_key[key] for key in ("SOCIAL", "EMAIL", "REFERRAL")] == won
    rows = await behind(world, found.scope, PerformanceMeasure.WON, "SOCIAL")
    assert [row.amount_minor for row in rows] == [won[0]]


async def test_currencies_are_not_mixed_without_a_rate(world: World) -> None:
    await foreign(world, 1000, "USD")
    async with world.work() as work:
        await work.add(_rate(world, "USD", "0.9", date(2026, 3, 10)))

    with pytest.raises(RateMissing) as refused:
        await figures(world, PerformanceDimension.CHANNEL)

    assert (refused.value.missing.currency, refused.value.missing.on) == ("USD", date(2026, 3, 9))


async def test_costs_are_spread_over_touches_to_the_cent(world: World) -> None:
    at, spring, quiet = world.now, a_campaign(world.now, "spring"), a_campaign(world.now, "quiet")
    lead = a_lead(at - 8 * DAY)
    channels = (Channel.EMAIL, Channel.SOCIAL, Channel.SOCIAL, Channel.REFERRAL, Channel.REFERRAL)
    touches = [
        a_touch(at - DAY, lead_id=lead.id, campaign_id=spring.id, channel=channel)
        for channel in (*channels, Channel.REFERRAL)
    ]
    async with world.work() as work:
        await work.add_all([spring, quiet, lead, *touches])
        await work.add_all([a_cost(world, spring, 100), a_cost(world, spring, 1, on=4)])
        await work.add(a_cost(world, quiet, 7))

    found = await figures(world, PerformanceDimension.CHANNEL)

    assert {row.key: row.cost_minor for row in found.rows} == {
        "EMAIL": 16,  # of 100 the first sixth
        "REFERRAL": 50,  # up to four sixths: 66
        "SOCIAL": 35,  # the rest, and the single cent
        None: 7,
    }
    assert found.total.cost_minor == 108
    rows = await behind(world, found.scope, PerformanceMeasure.COST, "SOCIAL")
    assert sorted(row.amount_minor or 0 for row in rows) == [1, 34]


async def test_another_tenant_sees_none_of_it(
    world: World, other_world: World, story: dict[str, Any]
) -> None:
    found = await figures(other_world, PerformanceDimension.CAMPAIGN)

    assert (found.rows, told(found.total)) == ([], (0, 0, (0, 0, 0, 0), 0, 0, 0))
