"""What the closed loop reads from the database, against a count by hand."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from domain.closed_loop import EffortCount, EffortCounts, RevenueCount, RevenueCounts
from domain.customers import RevenueKind
from domain.exchange import ExchangeRate
from domain.ids import new_id
from domain.stages import Stage
from tests.deals import a_pipeline, add_deal, add_revenue
from tests.histories import a_journey, add_journeys
from tests.world import World

L, M, Q = Stage.LEAD, Stage.MQL, Stage.SQL


def on(day: int, hour: int = 9) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def counted(source: str | None, campaign: str | None, *figures: int, is_other: bool = False,
            foreign: int = 0) -> EffortCount:  # fmt: skip
    leads, mqls, sqls, opportunities, won, minor = figures
    return EffortCount(
        source=source,
        campaign=campaign,
        is_other=is_other,
        leads=leads,
        mqls=mqls,
        sqls=sqls,
        opportunities=opportunities,
        won=won,
        revenue_minor=minor,
        foreign=foreign,
    )


async def efforts(world: World, most: int = 12) -> list[EffortCount]:
    question = EffortCounts(
        since=on(1, 0), until=on(11, 0), currency="EUR", time_zone="Europe/Dublin", most=most
    )
    async with world.work() as work:
        return list(await work.ask(question))


def _revenue(starts: tuple[datetime, ...], until: datetime) -> RevenueCounts:
    return RevenueCounts(starts=starts, until=until, currency="EUR", time_zone="Europe/Dublin")


async def test_efforts_are_what_became_of_their_leads(world: World) -> None:
    stage = await a_pipeline(world)
    fair = {"origin_source": "fair", "origin_campaign": "spring"}
    won, sent_back, _old, _none = await add_journeys(
        world,
        a_journey(on(2), (L, 0), (M, 1), (Q, 2), **fair),
        a_journey(on(3), (L, 0), (Q, 2), (L, 3), **fair),
        a_journey(on(1) - timedelta(days=1), (Q, 0), **fair),
        a_journey(on(4), (Stage.VISITOR, 0), origin_source="organic"),
    )
    await add_deal(world, stage, won, minor=9_000_00, closed_at=on(6))
    await add_deal(world, stage, won, minor=1_000_00)
    await add_deal(world, stage, sent_back, minor=5_000_00, closed_at=on(6), lost=True)
    events = (
        (RevenueKind.NEW, 9_000_00, on(6)),
        (RevenueKind.EXPANSION, 500_00, on(9)),
        (RevenueKind.CHURN, 9_000_00, on(10)),
    )
    await add_revenue(world, won, *events)
    await add_revenue(world, sent_back, (RevenueKind.NEW, 7_00, on(6)), currency="USD")

    assert await efforts(world) == [
        counted("fair", "spring", 2, 2, 2, 3, 1, 9_500_00, foreign=1),
        counted("organic", None, 1, 0, 0, 0, 0, 0),
    ]


async def test_what_is_less_fruitful_is_put_together_and_nothing_is_lost(world: World) -> None:
    await add_journeys(
        world,
        *(
            a_journey(on(2), (L, 0), (M, 1), origin_source=f"source {number}")
            for number in range(5)
            for _ in range(5 - number)
        ),
    )

    found = await efforts(world, most=2)

    assert found == [
        counted("source 0", None, 5, 5, 0, 0, 0, 0),
        counted("source 1", None, 4, 4, 0, 0, 0, 0),
        counted(None, None, 6, 6, 0, 0, 0, 0, is_other=True),
    ]


async def test_revenue_falls_into_the_span_of_its_instant(world: World) -> None:
    (lead,) = await add_journeys(world, a_journey(on(1)))
    tick = timedelta(microseconds=1)
    await add_revenue(
        world,
        lead,
        (RevenueKind.NEW, 1, on(2, 0) - tick),  # before it all
        (RevenueKind.NEW, 10, on(2, 0)),
        (RevenueKind.RENEWAL, 100, on(4, 0) - tick),
        (RevenueKind.EXPANSION, 1_000, on(8, 0)),
        (RevenueKind.CHURN, 10_000, on(8, 0)),
        (RevenueKind.NEW, 100_000, on(9, 0)),  # after it all
    )
    (other,) = await add_journeys(world, a_journey(on(1)))
    await add_revenue(world, other, (RevenueKind.NEW, 5, on(8)), currency="USD")
    starts = (on(2, 0), on(4, 0), on(6, 0))

    async with world.work() as work:
        found = await work.ask(_revenue(starts, on(9, 0)))

    def came(span: int, new: int, again: int, lost: int, foreign: int = 0) -> RevenueCount:
        return RevenueCount(
            span=span, new_minor=new, again_minor=again, lost_minor=lost, foreign=foreign
        )

    assert [asdict(each) for each in found] == [
        asdict(came(1, 10, 100, 0)),
        asdict(came(3, 0, 1_000, 10_000, foreign=1)),
    ]


async def test_amounts_are_exchanged_by_the_rate_of_their_day(world: World) -> None:
    (lead,) = await add_journeys(world, a_journey(on(1)))
    await add_revenue(
        world,
        lead,
        (RevenueKind.NEW, 10_00, on(4, 0) - timedelta(seconds=1)),  # before there was a rate
        (RevenueKind.EXPANSION, 10_01, on(4, 0)),
        (RevenueKind.RENEWAL, 10_01, on(5)),
        currency="USD",
    )
    rate = ExchangeRate(
        id=new_id(),
        currency="USD",
        to_currency="EUR",
        starts_on=on(4).date(),
        rate=Decimal("0.5"),
        recorded_at=world.now,
    )
    async with world.work() as work:
        await work.add(rate)

    async with world.work() as work:
        (came,) = await work.ask(_revenue((on(1, 0),), on(9, 0)))

    assert (came.new_minor, came.again_minor, came.foreign) == (0, 5_01 + 5_01, 1)
    assert await efforts(world) == [counted(None, None, 1, 0, 0, 0, 0, 10_02, foreign=1)]


async def test_a_tenant_sees_none_of_anothers(world: World, other_world: World) -> None:
    stage = await a_pipeline(other_world)
    (lead,) = await add_journeys(other_world, a_journey(on(2), (L, 0)))
    await add_deal(other_world, stage, lead, minor=100, closed_at=on(3))
    await add_revenue(other_world, lead, (RevenueKind.NEW, 100, on(3)))

    async with world.work() as work:
        came = await work.ask(_revenue((on(1),), on(9)))

    assert (await efforts(world), came) == ([], [])
