"""What a new hand-off starts and what it counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.handoff import Handoff, HandoffCredit, is_clawed_back
from domain.ids import new_id
from domain.leads import Lead
from domain.ports import Work
from domain.sla.agreeing import calendar_version_at
from domain.sla.agreement import Commitment, CommitmentKind, Sla
from domain.sla.calendar import always_open
from domain.sla.clock import (
    ClockState,
)
from domain.sla.clocks import SlaClock, SlaTally
from domain.sla.keeping.counts import counted_credit, worth
from domain.sla.keeping.telling import tell
from domain.sla.keeping.terms import Terms, judged, local_day


async def start_clocks(
    work: Work, handoff: Handoff, sla: Sla, commitments: Sequence[Commitment]
) -> tuple[SlaClock, ...]:
    """Start what sales owes a new hand-off, and count it."""
    calendar = await calendar_version_at(work, sla.calendar_id, handoff.handed_off_at)
    started = []
    for commitment in commitments:
        if commitment.kind.is_timed:
            clock = new_clock(handoff, commitment, calendar.id, handoff.handed_off_at)
            hours = calendar.hours if commitment.working_time else always_open(sla.time_zone)
            started.append((clock, Terms(sla, commitment, hours)))
    read = [judged(clock, terms, work.now) for clock, terms in started]
    # What had been reached before anybody could know is told, but nothing is done about it.
    after = [replace(clock, escalated=len(reading.escalations)) for clock, reading in read]
    await work.add_all(after)
    await tell(work, {}, after, {clock.judged_by: terms for clock, terms in started}, commitments)
    return tuple(after)


async def credit_delivery(
    work: Work, handoff: Handoff, lead: Lead, sla: Sla, commitments: Sequence[Commitment]
) -> None:
    """Count a hand-off towards what marketing promised, as it stands."""
    on = local_day(sla, handoff.handed_off_at)
    for commitment in commitments:
        units = worth(lead, commitment) if commitment.kind is CommitmentKind.DELIVERY else None
        if units is None:
            continue
        back = is_clawed_back(handoff, within_days=commitment.claw_back_days)
        credit = HandoffCredit(
            id=new_id(),
            handoff_id=handoff.id,
            commitment_id=commitment.id,
            on=on,
            units=units,
            clawed_back_at=handoff.decided_at if back else None,
        )
        await work.add(credit)
        work.count(SlaTally, on=on, by=counted_credit(handoff, credit), commitment_id=commitment.id)


def new_clock(
    handoff: Handoff, commitment: Commitment, calendar_version_id: UUID, at: datetime
) -> SlaClock:
    return SlaClock(
        id=new_id(),
        sla_id=commitment.sla_id,
        commitment_id=commitment.id,
        handoff_id=handoff.id,
        lead_id=handoff.lead_id,
        team_id=handoff.to_team_id,
        calendar_version_id=calendar_version_id,
        started_at=at,
        facts=(),
        state=ClockState.SCHEDULED,
        due_at=at,
        transitions=(),
        user_id=handoff.owner_id,
    )
