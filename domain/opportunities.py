"""Opportunities: deals on their way, won or lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from domain.values import Money


class OpportunityStatus(StrEnum):
    """Whether an opportunity is still open, and how it ended."""

    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineStage:
    """A step of the pipeline, by `position`.  `win_rate` is the agreed chance, a share of 0-1."""

    id: UUID
    name: str
    position: int
    win_rate: Decimal
    created_at: datetime
    archived_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Opportunity:
    """A deal with a lead.  Closed ones keep the stage they were in.

    `external_source` and `external_value` are another system's name for it, both or neither.
    """

    id: UUID
    name: str
    lead_id: UUID
    stage_id: UUID
    opened_at: datetime
    stage_entered_at: datetime
    recorded_at: datetime
    updated_at: datetime
    company_id: UUID | None = None
    handoff_id: UUID | None = None
    owner_id: UUID | None = None
    amount_minor: int | None = None
    currency: str | None = None
    expected_close_on: date | None = None
    status: OpportunityStatus = OpportunityStatus.OPEN
    closed_at: datetime | None = None
    lost_reason: str | None = None
    external_source: str | None = None
    external_value: str | None = None
    version: int = 1

    @property
    def amount(self) -> Money | None:
        if self.amount_minor is None or self.currency is None:
            return None
        return Money(self.amount_minor, self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpportunityStep:
    """That an opportunity entered a stage, or was closed or reopened, and when."""

    id: UUID
    opportunity_id: UUID
    stage_id: UUID
    status: OpportunityStatus
    at: datetime
    recorded_at: datetime
    by: UUID | None = None
