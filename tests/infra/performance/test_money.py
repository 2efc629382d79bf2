"""Amounts of several currencies, and costs to the cent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from domain.attribution import reattribute
from domain.attribution.performance import PerformanceDimension, PerformanceMeasure
from domain.exchange import ExchangeRate, RateMissing
from domain.ids import new_id
from domain.touches import Channel
from tests.infra.performance.asking import a_cost, behind, figures
from tests.journeys import DAY, a_campaign, a_deal, a_lead, a_stage, a_touch
from tests.world import World


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


async def test_of_what_is_equal_the_earlier_touch_gets_more_though_it_was_told_later(
    world: World,
) -> None:
    at, stage = world.now, a_stage(world.now)
    lead = a_lead(at - 8 * DAY)
    later = a_touch(at - 5 * DAY, lead_id=lead.id, channel=Channel.SOCIAL)
    earlier = a_touch(at - 6 * DAY, lead_id=lead.id, channel=Channel.EMAIL)
    deal = a_deal(at - 4 * DAY, lead=lead, stage=stage, closed_at=at - DAY,
                  amount_minor=100, currency="USD")  # fmt: skip
    async with world.work() as work:
        await work.add_all([stage, lead, later, earlier, deal])
        await work.add(_rate(world, "USD", "0.59", date(2026, 1, 1)))
        await reattribute(work, [lead.id])

    found = await figures(world, PerformanceDimension.CHANNEL)

    assert {row.key: row.won_minor for row in found.rows} == {"EMAIL": 30, "SOCIAL": 29}


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
