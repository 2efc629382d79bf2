"""What may be said of an opportunity: by a form, an integration's row or a line of a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain.errors import Invalid
from domain.identity import CURRENCIES, UnknownCurrency
from domain.lead_details import UNSAID, Said, Unsaid, external_id, past
from domain.leads import ExternalId
from domain.opportunities.deal import ClosesBeforeItOpens, Opportunity
from domain.sla.calendar import always_open
from domain.values import minor_digits, require_text

LONGEST_NAME = 200
_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(2150, 1, 1)


class CurrencyNeeded(Invalid):
    """An amount of nobody knows what."""

    code = "CURRENCY_NEEDED"

    def __init__(self) -> None:
        super().__init__("Say the currency of the amount.", path=("currency",))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpportunityDetails:
    """What somebody says of an opportunity; what is not said stays, None takes it away.

    The amount is in whole units of its currency.  `opened_at` only counts for a new one.
    """

    name: Said[str] = UNSAID
    amount: Said[Decimal] = UNSAID
    currency: Said[str] = UNSAID
    expected_close_on: Said[date] = UNSAID
    owner_id: Said[UUID] = UNSAID
    company_id: Said[UUID] = UNSAID
    external_id: ExternalId | None = None
    opened_at: datetime | None = None


def checked(details: OpportunityDetails, *, now: datetime) -> OpportunityDetails:
    """Return details as they are kept.

    Raises:
        Invalid: if something in them cannot be right.
    """
    kept: dict[str, Any] = {}
    if details.name is None:
        raise Invalid("An opportunity keeps its name.", path=("name",))
    if isinstance(details.name, str):
        kept["name"] = require_text(
            details.name, name="The name", path=("name",), longest=LONGEST_NAME
        )
    if isinstance(details.currency, str):
        kept["currency"] = _currency(details.currency)
    if details.external_id is not None:
        kept["external_id"] = external_id(details.external_id, path=("externalId",))
    if details.opened_at is not None:
        kept["opened_at"] = past(details.opened_at, now, path=("openedAt",))
    close_on = details.expected_close_on
    if isinstance(close_on, date) and not _FIRST_DAY <= close_on < _LAST_DAY:
        raise Invalid("A deal closes from 1970 to 2149.", path=("expectedCloseOn",))
    return replace(details, **kept)


def told(opportunity: Opportunity, details: OpportunityDetails, *, time_zone: str) -> Opportunity:
    """Return an opportunity as somebody said it is.

    Raises:
        CurrencyNeeded: for an amount of which neither says the currency.
        ClosesBeforeItOpens: if it is expected to close on a day before the one it was opened on.
    """
    opened_on = always_open(time_zone).local_day(opportunity.opened_at)
    close_on = details.expected_close_on
    if isinstance(close_on, date) and close_on < opened_on:
        raise ClosesBeforeItOpens(f"It was opened on {opened_on}.", path=("expectedCloseOn",))
    said: dict[str, Any] = {
        "name": details.name,
        "expected_close_on": close_on,
        "owner_id": details.owner_id,
        "company_id": details.company_id,
        **_amount(opportunity, details),
    }
    if details.external_id is not None:
        said["external_source"] = details.external_id.source
        said["external_value"] = details.external_id.value
    return replace(
        opportunity, **{name: value for name, value in said.items() if value is not UNSAID}
    )


def _amount(opportunity: Opportunity, details: OpportunityDetails) -> Mapping[str, Any]:
    """Return the amount in minor units, and its currency, where either is said."""
    amount = details.amount
    if amount is None:
        return {"amount_minor": None, "currency": None}
    currency = opportunity.currency if isinstance(details.currency, Unsaid) else details.currency
    if isinstance(amount, Unsaid):
        if opportunity.amount_minor is None or currency == opportunity.currency:
            return {}
        was = opportunity.currency or ""
        amount = Decimal(opportunity.amount_minor).scaleb(-minor_digits(was))
    if currency is None:
        raise CurrencyNeeded
    return {"amount_minor": minor_units(amount, currency), "currency": currency}


def minor_units(amount: Decimal, currency: str) -> int:
    """Return an amount in minor units.

    Raises:
        Invalid: if it is below zero, finer than the currency, or too large to be kept.
    """
    if not amount.is_finite() or amount < 0:
        raise Invalid("An amount is zero or more.", path=("amount",))
    minor = amount.scaleb(minor_digits(currency))
    if minor != minor.to_integral_value() or minor >= 2**63:
        raise Invalid(f"{amount} is not an amount of {currency}.", path=("amount",))
    return int(minor)


def _currency(code: str) -> str:
    kept = code.strip().upper()
    if kept not in CURRENCIES:
        raise UnknownCurrency(code)
    return kept
