"""Amounts exchanged in SQL, by the rule of `domain.exchange`: each one, to its minor unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from domain.attribution.performance import Scope
from domain.exchange import ExchangeRate
from domain.identity import CURRENCIES
from domain.values import minor_digits
from infra.rows import table_of

rates = table_of(ExchangeRate)


@dataclass(frozen=True, slots=True)
class Amount:
    """Minor units of a currency, and the day whose rate counts."""

    tenant: sa.ColumnElement[Any]
    minor: sa.ColumnElement[Any]
    currency: sa.ColumnElement[Any]
    on: sa.ColumnElement[Any]


def exchanged(amount: Amount, scope: Scope) -> sa.ColumnElement[Any]:
    """Return an amount in the scope's currency, rounded half up; null where there is no rate.

    By the index exchange_rates_day (currency, to_currency, starts_on), for foreign amounts only.
    """
    product = amount.minor * _rate(amount, scope) * _scale(amount, scope)
    return sa.case(
        (amount.currency == sa.literal(scope.currency), amount.minor),
        else_=sa.cast(sa.func.round(product), sa.BigInteger),
    )


def lacks_rate(amount: Amount, scope: Scope) -> sa.ColumnElement[Any]:
    """Return the day and the currency of an amount that cannot be exchanged, else null."""
    lacking = sa.and_(
        amount.minor.is_not(None),
        amount.currency != sa.literal(scope.currency),
        _rate(amount, scope).is_(None),
    )
    return sa.case((lacking, sa.cast(amount.on, sa.Text) + " " + amount.currency))


def _rate(amount: Amount, scope: Scope) -> sa.ScalarSelect[Any]:
    return (
        sa.select(rates.c.rate)
        .where(
            rates.c.tenant_id == amount.tenant,
            rates.c.currency == amount.currency,
            rates.c.to_currency == sa.literal(scope.currency),
            rates.c.starts_on <= amount.on,
        )
        .order_by(rates.c.starts_on.desc())
        .limit(1)
        .scalar_subquery()
    )


def _scale(amount: Amount, scope: Scope) -> sa.ColumnElement[Any]:
    """Return how many of the scope's minor units a rate of 1 makes of one of the amount's."""
    ours = minor_digits(scope.currency)
    unusual: dict[int, list[str]] = {}
    for currency in sorted(CURRENCIES):
        if minor_digits(currency) != 2:
            unusual.setdefault(minor_digits(currency), []).append(currency)
    steps = [
        (
            amount.currency == sa.any_(sa.literal(listed, sa.ARRAY(sa.Text))),
            sa.func.power(sa.literal(10, sa.Numeric), sa.literal(ours - digits, sa.Numeric)),
        )
        for digits, listed in unusual.items()
    ]
    usual = sa.func.power(sa.literal(10, sa.Numeric), sa.literal(ours - 2, sa.Numeric))
    return sa.case(*steps, else_=usual)
