"""Rates of exchange: set by people, and used by every sum of money."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from domain.exchange import ExchangeRate, RateMissing, converted, exchanged
from domain.values import Money
from infra.queries.exchange import Amount, earliest_lacking, refuse_missing
from infra.queries.exchange import exchanged as in_sql
from tests.world import World

SET = """mutation($input: ExchangeRateSetInput!) { exchangeRateSet(input: $input) {
  exchangeRate { currency toCurrency startsOn rate recordedBy { name } version }
  userErrors { code path }
} }"""
RATES = """query { exchangeRates { totalCount nodes { currency startsOn rate } } }"""
D = Decimal


async def set_rate(world: World, currency: str, rate: str, starts_on: str) -> dict[str, Any]:
    told = {"currency": currency, "rate": rate, "startsOn": starts_on}
    answer = await world.data(SET, {"input": told}, as_=world.marketer)
    found: dict[str, Any] = answer["exchangeRateSet"]
    return found


@pytest.mark.parametrize(
    ("amount", "to", "rate", "becomes"),
    [
        (Money(10000, "USD"), "EUR", D("0.92"), Money(9200, "EUR")),
        (Money(100, "JPY"), "EUR", D("0.0061"), Money(61, "EUR")),
        (Money(61, "EUR"), "JPY", D("163.9"), Money(100, "JPY")),
        (Money(1000, "BHD"), "EUR", D("2.45"), Money(245, "EUR")),
        (Money(1, "USD"), "EUR", D("0.5"), Money(1, "EUR")),  # half a cent goes up
        (Money(-1, "USD"), "EUR", D("0.5"), Money(-1, "EUR")),  # away from zero
        (Money(1, "USD"), "EUR", D("0.49"), Money(0, "EUR")),
    ],
)
def test_an_amount_is_exchanged_to_the_minor_unit(amount, to, rate, becomes):
    assert exchanged(amount, to=to, rate=rate) == becomes


async def test_a_rate_is_set_for_the_days_from_one_on(world: World) -> None:
    answer = await set_rate(world, "USD", "0.92", "2026-03-01")

    assert answer == {
        "exchangeRate": {
            "currency": "USD",
            "toCurrency": "EUR",
            "startsOn": "2026-03-01",
            "rate": "0.92",
            "recordedBy": {"name": "Mia"},
            "version": 1,
        },
        "userErrors": [],
    }


async def test_a_second_rate_for_the_same_day_takes_the_place_of_the_first(world: World) -> None:
    await set_rate(world, "USD", "0.92", "2026-03-01")
    await set_rate(world, "USD", "0.93", "2026-03-02")
    await set_rate(world, "USD", "0.95", "2026-03-01")
    again = await set_rate(world, "USD", "0.95", "2026-03-01")

    assert again["exchangeRate"]["version"] == 2
    assert (await world.data(RATES))["exchangeRates"] == {
        "totalCount": 2,
        "nodes": [
            {"currency": "USD", "startsOn": "2026-03-02", "rate": "0.93"},
            {"currency": "USD", "startsOn": "2026-03-01", "rate": "0.95"},
        ],
    }


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"currency": "EUR"}, "BAD_RATE", ["currency"]),
        ({"currency": "XXX"}, "UNKNOWN_CURRENCY", ["currency"]),
        ({"rate": "0"}, "BAD_RATE", ["rate"]),
        ({"rate": "-1"}, "BAD_RATE", ["rate"]),
        ({"rate": "1000000001"}, "BAD_RATE", ["rate"]),
        ({"startsOn": "1969-12-31"}, "BAD_RATE", ["startsOn"]),
        ({"startsOn": "2150-01-01"}, "BAD_RATE", ["startsOn"]),
    ],
)
async def test_a_rate_that_cannot_be_is_refused(world: World, changes, code, path) -> None:
    told = {"currency": "USD", "rate": "0.92", "startsOn": "2026-03-01", **changes}

    answer = await world.data(SET, {"input": told}, as_=world.marketer)

    assert answer["exchangeRateSet"] == {
        "exchangeRate": None,
        "userErrors": [{"code": code, "path": path}],
    }
    async with world.work() as work:
        assert await work.find(ExchangeRate) == []


AMOUNTS = [
    (Money(1000, "EUR"), date(2026, 1, 1)),
    (Money(1001, "USD"), date(2026, 3, 1)),
    (Money(1001, "USD"), date(2026, 3, 9)),
    (Money(500, "JPY"), date(2026, 3, 2)),
]


async def test_each_amount_goes_by_the_rate_of_its_day(world: World) -> None:
    await set_rate(world, "USD", "0.92", "2026-03-01")
    await set_rate(world, "USD", "0.95", "2026-03-09")
    await set_rate(world, "JPY", "0.0061", "2026-01-01")

    async with world.work() as work:
        assert await converted(work, AMOUNTS) == [
            Money(1000, "EUR"),
            Money(921, "EUR"),  # 920.92
            Money(951, "EUR"),  # 950.95
            Money(305, "EUR"),
        ]


async def test_a_missing_rate_is_refused_by_currency_and_day(world: World) -> None:
    await set_rate(world, "USD", "0.92", "2026-03-02")

    async with world.work() as work:
        with pytest.raises(RateMissing) as refused:
            await converted(work, AMOUNTS)

    assert (refused.value.missing.currency, refused.value.missing.on) == ("USD", date(2026, 3, 1))
    assert refused.value.message == (
        "There is no rate from USD to EUR on 2026-03-01; set one with exchangeRateSet."
    )


async def test_sql_exchanges_as_the_domain_does(world: World) -> None:
    await set_rate(world, "USD", "0.92", "2026-03-01")
    await set_rate(world, "JPY", "0.0061", "2026-01-01")
    amounts = [*AMOUNTS, (Money(-1, "USD"), date(2026, 3, 3)), (Money(25, "USD"), date(2026, 3, 3))]

    async with world.work() as work:
        expected = [money.minor for money in await converted(work, amounts)]
        [row] = await work.rows(_summed(work, amounts))

    assert (row[0], row[1]) == (sum(expected), None)


async def test_another_currency_than_the_tenants_is_reached_through_it(world: World) -> None:
    await set_rate(world, "USD", "0.8", "2026-03-01")
    await set_rate(world, "GBP", "1.2", "2026-03-01")
    on = date(2026, 3, 2)
    amounts = [(Money(300, "USD"), on), (Money(240, "EUR"), on), (Money(7, "GBP"), on)]

    async with world.work() as work:
        [row] = await work.rows(_summed(work, amounts, to="GBP"))
        [lacking] = await work.rows(_summed(work, [(Money(1, "EUR"), on)], to="JPY"))

    assert tuple(row) == (200 + 200 + 7, None)
    assert tuple(lacking) == (None, "2026-03-02 EUR")


async def test_a_sum_in_sql_names_the_earliest_day_without_a_rate(world: World) -> None:
    async with world.work() as work:
        [row] = await work.rows(_summed(work, AMOUNTS))
        with pytest.raises(RateMissing) as refused:
            refuse_missing(row[1], to="EUR")

    assert (refused.value.missing.currency, refused.value.missing.on) == ("USD", date(2026, 3, 1))


def _summed(work: Any, amounts: list[tuple[Money, date]], *, to: str = "EUR") -> Any:
    rows = (
        sa.values(
            sa.column("minor", sa.BigInteger),
            sa.column("currency", sa.Text),
            sa.column("day", sa.Date),
            name="amounts",
        )
        .data([(money.minor, money.currency, on) for money, on in amounts])
        .alias("amounts")
    )
    amount = Amount(work.tenant_id, rows.c.minor, rows.c.currency, rows.c.day, to=to, through="EUR")
    return sa.select(sa.func.sum(in_sql(amount)), earliest_lacking(amount))
