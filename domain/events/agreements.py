"""What both teams agree on, and how its clocks run."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domain.events.happened import Event
from domain.sla.clock import ClockState, EscalationAction
from domain.stages import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakLimitChanged(Event):
    leak_limit_id: UUID
    stage: Stage


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
    """What became of leads was learnt from anew."""

    model_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionModelUsed(Event):
    """The chance of winning a lead is reckoned by another model from now on."""

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
