"""What happened, in the past tense.  Events carry ids and outcomes, never personal data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.grades import Grade
from domain.sla.clock import ClockState, EscalationAction
from domain.stages import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened at an instant, which may lie before the one it was noticed at."""

    at: datetime
    by: UUID | None = None


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
class ThreadChanged(Event):
    """Something was said, changed or taken back in a thread."""

    thread_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class UserMentioned(Event):
    thread_id: UUID
    message_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class MentionRead(Event):
    mention_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingGiven(Event):
    rating_id: UUID
    campaign_id: UUID | None
    handoff_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStepChanged(Event):
    lead_id: UUID
    next_step_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakLimitChanged(Event):
    leak_limit_id: UUID
    stage: Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffClawedBack(Event):
    handoff_id: UUID
    commitment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockTransitioned(Event):
    """A clock of the SLA changed its state, at the logical instant `at`."""

    clock_id: UUID
    sla_id: UUID
    commitment_id: UUID
    handoff_id: UUID
    lead_id: UUID
    user_id: UUID | None
    state: ClockState
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationRaised(Event):
    """A clock reached a step of its escalation ladder."""

    clock_id: UUID
    handoff_id: UUID
    lead_id: UUID
    user_id: UUID | None
    step: int
    action: EscalationAction


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaProposed(Event):
    sla_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaSigned(Event):
    sla_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaWithdrawn(Event):
    sla_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaSuperseded(Event):
    sla_id: UUID
    next_sla_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionProposed(Event):
    definition_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionSigned(Event):
    definition_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionWithdrawn(Event):
    definition_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringModelActivated(Event):
    """Leads are scored by another model from now on."""

    model_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionModelTrained(Event):
    """The chance of winning a lead is reckoned anew from what became of others."""

    model_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuesRecalibrated(Event):
    """What lead types were worth lately was reckoned for a month."""

    recalibration_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarChanged(Event):
    calendar_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonaChanged(Event):
    persona_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalChanged(Event):
    goal_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineChanged(Event):
    stage_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class OpportunityOpened(Event):
    opportunity_id: UUID
    lead_id: UUID
    handoff_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpportunityChanged(Event):
    """An opportunity was told anew, moved to another stage, or reopened."""

    opportunity_id: UUID
    lead_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class OpportunityWon(Event):
    opportunity_id: UUID
    lead_id: UUID
    handoff_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpportunityLost(Event):
    opportunity_id: UUID
    lead_id: UUID
    handoff_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerChanged(Event):
    customer_id: UUID
    lead_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueRecorded(Event):
    """Revenue came, went, or was put right."""

    revenue_event_id: UUID
    customer_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRateChanged(Event):
    exchange_rate_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignChanged(Event):
    """A campaign, its costs or its assets were changed."""

    campaign_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributionModelChanged(Event):
    """A model was made or archived, or has seen all opportunities."""

    model_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantChanged(Event):
    tenant_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamChanged(Event):
    team_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanged(Event):
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted(Event):
    session_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded(Event):
    session_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationChanged(Event):
    invitation_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyCreated(Event):
    api_key_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRotated(Event):
    api_key_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRevoked(Event):
    api_key_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardCreated(Event):
    board_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingSiteChanged(Event):
    """A web site's key was made, was given other origins, or was revoked."""

    tracking_site_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentAssetChanged(Event):
    """A content asset was made, changed or archived."""

    asset_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRevoked(Event):
    board_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProgressed(Event):
    job_id: UUID
