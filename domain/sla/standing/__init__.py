"""How an agreement stands: which side is ahead or behind, by how much, and from which numbers.

What is read are the daily tallies of its commitments and its open clocks, never leads or
hand-offs, so the cost does not grow with either.  The open clocks are looked at afresh on every
read, because "due soon" and "late" come with the time and not with an event.
"""

from domain.sla.standing.counts import CountsOf, DayCounts, UnsweptHandoffs
from domain.sla.standing.figures import (
    CommitmentStanding,
    ExplainedInput,
    Explanation,
    SeriesDay,
    SideStanding,
    SlaStanding,
    Unit,
)
from domain.sla.standing.reading import sla_standing, standing_of
from domain.sla.standing.timing import Moment, force_window, moment_of, next_look
from domain.sla.standing.verdicts import alignment_index, worst

__all__ = [
    "CommitmentStanding",
    "CountsOf",
    "DayCounts",
    "ExplainedInput",
    "Explanation",
    "Moment",
    "SeriesDay",
    "SideStanding",
    "SlaStanding",
    "Unit",
    "UnsweptHandoffs",
    "alignment_index",
    "force_window",
    "moment_of",
    "next_look",
    "sla_standing",
    "standing_of",
    "worst",
]
