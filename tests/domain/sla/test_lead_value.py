"""What a type of lead is worth."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.sla.lead_value import LeadTypeValue, lead_type_value
from domain.sla.terms import CurrencyMismatch, OutOfRange
from domain.values import Money


def dollars(amount: int) -> Money:
    return Money(amount * 100, "USD")


def test_a_lead_is_worth_its_chance_of_the_average_revenue():
    assert lead_type_value(
        close_rate=Decimal("0.01"), average_revenue=dollars(160_000), quota=dollars(200_000)
    ) == LeadTypeValue(dollars(1_600), 125)


def test_leads_for_a_quota_are_rounded_up_from_the_exact_value():
    # 100.00 / 3.333 is 30.003: thirty leads would fall short.
    found = lead_type_value(
        close_rate=Decimal("0.03333"), average_revenue=dollars(100), quota=dollars(100)
    )
    assert found == LeadTypeValue(Money(333, "USD"), 31)


def test_without_a_quota_only_the_value_is_told():
    assert lead_type_value(close_rate=Decimal(1), average_revenue=dollars(5)) == LeadTypeValue(
        dollars(5), None
    )


@pytest.mark.parametrize(
    ("rate", "revenue", "quota", "refusal", "path"),
    [
        ("0", dollars(1), None, OutOfRange, ("closeRate",)),
        ("1.01", dollars(1), None, OutOfRange, ("closeRate",)),
        ("0.5", dollars(0), None, OutOfRange, ("averageRevenue",)),
        ("0.5", dollars(1), dollars(-1), OutOfRange, ("quota",)),
        ("0.5", dollars(1), Money(100, "EUR"), CurrencyMismatch, ("quota",)),
    ],
)
def test_what_cannot_be_is_refused(rate, revenue, quota, refusal, path):
    with pytest.raises(refusal) as refused:
        lead_type_value(close_rate=Decimal(rate), average_revenue=revenue, quota=quota)
    assert refused.value.path == path
