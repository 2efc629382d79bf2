"""What is promised, what happens to it, and the states that follow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

_NOTHING = timedelta(0)


class ClockState(StrEnum):
    """How a promise stands."""

    SCHEDULED = "SCHEDULED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    WARNING = "WARNING"
    BREACHED = "BREACHED"
    MET = "MET"
    MET_LATE = "MET_LATE"
    WAIVED = "WAIVED"
    CANCELLED = "CANCELLED"
    TRANSFERRED = "TRANSFERRED"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has something to do."""
        return self in _OPEN


_OPEN = {
    ClockState.SCHEDULED,
    ClockState.RUNNING,
    ClockState.PAUSED,
    ClockState.WARNING,
    ClockState.BREACHED,
}


class FactKind(StrEnum):
    """What can happen to a promise.

    ATTEMPTED is a human touch that was not answered; SATISFIED is what the commitment wanted: the
    touch itself, an answer, or a decision.
    """

    ATTEMPTED = "ATTEMPTED"
    SATISFIED = "SATISFIED"
    PAUSED = "PAUSED"
    RESUMED = "RESUMED"
    WAIVED = "WAIVED"
    CANCELLED = "CANCELLED"
    TRANSFERRED = "TRANSFERRED"


@dataclass(frozen=True, slots=True)
class ClockFact:
    """Something that happened.  Facts may be given in any order, and each one counts once."""

    kind: FactKind
    at: datetime


class EscalationAction(StrEnum):
    """What is done about a promise that nobody keeps."""

    NOTIFY = "NOTIFY"
    NOTIFY_MANAGER = "NOTIFY_MANAGER"
    SET_STATUS = "SET_STATUS"
    REASSIGN = "REASSIGN"
    OUT_OF_ROTATION = "OUT_OF_ROTATION"


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """A step of the ladder, at an amount of time on the clock."""

    after: timedelta
    action: EscalationAction


PRESET_LADDER = (
    EscalationStep(timedelta(minutes=15), EscalationAction.NOTIFY),
    EscalationStep(timedelta(minutes=45), EscalationAction.NOTIFY_MANAGER),
    EscalationStep(timedelta(minutes=55), EscalationAction.SET_STATUS),
    EscalationStep(timedelta(minutes=60), EscalationAction.REASSIGN),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockPolicy:
    """What was promised: `attempts` touches, or one that satisfies, within `target`.

    `warnings` are times on the clock before it is due; one longer than the target warns at the
    start.  `escalation` goes on after the breach, until the clock is closed.
    """

    target: timedelta
    attempts: int = 1
    warnings: tuple[timedelta, ...] = ()
    escalation: tuple[EscalationStep, ...] = ()

    def __post_init__(self) -> None:
        times = (self.target, *self.warnings, *(step.after for step in self.escalation))
        if min(times) < _NOTHING:
            raise ValueError(f"time on a clock is never negative: {min(times)}")
        if self.attempts < 1:
            raise ValueError(f"a promise needs at least one attempt: {self.attempts}")
