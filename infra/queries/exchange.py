"""Amounts exchanged in SQL: the one place, by the rule and rounding of `domain.exchange.exchanged`.

Any query that adds up money goes by an `Amount`: what it `exchanged` to, and which rate it
`lacks_rate` for.  They go together, because SQL's sum() passes over what has no rate in silence.
What came of `earliest_lacking` is refused (`refuse_missing`) where the answer is a figure, and told
(`missing_rate`) where the rest must be seen without it, as on a wall.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from domain.exchange import ExchangeRate, MissingRate, RateMissing, RatesOn
from domain.identity import CURRENCIES
from domain.values import minor_digits
from infra.database import PostgresWork
from infra.queries import answers
from infra.rows import table_of

rates = table_of(ExchangeRate)

# The currencies whose minor unit is not a hundredth, by its decimal places.
_UNUSUAL = {
    digits: sorted(code for code in CURRENCIES if minor_digits(code) == digits)
    for digits in sorted({minor_digits(code) for code in CURRENCIES} - {2})
}


@dataclass(frozen=True, slots=True)
class Amount:
    """Minor units of a currency in a row of a tenant, and the day whose rate counts.

    `to` is the currency it is wanted in.  Where that is not the tenant's own, which all rates are
    to, it goes `through` the tenant's: by both rates of the day.
    """

    tenant_id: UUID
    minor: sa.ColumnElement[Any]
    currency: sa.ColumnElement[Any]
    on: sa.ColumnElement[Any]
    to: str
    through: str | None = None


@answers(RatesOn)
async def rates_on(work: PostgresWork, question: RatesOn) -> Mapping[tuple[str, date], Decimal]:
    """Return the rate of each currency on each day, by the unique index exchange_rates_day."""
    wanted = (
        sa.func.unnest(
            sa.literal([currency for currency, _ in question.days], sa.ARRAY(sa.Text)),
            sa.literal([day for _, day in question.days], sa.ARRAY(sa.Date)),
        )
        .table_valued(sa.column("currency", sa.Text), sa.column("day", sa.Date))
        .render_derived("wanted")
    )
    rate = _stored(work.tenant_id, wanted.c.currency, wanted.c.day, question.to)
    rows = await work.rows(sa.select(wanted.c.currency, wanted.c.day, rate))
    return {(row[0], row[1]): row[2] for row in rows if row[2] is not None}


def exchanged(amount: Amount) -> sa.ColumnElement[Any]:
    """Return an amount in the currency it is wanted in, rounded half away from zero.

    NULL where the amount is, and where the rate is missing.  An amount of the currency itself costs
    nothing; others one look into the unique index exchange_rates_day.  A number of any size: what
    is added up may be more than a bigint.
    """
    product = sa.func.round(amount.minor * factor_to(amount), type_=sa.Numeric())
    return sa.case((_is_own(amount), sa.cast(amount.minor, sa.Numeric)), else_=product)


def factor_to(amount: Amount) -> sa.ColumnElement[Any]:
    """Return what minor units are multiplied by, and then rounded; NULL if the rate is missing.

    For a statement that needs it more than once, and must not look for the rate as often.
    """
    return _rate(amount) * _factor(amount.currency, amount.to)


def lacks_rate(amount: Amount) -> sa.ColumnElement[Any]:
    """Return the day and the currency of an amount that cannot be exchanged, else NULL."""
    lacking = sa.and_(amount.minor.is_not(None), exchanged(amount).is_(None))
    named = sa.func.to_char(amount.on, "YYYY-MM-DD") + sa.literal(" ", sa.Text()) + amount.currency
    return sa.case((lacking, named))


def earliest_lacking(amount: Amount) -> sa.ColumnElement[Any]:
    """Return the aggregate that names the earliest day whose rate is missing, NULL if none is."""
    return sa.func.min(lacks_rate(amount))


def missing_rate(found: str | None, *, to: str) -> MissingRate | None:
    """Return the rate that is missing by what `lacks_rate` or `earliest_lacking` came to."""
    if found is None:
        return None
    day, _, currency = found.partition(" ")
    return MissingRate(currency=currency, to=to, on=date.fromisoformat(day))


def refuse_missing(found: str | None, *, to: str) -> None:
    """Raise RateMissing for what `lacks_rate` or `earliest_lacking` came to."""
    missing = missing_rate(found, to=to)
    if missing is not None:
        raise RateMissing(missing)


def local_day(instant: sa.ColumnElement[Any], time_zone: str) -> sa.ColumnElement[date]:
    """Return the day of an instant in a time zone: the day whose rate counts."""
    return sa.cast(sa.func.timezone(time_zone, instant), sa.Date)


def _is_own(amount: Amount) -> sa.ColumnElement[bool]:
    return amount.currency == sa.literal(amount.to, sa.Text())


def _rate(amount: Amount) -> sa.ColumnElement[Any]:
    """Return how much of the wanted currency one unit of the amount's buys, NULL if nobody said."""
    tenant_id, currency, on = amount.tenant_id, amount.currency, amount.on
    if amount.through in (None, amount.to):
        return _stored(tenant_id, currency, on, amount.to)
    through = amount.through
    is_through = currency == sa.literal(through, sa.Text())
    there = sa.case(
        (is_through, sa.literal(Decimal(1), sa.Numeric())),
        else_=_stored(tenant_id, currency, on, through),
    )
    return there / _stored(tenant_id, sa.literal(amount.to, sa.Text()), on, through)


def _stored(
    tenant_id: UUID, currency: sa.ColumnElement[Any], on: sa.ColumnElement[Any], to: str | None
) -> sa.ColumnElement[Any]:
    return (
        sa.select(rates.c.rate)
        .where(
            rates.c.tenant_id == sa.literal(tenant_id, sa.Uuid()),
            rates.c.currency == currency,
            rates.c.to_currency == sa.literal(to, sa.Text()),
            rates.c.starts_on <= on,
        )
        .order_by(rates.c.starts_on.desc())
        .limit(sa.literal(1, sa.BigInteger()))
        .correlate_except(rates)
        .scalar_subquery()
    )


def _factor(currency: sa.ColumnElement[Any], to: str) -> sa.ColumnElement[Any]:
    """Return what minor units are multiplied by besides the rate."""

    def factor(digits: int) -> sa.ColumnElement[Any]:
        return sa.literal(Decimal(10) ** (minor_digits(to) - digits), sa.Numeric())

    unusual = (
        (currency == sa.any_(sa.literal(codes, sa.ARRAY(sa.Text))), factor(digits))
        for digits, codes in _UNUSUAL.items()
    )
    return sa.case(*unusual, else_=factor(2))
