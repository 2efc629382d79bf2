"""Rows of figures: what tells each from all others."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from domain.attribution import BY_KIND, BuiltInModel
from domain.attribution.performance import (
    Figures,
    PerformanceBasis,
    PerformanceDimension,
    Scope,
)
from domain.filters import parsed
from domain.ids import new_id
from domain.leads import LEAD_FIELDS
from domain.values import Period


def scope() -> Scope:
    return Scope(
        dimension=PerformanceDimension.CAMPAIGN,
        model=BY_KIND[BuiltInModel.LINEAR],
        basis=PerformanceBasis.CLOSE,
        period=Period(date(2026, 1, 1), date(2026, 4, 1)),
        currency="EUR",
        time_zone="UTC",
        today=date(2026, 5, 1),
    )


def figures(asked: Scope, key: str | None = None, *, is_total: bool = False) -> Figures:
    nothing = dict.fromkeys(
        (
            *("touches", "leads", "mqls", "accepted", "sqls", "pipeline_minor", "won_minor"),
            *("influenced_minor", "all_won_minor"),
        ),
        0,
    )
    return Figures(scope=asked, key=key, won_deals=Decimal(0), is_total=is_total, **nothing)


def test_a_front_end_that_keeps_rows_by_id_never_takes_one_for_another() -> None:
    linear = scope()
    few = [new_id(), new_id()]
    others = [
        replace(linear, dimension=PerformanceDimension.ORIGIN),
        replace(linear, model=BY_KIND[BuiltInModel.W_SHAPED]),
        replace(linear, basis=PerformanceBasis.COHORT),
        replace(linear, period=Period(date(2026, 1, 1), date(2026, 4, 2))),
        replace(linear, currency="USD"),
        replace(linear, filter=parsed({"country": {"eq": "IE"}}, LEAD_FIELDS)),
        replace(linear, campaigns=frozenset(few)),
        replace(linear, campaigns=frozenset()),
    ]
    rows = [
        figures(linear),
        figures(linear, is_total=True),
        figures(linear, "a"),
        figures(linear, "b"),
        *(figures(other) for other in others),
    ]

    assert len({row.id for row in rows}) == len(rows)


def test_whoever_asks_the_same_again_gets_the_same_ids() -> None:
    def asked() -> Scope:
        country = parsed({"country": {"in": ["IE", "DE"]}}, LEAD_FIELDS)
        return replace(scope(), filter=country)

    tomorrow = replace(asked(), today=date(2026, 5, 2))

    assert figures(asked(), "a").id == figures(asked(), "a").id == figures(tomorrow, "a").id


@pytest.mark.parametrize(
    ("cost", "deals", "won", "cac", "rate"),
    [
        (5, 2, 5, 3, "0.0000"),  # 2.5 cents a deal
        (53753, 2, 53753, 26877, "0.0000"),
        (20_000, 3, 20_001, 6667, "0.0001"),  # 0.00005 is half of the last place
        (20_000, 1, 19_999, 20_000, "-0.0001"),
        (20_000, 1, 20_005, 20_000, "0.0003"),  # 0.00025
    ],
)
def test_what_is_half_is_rounded_up_as_all_money_and_all_shares_are(
    cost: int, deals: int, won: int, cac: int, rate: str
) -> None:
    row = replace(figures(scope()), won_deals=Decimal(deals), won_minor=won, cost_minor=cost)

    assert row.cac is not None
    assert (row.cac.minor, str(row.roi_rate)) == (cac, rate)


def test_shares_have_four_places_half_up() -> None:
    row = replace(figures(scope()), won_minor=1, influenced_minor=3, all_won_minor=20_000)

    assert (str(row.sourced_share), str(row.influenced_share)) == ("0.0001", "0.0002")
