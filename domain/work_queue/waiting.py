"""What a queue is ranked by: as little of each lead as it takes, because there may be thousands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.grades import Grade
from domain.ports import Question
from domain.values import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingClock:
    """The promise about a lead that is due first, of those that are open and run."""

    sla_id: UUID
    commitment_id: UUID
    calendar_version_id: UUID
    started_at: datetime
    due_at: datetime

    @property
    def judged_by(self) -> tuple[UUID, UUID]:
        """The commitment and the version of the calendar that decide how it stands."""
        return self.commitment_id, self.calendar_version_id


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLead:
    """What ranks a lead: what a chance follows from, its open deals, and its first promise.

    `deals` are the amounts of those that have one, each in its own currency.
    """

    id: UUID
    grade: Grade | None = None
    origin_source: str | None = None
    origin_medium: str | None = None
    origin_campaign: str | None = None
    country: str | None = None
    persona_id: UUID | None = None
    job_title: str | None = None
    company_id: UUID | None = None
    deals: tuple[Money, ...] = ()
    clock: WaitingClock | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingLeads(Question[Sequence[WaitingLead]]):
    """The leads a user is to work and may contact; of too many, those due first, then the best."""

    owner_id: UUID
    limit: int
