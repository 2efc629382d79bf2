"""What other currencies are worth in the tenant's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any
from uuid import UUID

from domain.errors import DomainError, Invalid
from domain.events import ExchangeRateChanged
from domain.filters import FieldType, FilterField, FilterFields
from domain.identity import CURRENCIES, Actor, Permission, Tenant, UnknownCurrency
from domain.ids import new_id
from domain.ports import Question, Work, first
from domain.values import Money, minor_digits

# Nothing is worth more of anything else than this, or less than one over it.
_EXTREME = Decimal(10) ** 9
# Enough for any amount that can be kept, by any rate.
_DIGITS = 60
_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(2150, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRate:
    """How much of the tenant's currency one unit of another buys, from a day on."""

    id: UUID
    currency: str
    to_currency: str
    starts_on: date
    rate: Decimal
    recorded_at: datetime
    recorded_by: UUID | None = None
    version: int = 1


RATE_FIELDS = FilterFields(
    "exchangeRate",
    (
        FilterField(
            name="currency",
            attribute="currency",
            type=FieldType.TEXT,
            description="What is exchanged.",
        ),
        FilterField(
            name="toCurrency",
            attribute="to_currency",
            type=FieldType.TEXT,
            description="What it is exchanged for.",
        ),
        FilterField(
            name="startsOn",
            attribute="starts_on",
            type=FieldType.DAY,
            description="The first day the rate is good for.",
        ),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RatesOn(Question[Mapping[tuple[str, date], Decimal]]):
    """The rates of some currencies on some days; what has none is left out."""

    days: tuple[tuple[str, date], ...]
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingRate:
    """A rate that there is not, and without which money cannot be added up."""

    currency: str
    to: str
    on: date


class RateMissing(DomainError):
    """Amounts of different currencies can only be added up by a rate, and there is none."""

    code = "RATE_MISSING"

    def __init__(self, missing: MissingRate) -> None:
        super().__init__(
            f"There is no rate from {missing.currency} to {missing.to} on {missing.on}; "
            "set one with exchangeRateSet."
        )
        self.missing = missing


class BadRate(Invalid):
    """A rate that nothing can have."""

    code = "BAD_RATE"


def exchanged(amount: Money, *, to: str, rate: Decimal) -> Money:
    """Return an amount in another currency, rounded half away from zero to its minor unit.

    The rate is for whole units, whatever their minor units are: 100 JPY at 0.0061 are 0.61 EUR.
    """
    places = minor_digits(to) - minor_digits(amount.currency)
    with localcontext(prec=_DIGITS):
        minor = (Decimal(amount.minor) * rate).scaleb(places).quantize(Decimal(1), ROUND_HALF_UP)
    return Money(int(minor), to)


def exchanged_by(
    rates: Mapping[tuple[str, date], Decimal], amount: Money, on: date, *, to: str
) -> Money | None:
    """Return an amount in another currency by the rate of a day, None if there is none."""
    if amount.currency == to:
        return amount
    rate = rates.get((amount.currency, on))
    return None if rate is None else exchanged(amount, to=to, rate=rate)


async def converted(
    work: Work, amounts: Sequence[tuple[Money, date]], *, to: str | None = None
) -> list[Money]:
    """Return dated amounts in the tenant's currency (or in `to`), each by the rate of its day.

    Each amount is rounded on its own, so that a sum is the sum of what is shown.  At most one
    statement for all rates, none where nothing is foreign.

    Raises:
        RateMissing: for the earliest day that lacks one.
    """
    if to is None:
        to = (await work.get(Tenant, work.tenant_id)).currency
    foreign = {(money.currency, on) for money, on in amounts if money.currency != to}
    rates = await work.ask(RatesOn(days=tuple(sorted(foreign)), to=to)) if foreign else {}
    missing = sorted((on, currency) for currency, on in foreign - rates.keys())
    if missing:
        on, currency = missing[0]
        raise RateMissing(MissingRate(currency=currency, to=to, on=on))
    known = [exchanged_by(rates, money, on, to=to) for money, on in amounts]
    return [money for money in known if money is not None]


async def set_rate(
    work: Work, actor: Actor, *, currency: str, rate: Decimal, starts_on: date
) -> ExchangeRate:
    """Say what a currency is worth from a day on, until the next day that has a rate.

    A second rate for the same day takes the place of the first.  Sums follow at once.
    """
    actor.require(Permission.SET_EXCHANGE_RATES)
    # Whoever sets rates waits for each other here, so none is stored twice.
    tenant = await work.get(Tenant, work.tenant_id, lock=True)
    _check(currency, tenant.currency, rate, starts_on)
    known = await first(
        work, ExchangeRate, currency=currency, to_currency=tenant.currency, starts_on=starts_on
    )
    if known is not None and known.rate == rate:
        return known
    told: dict[str, Any] = {"rate": rate, "recorded_at": work.now, "recorded_by": actor.user_id}
    if known is None:
        made = ExchangeRate(
            id=new_id(),
            currency=currency,
            to_currency=tenant.currency,
            starts_on=starts_on,
            **told,
        )
        stored = await work.add(made)
    else:
        stored = await work.save(replace(known, **told))
    work.record(ExchangeRateChanged(at=work.now, exchange_rate_id=stored.id))
    return stored


def _check(currency: str, to: str, rate: Decimal, starts_on: date) -> None:
    if currency not in CURRENCIES:
        raise UnknownCurrency(currency)
    if currency == to:
        raise BadRate(f"{currency} is the tenant's own currency.", path=("currency",))
    if not (rate.is_finite() and 1 / _EXTREME <= rate <= _EXTREME):
        raise BadRate(
            "A rate is above zero: how much of your currency one unit buys.", path=("rate",)
        )
    if not _FIRST_DAY <= starts_on < _LAST_DAY:
        raise BadRate("Rates start from 1970 to 2149.", path=("startsOn",))
