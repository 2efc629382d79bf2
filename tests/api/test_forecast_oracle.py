"""Forecast, coverage, win rate, cycle and velocity against a plain recount that shares no code.

Deals are drawn at random around the change to summer time and Easter in Berlin; the oracle walks
through their quarters of an hour and adds up fractions.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from statistics import mean, quantiles
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from domain.exchange import set_rate
from domain.forecast import pipeline_forecast, sales_figures
from domain.identity import Tenant
from domain.ids import new_id
from domain.opportunities import Opportunity, OpportunityStatus, OpportunityStep, PipelineStage
from domain.sla.calendar import DayOverride
from domain.values import Money, Period
from tests.agreements import add_mql
from tests.world import World

BERLIN = ZoneInfo("Europe/Berlin")
GOOD_FRIDAY = date(2026, 4, 3)
NOW = datetime(2026, 4, 20, 7, 30, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
RATES = {  # what one buys of a euro, from a day on
    "USD": [(date(2026, 1, 1), Decimal("0.91")), (date(2026, 3, 29), Decimal("0.8735"))],
    "JPY": [(date(2026, 1, 1), Decimal("0.0061"))],
}
AGREED = (Decimal("0.1"), Decimal("0.5"))
APRIL = Period(date(2026, 4, 1), date(2026, 5, 1))


@dataclass(frozen=True)
class Drawn:
    """A deal as it was drawn: minor units, and the stages it was in."""

    opened: datetime
    status: str
    closed: datetime | None
    minor: int | None
    currency: str
    closes: date | None
    stages: tuple[int, ...]
    is_owned: bool


def drawn(chance: random.Random) -> Drawn:
    opened = datetime(2026, 3, 26, tzinfo=UTC) + chance.randrange(0, 12 * 96) * QUARTER
    status = chance.choice(("OPEN", "WON", "WON", "LOST"))
    closed = opened + chance.choice((0, 1, 30, chance.randrange(0, 10 * 96))) * QUARTER
    return Drawn(
        opened=opened,
        status=status,
        closed=None if status == "OPEN" else closed,
        minor=chance.choice((None, 0, 1, 99_999, chance.randrange(10**7), 10**12)),
        currency=chance.choice(("EUR", "USD", "JPY")),
        closes=chance.choice((None, date(2026, 3, 31), APRIL.first, APRIL.last, APRIL.end)),
        stages=chance.choice(((0,), (1,), (0, 1), (0, 1, 0))),
        is_owned=chance.random() < 0.6,
    )


async def store(world: World, deals: list[Drawn]) -> None:
    world.at(NOW)
    lead = await add_mql(world)
    holiday = DayOverride(on=GOOD_FRIDAY)
    hours = replace(
        world.hours, id=new_id(), number=2, time_zone="Europe/Berlin", overrides=(holiday,)
    )
    stages = [
        PipelineStage(id=new_id(), name=f"S{n}", position=n, win_rate=rate, created_at=NOW)
        for n, rate in enumerate(AGREED)
    ]
    rows: list[Any] = [hours, *stages]
    for each in deals:
        deal = _stored(each, lead.id, stages, world.rep.id if each.is_owned else None)
        rows += [deal, *_steps(each, deal, stages)]
    async with world.work() as work:
        tenant = await work.get(Tenant, world.tenant.id)
        await work.save(replace(tenant, time_zone="Europe/Berlin"))
        await work.save(replace(world.calendar, current_id=hours.id))
        await work.add_all(rows)
        for currency, rates in RATES.items():
            for starts_on, rate in rates:
                actor = world.actor()
                await set_rate(work, actor, currency=currency, rate=rate, starts_on=starts_on)


def _stored(
    each: Drawn, lead_id: UUID, stages: list[PipelineStage], owner_id: UUID | None
) -> Opportunity:
    return Opportunity(
        id=new_id(),
        name="Deal",
        lead_id=lead_id,
        stage_id=stages[each.stages[-1]].id,
        opened_at=each.opened,
        stage_entered_at=each.opened,
        recorded_at=NOW,
        updated_at=NOW,
        owner_id=owner_id,
        amount_minor=each.minor,
        currency=None if each.minor is None else each.currency,
        expected_close_on=each.closes,
        status=OpportunityStatus(each.status),
        closed_at=each.closed,
        lost_reason="No." if each.status == "LOST" else None,
    )


def _steps(each: Drawn, deal: Opportunity, stages: list[PipelineStage]) -> list[OpportunityStep]:
    step = OpportunityStep(
        id=new_id(),
        opportunity_id=deal.id,
        stage_id=deal.stage_id,
        status=OpportunityStatus.OPEN,
        at=each.opened,
        recorded_at=NOW,
    )
    entered = [replace(step, id=new_id(), stage_id=stages[n].id) for n in each.stages]
    if each.closed is None:
        return entered
    return [*entered, replace(step, id=new_id(), status=deal.status, at=each.closed)]


# The oracle.


def euros(each: Drawn, on: date) -> int:
    if each.minor is None or each.currency == "EUR":
        return each.minor or 0
    rate = [rate for starts_on, rate in RATES[each.currency] if starts_on <= on][-1]
    units = Decimal(each.minor) / (100 if each.currency == "USD" else 1)
    return int((units * rate * 100).quantize(Decimal(1), ROUND_HALF_UP))


def day(instant: datetime) -> date:
    return instant.astimezone(BERLIN).date()


def worth(each: Drawn) -> int:
    return euros(each, day(each.closed or NOW))


def worked(each: Drawn) -> timedelta:
    """Walk through a deal's quarters of an hour and count those that somebody works."""
    at, total = each.opened, timedelta(0)
    while at < (each.closed or at):
        local = at.astimezone(BERLIN)
        in_office = 9 <= local.hour < 17 and local.date() != GOOD_FRIDAY
        if local.weekday() < 5 and (in_office or not each.is_owned):
            total += QUARTER
        at += QUARTER
    return total


def cent(exact: Fraction) -> int:
    return int(exact + Fraction(1, 2))  # of what is not below nought


def share(part: int, whole: int) -> Decimal | None:
    return Decimal(cent(Fraction(part, whole) * 10_000)) / 10_000 if whole else None


def spread(lengths: list[timedelta]) -> list[float]:
    seconds = [length.total_seconds() for length in lengths]
    cuts = quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else seconds * 100
    return [mean(seconds), *(cuts[percent - 1] for percent in (10, 25, 50, 75, 90))]


def told(found: Any) -> list[float]:
    parts = (found.mean, found.p10, found.p25, found.p50, found.p75, found.p90)
    return [part.total_seconds() for part in parts]


@pytest.mark.parametrize("seed", range(4))
async def test_figures_are_what_a_plain_recount_finds(world: World, seed: int) -> None:
    chance = random.Random(seed)
    deals = [drawn(chance) for _ in range(24)]
    await store(world, deals)
    won, lost, opened = (
        [each for each in deals if each.status == status] for status in ("WON", "LOST", "OPEN")
    )

    async with world.work() as work:
        found = await sales_figures(work, world.actor())

    total, gone = sum(map(worth, won)), sum(map(worth, lost))
    priced = [each for each in won if each.minor is not None]
    lengths = [each.closed - each.opened for each in won if each.closed]
    days = Fraction(sum(lengths, timedelta(0)) // timedelta(minutes=15), 96 * len(won))
    average = Fraction(total, len(priced))
    rate = Fraction(len(won), len(won) + len(lost))
    assert (found.open_count, found.won_count, found.lost_count) == (
        len(opened),
        len(won),
        len(lost),
    )
    assert (found.won_amount.minor, found.lost_amount.minor) == (total, gone)
    assert found.win_rate == share(len(won), len(won) + len(lost))
    assert found.value_win_rate == share(total, total + gone)
    assert found.average_deal == Money(cent(average), "EUR")
    assert found.velocity_per_day == Money(cent(len(opened) * rate * average / days), "EUR")
    assert found.cycle.elapsed is not None
    assert found.cycle.working is not None
    assert told(found.cycle.elapsed) == pytest.approx(spread(lengths), abs=0.001)
    assert told(found.cycle.working) == pytest.approx(spread(list(map(worked, won))), abs=0.001)


@pytest.mark.parametrize("seed", range(4))
async def test_a_forecast_is_what_a_plain_recount_finds(world: World, seed: int) -> None:
    chance = random.Random(100 + seed)
    deals = [drawn(chance) for _ in range(24)]
    await store(world, deals)
    quota = Money(5 * 10**12, "EUR")

    async with world.work() as work:
        found = await pipeline_forecast(work, world.actor(), period=APRIL, quota=quota)

    due = [each for each in deals if each.status == "OPEN" and each.closes in _days(APRIL)]
    closed = [each for each in deals if each.closed is not None]
    within = [each for each in closed if each.closed and day(each.closed) in _days(APRIL)]
    observed = [_chance(closed, stage) for stage in range(2)]
    agreed = [Fraction(rate) for rate in AGREED]
    won = sum(worth(each) for each in within if each.status == "WON")
    assert (found.total.open_count, found.total.unpriced_count) == (
        len(due),
        sum(each.minor is None for each in due),
    )
    assert found.total.open_amount.minor == sum(map(worth, due))
    assert found.total.weighted_agreed.minor == cent(_weighed(due, agreed))
    assert found.total.weighted_observed.minor == cent(_weighed(due, observed))
    assert found.total.won_amount.minor == won
    assert found.undated_count == sum(e.status == "OPEN" and e.closes is None for e in deals)
    assert found.overdue_count == sum(
        each.status == "OPEN" and each.closes is not None and each.closes < day(NOW)
        for each in deals
    )
    for part in (found.owners, found.teams, found.stages):
        assert sum(each.part.open_amount.minor for each in part) == sum(map(worth, due))
    coverage, left = found.coverage, max(quota.minor - won, 0)
    all_won = sum(worth(each) for each in closed if each.status == "WON")
    assert coverage.remaining == Money(left, "EUR")
    assert coverage.coverage == share(sum(map(worth, due)), left)
    assert coverage.needed == share(sum(map(worth, closed)), all_won)


def _days(period: Period) -> set[date]:
    return {date(2026, 4, number) for number in range(1, 31)} if period is APRIL else set()


def _weighed(deals: list[Drawn], chances: list[Fraction]) -> Fraction:
    return sum((worth(each) * chances[each.stages[-1]] for each in deals), Fraction(0))


def _chance(closed: list[Drawn], stage: int) -> Fraction:
    were = [each for each in closed if stage in each.stages]
    won = sum(each.status == "WON" for each in were)
    return (won + 10 * Fraction(AGREED[stage])) / (len(were) + 10)
