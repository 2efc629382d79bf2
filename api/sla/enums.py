"""The words of agreements, declared before any type uses them."""

from __future__ import annotations

from enum import StrEnum

import api.clocks  # declares the enum EscalationAction
import api.stages  # noqa: F401  # declares the enum Side
from api.filtering import enum
from domain.sla.agreement import CommitmentKind, Measure, Reassignment, SlaStatus
from domain.values import PeriodKind


class LadderPreset(StrEnum):
    """Ladders that need no writing down."""

    STANDARD = "STANDARD"


enum(
    PeriodKind,
    "How long something runs.",
    MONTH="A calendar month.",
    QUARTER="A calendar quarter.",
    CUSTOM="Any days, from one to another.",
)
enum(
    SlaStatus,
    "How an agreement stands.",
    PROPOSED="One side has signed, the other has not.",
    WITHDRAWN="It was taken back before the other side signed.",
    SIGNED="Both sides have signed; it takes effect later.",
    ACTIVE="It is in force.",
    SUPERSEDED="A newer version has taken its place.",
    ENDED="Its period is over.",
)
enum(
    CommitmentKind,
    "What is promised.",
    DELIVERY="Marketing hands off so many leads, so many points or so much money's worth.",
    RESPONSE="Sales touches each hand-off in time, by a person.",
    ATTEMPTS="Sales tries so many times within the time, unless the buyer answers earlier.",
    DISPOSITION="Sales answers each hand-off in time: accepts, rejects or recycles it.",
    FEEDBACK="Sales tells in time what became of each hand-off, beyond that it was taken.",
    COVERAGE="So large a share of the hand-offs is worked as all the timed promises say.",
)
enum(
    Measure,
    "What a delivery is counted in.",
    COUNT="Leads.",
    POINTS="Points, by what a type of lead is worth.",
    MONEY="Money, by what a type of lead is worth.",
)
enum(
    Reassignment,
    "What a new owner means for a running clock.",
    CONTINUE="The clock goes on.",
    RESTART="The clock ends, and the new owner gets a fresh one.",
    CHILD="The clock goes on, and the new owner gets one besides.",
)
enum(
    LadderPreset,
    "Escalation ladders that need no writing down.",
    STANDARD="Notify after 15 minutes, the manager after 45, mark after 55, reassign after 60.",
)
