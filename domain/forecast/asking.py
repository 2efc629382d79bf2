"""What figures of the pipeline are read from: sums that the database makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from domain.forecast.shares import StageRecord
from domain.opportunities import OpportunityStatus
from domain.ports import Question
from domain.values import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class DealSum:
    """Opportunities of one stage, owner, team and status, and what they are worth together.

    `team_id` is the team that was handed the lead, None where no hand-off is behind them.
    `unpriced` are those of which nobody knows the amount.
    """

    stage_id: UUID
    owner_id: UUID | None
    team_id: UUID | None
    status: OpportunityStatus
    deals: int
    unpriced: int
    minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineSums(Question[Sequence[DealSum]]):
    """Opportunities expected to close in a period and still open, and those closed in it.

    Open ones are worth what they are by the rate of the day `on`, closed ones by that of the day
    they were closed on.
    """

    period: Period
    time_zone: str
    currency: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRecords(Question[Mapping[UUID, StageRecord]]):
    """What became of the opportunities that ever entered each stage and closed since an instant."""

    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedSum:
    """What was won and lost, and how many are open: of them without a day, or with one past."""

    open_count: int
    undated_count: int
    overdue_count: int
    won_count: int
    lost_count: int
    priced_won_count: int
    won_minor: int
    lost_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedSums(Question[ClosedSum]):
    """What was won and lost since an instant, each by the rate of the day it was closed on.

    Open ones that were to close before `today` are overdue.
    """

    since: datetime
    today: date
    time_zone: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WonDeal:
    """How long a deal took: since the lead was first seen, and since it was opened."""

    seen_at: datetime
    opened_at: datetime
    closed_at: datetime
    owner_id: UUID | None
    team_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WonDeals(Question[Sequence[WonDeal]]):
    """The deals won since an instant, the latest first, at most so many."""

    since: datetime
    limit: int
