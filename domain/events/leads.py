"""What happened to leads, and was done about them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domain.events.happened import Event
from domain.grades import Grade
from domain.stages import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadCreated(Event):
    lead_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadUpdated(Event):
    lead_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DoNotContactSet(Event):
    lead_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DoNotContactLifted(Event):
    lead_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecorded(Event):
    lead_id: UUID
    consent_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyChanged(Event):
    company_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadsMerged(Event):
    """Some leads became one: `lead_id` goes on, and everything of the others is its."""

    lead_id: UUID
    merge_id: UUID
    loser_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadUnmerged(Event):
    lead_id: UUID
    merge_id: UUID
    loser_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicatesFound(Event):
    """Leads were found that may be of one person, so many pairs of them."""

    proposed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateScanProgressed(Event):
    scan_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadEnteredStage(Event):
    lead_id: UUID
    stage: Stage
    previous: Stage | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadGraded(Event):
    """A lead has another grade, by what happened or because its engagement faded."""

    lead_id: UUID
    grade: Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityLogged(Event):
    lead_id: UUID
    activity_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadTouched(Event):
    """A lead was met, so many times; `at` is when we learnt of it."""

    lead_id: UUID
    touches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitorIdentified(Event):
    """We learnt whose browser it is."""

    visitor_id: UUID
    lead_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadHandedOff(Event):
    lead_id: UUID
    handoff_id: UUID
    to_team_id: UUID
    owner_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadAccepted(Event):
    lead_id: UUID
    handoff_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRejected(Event):
    lead_id: UUID
    handoff_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRecycled(Event):
    lead_id: UUID
    handoff_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadReassigned(Event):
    lead_id: UUID
    handoff_id: UUID
    owner_id: UUID
    previous_owner_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStepChanged(Event):
    lead_id: UUID
    next_step_id: UUID
