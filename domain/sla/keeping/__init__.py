"""Keeping the promises: what starts, moves and ends clocks, and how each change is counted.

Whoever changes a hand-off or its clocks holds the lock on the lead.  So the clocks of one lead are
always changed by one transaction at a time, in one order with everything else done to it, and what
is counted is the difference between the clocks before and after.
"""

from domain.sla.keeping.changing import (
    ClockIsClosed,
    NotPaused,
    answered,
    fed_back,
    given_back,
    pause_clock,
    reassigned,
    resume_clock,
    touched,
    waive_clock,
)
from domain.sla.keeping.counts import counted, counted_coverage, counted_credit, worth
from domain.sla.keeping.merging import merged, parted, was_ended
from domain.sla.keeping.starting import credit_delivery, start_clocks
from domain.sla.keeping.sweeping import DueLeads, LeadLocks, Swept, sweep
from domain.sla.keeping.terms import Terms, judged, terms_of

__all__ = [
    "ClockIsClosed",
    "DueLeads",
    "LeadLocks",
    "NotPaused",
    "Swept",
    "Terms",
    "answered",
    "counted",
    "counted_coverage",
    "counted_credit",
    "credit_delivery",
    "fed_back",
    "given_back",
    "judged",
    "merged",
    "parted",
    "pause_clock",
    "reassigned",
    "resume_clock",
    "start_clocks",
    "sweep",
    "terms_of",
    "touched",
    "waive_clock",
    "was_ended",
    "worth",
]
