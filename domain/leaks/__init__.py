"""Leaks: leads that nobody owns, nobody plans anything with, or nobody has touched for too long."""

from domain.leaks.finding import (
    CountLeaks,
    FoundLeak,
    Leak,
    LeakFigure,
    LeakFigures,
    LeakPage,
    LeakPages,
    LeakReport,
    LeakTotal,
    LeakWanted,
    Threshold,
    find_leaks,
    report_leaks,
)
from domain.leaks.limits import (
    LeakKind,
    LeakLimit,
    StageLimits,
    read_limits,
    set_limits,
    still_in_time_since,
    too_old_from,
)

__all__ = [
    "CountLeaks",
    "FoundLeak",
    "Leak",
    "LeakFigure",
    "LeakFigures",
    "LeakKind",
    "LeakLimit",
    "LeakPage",
    "LeakPages",
    "LeakReport",
    "LeakTotal",
    "LeakWanted",
    "StageLimits",
    "Threshold",
    "find_leaks",
    "read_limits",
    "report_leaks",
    "set_limits",
    "still_in_time_since",
    "too_old_from",
]
