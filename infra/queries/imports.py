"""Reads about imports."""

from __future__ import annotations

import sqlalchemy as sa

from domain.import_jobs import MappingOf, WaitingImport
from domain.imports import LeadMapping
from domain.uploads import ImportJob, JobStatus
from infra.database import PostgresWork, rows_of
from infra.importing import load_mapping
from infra.queries import answers
from infra.rows import table_of

jobs = table_of(ImportJob)


@answers(MappingOf)
async def mapping_of(work: PostgresWork, question: MappingOf) -> LeadMapping:
    """Return a mapping, or refuse it with every fault at once.  Reads no table."""
    return load_mapping(question.document)


@answers(WaitingImport)
async def waiting_import(work: PostgresWork, question: WaitingImport) -> ImportJob | None:
    """Return the oldest upload that nobody reads, locked; other readers' are skipped.

    Uses the partial index import_jobs_waiting (tenant_id, created_at).
    """
    unfinished = (JobStatus.QUEUED, JobStatus.RUNNING)
    unread = sa.or_(jobs.c.claimed_until.is_(None), jobs.c.claimed_until < work.now)
    statement = (
        rows_of(ImportJob)
        .where(
            sa.or_(*(jobs.c.status == status.value for status in unfinished)),
            jobs.c.upload_id.is_not(None),
            unread,
        )
        .order_by(jobs.c.created_at, jobs.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    found = await work.fetch(ImportJob, statement)
    return found[0] if found else None
