"""Counting what goals are measured by, in the transaction in which it happens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from domain.goals.targets import EVERYBODY, Metric, MetricTally
from domain.identity import Tenant
from domain.ports import Work
from domain.sla.calendar import always_open
from domain.stages import Stage

# What a lead that reaches a stage adds to.  Other stages are not counted.
METRIC_OF_STAGE: Mapping[Stage, Metric] = {
    Stage.MQL: Metric.MQLS,
    Stage.SQL: Metric.SQLS,
    Stage.OPPORTUNITY: Metric.OPPORTUNITIES,
    Stage.CUSTOMER: Metric.CUSTOMERS,
}


async def count_metric(
    work: Work, metric: Metric, *, at: datetime, team_id: UUID | None = None, amount: int = 1
) -> None:
    """Count that something happened once, for everybody and for the team that did it.

    It counts on the day of `at` in the tenant's time zone, also when `at` lies years back.  Less
    than 0 takes back what was counted.
    """
    if metric.is_rate:
        raise ValueError(f"{metric} is a share of other counts and not counted itself")
    tenant = await work.get(Tenant, work.tenant_id)
    on = always_open(tenant.time_zone).local_day(at)
    for owner_id in (EVERYBODY,) if team_id is None else (EVERYBODY, team_id):
        work.count(MetricTally, on=on, by={"amount": amount}, metric=metric.value, team_id=owner_id)
