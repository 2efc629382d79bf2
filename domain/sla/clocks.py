"""Clocks as stored: one running promise about one hand-off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from domain.filters import FieldType, FilterField, FilterFields
from domain.sla.clock import ClockFact, ClockState, Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaClock:
    """What sales owes one hand-off by one commitment.

    Everything from `due_at` to `transitions` follows from `started_at`, `facts`, the commitment
    and the calendar version, and is stored so that what is due can be found by an index.
    `next_at` is when the state changes next if nobody does anything.
    """

    id: UUID
    sla_id: UUID
    commitment_id: UUID
    handoff_id: UUID
    lead_id: UUID
    team_id: UUID
    calendar_version_id: UUID
    started_at: datetime
    facts: tuple[ClockFact, ...]
    state: ClockState
    due_at: datetime
    transitions: tuple[Transition, ...]
    escalated: int = 0
    user_id: UUID | None = None
    parent_id: UUID | None = None
    warn_at: datetime | None = None
    next_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    version: int = 1

    @property
    def judged_by(self) -> tuple[UUID, UUID]:
        """The commitment and the version of the calendar that decide how it stands."""
        return self.commitment_id, self.calendar_version_id


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaTally:
    """What one commitment counted on one local day.

    For DELIVERY: `delivered` and `clawed_back` in units of its measure, `handed_off`, `accepted`
    and `rejected` in hand-offs, all on the day of the hand-off.  For the others: clocks (or, for
    COVERAGE, hand-offs) by the day they started and how they ended; `breached` counts those that
    were late at least once, open or closed.
    """

    commitment_id: UUID
    on: date
    delivered: int = 0
    clawed_back: int = 0
    handed_off: int = 0
    accepted: int = 0
    rejected: int = 0
    opened: int = 0
    met: int = 0
    met_late: int = 0
    breached: int = 0
    excused: int = 0


def _points_at(name: str, attribute: str, kind: str, description: str) -> FilterField:
    return FilterField(
        name=name, attribute=attribute, type=FieldType.ID, kind=kind, description=description
    )


def _instant(name: str, attribute: str, description: str) -> FilterField:
    return FilterField(
        name=name, attribute=attribute, type=FieldType.INSTANT, description=description
    )


CLOCK_FIELDS = FilterFields(
    "clock",
    (
        _instant("dueAt", "due_at", "By when the promise is to be kept."),
        _instant("startedAt", "started_at", "When the promise began."),
        _instant("endedAt", "ended_at", "When it ended; missing while it is open."),
        FilterField(
            name="state",
            attribute="state",
            type=FieldType.CHOICE,
            choices=ClockState,
            description="The state last recorded; a worker records changes within a second.",
        ),
        _points_at("slaId", "sla_id", "Sla", "The agreement."),
        _points_at("commitmentId", "commitment_id", "Commitment", "The promise."),
        _points_at("leadId", "lead_id", "Lead", "The lead."),
        _points_at("handoffId", "handoff_id", "Handoff", "The hand-off."),
        _points_at("userId", "user_id", "User", "Who works the lead."),
        _points_at("teamId", "team_id", "Team", "Who owes it."),
    ),
)
