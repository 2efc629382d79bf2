"""The rows behind each number add up to it."""

from __future__ import annotations

from typing import Any

import pytest

from domain.attribution.performance import (
    PerformanceBasis,
    PerformanceDimension,
    PerformanceMeasure,
)
from tests.infra.performance.asking import behind, figures
from tests.world import World

VALUE = {
    PerformanceMeasure.COST: lambda row: row.cost_minor or 0,
    PerformanceMeasure.TOUCHES: lambda row: row.touches,
    PerformanceMeasure.LEADS: lambda row: row.leads,
    PerformanceMeasure.MQLS: lambda row: row.mqls,
    PerformanceMeasure.ACCEPTED: lambda row: row.accepted,
    PerformanceMeasure.SQLS: lambda row: row.sqls,
    PerformanceMeasure.PIPELINE: lambda row: row.pipeline_minor,
    PerformanceMeasure.WON: lambda row: row.won_minor,
    PerformanceMeasure.INFLUENCED: lambda row: row.influenced_minor,
}


@pytest.mark.parametrize("basis", PerformanceBasis)
@pytest.mark.parametrize("dimension", PerformanceDimension)
async def test_the_rows_behind_each_number_add_up_to_it(
    world: World, story: dict[str, Any], dimension: PerformanceDimension, basis: PerformanceBasis
) -> None:
    found = await figures(world, dimension, basis=basis)

    for row in found.rows:
        for measure, value in VALUE.items():
            if (
                measure is PerformanceMeasure.COST
                and dimension is not PerformanceDimension.CAMPAIGN
            ):
                continue
            rows = await behind(world, found.scope, measure, row.key)
            amounts = [each.amount_minor or 0 for each in rows]
            assert (sum(amounts) if measure.is_money else len(rows)) == value(row), measure
            if measure is PerformanceMeasure.WON:
                assert sum(each.credited_share or 0 for each in rows) == row.won_deals
