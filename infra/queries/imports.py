"""Reads about imports."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from domain.import_jobs import MappingOf, WaitingImport
from domain.imports import RowMapping
from domain.upload_flow import UnusedUploads
from domain.uploads import ImportJob, JobStatus, Upload, UploadChunk
from infra.database import PostgresWork, rows_of
from infra.importing import load_mapping
from infra.queries import answers
from infra.rows import table_of

jobs = table_of(ImportJob)
uploads = table_of(Upload)
chunks = table_of(UploadChunk)

_UNFINISHED = (JobStatus.QUEUED, JobStatus.RUNNING)


@answers(MappingOf)
async def mapping_of(work: PostgresWork, question: MappingOf) -> RowMapping:
    """Return a mapping, or refuse it with every fault at once.  Reads no table."""
    return load_mapping(question.document)


@answers(WaitingImport)
async def waiting_import(work: PostgresWork, question: WaitingImport) -> ImportJob | None:
    """Return the oldest upload that nobody reads, locked; other readers' are skipped.

    Uses the partial index import_jobs_waiting (tenant_id, created_at).
    """
    unread = sa.or_(jobs.c.claimed_until.is_(None), jobs.c.claimed_until < work.now)
    statement = (
        rows_of(ImportJob)
        .where(
            sa.or_(*(jobs.c.status == status.value for status in _UNFINISHED)),
            jobs.c.upload_id.is_not(None),
            unread,
        )
        .order_by(jobs.c.created_at, jobs.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    found = await work.fetch(ImportJob, statement)
    return found[0] if found else None


@answers(UnusedUploads)
async def unused_uploads(work: PostgresWork, question: UnusedUploads) -> Sequence[UUID]:
    """Return the ids of files to let go of.  Uses the index upload_chunks_position."""
    is_kept = sa.exists().where(
        chunks.c.tenant_id == uploads.c.tenant_id, chunks.c.upload_id == uploads.c.id
    )
    is_read = sa.exists().where(
        jobs.c.tenant_id == uploads.c.tenant_id,
        jobs.c.upload_id == uploads.c.id,
        sa.or_(*(jobs.c.status == status.value for status in _UNFINISHED)),
    )
    statement = (
        sa.select(uploads.c.id)
        .where(uploads.c.created_at < question.before, is_kept, ~is_read)
        .order_by(uploads.c.created_at, uploads.c.id)
        .limit(question.limit)
    )
    return [row[0] for row in await work.rows(statement)]
