"""What campaigns, sources, contents and personas are worth."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from domain.attribution import BuiltInModel
from domain.attribution.performance import (
    PerformanceBasis,
    PerformanceDimension,
    PerformanceMeasure,
    performance,
)
from domain.filters import parse
from domain.leads import LEAD_FIELDS
from domain.stages import Stage
from domain.values import Money, Period
from tests.histories import a_journey, add_journeys
from tests.infra.performance.asking import MARCH, behind, figures, scoped, told
from tests.journeys import DAY, a_lead
from tests.world import World


async def test_what_campaigns_are_worth_by_date_of_close(
    world: World, story: dict[str, Any]
) -> None:
    found = await figures(world, PerformanceDimension.CAMPAIGN)

    spring, autumn = str(story["spring"].id), str(story["autumn"].id)
    assert {row.key: told(row) for row in found.rows} == {
        spring: (400_000, 1, (1, 1, 1, 1), 0, 600_000, 1_200_000),
        autumn: (100_000, 2, (1, 1, 0, 0), 150_001, 600_000, 1_200_000),
        None: (0, 1, (1, 0, 0, 0), 150_000, 100_000, 0),
    }
    assert told(found.total) == (500_000, 4, (3, 2, 1, 1), 300_001, 1_300_000, 1_200_000)
    # Of the 13,000.00 that were won 12,000.00 were campaigns' doing, and one of the two deals.
    assert (found.total.roi_rate, found.total.cac) == (Decimal("1.4"), Money(500_000, "EUR"))
    by_key = {row.key: row for row in found.rows}
    assert (by_key[spring].roi_rate, by_key[autumn].roi_rate) == (Decimal("0.5"), Decimal(5))
    assert by_key[None].roi_rate is None
    assert [row.cac and row.cac.minor for row in found.rows] == [200_000, 800_000, None]
    assert by_key[spring].sourced_share == Decimal("0.4615")
    assert by_key[spring].influenced_share == Decimal("0.9231")


async def test_what_became_of_a_cohort(world: World, story: dict[str, Any]) -> None:
    """Cid came in February: neither his stages nor his deal are of March's leads."""
    found = await figures(
        world,
        PerformanceDimension.CAMPAIGN,
        basis=PerformanceBasis.COHORT,
        model=BuiltInModel.FIRST,
    )

    spring, autumn = str(story["spring"].id), str(story["autumn"].id)
    assert {row.key: told(row) for row in found.rows} == {
        spring: (400_000, 1, (1, 1, 1, 1), 0, 1_200_000, 1_200_000),
        autumn: (100_000, 2, (1, 1, 0, 0), 300_001, 0, 1_200_000),
        None: (0, 1, (1, 0, 0, 0), 0, 0, 0),
    }


@pytest.mark.parametrize(
    ("dimension", "expected"),
    [
        (
            PerformanceDimension.CHANNEL,
            {
                "SOCIAL": (400_000, 1, (1, 1, 1, 1), 0, 600_000, 1_200_000),
                "EMAIL": (100_000, 3, (1, 1, 0, 0), 300_001, 600_000, 1_200_000),
                None: (0, 0, (1, 0, 0, 0), 0, 100_000, 0),
            },
        ),
        (
            PerformanceDimension.ORIGIN,
            {
                "organic": (450_000, 2, (1, 1, 1, 1), 0, 1_300_000, 1_300_000),
                "paid": (50_000, 2, (1, 1, 0, 0), 300_001, 0, 0),
                None: (0, 0, (1, 0, 0, 0), 0, 0, 0),
            },
        ),
        (
            PerformanceDimension.PERSONA,
            {None: (500_000, 4, (3, 2, 1, 1), 300_001, 1_300_000, 1_300_000)},
        ),
    ],
)
async def test_what_sources_and_personas_are_worth(
    world: World, story: dict[str, Any], dimension: PerformanceDimension, expected: dict[Any, Any]
) -> None:
    found = await figures(world, dimension)

    assert {row.key: told(row) for row in found.rows} == expected


async def test_a_lead_that_met_two_contents_is_in_both_rows_and_once_in_the_total(
    world: World, story: dict[str, Any]
) -> None:
    found = await figures(world, PerformanceDimension.CONTENT)

    guide, film = str(story["guide"].id), str(story["film"].id)
    assert {row.key: told(row) for row in found.rows} == {
        guide: (450_000, 2, (2, 2, 1, 1), 150_001, 600_000, 1_200_000),
        film: (50_000, 1, (1, 1, 1, 1), 0, 600_000, 1_200_000),
        None: (0, 1, (1, 0, 0, 0), 150_000, 100_000, 0),
    }
    assert told(found.total) == (500_000, 4, (3, 2, 1, 1), 300_001, 1_300_000, 1_200_000)


async def test_a_filter_narrows_leads_and_all_that_is_theirs_but_no_costs(
    world: World, story: dict[str, Any]
) -> None:
    paid = parse({"originSource": {"eq": "paid"}}, LEAD_FIELDS)

    found = await figures(world, PerformanceDimension.CAMPAIGN, filter=paid)

    assert {row.key: told(row) for row in found.rows} == {
        str(story["autumn"].id): (None, 1, (1, 1, 0, 0), 150_001, 0, 0),
        None: (None, 1, (0, 0, 0, 0), 150_000, 0, 0),
    }


@pytest.mark.parametrize(
    ("month", "expected"),
    [
        (Period(date(2026, 2, 1), date(2026, 3, 1)), (5, 3, 1, 1)),
        (MARCH, (0, 2, 3, 2)),
        (Period(date(2026, 2, 1), date(2026, 4, 1)), (5, 5, 4, 3)),
    ],
    ids=["february", "march", "both"],
)
async def test_a_lead_counts_once_when_it_first_came_so_far(
    world: World, month: Period, expected: tuple[int, ...]
) -> None:
    """What was skipped counts as passed; who was sent back does not come again."""
    seen_at, march = datetime(2026, 2, 20, tzinfo=UTC), 14 * 24
    await add_journeys(
        world,
        a_journey(seen_at, (Stage.LEAD, 0), (Stage.CUSTOMER, march)),
        a_journey(seen_at, (Stage.MQL, 1), (Stage.LEAD, 2), (Stage.MQL, march)),
        (a_lead(seen_at, stage=Stage.SQL, stage_entered_at=seen_at + 14 * DAY), ()),
        a_journey(seen_at, (Stage.SQL, 3), (Stage.CUSTOMER, march)),
        a_journey(seen_at, (Stage.MQL, 4), (Stage.SAL, march)),
    )

    found = await figures(world, PerformanceDimension.CAMPAIGN, period=month)

    total = found.total
    assert (total.leads, total.mqls, total.accepted, total.sqls) == expected
    rows = await behind(world, found.scope, PerformanceMeasure.MQLS, None)
    assert len({row.lead_id for row in rows}) == total.mqls


async def test_costs_are_held_against_what_campaigns_won_alone(
    world: World, story: dict[str, Any]
) -> None:
    """By channel all is held against them; campaigns that are told alone, what these won."""
    spring = frozenset({story["spring"].id})
    scope = await scoped(world, PerformanceDimension.CAMPAIGN)
    async with world.work() as work:
        alone = await performance(work, world.actor(), replace(scope, campaigns=spring))
    channels = await figures(world, PerformanceDimension.CHANNEL)

    assert (alone.total.roi_rate, alone.total.cac) == (Decimal("0.5"), Money(800_000, "EUR"))
    assert (channels.total.roi_rate, channels.total.cac) == (
        Decimal("1.6"),
        Money(250_000, "EUR"),
    )


async def test_another_tenant_sees_none_of_it(
    world: World, other_world: World, story: dict[str, Any]
) -> None:
    found = await figures(other_world, PerformanceDimension.CAMPAIGN)

    assert (found.rows, told(found.total)) == ([], (0, 0, (0, 0, 0, 0), 0, 0, 0))
