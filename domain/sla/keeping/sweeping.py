"""Telling what has come by itself, however late it is noticed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.events import EscalationRaised
from domain.identity import Actor, Permission
from domain.leads import Lead
from domain.ports import Question, Work
from domain.sla.clocks import SlaClock
from domain.sla.keeping.telling import keep
from domain.sla.keeping.terms import judged, reached, terms_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DueLeads(Question[Sequence[UUID]]):
    """Leads with a clock that changes by itself by an instant; locked, what others hold skipped."""

    before: datetime
    after: datetime | None
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadLocks(Question[Mapping[UUID, Lead]]):
    """Leads by id, all locked in one order."""

    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did: leads brought up to date, transitions told, steps of ladders reached.

    Where there was a lead there may be more; it may be that none of its clocks changed its state.
    """

    leads: int
    transitions: int
    raised: tuple[EscalationRaised, ...]


async def sweep(
    work: Work, actor: Actor, *, limit: int = 500, after: datetime | None = None
) -> Swept:
    """Tell every change of state that has come by itself, once, at its logical instant.

    Takes leads nobody else holds; their due clocks are read afresh, so it does not matter how late
    the sweep is or how often it runs.  `after` leaves out what was due before an instant.
    """
    actor.require(Permission.WAIVE_CLOCKS)
    leads = await work.ask(DueLeads(before=work.now, after=after, limit=limit))
    if not leads:
        return Swept(0, 0, ())
    before = await work.find(SlaClock, lead_id=tuple(leads), ended_at=None)
    due = {c.id for c in before if c.next_at is not None and c.next_at <= work.now}
    siblings = await work.find(SlaClock, handoff_id=tuple({c.handoff_id for c in before}))
    terms = await terms_of(work, siblings)
    after_all: list[SlaClock] = []
    raised: list[EscalationRaised] = []
    for clock in siblings:
        if clock.id not in due:
            continue
        changed, _ = judged(clock, terms[clock.judged_by], work.now)
        steps = reached(clock, terms[clock.judged_by], work.now)[clock.escalated :]
        raised += steps
        after_all.append(replace(changed, escalated=clock.escalated + len(steps)))
    told = await keep(work, siblings, after_all, [], terms)
    for step in raised:
        work.record(step)
    return Swept(len({c.lead_id for c in before if c.id in due}), told, tuple(raised))
