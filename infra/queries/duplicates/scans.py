"""What a scan goes on with: the next leads, changes and pairs; and who may go on with it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from domain.duplicates import DuplicateCandidate
from domain.duplicates.comparing import Changes, ChangesAfter
from domain.duplicates.found import CandidateStatus
from domain.duplicates.scanning import (
    CertainPair,
    DuplicateScan,
    NextLeads,
    NextProposed,
    WaitingScan,
)
from domain.feed import LoggedEvent
from domain.leads import Lead
from domain.uploads import JobStatus
from infra.database import PostgresWork, rows_of
from infra.queries import answers
from infra.rows import table_of
from infra.tables import feeds

leads = table_of(Lead)
scans = table_of(DuplicateScan)
candidates = table_of(DuplicateCandidate)
log = table_of(LoggedEvent)


@answers(ChangesAfter)
async def changes_after(work: PostgresWork, question: ChangesAfter) -> Changes:
    """Return the leads of the next events of some kinds, by the index event_log_by_kind.

    Where there are no more, the log was read to its end.
    """
    kinds = sa.literal(list(question.kinds), sa.ARRAY(sa.Text))
    statement = (
        sa.select(log.c.number, log.c.payload)
        .where(log.c.kind == sa.any_(kinds), log.c.number > question.after)
        .order_by(log.c.number)
        .limit(question.limit)
    )
    # First, because what is logged meanwhile is not read.
    last = await work.rows(sa.select(feeds.c.last_number))
    rows = await work.rows(statement)
    until = rows[-1][0] if len(rows) == question.limit else (last[0][0] if last else 0)
    told = [row[1] for row in rows]
    ids = {UUID(each["lead_id"]) for each in told}
    ids |= {UUID(id) for each in told for id in each.get("loser_ids", ())}
    return Changes(frozenset(ids), max(until, question.after, *(row[0] for row in rows), 0))


@answers(NextLeads)
async def next_leads(work: PostgresWork, question: NextLeads) -> Sequence[Lead]:
    """Return the next leads by id, by the primary key."""
    statement = (
        rows_of(Lead).where(leads.c.id > question.after).order_by(leads.c.id).limit(question.limit)
    )
    return await work.fetch(Lead, statement)


@answers(NextProposed)
async def next_proposed(work: PostgresWork, question: NextProposed) -> Sequence[DuplicateCandidate]:
    """Return the next proposed pairs by id, by the primary key."""
    statement = (
        rows_of(DuplicateCandidate)
        .where(
            candidates.c.id > question.after,
            candidates.c.status == CandidateStatus.PROPOSED.value,
        )
        .order_by(candidates.c.id)
        .limit(question.limit)
    )
    return await work.fetch(DuplicateCandidate, statement)


@answers(WaitingScan)
async def waiting_scan(work: PostgresWork, question: WaitingScan) -> DuplicateScan | None:
    """Return the oldest scan that nobody is at, locked; others' are skipped.

    Uses the partial index duplicate_scans_waiting (tenant_id, created_at).
    """
    unfinished = (JobStatus.QUEUED, JobStatus.RUNNING)
    statement = (
        rows_of(DuplicateScan)
        .where(
            sa.or_(*(scans.c.status == status.value for status in unfinished)),
            sa.or_(scans.c.claimed_until.is_(None), scans.c.claimed_until < work.now),
        )
        .order_by(scans.c.created_at, scans.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    found = await work.fetch(DuplicateScan, statement)
    return found[0] if found else None


@answers(CertainPair)
async def certain_pair(work: PostgresWork, question: CertainPair) -> DuplicateCandidate | None:
    """Return the oldest pair that is to be merged, by the index duplicate_candidates_certain."""
    statement = (
        rows_of(DuplicateCandidate)
        .where(candidates.c.certain, candidates.c.status == CandidateStatus.PROPOSED.value)
        .order_by(candidates.c.id)
        .limit(1)
    )
    found = await work.fetch(DuplicateCandidate, statement)
    return found[0] if found else None
