from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from domain.goals.counting import METRIC_OF_STAGE, count_metric
from domain.goals.targets import EVERYBODY, Metric, MetricTally
from domain.identity import Tenant
from domain.ids import new_id
from domain.stages import Stage
from tests.fakes import FakeWork

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


async def work_in(time_zone: str) -> FakeWork:
    work = FakeWork(NOON)
    tenant = Tenant(
        id=work.tenant_id,
        slug="acme",
        name="Acme",
        time_zone=time_zone,
        currency="EUR",
        created_at=NOON,
    )
    await work.add(tenant)
    return work


def counted(metric: Metric, team_id: UUID, on: date) -> tuple[object, ...]:
    return (MetricTally, on, (("metric", metric.value), ("team_id", team_id)))


async def test_it_counts_for_everybody_and_for_the_team() -> None:
    work, team_id = await work_in("UTC"), new_id()

    await count_metric(work, Metric.HANDOFFS, at=NOON, team_id=team_id)
    await count_metric(work, Metric.HANDOFFS, at=NOON)

    day = date(2026, 3, 10)
    assert work.counts == {
        counted(Metric.HANDOFFS, EVERYBODY, day): {"amount": 2},
        counted(Metric.HANDOFFS, team_id, day): {"amount": 1},
    }


@pytest.mark.parametrize(
    ("time_zone", "at", "day"),
    [
        ("UTC", NOON, date(2026, 3, 10)),
        ("Pacific/Auckland", NOON, date(2026, 3, 11)),
        ("America/New_York", datetime(2018, 3, 1, 4, 59, tzinfo=UTC), date(2018, 2, 28)),
    ],
)
async def test_it_counts_on_the_tenants_own_day_however_long_ago(
    time_zone: str, at: datetime, day: date
) -> None:
    work = await work_in(time_zone)

    await count_metric(work, Metric.MQLS, at=at)

    assert list(work.counts) == [counted(Metric.MQLS, EVERYBODY, day)]


async def test_a_rate_is_not_counted() -> None:
    work = await work_in("UTC")

    with pytest.raises(ValueError, match="RESPONSE_RATE is a share"):
        await count_metric(work, Metric.RESPONSE_RATE, at=NOON)

    assert work.counts == {}


def test_stages_count_what_they_are_called() -> None:
    assert METRIC_OF_STAGE == {
        Stage.MQL: Metric.MQLS,
        Stage.SQL: Metric.SQLS,
        Stage.OPPORTUNITY: Metric.OPPORTUNITIES,
        Stage.CUSTOMER: Metric.CUSTOMERS,
    }
