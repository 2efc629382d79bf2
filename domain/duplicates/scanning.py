"""Comparing all leads of a tenant: a job, by batches, that goes on wherever it was left.

The progress is written in the transaction of what was found, as that of an import is: a reader may
be killed at any moment, and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from uuid import UUID

from domain.duplicates.comparing import BATCH, compare, rules_of
from domain.duplicates.found import DuplicateCandidate, DuplicateRules
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
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateScan:
    """The comparing of all leads, in the order of their ids; `after` is the last one compared.

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
    after: UUID = _NOBODY
    started_at: datetime | None = None
    ended_at: datetime | None = None
    claimed_until: datetime | None = None
    claim: int = 0
    error: str | None = None
    version: int = 1

    @property
    def progress_share(self) -> Decimal:
        """How much has been compared, from 0 to 1."""
        if self.status is JobStatus.DONE:
            return Decimal(1)
        share = Decimal(self.compared) / max(self.leads, 1)
        return min(share.quantize(Decimal("0.0001"), ROUND_DOWN), Decimal(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingScan(Question[DuplicateScan | None]):
    """The scan that has waited longest; locked, what others hold is skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextLeads(Question[Sequence[Lead]]):
    """The next leads by id."""

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
    """Compare the next leads with all elder ones, and end the scan with the last.

    Raises:
        ScanLost: if the caller no longer holds the scan.
    """
    actor.require(Permission.MERGE_LEADS)
    scan = await _still_held(work, claimed)
    leads = await work.ask(NextLeads(after=scan.after, limit=limit))
    found = await compare(work, await rules_of(work), leads, elder=True)
    scan = replace(
        scan,
        compared=scan.compared + len(leads),
        found=scan.found + found,
        after=leads[-1].id if leads else scan.after,
        claimed_until=work.now + LEASE,
    )
    if len(leads) < limit:
        scan = replace(scan, status=JobStatus.DONE, ended_at=work.now, claimed_until=None)
    return await _kept(work, scan)


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

    What is waited for goes on, then what has come further, then what was there first.
    """
    actor.require(Permission.MERGE_LEADS)
    pair = await first(work, DuplicateCandidate, id=pair_id, certain=True)
    if pair is None:
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
