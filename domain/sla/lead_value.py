"""What a type of lead is worth, which is how points and money are agreed on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from domain.sla.terms import CurrencyMismatch, OutOfRange
from domain.values import Money


@dataclass(frozen=True, slots=True)
class LeadTypeValue:
    """What one lead of a type is worth, and how many of them bring a quota."""

    value: Money
    leads_for_quota: int | None


def lead_type_value(
    *, close_rate: Decimal, average_revenue: Money, quota: Money | None = None
) -> LeadTypeValue:
    """Return what one lead of a type is worth, and how many of them bring a quota.

    close rate × average revenue is the value, rounded to the minor unit; quota / value is the
    number of leads, from the value before rounding, and rounded up because nobody works half a
    lead.

    Args:
        close_rate: Customers per lead of this type, above 0 and at most 1.
        average_revenue: Mean revenue of a customer.
        quota: Revenue to bring; same currency.

    Raises:
        OutOfRange: if the rate is no share, or an amount is not positive.
        CurrencyMismatch: if the currencies differ.

    Source: docs/sources.md, "Tie the marketing pipeline to sales quota".
    """
    if not 0 < close_rate <= 1:
        raise OutOfRange("A rate lies above 0 and is at most 1.", path=("closeRate",))
    if average_revenue.minor <= 0:
        raise OutOfRange("The revenue must be positive.", path=("averageRevenue",))
    exact = Fraction(close_rate) * average_revenue.minor
    value = Money(math.floor(exact + Fraction(1, 2)), average_revenue.currency)
    if quota is None:
        return LeadTypeValue(value, None)
    if quota.currency != average_revenue.currency:
        raise CurrencyMismatch("Revenue and quota are in different currencies.", path=("quota",))
    if quota.minor <= 0:
        raise OutOfRange("The quota must be positive.", path=("quota",))
    return LeadTypeValue(value, math.ceil(quota.minor / exact))
