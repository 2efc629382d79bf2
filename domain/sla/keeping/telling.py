"""Storing changed clocks, and telling and counting each difference once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from domain.events import ClockTransitioned
from domain.goals.targets import EVERYBODY, MetricTally
from domain.identity import Tenant
from domain.ports import Work
from domain.sla.agreement import Commitment, CommitmentKind
from domain.sla.calendar import always_open
from domain.sla.clock import (
    ClockState,
)
from domain.sla.clocks import SlaClock, SlaTally
from domain.sla.keeping.counts import EXCUSED, counted, counted_coverage
from domain.sla.keeping.terms import Terms, TermsKey, local_day


async def keep(
    work: Work,
    before: Sequence[SlaClock],
    after: Sequence[SlaClock],
    started: Sequence[SlaClock],
    terms: Mapping[TermsKey, Terms],
) -> int:
    """Store changed clocks, and tell and count the differences; return how many were told."""
    await work.save_all(after)
    slas = {t.sla.id for t in terms.values()}
    coverage = await work.find(Commitment, sla_id=tuple(slas), kind=CommitmentKind.COVERAGE)
    old = {clock.id: clock for clock in before}
    return await tell(work, old, [*after, *started], terms, coverage)


async def tell(
    work: Work,
    before: Mapping[UUID, SlaClock],
    after: Sequence[SlaClock],
    terms: Mapping[TermsKey, Terms],
    commitments: Sequence[Commitment],
) -> int:
    told = 0
    for clock in after:
        old = before.get(clock.id)
        told += _tell_transitions(work, clock, old)
        sla = terms[clock.judged_by].sla
        on = local_day(sla, clock.started_at)
        count_change(work, clock.commitment_id, on, counted(old), counted(clock))
        await _count_response(work, terms[clock.judged_by].commitment, clock, old)
    for handoff_id in {clock.handoff_id for clock in after}:
        _count_coverage(work, handoff_id, before, after, terms, commitments)
    return told


def _tell_transitions(work: Work, clock: SlaClock, old: SlaClock | None) -> int:
    known = set(old.transitions) if old else set()
    fresh = [step for step in clock.transitions if step not in known]
    for step in fresh:
        work.record(
            ClockTransitioned(
                at=step.at,
                clock_id=clock.id,
                sla_id=clock.sla_id,
                commitment_id=clock.commitment_id,
                handoff_id=clock.handoff_id,
                lead_id=clock.lead_id,
                user_id=clock.user_id,
                state=step.state,
                reason=clock.reason if step.state in EXCUSED else None,
            )
        )
    return len(fresh)


def _count_coverage(
    work: Work,
    handoff_id: UUID,
    before: Mapping[UUID, SlaClock],
    after: Sequence[SlaClock],
    terms: Mapping[TermsKey, Terms],
    commitments: Sequence[Commitment],
) -> None:
    """Count a hand-off's coverage on the day its first clock started."""
    changed = {clock.id: clock for clock in after if clock.handoff_id == handoff_id}
    old = {id: clock for id, clock in before.items() if clock.handoff_id == handoff_id}
    new = {**old, **changed}
    sla = terms[next(iter(changed.values())).judged_by].sla
    on = local_day(sla, min(clock.started_at for clock in new.values()))
    for commitment in commitments:
        if commitment.kind is CommitmentKind.COVERAGE and commitment.sla_id == sla.id:
            was, now = counted_coverage(old.values()), counted_coverage(new.values())
            count_change(work, commitment.id, on, was, now)


async def _count_response(
    work: Work, commitment: Commitment, clock: SlaClock, old: SlaClock | None
) -> None:
    """Count what the goal metric "response rate" is made of, on the day it was settled."""
    if commitment.kind is not CommitmentKind.RESPONSE or clock.ended_at is None:
        return
    if clock.state in EXCUSED or (old is not None and old.ended_at is not None):
        return
    tenant = await work.get(Tenant, work.tenant_id)
    on = always_open(tenant.time_zone).local_day(clock.ended_at)
    names = {"RESPONSES_CLOSED": 1, "RESPONSES_MET": int(clock.state is ClockState.MET)}
    for metric, amount in names.items():
        for team_id in (EVERYBODY, clock.team_id):
            work.count(MetricTally, on=on, by={"amount": amount}, metric=metric, team_id=team_id)


def count_change(
    work: Work, commitment_id: UUID, on: date, was: Mapping[str, int], now: Mapping[str, int]
) -> None:
    change = {name: now.get(name, 0) - was.get(name, 0) for name in {*was, *now}}
    work.count(SlaTally, on=on, by=change, commitment_id=commitment_id)
