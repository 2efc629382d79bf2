from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import new_id
from domain.opportunities import WonAmounts
from domain.sla.agreement import Commitment, CommitmentKind, Measure, Sla, ValueRule
from domain.sla.lead_value import lead_type_value
from domain.sla.recalibration import (
    PRIOR_WEIGHT,
    TypeResult,
    WindowResults,
    calibrated,
    shrunk_rate,
    terms_from,
    window_before,
)
from domain.sla.terms import check_terms, commitments_from
from domain.stages import Side
from domain.values import Money, PeriodKind, month_of

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
FAIR = {"originSource": {"eq": "fair"}}


def an_sla() -> Sla:
    id = new_id()
    return Sla(
        id=id,
        series_id=id,
        number=1,
        name="March",
        period_kind=PeriodKind.MONTH,
        starts_on=date(2026, 3, 1),
        ends_on=date(2026, 4, 1),
        time_zone="UTC",
        calendar_id=new_id(),
        currency="USD",
        marketing_team_id=new_id(),
        sales_team_id=new_id(),
        effective_at=NOON,
        proposed_side=Side.SALES,
        proposed_by=new_id(),
        proposed_at=NOON,
    )


def a_delivery(measure: Measure, *units: int) -> Commitment:
    return Commitment(
        id=new_id(),
        sla_id=new_id(),
        position=0,
        kind=CommitmentKind.DELIVERY,
        name="Leads",
        measure=measure,
        target=1000,
        values=tuple(
            ValueRule(criterion=FAIR if n == 0 else {}, units=unit) for n, unit in enumerate(units)
        ),
    )


def results(*types: tuple[int, int], revenue: int | None = 16_000_000) -> WindowResults:
    return WindowResults(
        types=tuple(TypeResult(handed_off=n, won=won) for n, won in types),
        handed_off=sum(n for n, _ in types),
        won=sum(won for _, won in types),
        revenue=WonAmounts(deals=0 if revenue is None else 1, minor=revenue or 0),
    )


def test_the_vector_160000_at_one_percent_is_1600_and_125_leads_bring_the_quota() -> None:
    found = lead_type_value(
        close_rate=Decimal("0.01"),
        average_revenue=Money(16_000_000, "USD"),
        quota=Money(20_000_000, "USD"),
    )
    assert (found.value, found.leads_for_quota) == (Money(160_000, "USD"), 125)

    delivery = calibrated(a_delivery(Measure.MONEY, 150_000), an_sla(), results((5000, 50)))
    assert delivery is not None
    [value] = delivery.values
    assert (value.close_rate, value.value_minor, value.units_proposed) == (
        Decimal("0.010000"),
        160_000,
        160_000,
    )
    assert 20_000_000 // value.value_minor == 125


@pytest.mark.parametrize(
    ("won", "handed_off", "rate"),
    [
        (0, 0, Fraction(1, 10)),  # nothing is known: as all others
        (0, 20, Fraction(1, 20)),  # half of it is the prior's
        (20, 20, Fraction(11, 20)),
        (100, 980, Fraction(102, 1000)),  # much is known: the prior hardly counts
    ],
)
def test_a_rate_is_drawn_to_that_of_all_by_how_little_is_known(
    won: int, handed_off: int, rate: Fraction
) -> None:
    assert (
        shrunk_rate(won=won, handed_off=handed_off, prior=Fraction(1, 10), weight=PRIOR_WEIGHT)
        == rate
    )


def test_neither_evidence_nor_a_prior_says_nothing() -> None:
    with pytest.raises(ValueError, match="neither"):
        shrunk_rate(won=0, handed_off=0, prior=Fraction(0), weight=0)


@given(
    won=st.integers(0, 500),
    more=st.integers(0, 500),
    prior=st.fractions(min_value=0, max_value=1, max_denominator=1000),
)
def test_a_rate_lies_between_what_was_seen_and_what_was_held(
    won: int, more: int, prior: Fraction
) -> None:
    handed_off = won + more
    seen = Fraction(won, handed_off) if handed_off else prior
    rate = shrunk_rate(won=won, handed_off=handed_off, prior=prior, weight=PRIOR_WEIGHT)
    assert min(seen, prior) <= rate <= max(seen, prior)


def test_the_same_hand_offs_make_about_as_many_points_as_before() -> None:
    delivery = a_delivery(Measure.POINTS, 40, 10)
    found = calibrated(delivery, an_sla(), results((100, 30), (400, 20), revenue=1_000_000))
    assert found is not None
    fair, others = found.values
    assert (fair.handed_off, fair.won, others.won) == (100, 30, 20)
    assert found.prior_rate == Decimal("0.100000")
    assert (fair.close_rate, others.close_rate) == (Decimal("0.266667"), Decimal("0.052381"))
    before = 100 * 40 + 400 * 10
    after = 100 * fair.units_proposed + 400 * others.units_proposed
    assert abs(after - before) <= before * Decimal("0.03")
    assert fair.units_proposed > 40
    assert others.units_proposed < 10


@pytest.mark.parametrize(
    "found", [results((100, 0)), results((100, 5), revenue=None), results((0, 0))]
)
def test_of_a_window_in_which_nothing_was_won_nothing_is_said(found: WindowResults) -> None:
    assert calibrated(a_delivery(Measure.MONEY, 100), an_sla(), found) is None


@pytest.mark.parametrize(
    ("at", "zone", "month"),
    [
        (datetime(2026, 3, 1, 4, 59, tzinfo=UTC), "America/New_York", date(2026, 2, 1)),
        (datetime(2026, 3, 1, 5, 0, tzinfo=UTC), "America/New_York", date(2026, 3, 1)),
        (datetime(2026, 2, 28, 11, 0, tzinfo=UTC), "Pacific/Auckland", date(2026, 3, 1)),
    ],
)
def test_a_month_begins_by_the_tenants_own_clocks(at: datetime, zone: str, month: date) -> None:
    assert month_of(at, zone).first == month
    assert window_before(month) == (month.replace(year=month.year - 1), month)


def test_terms_make_the_same_commitments_again() -> None:
    delivery = replace(a_delivery(Measure.MONEY, 100, 50), segment=FAIR, claw_back_days=3)
    response = Commitment(
        id=new_id(),
        sla_id=delivery.sla_id,
        position=1,
        kind=CommitmentKind.RESPONSE,
        name="Call",
        within_minutes=240,
        target_share=Decimal("0.9"),
        warn_minutes=(60,),
    )
    coverage = Commitment(
        id=new_id(),
        sla_id=delivery.sla_id,
        position=2,
        kind=CommitmentKind.COVERAGE,
        name="All",
        target_share=Decimal("0.8"),
        linked_to=delivery.id,
    )
    given = (delivery, response, coverage)
    terms = terms_from(given, currency="USD")
    check_terms(terms, currency="USD")
    made = commitments_from(
        terms, sla_id=delivery.sla_id, ids=[each.id for each in given], learned=None
    )
    kept: Any = made
    assert kept == given
