"""Rates of exchange, by which amounts of different currencies are added up."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import strawberry

from api.context import Info
from api.errors import mutation
from api.filtering import collection, filter_input
from api.types import Currency
from api.views import related, shown, view
from domain.exchange import RATE_FIELDS, ExchangeRate, MissingRate, set_rate
from domain.identity import Permission, User
from domain.paging import Order


@view(
    ExchangeRate,
    description="How much of the tenant's currency one unit of another buys, from a day on, until"
    " the next day that has a rate.",
)
class ExchangeRateView:
    currency: Currency = shown("What is exchanged.")
    to_currency: Currency = shown("What it is exchanged for: the tenant's currency then.")
    starts_on: date = shown("The first day it is good for, in the tenant's time zone.")
    rate: Decimal = shown("How many whole units one whole unit buys.")
    recorded_at: datetime = shown("When it was set.")
    version: int = shown("How often it was changed.")
    recorded_by = related(
        "api.identity.UserView",
        User,
        by="recorded_by",
        description="Who set it; null if an integration did.",
    )


@view(
    MissingRate,
    description="A rate of exchange that there is not, and without which an amount cannot be added"
    " up: `exchangeRateSet` mends it.",
)
class MissingRateView:
    currency: Currency = shown("What should be exchanged.")
    to: Currency = shown("For what.")
    on: date = shown("On which day.")


@strawberry.input(description="What a currency is worth from a day on.")
class ExchangeRateSetInput:
    currency: Currency = shown("Which currency; not the tenant's own.")
    rate: Decimal = shown("How much of the tenant's currency one unit of it buys.")
    starts_on: date = shown("From which day on; a rate set for that day before is replaced.")


ExchangeRateFilter = filter_input(RATE_FIELDS)


@strawberry.type
class Queries:
    exchange_rates = collection(
        ExchangeRateView,
        ExchangeRate,
        description="What other currencies are worth, the latest first.",
        default=(Order("starts_on", descending=True),),
        fields=RATE_FIELDS,
        filter=ExchangeRateFilter,
    )("exchange_rates")


@strawberry.type
class Mutations:
    @mutation(
        ExchangeRateView,
        "Say what a currency is worth from a day on; sums follow at once.",
        needs=Permission.SET_EXCHANGE_RATES,
    )
    async def exchange_rate_set(self, info: Info, input: ExchangeRateSetInput) -> ExchangeRate:
        async with info.context.writing() as work:
            return await set_rate(
                work,
                info.context.actor,
                currency=input.currency,
                rate=input.rate,
                starts_on=input.starts_on,
            )
