"""What a clock is judged by, and how it stands by that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol, TypeAlias
from uuid import UUID

from domain.events import EscalationRaised
from domain.ports import Work
from domain.sla.agreeing import hours_of, policy_of
from domain.sla.agreement import Commitment, Sla
from domain.sla.calendar import WorkingHours, always_open
from domain.sla.clock import (
    ClockReading,
    read,
)
from domain.sla.clocks import SlaClock

TermsKey: TypeAlias = tuple[UUID, UUID]


class Promised(Protocol):
    """What says by what it is judged: a clock, or as much of one as that takes."""

    @property
    def sla_id(self) -> UUID: ...
    @property
    def commitment_id(self) -> UUID: ...
    @property
    def calendar_version_id(self) -> UUID: ...
    @property
    def judged_by(self) -> TermsKey: ...


@dataclass(frozen=True, slots=True)
class Terms:
    """What a clock is judged by: its agreement, its commitment and its hours."""

    sla: Sla
    commitment: Commitment
    hours: WorkingHours


def judged(clock: SlaClock, terms: Terms, now: datetime) -> tuple[SlaClock, ClockReading]:
    """Return a clock as it stands at an instant, and the reading it follows from."""
    reading = read(
        started_at=clock.started_at,
        policy=policy_of(terms.commitment),
        facts=clock.facts,
        hours=terms.hours,
        now=now,
    )
    return replace(
        clock,
        state=reading.state,
        due_at=reading.due_at,
        warn_at=reading.warn_at,
        next_at=reading.next_at,
        ended_at=reading.ended_at,
        transitions=reading.transitions,
    ), reading


def reached(clock: SlaClock, terms: Terms, now: datetime) -> tuple[EscalationRaised, ...]:
    """Return the steps of the ladder that a clock has reached, from the first on."""
    _, reading = judged(clock, terms, now)
    return tuple(
        EscalationRaised(
            at=step.at,
            clock_id=clock.id,
            handoff_id=clock.handoff_id,
            lead_id=clock.lead_id,
            user_id=clock.user_id,
            step=step.index,
            action=step.step.action,
        )
        for step in reading.escalations
    )


async def terms_of(work: Work, clocks: Sequence[Promised]) -> dict[TermsKey, Terms]:
    """Return what clocks are judged by: each its commitment, on the calendar it started under."""
    if not clocks:
        return {}
    slas = {s.id: s for s in await work.find(Sla, id=tuple({c.sla_id for c in clocks}))}
    ids = tuple({clock.commitment_id for clock in clocks})
    commitments = {c.id: c for c in await work.find(Commitment, id=ids)}
    found: dict[TermsKey, Terms] = {}
    for clock in clocks:
        if clock.judged_by not in found:
            commitment, sla = commitments[clock.commitment_id], slas[clock.sla_id]
            hours = always_open(sla.time_zone)
            if commitment.working_time:
                hours = await hours_of(work, clock.calendar_version_id)
            found[clock.judged_by] = Terms(sla, commitment, hours)
    return found


def local_day(sla: Sla, at: datetime) -> date:
    return always_open(sla.time_zone).local_day(at)
