"""Rates of exchange in SQL, by the same rounding as `domain.exchange.exchanged`.

Any query that adds up money may use these three: `in_currency` for the amount of a row, `missing`
beside it, and `refuse_missing` for what came of it.  They go together, because SQL's sum() passes
over what has no rate in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from domain.exchange import ExchangeRate, RateMissing, RatesOn
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
    rate = _rate(work.tenant_id, wanted.c.currency, wanted.c.day, question.to)
    rows = await work.rows(sa.select(wanted.c.currency, wanted.c.day, rate))
    return {(row[0], row[1]): row[2] for row in rows if row[2] is not None}


def in_currency(
    tenant_id: UUID,
    amount: sa.ColumnElement[int],
    currency: sa.ColumnElement[str],
    on: sa.ColumnElement[date],
    *,
    to: str,
) -> sa.ColumnElement[Any]:
    """Return the minor units of a row's amount in a currency, by the rate of its day.

    NULL where the amount is, and where the rate is missing: ask for `missing` too.  Amounts of the
    currency itself cost nothing; others one look into the unique index exchange_rates_day.
    """
    exchanged = sa.func.round(
        amount * _rate(tenant_id, currency, on, to) * _factor(currency, to), type_=sa.Numeric()
    )
    own = currency == sa.literal(to, sa.Text())
    return sa.case((own, sa.cast(amount, sa.Numeric)), else_=exchanged)


def missing(
    amount: sa.ColumnElement[int],
    converted: sa.ColumnElement[Any],
    currency: sa.ColumnElement[str],
    on: sa.ColumnElement[date],
) -> sa.ColumnElement[Any]:
    """Return the aggregate that names the earliest day whose rate is missing, NULL if none is."""
    lacking = sa.and_(amount.is_not(None), converted.is_(None))
    named = sa.func.to_char(on, "YYYY-MM-DD") + sa.literal(" ", sa.Text()) + currency
    return sa.func.min(sa.case((lacking, named)))


def refuse_missing(found: str | None, *, to: str) -> None:
    """Raise RateMissing for what `missing` came to."""
    if found is not None:
        day, _, currency = found.partition(" ")
        raise RateMissing(currency, to, date.fromisoformat(day))


def _rate(
    tenant_id: UUID, currency: sa.ColumnElement[str], on: sa.ColumnElement[date], to: str
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


def _factor(currency: sa.ColumnElement[str], to: str) -> sa.ColumnElement[Any]:
    """Return what minor units are multiplied by besides the rate."""

    def factor(digits: int) -> sa.ColumnElement[Any]:
        return sa.literal(Decimal(10) ** (minor_digits(to) - digits), sa.Numeric())

    unusual = (
        (currency == sa.any_(sa.literal(codes, sa.ARRAY(sa.Text))), factor(digits))
        for digits, codes in _UNUSUAL.items()
    )
    return sa.case(*unusual, else_=factor(2))
