"""The clock of one promise: a pure function of what happened, the policy, the calendar and now.

Nothing is remembered between two readings, so a late sweeper, a repeated one and a page that is
only looked at tell the same story.  A reading holds the whole story up to `now`: every change of
state at the instant it happened by the rules, not at the one it was noticed.

Three conventions settle the rest:

* What people do at an instant comes before what the clock does at it.  A reply, or a pause in
  open hours, at the very due instant is in time; the breach begins just after that instant and is
  recorded at it.
* Time on the clock is open time without pauses.  Every threshold (warning, due, escalation) lies
  at an amount of it, so a pause shifts all of them by its open part and by nothing else.
* A touch or pause stamped before the start counts as made at the start.
"""

from domain.sla.clock.facts import (
    PRESET_LADDER,
    ClockFact,
    ClockPolicy,
    ClockState,
    EscalationAction,
    EscalationStep,
    FactKind,
)
from domain.sla.clock.reading import ClockReading, Escalation, Transition, read

__all__ = [
    "PRESET_LADDER",
    "ClockFact",
    "ClockPolicy",
    "ClockReading",
    "ClockState",
    "Escalation",
    "EscalationAction",
    "EscalationStep",
    "FactKind",
    "Transition",
    "read",
]
