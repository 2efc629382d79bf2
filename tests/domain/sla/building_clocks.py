"""Clocks on an office calendar, in March 2026."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from domain.sla.calendar import Window, WorkingHours
from domain.sla.clock import (
    ClockFact,
    ClockPolicy,
    ClockReading,
    ClockState,
    FactKind,
    read,
)

TICK = timedelta(microseconds=1)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SCHEDULED, RUNNING, PAUSED = ClockState.SCHEDULED, ClockState.RUNNING, ClockState.PAUSED
WARNING, BREACHED = ClockState.WARNING, ClockState.BREACHED
MET, MET_LATE = ClockState.MET, ClockState.MET_LATE

office = WorkingHours("UTC", tuple(Window(day, 540, 1020) for day in range(5)))
answer = ClockPolicy(target=2 * HOUR, warnings=(30 * MINUTE,))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of March 2026; the 2nd, 9th and 16th are Mondays."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


START = at(4, 10)


def fact(kind: str, *moment: int) -> ClockFact:
    return ClockFact(FactKind(kind), at(*moment))


def reading(
    *facts: ClockFact,
    now: datetime,
    start: datetime = START,
    policy: ClockPolicy = answer,
    hours: WorkingHours = office,
) -> ClockReading:
    return read(started_at=start, policy=policy, facts=facts, hours=hours, now=now)


def story(of: ClockReading) -> list[tuple[ClockState, datetime]]:
    return [(transition.state, transition.at) for transition in of.transitions]
