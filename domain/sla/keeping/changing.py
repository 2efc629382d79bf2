"""What happens to running clocks: touches, answers, new owners, pauses and waivers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.errors import DomainError
from domain.handoff import Handoff, HandoffCredit, HandoffStatus, is_clawed_back
from domain.identity import Actor, Permission
from domain.leads import Activity, ActivityKind, Agency, Lead
from domain.ports import Work
from domain.sla.agreement import Commitment, CommitmentKind, Reassignment
from domain.sla.clock import (
    ClockFact,
    ClockState,
    FactKind,
)
from domain.sla.clocks import SlaClock
from domain.sla.keeping.counts import counted_credit
from domain.sla.keeping.starting import new_clock
from domain.sla.keeping.telling import count_change, keep
from domain.sla.keeping.terms import Terms, TermsKey, judged, terms_of
from domain.values import require_text

_TOUCHES = frozenset({ActivityKind.CALL, ActivityKind.EMAIL, ActivityKind.MEETING})


class ClockIsClosed(DomainError):
    """Nothing can be changed about a clock that has ended."""

    code = "CLOCK_IS_CLOSED"

    def __init__(self, clock: SlaClock) -> None:
        super().__init__(f"This clock has ended already ({clock.state}).", path=("clock",))


class NotPaused(DomainError):
    """Only a paused clock can go on."""

    code = "CLOCK_NOT_PAUSED"


async def touched(work: Work, actor: Actor, activity: Activity) -> None:
    """Let an activity count towards what is owed the lead.  The caller holds the lead's lock.

    Notes and automatic replies never count, and neither does what another team did.
    """
    actor.require(Permission.EDIT_LEADS)
    if activity.agency is not Agency.HUMAN or activity.kind not in _TOUCHES:
        return
    clocks = await work.find(SlaClock, lead_id=activity.lead_id, ended_at=None)
    if activity.user_id is not None:
        who, teams = activity.user_id, activity.team_ids
        clocks = [c for c in clocks if c.team_id in teams or c.user_id == who]
    terms = await terms_of(work, clocks)
    for handoff_id in {clock.handoff_id for clock in clocks}:
        changes = {}
        for clock in (c for c in clocks if c.handoff_id == handoff_id):
            kind = _on_touch(terms[clock.judged_by].commitment.kind, activity)
            if kind is not None:
                changes[clock.id] = ClockFact(kind, activity.occurred_at)
        await _apply(work, handoff_id, changes)


async def answered(work: Work, handoff: Handoff) -> None:
    """Let sales' answer to a hand-off stop its clocks, and settle what it counts.

    An answer of any kind keeps the promise to answer.  A rejection or recycling ends the promises
    of touching the buyer with its reason, and they count as neither kept nor broken.  With an
    acceptance they go to whoever accepted.  Why a lead was sent back is feedback; that it was taken
    is none yet.
    """
    if handoff.decided_at is None:
        raise ValueError("the hand-off is not decided")
    clocks = await work.find(SlaClock, handoff_id=handoff.id, ended_at=None)
    if handoff.status is HandoffStatus.ACCEPTED:
        taken = [clock for clock in clocks if clock.user_id != handoff.owner_id]
        await work.save_all([replace(clock, user_id=handoff.owner_id) for clock in taken])
    terms = await terms_of(work, clocks)
    changes = {}
    for clock in clocks:
        kind = _on_decision(terms[clock.judged_by].commitment.kind, handoff.status)
        if kind is not None:
            changes[clock.id] = ClockFact(kind, handoff.decided_at)
    await _apply(work, handoff.id, changes, reason=handoff.decision_reason)
    await settle_credits(work, handoff, was=replace(handoff, status=HandoffStatus.OPEN))


async def given_back(work: Work, handoffs: Sequence[Handoff], *, at: datetime, reason: str) -> None:
    """End what is still owed a lead that goes back to marketing after sales had accepted it."""
    for handoff in handoffs:
        clocks = await work.find(SlaClock, handoff_id=handoff.id, ended_at=None)
        changes = {clock.id: ClockFact(FactKind.CANCELLED, at) for clock in clocks}
        await _apply(work, handoff.id, changes, reason=reason)


async def fed_back(work: Work, handoff_id: UUID, *, at: datetime) -> None:
    """Let what sales told of a hand-off keep the promise of feedback.

    The caller holds the lead's lock, and knows that it was sales who told, and a person: a message
    to marketing, a rating, an opportunity opened or closed.  What the same team owes the same
    person for another hand-off is told with it: after a merge the clock that goes on may be that
    one's.
    """
    handoff = await work.get(Handoff, handoff_id)
    same = await work.find(Handoff, lead_id=handoff.lead_id, to_team_id=handoff.to_team_id)
    ids = tuple(each.id for each in same)
    clocks = await work.find(SlaClock, handoff_id=ids, ended_at=None)
    terms = await terms_of(work, clocks)
    for told_of in sorted({clock.handoff_id for clock in clocks}):
        changes = {
            clock.id: ClockFact(FactKind.SATISFIED, at)
            for clock in clocks
            if clock.handoff_id == told_of
            and terms[clock.judged_by].commitment.kind is CommitmentKind.FEEDBACK
        }
        await _apply(work, told_of, changes)


async def reassigned(work: Work, handoff: Handoff, *, owner_id: UUID) -> None:
    """Give the open clocks of a hand-off to its new owner, as each commitment says.

    Where each owner has a clock of his own, the new one's is a child of the last one's.
    """
    clocks = await work.find(SlaClock, handoff_id=handoff.id, ended_at=None)
    terms = await terms_of(work, clocks)
    newest = {
        clock.commitment_id: clock for clock in sorted(clocks, key=lambda c: (c.started_at, c.id))
    }
    leaving, fresh, moved = {}, [], []
    for clock in newest.values():
        commitment = terms[clock.judged_by].commitment
        if commitment.on_reassignment is Reassignment.CONTINUE:
            moved.append(replace(clock, user_id=owner_id))
            continue
        if commitment.on_reassignment is Reassignment.RESTART:
            leaving[clock.id] = ClockFact(FactKind.TRANSFERRED, work.now)
        owned = replace(handoff, owner_id=owner_id)
        anew = new_clock(owned, commitment, clock.calendar_version_id, work.now)
        fresh.append(replace(anew, parent_id=clock.id))
    await work.save_all(moved)
    before = await work.find(SlaClock, handoff_id=handoff.id)
    started = [judged(clock, terms[clock.judged_by], work.now)[0] for clock in fresh]
    await work.add_all(started)
    after = changed(before, leaving, terms, work.now, "Given to somebody else.")
    await keep(work, before, after, started, terms)


async def waive_clock(work: Work, actor: Actor, clock_id: UUID, *, reason: str) -> SlaClock:
    """Excuse an open clock, for a reason that stays on record."""
    actor.require(Permission.WAIVE_CLOCKS)
    reason = require_text(reason, name="The reason", path=("reason",), longest=2000)
    return await _change_one(work, clock_id, FactKind.WAIVED, reason=reason)


async def pause_clock(work: Work, actor: Actor, clock_id: UUID, *, reason: str) -> SlaClock:
    """Stop an open clock until it is resumed."""
    actor.require(Permission.WAIVE_CLOCKS)
    reason = require_text(reason, name="The reason", path=("reason",), longest=2000)
    return await _change_one(work, clock_id, FactKind.PAUSED, reason=reason)


async def resume_clock(work: Work, actor: Actor, clock_id: UUID) -> SlaClock:
    """Let a paused clock go on."""
    actor.require(Permission.WAIVE_CLOCKS)
    return await _change_one(work, clock_id, FactKind.RESUMED, reason=None)


def _on_decision(kind: CommitmentKind, status: HandoffStatus) -> FactKind | None:
    """Return what a commitment learns from sales' answer."""
    if kind is CommitmentKind.DISPOSITION:
        return FactKind.SATISFIED
    if status is HandoffStatus.ACCEPTED:
        return None
    return FactKind.SATISFIED if kind is CommitmentKind.FEEDBACK else FactKind.CANCELLED


def _on_touch(kind: CommitmentKind, activity: Activity) -> FactKind | None:
    if kind is CommitmentKind.RESPONSE:
        return FactKind.SATISFIED
    if kind is CommitmentKind.ATTEMPTS:
        return FactKind.SATISFIED if activity.answered else FactKind.ATTEMPTED
    if kind is CommitmentKind.FEEDBACK and activity.kind is ActivityKind.MEETING:
        return FactKind.SATISFIED
    return None


async def _apply(
    work: Work,
    handoff_id: UUID,
    changes: Mapping[UUID, ClockFact],
    *,
    reason: str | None = None,
) -> None:
    """Add facts to clocks of one hand-off, and tell and count what follows."""
    if not changes:
        return
    before = await work.find(SlaClock, handoff_id=handoff_id)
    terms = await terms_of(work, before)
    after = changed(before, changes, terms, work.now, reason)
    await keep(work, before, after, [], terms)


def changed(
    clocks: Sequence[SlaClock],
    changes: Mapping[UUID, ClockFact],
    terms: Mapping[TermsKey, Terms],
    now: datetime,
    reason: str | None,
) -> list[SlaClock]:
    after = []
    for clock in clocks:
        fact = changes.get(clock.id)
        if fact is not None:
            known = replace(clock, facts=(*clock.facts, fact))
            fresh, reading = judged(known, terms[clock.judged_by], now)
            # A fact of the past may end a promise before steps that seemed to have been reached.
            steps = min(clock.escalated, len(reading.escalations))
            # A reason belongs to what ends a promise without anybody keeping it.
            told = fact.kind not in (FactKind.SATISFIED, FactKind.ATTEMPTED, FactKind.RESUMED)
            after.append(replace(fresh, escalated=steps, reason=reason if told else fresh.reason))
    return after


async def _change_one(
    work: Work, clock_id: UUID, kind: FactKind, *, reason: str | None
) -> SlaClock:
    seen = await work.get(SlaClock, clock_id)
    await work.get(Lead, seen.lead_id, lock=True)
    before = await work.find(SlaClock, handoff_id=seen.handoff_id)
    clock = next(each for each in before if each.id == clock_id)
    if clock.ended_at is not None:
        raise ClockIsClosed(clock)
    terms = await terms_of(work, before)
    current, _ = judged(clock, terms[clock.judged_by], work.now)
    if kind is FactKind.RESUMED and current.state is not ClockState.PAUSED:
        raise NotPaused("The clock is not paused.", path=("clock",))
    fact = ClockFact(kind, work.now)
    after = changed(before, {clock_id: fact}, terms, work.now, reason)
    await keep(work, before, after, [], terms)
    return await work.get(SlaClock, clock_id)


async def settle_credits(work: Work, handoff: Handoff, *, was: Handoff) -> None:
    """Bring what a hand-off counts into line with what became of it."""
    credits = await work.find(HandoffCredit, handoff_id=handoff.id)
    commitments = await work.find(Commitment, id=tuple(c.commitment_id for c in credits))
    days = {commitment.id: commitment.claw_back_days for commitment in commitments}
    for credit in credits:
        back = is_clawed_back(handoff, within_days=days[credit.commitment_id])
        settled = replace(credit, clawed_back_at=handoff.decided_at if back else None)
        if settled != credit:
            await work.save(settled)
        before, after = counted_credit(was, credit), counted_credit(handoff, settled)
        count_change(work, credit.commitment_id, credit.on, before, after)
