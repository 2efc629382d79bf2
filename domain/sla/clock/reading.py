"""How a clock stands, and how it came to that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.sla.calendar import WorkingHours
from domain.sla.clock.course import Course, Threshold, course
from domain.sla.clock.facts import (
    ClockFact,
    ClockPolicy,
    ClockState,
    EscalationStep,
    FactKind,
)

_NOTHING = timedelta(0)

# Of facts at the same instant the kinder one counts first, and a pause begins before one ends.
_ORDER = {kind: place for place, kind in enumerate(FactKind)}

_CLOSED_AS = {
    FactKind.WAIVED: ClockState.WAIVED,
    FactKind.CANCELLED: ClockState.CANCELLED,
    FactKind.TRANSFERRED: ClockState.TRANSFERRED,
}


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of state, at the instant it happened by the rules."""

    state: ClockState
    at: datetime


@dataclass(frozen=True, slots=True)
class Escalation:
    """A step of the ladder that was reached; `index` is its place in the policy."""

    index: int
    step: EscalationStep
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """How a clock stands at an instant, and how it came to that.

    `due_at` and `warn_at` (the first warning, passed or not) suppose that a paused clock goes on
    at once.  `next_at` is always later than now: from that instant on the reading is another one
    even if nobody does anything.  It is one microsecond after `due_at` where the next thing is
    the breach, and None where nothing is left to happen by itself.

    `elapsed`, `remaining` and `overdue` are time on the clock; a closed clock stands still.
    `warnings` and `escalations` are those reached, in order.
    """

    state: ClockState
    due_at: datetime
    warn_at: datetime | None
    next_at: datetime | None
    ended_at: datetime | None
    breached_at: datetime | None
    attempts: int
    elapsed: timedelta
    remaining: timedelta
    overdue: timedelta
    transitions: tuple[Transition, ...]
    warnings: tuple[datetime, ...]
    escalations: tuple[Escalation, ...]


def read(
    *,
    started_at: datetime,
    policy: ClockPolicy,
    facts: Iterable[ClockFact],
    hours: WorkingHours,
    now: datetime,
) -> ClockReading:
    """Read a clock.  Facts later than `now` are not known yet and do not count."""
    known = sorted(
        (fact for fact in _from_the_start(facts, started_at) if fact.at <= now),
        key=lambda fact: (fact.at, _ORDER[fact.kind]),
    )
    ending = _ending(known, policy.attempts)
    run = course(known, started_at=started_at, hours=hours, now=now, ended_at=ending.at)
    due = run.threshold(policy.target)
    warnings = sorted(run.threshold(max(policy.target - w, _NOTHING)) for w in policy.warnings)
    ladder = [run.threshold(step.after) for step in policy.escalation]
    breached_at = due.at if due.comes and due.at < run.until else None
    story = _Story(run, begins=run.threshold(_NOTHING), warns=warnings[:1], breached_at=breached_at)
    transitions = story.transitions(_closing_state(ending, breached_at))
    return ClockReading(
        state=transitions[-1].state if transitions else ClockState.SCHEDULED,
        due_at=due.at,
        warn_at=warnings[0].at if warnings else None,
        next_at=run.next_of((story.begins, *warnings, *ladder), due),
        ended_at=ending.at,
        breached_at=breached_at,
        attempts=ending.attempts,
        elapsed=run.elapsed,
        remaining=max(policy.target - run.elapsed, _NOTHING),
        overdue=max(run.elapsed - policy.target, _NOTHING),
        transitions=transitions,
        warnings=tuple(warning.at for warning in warnings if run.reached(warning)),
        escalations=_escalations(run, policy.escalation, ladder),
    )


def _from_the_start(facts: Iterable[ClockFact], started_at: datetime) -> Iterator[ClockFact]:
    for fact in facts:
        # What ends a promise without anybody keeping it may do so before it starts.
        early = fact.at < started_at and fact.kind not in _CLOSED_AS
        yield ClockFact(fact.kind, started_at) if early else fact


class _Ending(NamedTuple):
    """What closed a clock and when, if anything did, after how many attempts."""

    kind: FactKind | None
    at: datetime | None
    attempts: int


def _ending(known: Sequence[ClockFact], enough: int) -> _Ending:
    attempts = 0
    for fact in known:
        attempts += fact.kind is FactKind.ATTEMPTED
        if fact.kind in _CLOSED_AS or fact.kind is FactKind.SATISFIED or attempts == enough:
            return _Ending(fact.kind, fact.at, attempts)
    return _Ending(None, None, attempts)


def _closing_state(ending: _Ending, breached_at: datetime | None) -> ClockState | None:
    if ending.kind is None:
        return None
    late = ClockState.MET if breached_at is None else ClockState.MET_LATE
    return _CLOSED_AS.get(ending.kind, late)


@dataclass(frozen=True, slots=True)
class _Story:
    """What decides the state at every instant of a run."""

    run: Course
    begins: Threshold
    warns: Sequence[Threshold]
    breached_at: datetime | None

    def transitions(self, closed_as: ClockState | None) -> tuple[Transition, ...]:
        """Return the changes up to now.  A state that lasts no time is none, save the breach."""
        changes = [(at, 0, self._state(at)) for at in self._instants()]
        if self.breached_at is not None:
            changes.append((self.breached_at, 1, ClockState.BREACHED))
        if closed_as is not None:
            changes.append((self.run.until, 2, closed_as))
        told: list[Transition] = []
        for at, _, state in sorted(changes):
            if not told or told[-1].state is not state:
                told.append(Transition(state, at))
        return tuple(told)

    def _instants(self) -> set[datetime]:
        """Return when the state may change, other than by the breach and the closing."""
        run = self.run
        instants = {threshold.at for threshold in (self.begins, *self.warns)}
        instants |= {span.starts for span in run.spans}
        instants |= {pause.starts for pause in run.pauses}
        if run.ended_at is None:
            return {at for at in instants if at <= run.now}
        return {at for at in instants if at < run.ended_at}

    def _state(self, at: datetime) -> ClockState:
        if self.breached_at is not None and self.breached_at < at:
            return ClockState.BREACHED
        if any(p.starts <= at and (p.ends is None or at < p.ends) for p in self.run.pauses):
            return ClockState.PAUSED
        # A threshold that a pause holds lies after all that is told here.
        if any(warning.at <= at for warning in self.warns):
            return ClockState.WARNING
        return ClockState.RUNNING if self.begins.at <= at else ClockState.SCHEDULED


def _escalations(
    run: Course, steps: Sequence[EscalationStep], ladder: Sequence[Threshold]
) -> tuple[Escalation, ...]:
    reached = [
        Escalation(index, step, threshold.at)
        for index, (step, threshold) in enumerate(zip(steps, ladder, strict=True))
        if run.reached(threshold)
    ]
    return tuple(sorted(reached, key=lambda escalation: (escalation.at, escalation.index)))
