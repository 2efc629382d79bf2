"""The agreement: what marketing promises to deliver and what sales promises to do with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.filters import FieldType, FilterField, FilterFields
from domain.sla.clock import EscalationAction
from domain.stages import Side
from domain.values import Period, PeriodKind


class SlaStatus(StrEnum):
    """How an agreement stands at an instant."""

    PROPOSED = "PROPOSED"
    WITHDRAWN = "WITHDRAWN"
    SIGNED = "SIGNED"
    ACTIVE = "ACTIVE"
    SUPERSEDED = "SUPERSEDED"
    ENDED = "ENDED"


class CommitmentKind(StrEnum):
    """What is promised."""

    DELIVERY = "DELIVERY"
    RESPONSE = "RESPONSE"
    ATTEMPTS = "ATTEMPTS"
    DISPOSITION = "DISPOSITION"
    FEEDBACK = "FEEDBACK"
    COVERAGE = "COVERAGE"

    @property
    def is_timed(self) -> bool:
        """Whether every hand-off starts a clock for it."""
        return self in _TIMED

    @property
    def side(self) -> Side:
        return Side.MARKETING if self is CommitmentKind.DELIVERY else Side.SALES


_TIMED = {
    CommitmentKind.RESPONSE,
    CommitmentKind.ATTEMPTS,
    CommitmentKind.DISPOSITION,
    CommitmentKind.FEEDBACK,
}


class Measure(StrEnum):
    """What a delivery is counted in."""

    COUNT = "COUNT"
    POINTS = "POINTS"
    MONEY = "MONEY"


class Reassignment(StrEnum):
    """What a new owner means for a running clock."""

    CONTINUE = "CONTINUE"
    RESTART = "RESTART"
    CHILD = "CHILD"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRule:
    """What one lead of a type is worth, in points or minor units.  The first match counts."""

    criterion: Mapping[str, Any]
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderStep:
    """A step of the escalation ladder, at working minutes from the start of the clock."""

    after_minutes: int
    action: EscalationAction


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed for a side, and when."""

    side: Side
    signed_by: UUID
    signed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sla:
    """One version of an agreement for one period.  It is never edited after signing.

    Versions of the same agreement share `series_id` and count `number` up.  It is in force from
    `effective_at` until `ceased_at`, or else until the period ends.
    """

    id: UUID
    series_id: UUID
    number: int
    name: str
    period_kind: PeriodKind
    starts_on: date
    ends_on: date
    time_zone: str
    calendar_id: UUID
    currency: str
    marketing_team_id: UUID
    sales_team_id: UUID
    effective_at: datetime
    proposed_side: Side
    proposed_by: UUID
    proposed_at: datetime
    ahead_band: Decimal = Decimal("0.05")
    at_risk_band: Decimal = Decimal("0.90")
    marketing_signed_by: UUID | None = None
    marketing_signed_at: datetime | None = None
    sales_signed_by: UUID | None = None
    sales_signed_at: datetime | None = None
    withdrawn_at: datetime | None = None
    supersedes_id: UUID | None = None
    ceased_at: datetime | None = None
    version: int = 1

    @property
    def period(self) -> Period:
        return Period(self.starts_on, self.ends_on)

    @property
    def starts_at(self) -> datetime:
        return start_of_day(self.starts_on, self.time_zone)

    @property
    def ends_at(self) -> datetime:
        """The instant at which the period is over (the first one outside)."""
        return start_of_day(self.ends_on, self.time_zone)

    @property
    def signed_at(self) -> datetime | None:
        """When the second side signed."""
        if self.marketing_signed_at is None or self.sales_signed_at is None:
            return None
        return max(self.marketing_signed_at, self.sales_signed_at)

    @property
    def signatures(self) -> tuple[Signature, ...]:
        """The signatures so far, the proposer's first."""
        given = (
            (Side.MARKETING, self.marketing_signed_by, self.marketing_signed_at),
            (Side.SALES, self.sales_signed_by, self.sales_signed_at),
        )
        signatures = [Signature(side, by, at) for side, by, at in given if by and at]
        return tuple(sorted(signatures, key=lambda signature: signature.side != self.proposed_side))

    def in_force(self, at: datetime) -> bool:
        """Say whether a hand-off made at an instant is judged by this version."""
        until = self.ends_at if self.ceased_at is None else min(self.ends_at, self.ceased_at)
        return self.signed_at is not None and self.effective_at <= at < until

    def status(self, now: datetime) -> SlaStatus:
        if self.withdrawn_at is not None:
            return SlaStatus.WITHDRAWN
        if self.signed_at is None:
            return SlaStatus.PROPOSED
        if self.ceased_at is not None and self.ceased_at <= now:
            return SlaStatus.SUPERSEDED
        if self.ends_at <= now:
            return SlaStatus.ENDED
        return SlaStatus.ACTIVE if self.effective_at <= now else SlaStatus.SIGNED


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """One promise of an agreement.

    DELIVERY: `target` in `measure` (leads, points, or minor units of the agreement's currency),
    `quality_floor` the least share accepted by sales, only hand-offs that match `segment` (and
    `persona_id`) count, worth `values`, and one rejected within `claw_back_days` does not.

    RESPONSE, ATTEMPTS, DISPOSITION, FEEDBACK: each hand-off starts a clock of `within_minutes`,
    working minutes unless `working_time` is off; ATTEMPTS wants `attempts` human touches in that
    time unless answered earlier, FEEDBACK that marketing hears more than that the lead was taken.
    `target_share` of the clocks are to be met.

    COVERAGE: `target_share` of the hand-offs satisfy all timed commitments.  With `linked_to`, the
    share owed scales with what that commitment has attained, at most to the full share.
    """

    id: UUID
    sla_id: UUID
    position: int
    kind: CommitmentKind
    name: str
    measure: Measure = Measure.COUNT
    target: int | None = None
    target_share: Decimal | None = None
    quality_floor: Decimal | None = None
    segment: Mapping[str, Any] | None = None
    persona_id: UUID | None = None
    values: tuple[ValueRule, ...] = ()
    claw_back_days: int = 0
    within_minutes: int | None = None
    working_time: bool = True
    attempts: int = 1
    warn_minutes: tuple[int, ...] = ()
    escalation: tuple[LadderStep, ...] = ()
    on_reassignment: Reassignment = Reassignment.CONTINUE
    weekday_weights: tuple[Decimal, ...] | None = None
    linked_to: UUID | None = None

    @property
    def side(self) -> Side:
        return self.kind.side


SLA_FIELDS = FilterFields(
    "sla",
    (
        FilterField(
            name="name",
            attribute="name",
            type=FieldType.TEXT,
            description="What people call it.",
        ),
        FilterField(
            name="periodKind",
            attribute="period_kind",
            type=FieldType.CHOICE,
            choices=PeriodKind,
            description="How long it runs.",
        ),
        FilterField(
            name="startsOn",
            attribute="starts_on",
            type=FieldType.DAY,
            description="The first day of its period.",
        ),
        FilterField(
            name="endsOn",
            attribute="ends_on",
            type=FieldType.DAY,
            description="The day after the last one of its period.",
        ),
        FilterField(
            name="marketingTeamId",
            attribute="marketing_team_id",
            type=FieldType.ID,
            kind="Team",
            description="The team that promises to deliver.",
        ),
        FilterField(
            name="salesTeamId",
            attribute="sales_team_id",
            type=FieldType.ID,
            kind="Team",
            description="The team that promises to work what is delivered.",
        ),
        FilterField(
            name="number",
            attribute="number",
            type=FieldType.NUMBER,
            description="Which version of its series it is, from 1.",
        ),
        FilterField(
            name="effectiveAt",
            attribute="effective_at",
            type=FieldType.INSTANT,
            description="From when on it counts, once both sides have signed.",
        ),
        FilterField(
            name="ceasedAt",
            attribute="ceased_at",
            type=FieldType.INSTANT,
            description="When the next version took its place; missing on the last one.",
        ),
        FilterField(
            name="proposedAt",
            attribute="proposed_at",
            type=FieldType.INSTANT,
            description="When it was proposed.",
        ),
        FilterField(
            name="marketingSignedAt",
            attribute="marketing_signed_at",
            type=FieldType.INSTANT,
            description="When marketing signed; missing until then.",
        ),
        FilterField(
            name="salesSignedAt",
            attribute="sales_signed_at",
            type=FieldType.INSTANT,
            description="When sales signed; missing until then.",
        ),
        FilterField(
            name="withdrawnAt",
            attribute="withdrawn_at",
            type=FieldType.INSTANT,
            description="When the proposal was withdrawn.",
        ),
    ),
)


def start_of_day(day: date, time_zone: str) -> datetime:
    """Return the first instant of a local day, in UTC."""
    local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(time_zone))
    return local.astimezone(ZoneInfo("UTC"))


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)
