"""What a status says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from domain.sla.agreement import Commitment, Sla, SlaStatus
from domain.sla.pacing import Pace
from domain.stages import Side


class Unit(StrEnum):
    """What a figure is counted in."""

    COUNT = "COUNT"
    POINTS = "POINTS"
    MONEY = "MONEY"
    SHARE = "SHARE"


@dataclass(frozen=True, slots=True)
class SeriesDay:
    """What was attained up to the end of a day, and what was to be expected by then.

    `attained` is None on days to come, and on days up to which no share was decided.
    """

    on: date
    attained: Decimal | None
    expected: Decimal


@dataclass(frozen=True, slots=True)
class ExplainedInput:
    """One number that went into a figure, under the name the formula uses."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a figure was made, so that anybody can do the sum again."""

    formula: str
    inputs: tuple[ExplainedInput, ...]
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentStanding:
    """How one commitment stands.  What does not apply to its kind is None.

    Figures are in `unit`; money is in units of `currency`, not in cents.  For a commitment of a
    share, attained and target are the share met and the share owed.  `breached` counts what was
    late, closed by now or not; `attainment` is attained by what could be expected so far.

    `p10` and `p90`: of a delivery, the total that is stayed under once, and nine times, in ten; of
    a share, the interval that holds the true one four times in five.
    """

    commitment: Commitment
    status: Pace
    unit: Unit
    currency: str | None
    target: Decimal
    attained: Decimal | None
    expected: Decimal | None
    gap: Decimal | None
    attainment: Decimal | None
    probability: Decimal | None
    p10: Decimal
    p90: Decimal
    series: tuple[SeriesDay, ...]
    explain: Explanation
    projected: Decimal | None = None
    needed_per_working_day: Decimal | None = None
    remaining_working_days: int | None = None
    handed_off: int | None = None
    accepted: int | None = None
    rejected: int | None = None
    accepted_share: Decimal | None = None
    quality_floor: Decimal | None = None
    quality_kept: bool | None = None
    opened: int | None = None
    open: int | None = None
    due_soon: int | None = None
    breached: int | None = None
    met: int | None = None
    excused: int | None = None
    met_share: Decimal | None = None
    target_share: Decimal | None = None
    next_at: datetime | None = None

    @property
    def commitment_id(self) -> UUID:
        return self.commitment.id


@dataclass(frozen=True, slots=True)
class SideStanding:
    """How one side stands: as its worst commitment does."""

    side: Side
    team_id: UUID
    status: Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaStanding:
    """How an agreement stands at an instant.

    `next_at` is when it is worth looking again if nothing happens; None when nothing changes by
    itself any more.
    """

    sla: Sla
    as_of: datetime
    status: SlaStatus
    starts_on: date
    ends_on: date
    working_days: int
    working_days_elapsed: int
    commitments: Sequence[CommitmentStanding]
    sides: Sequence[SideStanding]
    alignment_index: Decimal | None
    next_at: datetime | None

    @property
    def sla_id(self) -> UUID:
        return self.sla.id
