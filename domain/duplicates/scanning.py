"""Comparing all leads of a tenant: a job, step by step, that goes on wherever it was left.

The progress is written in the transaction of what was found, as that of an import is: a reader may
be killed at any moment, and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from uuid import UUID

from domain.duplicates.comparing import (
    Place,
    compare_again,
    compare_blocks,
    keep_prints,
    rules_of,
)
from domain.duplicates.found import DuplicateCandidate, DuplicateRules
from domain.duplicates.prints import Key
from domain.errors import DomainError, Invalid
from domain.events import DuplicateScanProgressed
from domain.feed import LastNumber
from domain.handoff import Handoff, HandoffStatus
from domain.identity import Actor, Permission
from domain.ids import new_id
from domain.leads import Lead
from domain.merging.joining import merge_leads
from domain.paging import Count, Listing
from domain.ports import Question, Work, by_id, first
from domain.uploads import JobStatus

LEASE = timedelta(seconds=60)
# Leads, or rows of the other steps, that one transaction takes.
BATCH = 1000
_NOBODY = UUID(int=0)
_START = Place()


class ScanStep(StrEnum):
    """What a scan does, one after the other: a step for each key between the first and the last."""

    READ = "READ"
    MAILBOX = "MAILBOX"
    PHONE = "PHONE"
    SOUND = "SOUND"
    LOCAL = "LOCAL"
    WORK_SOUND = "WORK_SOUND"
    WORK_INITIAL = "WORK_INITIAL"
    CHECK = "CHECK"

    @property
    def key(self) -> Key:
        """The key in whose order it goes; the first and the last have none."""
        return Key[self.name]

    @property
    def next(self) -> ScanStep | None:
        """What is done after it."""
        steps = list(ScanStep)
        return None if self is steps[-1] else steps[steps.index(self) + 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateScan:
    """The comparing of all leads: they are read, then compared in the order of each key.

    `after` and `place` are the last row of the step, `done` how many there were; `compared` is how
    many leads were read.  At last the pairs that were known before are checked again.
    `claimed_until` is how long the worker at it is believed to be alive, `claim` counts claims.
    `found` are pairs that were new, whether they were merged since or not.
    """

    id: UUID
    status: JobStatus
    created_at: datetime
    created_by: UUID | None = None
    leads: int = 0
    compared: int = 0
    found: int = 0
    step: ScanStep = ScanStep.READ
    done: int = 0
    after: UUID = _NOBODY
    place: Place = _START
    started_at: datetime | None = None
    ended_at: datetime | None = None
    claimed_until: datetime | None = None
    claim: int = 0
    error: str | None = None
    version: int = 1

    @property
    def progress_share(self) -> Decimal:
        """How much has been done, from 0 to 1: reading counts as half of it."""
        if self.status is JobStatus.DONE:
            return Decimal(1)
        steps = list(ScanStep)[1:]
        share = min(Decimal(self.done) / max(self.leads, 1), Decimal(1))
        before = Decimal(0)
        if self.step is not ScanStep.READ:
            before, share = Decimal(1), (steps.index(self.step) + share) / len(steps)
        return ((before + share) / 2).quantize(Decimal("0.0001"), ROUND_DOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingScan(Question[DuplicateScan | None]):
    """The scan that has waited longest; locked, what others hold is skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextLeads(Question[Sequence[Lead]]):
    """The next leads by id."""

    after: UUID
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NextProposed(Question[Sequence[DuplicateCandidate]]):
    """The next proposed pairs by id."""

    after: UUID
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CertainPair(Question[DuplicateCandidate | None]):
    """The pair that has waited longest to be merged by the tenant's rules."""


class ScanIsOver(DomainError):
    """Nothing can be changed about a scan that has ended."""

    code = "SCAN_IS_OVER"


class ScanLost(Exception):
    """The scan was cancelled, or another worker has taken it over."""


async def set_rules(
    work: Work, actor: Actor, *, merge_from: Decimal | None, propose_from: Decimal
) -> DuplicateRules:
    """Say from which score on leads are merged or proposed, in what is compared from now on."""
    actor.require(Permission.MERGE_LEADS)
    if not 0 < propose_from <= 1:
        raise Invalid("A score lies above 0 and is 1 at most.", path=("proposeFrom",))
    if merge_from is not None and not propose_from <= merge_from <= 1:
        raise Invalid(
            "Leads are merged from the score they are proposed from, or a higher one up to 1.",
            path=("mergeFrom",),
        )
    rules = await _watched(work)
    return await work.save(replace(rules, merge_from=merge_from, propose_from=propose_from))


async def start_scan(work: Work, actor: Actor) -> DuplicateScan:
    """Have all leads compared by whoever is free to do it, and those that change from now on.

    One scan at a time: while one is under way, it is that one that is meant.
    """
    actor.require(Permission.MERGE_LEADS)
    await _watched(work)
    unfinished = await work.find(DuplicateScan, status=(JobStatus.QUEUED, JobStatus.RUNNING))
    if unfinished:
        return unfinished[0]
    scan = DuplicateScan(
        id=new_id(),
        status=JobStatus.QUEUED,
        created_at=work.now,
        created_by=actor.user_id,
        leads=await work.ask(Count(listing=Listing(kind=Lead))),
    )
    _tell(work, scan)
    return await work.add(scan)


async def cancel_scan(work: Work, actor: Actor, scan_id: UUID) -> DuplicateScan:
    """Stop a scan.  What it found stays."""
    actor.require(Permission.MERGE_LEADS)
    scan = await work.get(DuplicateScan, scan_id, lock=True)
    if scan.status.is_over:
        raise ScanIsOver(f"This scan has ended already ({scan.status}).", path=("scan",))
    over = replace(scan, status=JobStatus.CANCELLED, ended_at=work.now, claimed_until=None)
    return await _kept(work, over)


async def claim_scan(work: Work, actor: Actor) -> DuplicateScan | None:
    """Claim the scan that has waited longest, if there is one."""
    actor.require(Permission.MERGE_LEADS)
    scan = await work.ask(WaitingScan())
    if scan is None:
        return None
    return await _kept(
        work,
        replace(
            scan,
            status=JobStatus.RUNNING,
            started_at=scan.started_at or work.now,
            claimed_until=work.now + LEASE,
            claim=scan.claim + 1,
        ),
    )


async def scan_batch(
    work: Work, actor: Actor, claimed: DuplicateScan, *, limit: int = BATCH
) -> DuplicateScan:
    """Do the next part of a scan, and end it with the last.

    Raises:
        ScanLost: if the caller no longer holds the scan.
    """
    actor.require(Permission.MERGE_LEADS)
    scan = await _still_held(work, claimed)
    rules = await rules_of(work)
    match scan.step:
        case ScanStep.READ:
            scan, rows = await _read(work, scan, limit)
        case ScanStep.CHECK:
            scan, rows = await _check(work, scan, rules, limit)
        case _:
            scan, rows = await _go_through(work, scan, rules, limit)
    scan = replace(scan, done=scan.done + rows, claimed_until=work.now + LEASE)
    return await _kept(work, scan if rows == limit else _step_over(scan, work.now))


def _step_over(scan: DuplicateScan, now: datetime) -> DuplicateScan:
    """Return a scan that goes on with its next step, or has ended with its last."""
    step = scan.step.next
    if step is None:
        return replace(scan, status=JobStatus.DONE, ended_at=now, claimed_until=None, place=_START)
    return replace(scan, step=step, done=0, after=_NOBODY, place=_START)


async def _read(work: Work, scan: DuplicateScan, limit: int) -> tuple[DuplicateScan, int]:
    leads = await work.ask(NextLeads(after=scan.after, limit=limit))
    if leads:
        await keep_prints(work, leads)
        scan = replace(scan, compared=scan.compared + len(leads), after=leads[-1].id)
    return scan, len(leads)


async def _go_through(
    work: Work, scan: DuplicateScan, rules: DuplicateRules, limit: int
) -> tuple[DuplicateScan, int]:
    page, found = await compare_blocks(work, rules, scan.step.key, scan.place, limit=limit)
    return replace(scan, found=scan.found + found, place=page.last), page.prints


async def _check(
    work: Work, scan: DuplicateScan, rules: DuplicateRules, limit: int
) -> tuple[DuplicateScan, int]:
    known = await work.ask(NextProposed(after=scan.after, limit=limit))
    if known:
        await compare_again(work, rules, known)
        scan = replace(scan, after=known[-1].id)
    return scan, len(known)


async def leave_scan(
    work: Work, actor: Actor, claimed: DuplicateScan, *, error: str | None = None
) -> DuplicateScan:
    """Give a scan back to whoever comes next, or end it with an error."""
    actor.require(Permission.MERGE_LEADS)
    scan = replace(await _still_held(work, claimed), claimed_until=None)
    if error is not None:
        scan = replace(scan, status=JobStatus.FAILED, error=error, ended_at=work.now)
    return await _kept(work, scan)


async def next_certain(work: Work, actor: Actor) -> UUID | None:
    """Return the pair that the tenant's rules merge next, if there is one."""
    actor.require(Permission.MERGE_LEADS)
    pair = await work.ask(CertainPair())
    return None if pair is None else pair.id


async def merge_certain(work: Work, actor: Actor, pair_id: UUID) -> None:
    """Merge a pair that the tenant's rules merge; one that is gone was merged by somebody else.

    What is waited for goes on, then what has come further, then what was there first.  Rules that
    have become stricter since the pair was found leave it to people.
    """
    actor.require(Permission.MERGE_LEADS)
    pair = await first(work, DuplicateCandidate, id=pair_id, certain=True)
    if pair is None:
        return
    merge_from = (await rules_of(work)).merge_from
    if merge_from is None or pair.score < merge_from:
        await work.save(replace(pair, certain=False))
        return
    leads = by_id(await work.find(Lead, id=(pair.lead_id, pair.other_id)))
    if len(leads) < 2:
        return
    waiting = await work.find(Handoff, lead_id=tuple(leads), status=HandoffStatus.OPEN)
    awaited = {handoff.lead_id for handoff in waiting}
    winner, loser = sorted(leads.values(), key=lambda lead: _precedence(lead, awaited))
    await merge_leads(work, actor, winner.id, [loser.id], automatic=True, score=pair.score)


async def leave_to_people(work: Work, actor: Actor, pair_id: UUID) -> None:
    """Leave a pair to people that could not be merged by rule."""
    actor.require(Permission.MERGE_LEADS)
    pair = await first(work, DuplicateCandidate, id=pair_id, certain=True)
    if pair is not None:
        await work.save(replace(pair, certain=False))


def _precedence(lead: Lead, awaited: set[UUID]) -> tuple[object, ...]:
    return lead.id not in awaited, -lead.stage.rank, lead.created_at, lead.id


async def _watched(work: Work) -> DuplicateRules:
    """Return the tenant's rules; from when it has some, its leads are watched."""
    rules = await first(work, DuplicateRules, lock=True, id=work.tenant_id)
    if rules is not None:
        return rules
    now = await work.ask(LastNumber())
    return await work.add(DuplicateRules(id=work.tenant_id, checked_to=now))


async def _still_held(work: Work, claimed: DuplicateScan) -> DuplicateScan:
    scan = await work.get(DuplicateScan, claimed.id)
    if scan.status is not JobStatus.RUNNING or scan.claim != claimed.claim:
        raise ScanLost(f"{scan.status} {scan.claim}")
    return scan


async def _kept(work: Work, scan: DuplicateScan) -> DuplicateScan:
    _tell(work, scan)
    return await work.save(scan)


def _tell(work: Work, scan: DuplicateScan) -> None:
    work.record(DuplicateScanProgressed(at=work.now, scan_id=scan.id))
