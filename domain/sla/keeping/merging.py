"""The promises about leads that turn out to be one person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.handoff import Handoff, HandoffStatus, decided
from domain.ports import Work
from domain.sla.clock import ClockFact, FactKind
from domain.sla.clocks import SlaClock
from domain.sla.keeping.changing import changed, settle_credits
from domain.sla.keeping.telling import keep
from domain.sla.keeping.terms import judged, terms_of

MERGED = "This person had been handed off already, as another lead."
GOES_ON = "An earlier promise of the same kind to the same person goes on."
LEFT_ALONE = "This person must not be contacted."


def going_on(handoffs: Sequence[Handoff], clocks: Sequence[SlaClock]) -> Handoff | None:
    """Return the open hand-off that goes on of several: the one with the earliest open clock.

    Where none has any, the one that was made first.
    """
    begun: dict[UUID, datetime] = {}
    for clock in clocks:
        if clock.ended_at is None:
            known = begun.get(clock.handoff_id, clock.started_at)
            begun[clock.handoff_id] = min(known, clock.started_at)
    waiting = [handoff for handoff in handoffs if handoff.is_open]
    return min(
        waiting,
        key=lambda h: (begun.get(h.id, h.handed_off_at), h.handed_off_at, h.id),
        default=None,
    )


def endings(
    clocks: Sequence[SlaClock], ended: frozenset[UUID], at: datetime
) -> Mapping[UUID, ClockFact]:
    """Return what ends the open clocks that do not go on, by their ids.

    Of the clocks of one commitment those of one hand-off go on, the earliest's, and the others'
    are transferred to them.  What only a hand-off that has ended was promised is cancelled.
    """
    facts = {}
    still = [clock for clock in clocks if clock.ended_at is None]
    for commitment_id in {clock.commitment_id for clock in still}:
        same = [clock for clock in still if clock.commitment_id == commitment_id]
        lasting = [clock for clock in same if clock.handoff_id not in ended]
        first = min(lasting, key=lambda clock: (clock.started_at, clock.id), default=None)
        kind = FactKind.CANCELLED if first is None else FactKind.TRANSFERRED
        for clock in same:
            if first is None or clock.handoff_id != first.handoff_id:
                facts[clock.id] = ClockFact(kind, at)
    return facts


async def merged(
    work: Work,
    handoffs: Sequence[Handoff],
    *,
    by: UUID | None,
    is_with_sales: bool,
    do_not_contact: bool,
) -> None:
    """End what is promised twice about leads that become one.  The caller holds all their locks.

    Of a person who is with sales already, nobody waits for an answer any more; and to one who must
    not be contacted nothing is owed.
    """
    before = await work.find(SlaClock, handoff_id=tuple(handoff.id for handoff in handoffs))
    first = None if is_with_sales else going_on(handoffs, before)
    doubles = [h for h in handoffs if h.is_open and (first is None or h.id != first.id)]
    facts = endings(before, frozenset(handoff.id for handoff in doubles), work.now)
    if do_not_contact:
        still = [clock.id for clock in before if clock.ended_at is None]
        facts = dict.fromkeys(still, ClockFact(FactKind.CANCELLED, work.now))
    if facts:
        terms = await terms_of(work, before)
        after = [
            clock
            for kind, reason in (
                (FactKind.TRANSFERRED, GOES_ON),
                (FactKind.CANCELLED, LEFT_ALONE if do_not_contact else MERGED),
            )
            for clock in changed(
                before,
                {id: fact for id, fact in facts.items() if fact.kind is kind},
                terms,
                work.now,
                reason,
            )
        ]
        await keep(work, before, after, [], terms)
    for handoff in doubles:
        over = decided(
            handoff, HandoffStatus.MERGED, by=by, at=work.now, heard_at=work.now, reason=MERGED
        )
        await settle_credits(work, await work.save(over), was=handoff)


async def parted(work: Work, handoffs: Sequence[Handoff], clocks: Sequence[SlaClock]) -> None:
    """Let hand-offs and clocks that were ended by a merge go on, as they were before it."""
    now = {h.id: h for h in await work.find(Handoff, id=tuple(h.id for h in handoffs))}
    for handoff in handoffs:
        current = now[handoff.id]
        if current.status is HandoffStatus.MERGED:
            open_again = replace(handoff, lead_id=current.lead_id, version=current.version)
            await settle_credits(work, await work.save(open_again), was=current)
    await _run_again(work, clocks)


async def _run_again(work: Work, clocks: Sequence[SlaClock]) -> None:
    current = await work.find(SlaClock, id=tuple(clock.id for clock in clocks))
    was = {clock.id: clock for clock in clocks}
    ended = {c.id: c for c in current if was_ended(was[c.id], c)}
    if not ended:
        return
    handoff_ids = tuple({clock.handoff_id for clock in ended.values()})
    before = await work.find(SlaClock, handoff_id=handoff_ids)
    terms = await terms_of(work, before)
    after = []
    for clock in ended.values():
        old = was[clock.id]
        again = replace(clock, facts=old.facts, reason=old.reason, escalated=old.escalated)
        after.append(judged(again, terms[clock.judged_by], work.now)[0])
    await keep(work, before, after, [], terms)


def was_ended(before: SlaClock, now: SlaClock) -> bool:
    """Say whether a clock that was open before a merge was ended by it, and not by anybody else."""
    if len(now.facts) != len(before.facts) + 1 or now.facts[:-1] != before.facts:
        return False
    told = {FactKind.TRANSFERRED: (GOES_ON,), FactKind.CANCELLED: (MERGED, LEFT_ALONE)}
    return now.reason in told.get(now.facts[-1].kind, ())
