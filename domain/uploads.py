"""Files that people send, and the imports that read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from uuid import UUID

from domain.identity import Permission


class UploadPurpose(StrEnum):
    """What a file is for."""

    IMPORT = "IMPORT"
    PERSONA_PHOTO = "PERSONA_PHOTO"

    @property
    def needs(self) -> Permission:
        """What somebody who sends such a file must be allowed to do."""
        return _NEEDS[self]


_NEEDS = {
    UploadPurpose.IMPORT: Permission.IMPORT_LEADS,
    UploadPurpose.PERSONA_PHOTO: Permission.EDIT_PERSONAS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file, kept in chunks until it has been used.

    `size` counts bytes: as announced at first, as received once it is complete; 0 where it was not
    announced.  Every attempt to send it takes a new `version`, and only the last one counts.
    """

    id: UUID
    purpose: UploadPurpose
    file_name: str
    created_by: UUID | None
    created_at: datetime
    persona_id: UUID | None = None
    size: int = 0
    completed_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadChunk:
    """One piece of a file."""

    id: UUID
    upload_id: UUID
    position: int
    content: bytes


class JobStatus(StrEnum):
    """How far a job has come."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_over(self) -> bool:
        return self in {JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED}


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportJob:
    """The reading of one file.

    `last_line` is where the last committed row ended: an interrupted import goes on from there.
    `claimed_until` is how long the worker that reads it is believed to be alive, `claim` counts
    claims, so that a worker that wakes up late finds that it no longer holds the job.
    """

    id: UUID
    file_name: str
    fingerprint: str
    mapping: str
    dry_run: bool
    status: JobStatus
    created_at: datetime
    created_by: UUID | None = None
    upload_id: UUID | None = None
    total_bytes: int = 0
    done_bytes: int = 0
    last_line: int = 0
    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    claimed_until: datetime | None = None
    claim: int = 0
    error: str | None = None
    version: int = 1

    @property
    def progress_share(self) -> Decimal:
        """How much of the file has been dealt with, from 0 to 1."""
        if self.status is JobStatus.DONE:
            return Decimal(1)
        share = Decimal(self.done_bytes) / max(self.total_bytes, 1)
        return min(share.quantize(Decimal("0.0001"), ROUND_DOWN), Decimal(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRowError:
    """Why one row of a file was not taken.  `line` is where it begins in the file."""

    id: UUID
    job_id: UUID
    line: int
    column: str | None
    code: str
    message: str
    row: str | None = None
