"""Imports as jobs: started, claimed by one reader at a time, interrupted, gone on with, ended.

The progress of a job is written in the transaction of the rows it tells of, and every such
transaction checks that the reader still holds the job.  So a reader may be killed at any moment, or
wake up late: no row is lost and none is taken twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from domain.errors import DomainError, Invalid, NotFound, Refusals
from domain.events import ImportProgressed
from domain.identity import Actor, Permission
from domain.ids import new_id
from domain.imports import (
    RowMapping,
)
from domain.ports import Question, Work, first
from domain.uploads import (
    ImportJob,
    JobStatus,
    Upload,
    UploadChunk,
    UploadPurpose,
)
from domain.values import limited_text

# How long a reader that says nothing is believed to be alive.
LEASE = timedelta(seconds=60)
LONGEST_MAPPING = 64 * 1024


class NotUploaded(Invalid):
    """The upload is not complete, is no file to import, or was imported and removed."""

    code = "NOT_UPLOADED"


class ImportIsOver(DomainError):
    """Nothing can be changed about an import that has ended."""

    code = "IMPORT_IS_OVER"


class ImportIsRunning(DomainError):
    """Somebody else is reading this file at this moment."""

    code = "IMPORT_IS_RUNNING"


class ClaimLost(Exception):
    """The job was cancelled, or another reader has taken it over.  What was read is not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingOf(Question[RowMapping]):
    """The mapping that a TOML document describes, or a refusal of it."""

    document: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingImport(Question[ImportJob | None]):
    """The upload that has waited longest for a reader; locked, what others hold is skipped."""


async def start_import(
    work: Work, actor: Actor, *, upload_id: UUID, mapping: str, dry_run: bool = False
) -> ImportJob:
    """Have an uploaded file imported by whoever is free to do it."""
    actor.require(Permission.IMPORT_LEADS)
    upload = await _uploaded(work, upload_id)
    document = limited_text(mapping, name="The mapping", path=("mapping",), longest=LONGEST_MAPPING)
    await _check_mapping(work, document)
    job = ImportJob(
        id=new_id(),
        file_name=upload.file_name,
        fingerprint=upload.id.hex,
        mapping=document,
        dry_run=dry_run,
        status=JobStatus.QUEUED,
        created_at=work.now,
        created_by=actor.user_id,
        upload_id=upload.id,
        total_bytes=upload.size,
    )
    await work.add(job)
    _tell(work, job)
    return job


async def cancel_import(work: Work, actor: Actor, job_id: UUID) -> ImportJob:
    """Stop an import.  Rows that were taken stay."""
    actor.require(Permission.IMPORT_LEADS)
    job = await work.get(ImportJob, job_id, lock=True)
    if job.status.is_over:
        raise ImportIsOver(f"This import has ended already ({job.status}).", path=("importJob",))
    ended = replace(job, status=JobStatus.CANCELLED, ended_at=work.now, claimed_until=None)
    return await kept(work, ended)


async def open_import(
    work: Work,
    actor: Actor,
    *,
    file_name: str,
    fingerprint: str,
    mapping: str,
    dry_run: bool,
    total_bytes: int,
) -> ImportJob:
    """Claim the unfinished import of a file that the caller reads itself, or begin one.

    The same file by the same mapping goes on where it stopped.

    Raises:
        ImportIsRunning: if another process is reading it.
    """
    actor.require(Permission.IMPORT_LEADS)
    await _check_mapping(work, mapping)
    known = await work.find(
        ImportJob, lock=True, fingerprint=fingerprint, dry_run=dry_run, upload_id=None
    )
    job = next((j for j in known if j.mapping == mapping and not j.status.is_over), None)
    if job is None:
        job = ImportJob(
            id=new_id(),
            file_name=file_name,
            fingerprint=fingerprint,
            mapping=mapping,
            dry_run=dry_run,
            status=JobStatus.QUEUED,
            created_at=work.now,
            created_by=actor.user_id,
            total_bytes=total_bytes,
        )
        await work.add(job)
    elif job.claimed_until is not None and job.claimed_until > work.now:
        raise ImportIsRunning(
            "Another process is importing this file; if it was killed, try again in a minute."
        )
    return await _claimed(work, job)


async def claim_import(work: Work, actor: Actor) -> ImportJob | None:
    """Claim the upload that has waited longest, if there is one."""
    actor.require(Permission.IMPORT_LEADS)
    job = await work.ask(WaitingImport())
    return None if job is None else await _claimed(work, job)


async def leave_import(work: Work, actor: Actor, claimed: ImportJob) -> ImportJob:
    """Give a job back, to be gone on with by whoever comes next."""
    actor.require(Permission.IMPORT_LEADS)
    job = await still_held(work, claimed)
    return await kept(work, replace(job, claimed_until=None))


async def end_import(
    work: Work, actor: Actor, claimed: ImportJob, *, error: str | None = None
) -> ImportJob:
    """End a job: done, or failed with an error.  A file that was imported is not kept."""
    actor.require(Permission.IMPORT_LEADS)
    job = await still_held(work, claimed)
    done = error is None
    job = replace(
        job,
        status=JobStatus.DONE if done else JobStatus.FAILED,
        error=error,
        done_bytes=job.total_bytes if done else job.done_bytes,
        ended_at=work.now,
        claimed_until=None,
    )
    if done and not job.dry_run and job.upload_id is not None:
        await work.delete(UploadChunk, upload_id=job.upload_id)
    return await kept(work, job)


async def _uploaded(work: Work, upload_id: UUID) -> Upload:
    try:
        upload = await work.get(Upload, upload_id)
    except NotFound:
        raise NotFound("upload", path=("upload",)) from None
    if upload.purpose is not UploadPurpose.IMPORT:
        raise NotUploaded("This upload is no file to import.", path=("upload",))
    if upload.completed_at is None:
        raise NotUploaded("The file has not arrived yet; send it first.", path=("upload",))
    if await first(work, UploadChunk, upload_id=upload.id, position=0) is None:
        raise NotUploaded("The file is not kept any more; send it again.", path=("upload",))
    return upload


async def _check_mapping(work: Work, document: str) -> None:
    try:
        await work.ask(MappingOf(document=document))
    except DomainError as refusal:
        single = refusal.refusals if isinstance(refusal, Refusals) else (refusal,)
        for each in single:
            each.path = ("mapping", *each.path)
        raise


async def _claimed(work: Work, job: ImportJob) -> ImportJob:
    return await kept(
        work,
        replace(
            job,
            status=JobStatus.RUNNING,
            started_at=job.started_at or work.now,
            claimed_until=work.now + LEASE,
            claim=job.claim + 1,
        ),
    )


async def still_held(work: Work, claimed: ImportJob) -> ImportJob:
    """Return the job as it is now.  It is saved by its version, so nobody need be kept off it."""
    job = await work.get(ImportJob, claimed.id)
    if job.status is not JobStatus.RUNNING or job.claim != claimed.claim:
        raise ClaimLost(f"{job.status} {job.claim}")
    return job


async def kept(work: Work, job: ImportJob) -> ImportJob:
    _tell(work, job)
    return await work.save(job)


def _tell(work: Work, job: ImportJob) -> None:
    work.record(ImportProgressed(at=work.now, job_id=job.id))
