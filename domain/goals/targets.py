"""Goals: a metric, a team that owns it, a period and a number both teams can see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from domain.values import Period


class Metric(StrEnum):
    """What a goal counts, each on the local day it happened."""

    LEADS_CREATED = "LEADS_CREATED"
    MQLS = "MQLS"
    HANDOFFS = "HANDOFFS"
    HANDOFFS_ACCEPTED = "HANDOFFS_ACCEPTED"
    HANDOFFS_REJECTED = "HANDOFFS_REJECTED"
    SQLS = "SQLS"
    OPPORTUNITIES = "OPPORTUNITIES"
    CUSTOMERS = "CUSTOMERS"
    RESPONSE_RATE = "RESPONSE_RATE"
    ACCEPTANCE_RATE = "ACCEPTANCE_RATE"

    @property
    def is_rate(self) -> bool:
        return self in {Metric.RESPONSE_RATE, Metric.ACCEPTANCE_RATE}


# The team that stands for "the whole tenant" in a tally.
EVERYBODY = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A number to reach in a period.  A rate's target is a share of 0-1, any other a count."""

    id: UUID
    name: str
    metric: Metric
    team_id: UUID
    starts_on: date
    ends_on: date
    target: Decimal
    created_by: UUID
    created_at: datetime
    archived_at: datetime | None = None
    version: int = 1

    @property
    def period(self) -> Period:
        return Period(self.starts_on, self.ends_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricTally:
    """How often something happened on one local day, for one team or for EVERYBODY."""

    metric: str
    team_id: UUID
    on: date
    amount: int = 0
