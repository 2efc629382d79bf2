"""The hand-off: marketing gives a lead to sales, and hears back what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.errors import DomainError, Invalid
from domain.filters import FieldType, FilterField, FilterFields
from domain.leads import Lead
from domain.stages import Stage
from domain.values import require_text


class HandoffStatus(StrEnum):
    """What sales has answered so far."""

    OPEN = "OPEN"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    RECYCLED = "RECYCLED"
    MERGED = "MERGED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handoff:
    """A lead on its way from one team to another, as it was at that moment.

    `sla_id` is the agreement it is judged by, `due_at` the earliest instant by which sales owes
    something.  `returned_at` is when sales gave it back after having taken it.  `heard_at` is when
    the last of these answers was recorded: by an integration perhaps days after it was given.
    """

    id: UUID
    lead_id: UUID
    from_team_id: UUID
    to_team_id: UUID
    score: int
    handed_off_at: datetime
    recorded_at: datetime
    handed_off_by: UUID | None = None
    owner_id: UUID | None = None
    definition_id: UUID | None = None
    persona_id: UUID | None = None
    reason: str | None = None
    sla_id: UUID | None = None
    due_at: datetime | None = None
    status: HandoffStatus = HandoffStatus.OPEN
    decided_at: datetime | None = None
    decided_by: UUID | None = None
    decision_reason: str | None = None
    returned_at: datetime | None = None
    returned_by: UUID | None = None
    return_reason: str | None = None
    heard_at: datetime | None = None
    version: int = 1

    @property
    def is_open(self) -> bool:
        return self.status is HandoffStatus.OPEN

    @property
    def is_taken(self) -> bool:
        """Whether sales took it, and has not given it back."""
        return self.status is HandoffStatus.ACCEPTED and self.returned_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffCredit:
    """What a hand-off counts towards one of marketing's commitments.

    `units` are leads, points or minor units of money, by the commitment's measure; `on` is the
    day of the hand-off in the agreement's time zone.
    """

    id: UUID
    handoff_id: UUID
    commitment_id: UUID
    on: date
    units: int
    clawed_back_at: datetime | None = None
    version: int = 1


HANDOFF_FIELDS = FilterFields(
    "handoff",
    (
        FilterField(
            name="status",
            attribute="status",
            type=FieldType.CHOICE,
            choices=HandoffStatus,
            description="What sales has answered; OPEN is no feedback yet.",
        ),
        FilterField(
            name="handedOffAt",
            attribute="handed_off_at",
            type=FieldType.INSTANT,
            description="When marketing handed the lead over.",
        ),
        FilterField(
            name="dueAt",
            attribute="due_at",
            type=FieldType.INSTANT,
            description="When sales owes something first.",
        ),
        FilterField(
            name="decidedAt",
            attribute="decided_at",
            type=FieldType.INSTANT,
            description="When sales answered.",
        ),
        FilterField(
            name="ownerId",
            attribute="owner_id",
            type=FieldType.ID,
            kind="User",
            description="Who works it; missing while nobody does.",
        ),
        FilterField(
            name="toTeamId",
            attribute="to_team_id",
            type=FieldType.ID,
            kind="Team",
            description="The team that got it.",
        ),
        FilterField(
            name="fromTeamId",
            attribute="from_team_id",
            type=FieldType.ID,
            kind="Team",
            description="The team that gave it.",
        ),
        FilterField(
            name="leadId",
            attribute="lead_id",
            type=FieldType.ID,
            kind="Lead",
            description="The lead.",
        ),
        FilterField(
            name="slaId",
            attribute="sla_id",
            type=FieldType.ID,
            kind="Sla",
            description="The agreement it is judged by.",
        ),
        FilterField(
            name="personaId",
            attribute="persona_id",
            type=FieldType.ID,
            kind="Persona",
            description="The persona at that moment.",
        ),
        FilterField(
            name="score",
            attribute="score",
            type=FieldType.NUMBER,
            description="The score at that moment.",
        ),
    ),
)


class NotAnMql(DomainError):
    """Only a marketing-qualified lead is handed over."""

    code = "NOT_AN_MQL"

    def __init__(self, lead: Lead) -> None:
        super().__init__(
            f"The lead is {lead.stage}, and only an MQL is handed off.", path=("lead",)
        )


class AlreadyHandedOff(DomainError):
    """The lead waits for an answer already."""

    code = "ALREADY_HANDED_OFF"

    def __init__(self) -> None:
        super().__init__("The lead is already handed off and waits for an answer.", path=("lead",))


class NotAwaitingSales(DomainError):
    """There is no open hand-off to answer."""

    code = "NOT_AWAITING_SALES"

    def __init__(self, lead: Lead) -> None:
        super().__init__(
            f"The lead is {lead.stage} and not handed off, so there is nothing to answer.",
            path=("lead",),
        )


class WrongTeam(DomainError):
    """A team of the other side, or one the person does not belong to."""

    code = "WRONG_TEAM"


def check_can_hand_off(lead: Lead, open_handoffs: int) -> None:
    """Refuse to hand off a lead that is not an MQL, or that waits for an answer already."""
    if open_handoffs:
        raise AlreadyHandedOff
    if lead.stage is not Stage.MQL:
        raise NotAnMql(lead)


def decided(
    handoff: Handoff,
    status: HandoffStatus,
    *,
    by: UUID | None,
    at: datetime,
    heard_at: datetime,
    reason: str | None = None,
) -> Handoff:
    """Return the hand-off with sales' answer, which was given at an instant and is heard now.

    Raises:
        Invalid: if a rejection or recycling gives no reason, or the answer is older than the
            question.
    """
    if status is not HandoffStatus.ACCEPTED:
        reason = require_text(reason or "", name="The reason", path=("reason",), longest=2000)
    if at < handoff.handed_off_at:
        raise Invalid("The answer is older than the hand-off.", path=("at",))
    return replace(
        handoff,
        status=status,
        decided_by=by,
        decided_at=at,
        decision_reason=reason,
        heard_at=heard_at,
    )


def returned(
    handoff: Handoff, *, by: UUID | None, at: datetime, heard_at: datetime, reason: str
) -> Handoff:
    """Return a hand-off that sales had taken as given back."""
    return replace(handoff, returned_at=at, returned_by=by, return_reason=reason, heard_at=heard_at)


def newest(handoffs: Iterable[Handoff]) -> Handoff | None:
    """Return the hand-off that speaks for a lead now: the last that was made.

    One that a merge ended is none: the person had been handed off already, and that goes on.
    """
    real = (handoff for handoff in handoffs if handoff.status is not HandoffStatus.MERGED)
    return max(real, key=lambda each: (each.handed_off_at, each.id), default=None)


def is_clawed_back(handoff: Handoff, *, within_days: int) -> bool:
    """Say whether a hand-off stops counting because sales rejected it soon enough.

    The last instant is `within_days` times 24 hours after the hand-off, and still counts as soon
    enough.  One that turned out to be of a person handed off already never counts: marketing gave
    one person, not two.
    """
    if handoff.status is HandoffStatus.MERGED:
        return True
    if handoff.status is not HandoffStatus.REJECTED or handoff.decided_at is None:
        return False
    return within_days > 0 and handoff.decided_at - handoff.handed_off_at <= timedelta(within_days)
