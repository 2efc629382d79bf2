"""Working time: when a team is at work, and how much of that lies between two instants.

The law of the wall clock: an edge of a window is the first instant at which the clock on the
team's wall reaches it.  So an edge in the hour that spring skips is the moment of the jump, one in
the hour that autumn repeats is its first pass, and everything between two edges is time that
really passes: a window over the change is an hour shorter or longer.

A window belongs to the day it opens on, also when it ends on the next: closing a holiday leaves
the night shift of the eve alone.  Windows that overlap or touch are united.

Instants go in aware and come out in UTC, exact to the microsecond.  Nothing here steps through
time: the openings of one UTC year are laid out once, with a running total, and kept in a bounded
cache; a question about ten years is ten additions.
"""

from domain.sla.calendar.acceptance import check, is_time_zone
from domain.sla.calendar.hours import DayOverride, Window, WorkingHours, always_open
from domain.sla.calendar.refusals import (
    CalendarNeverOpens,
    DeadlineTooFar,
    InstantOutOfRange,
    UnknownTimeZone,
)

__all__ = [
    "CalendarNeverOpens",
    "DayOverride",
    "DeadlineTooFar",
    "InstantOutOfRange",
    "UnknownTimeZone",
    "Window",
    "WorkingHours",
    "always_open",
    "check",
    "is_time_zone",
]
