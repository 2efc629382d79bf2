"""What the wall board is drawn from: the answer of the `board` subscription, typed."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """How one side, commitment or goal stands."""

    AHEAD = "AHEAD"
    ON_TRACK = "ON_TRACK"
    AT_RISK = "AT_RISK"
    BEHIND = "BEHIND"
    MET = "MET"
    MISSED = "MISSED"
    NOT_STARTED = "NOT_STARTED"

    @property
    def is_on_pace(self) -> bool:
        return self in {Verdict.AHEAD, Verdict.ON_TRACK, Verdict.MET}


class SideName(StrEnum):
    """The two sides of every agreement."""

    MARKETING = "MARKETING"
    SALES = "SALES"


class Unit(StrEnum):
    """What a target is counted in."""

    COUNT = "COUNT"
    POINTS = "POINTS"
    MONEY = "MONEY"
    SHARE = "SHARE"


class CommitmentKind(StrEnum):
    """What was promised."""

    DELIVERY = "DELIVERY"
    RESPONSE = "RESPONSE"
    ATTEMPTS = "ATTEMPTS"
    DISPOSITION = "DISPOSITION"
    FEEDBACK = "FEEDBACK"
    COVERAGE = "COVERAGE"


class CountdownState(StrEnum):
    """Where a running promise stands."""

    RUNNING = "RUNNING"
    WARNING = "WARNING"
    BREACHED = "BREACHED"
    PAUSED = "PAUSED"


class _View(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    pass


class Sla(_View, frozen=True):
    """The signed agreement in force."""

    name: str
    starts_on: date
    last_on: date
    number: int
    time_zone: str
    working_days: int
    working_days_elapsed: int


class Day(_View, frozen=True):
    """One day of a pace line; `attained` is None for the days to come."""

    on: date
    attained: Decimal | None = None
    expected: Decimal | None = None


class Commitment(_View, frozen=True):
    """One promise and how it stands.  What does not apply to its kind is None."""

    id: str
    kind: CommitmentKind
    label: str
    unit: Unit
    status: Verdict
    currency: str | None = None
    target: Decimal | None = None
    attained: Decimal | None = None
    expected: Decimal | None = None
    gap: Decimal | None = None
    projected: Decimal | None = None
    needed_per_working_day: Decimal | None = None
    probability: Decimal | None = None
    met_share: Decimal | None = None
    target_share: Decimal | None = None
    open: int | None = None
    due_soon: int | None = None
    breached: int | None = None
    accepted_share: Decimal | None = None
    quality_floor: Decimal | None = None
    series: tuple[Day, ...] = ()

    def __post_init__(self) -> None:
        """A promise of a share may be told by its own names for "attained" and "target"."""
        if self.unit is Unit.SHARE:
            msgspec.structs.force_setattr(self, "attained", _first(self.attained, self.met_share))
            msgspec.structs.force_setattr(self, "target", _first(self.target, self.target_share))


class Side(_View, frozen=True):
    """One team, its status and its commitments."""

    side: SideName
    team_name: str
    status: Verdict
    commitments: tuple[Commitment, ...] = ()


class Countdown(_View, frozen=True):
    """A hand-off that waits for an answer.  Its label never names a person."""

    id: str
    label: str
    team_name: str
    commitment_label: str
    due_at: datetime
    state: CountdownState


class Breach(_View, frozen=True):
    """A promise broken, and when the answer came after all."""

    id: str
    label: str
    commitment_label: str
    at: datetime
    ended_at: datetime | None = None


class Goal(_View, frozen=True):
    """A goal behind the promises."""

    id: str
    name: str
    unit: Unit
    status: Verdict
    currency: str | None = None
    target: Decimal | None = None
    attained: Decimal | None = None
    expected: Decimal | None = None


class Amount(_View, frozen=True):
    """Money."""

    amount: Decimal
    currency: str


class Returned(_View, frozen=True):
    """What marketing's leads bought this month."""

    starts_on: date
    won: int
    amount: Amount
    unrated: int = 0


class Board(_View, frozen=True):
    """Everything on the wall at one instant."""

    as_of: datetime
    tenant_name: str
    sla: Sla | None = None
    sides: tuple[Side, ...] = ()
    countdowns: tuple[Countdown, ...] = ()
    breaches: tuple[Breach, ...] = ()
    goals: tuple[Goal, ...] = ()
    returned: Returned | None = None


def board_of(snapshot: object) -> Board:
    """Return the typed board for the plain value of the GraphQL field `board`."""
    return msgspec.convert(snapshot, Board)


def _first(value: Decimal | None, otherwise: Decimal | None) -> Decimal | None:
    return otherwise if value is None else value
