"""What clocks and hand-offs add to the tallies, as rules: before, after, and the difference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from domain.filters import matches, parsed
from domain.handoff import Handoff, HandoffCredit, HandoffStatus
from domain.leads import LEAD_FIELDS, Lead
from domain.sla.agreement import Commitment, Measure
from domain.sla.clock import (
    ClockState,
)
from domain.sla.clocks import SlaClock

EXCUSED = frozenset({ClockState.WAIVED, ClockState.CANCELLED, ClockState.TRANSFERRED})


def counted(clock: SlaClock | None) -> dict[str, int]:
    """Return what one clock adds to its commitment's tally."""
    if clock is None:
        return {}
    return {
        "opened": 1,
        "met": int(clock.state is ClockState.MET),
        "met_late": int(clock.state is ClockState.MET_LATE),
        "breached": int(_was_late(clock)),
        "excused": int(clock.state in EXCUSED),
    }


def counted_coverage(clocks: Iterable[SlaClock]) -> dict[str, int]:
    """Return what the clocks of one hand-off add to the tally of a coverage commitment.

    A hand-off is covered when every promise about it was kept in time, those that were excused
    aside, and uncovered as soon as one was late.
    """
    judged_by = [clock for clock in clocks if clock.state not in EXCUSED]
    kept = judged_by and all(clock.state is ClockState.MET for clock in judged_by)
    return {
        "opened": int(bool(judged_by)),
        "met": int(bool(kept)),
        "breached": int(any(_was_late(clock) for clock in judged_by)),
    }


def counted_credit(handoff: Handoff, credit: HandoffCredit) -> dict[str, int]:
    """Return what one hand-off adds to the tally of a delivery commitment."""
    return {
        "delivered": credit.units,
        "clawed_back": credit.units if credit.clawed_back_at else 0,
        "handed_off": 1,
        "accepted": int(handoff.status is HandoffStatus.ACCEPTED),
        "rejected": int(handoff.status is HandoffStatus.REJECTED),
    }


def worth(lead: Lead, commitment: Commitment) -> int | None:
    """Return what a lead counts towards a delivery commitment, or None if it does not qualify."""
    if commitment.persona_id is not None and lead.persona_id != commitment.persona_id:
        return None
    if commitment.segment is not None and not _meets(lead, commitment.segment):
        return None
    if commitment.measure is Measure.COUNT:
        return 1
    found = next((rule for rule in commitment.values if _meets(lead, rule.criterion)), None)
    return None if found is None else found.units


def _meets(lead: Lead, criterion: Mapping[str, Any]) -> bool:
    return matches(parsed(criterion, LEAD_FIELDS), lead)


def _was_late(clock: SlaClock) -> bool:
    return any(step.state is ClockState.BREACHED for step in clock.transitions)
