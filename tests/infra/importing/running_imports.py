"""Import jobs, started and run in tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from domain.handoff import Handoff
from domain.identity import system
from domain.ids import new_id
from domain.import_jobs import (
    open_import,
    start_import,
)
from domain.leads import Lead
from domain.uploads import (
    ImportJob,
    Upload,
    UploadChunk,
    UploadPurpose,
)
from infra.importing.jobs import Importer, run_next
from tests.world import World

MAPPING = """
[lead]
email = "email"
country = "country"
seen_at = "seen"

[[stage]]
stage = "MQL"
at = "seen"

[hand_off]
at = "seen"
"""
SEEN = "2026-03-02T10:00:00Z"


def a_file(count: int, *more: str) -> bytes:
    rows = [f"ann{number}@example.com,IE,{SEEN}" for number in range(count)]
    return "\n".join(["email,country,seen", *rows, *more, ""]).encode()


async def upload(world: World, content: bytes, *, chunk: int = 64, **changes: Any) -> Upload:
    """Store a file as it would have been sent."""
    values: dict[str, Any] = {
        "id": new_id(),
        "purpose": UploadPurpose.IMPORT,
        "file_name": "leads.csv",
        "created_by": world.marketer.id,
        "created_at": world.now,
        "size": len(content),
        "completed_at": world.now,
    }
    kept = Upload(**{**values, **changes})
    pieces = [content[at : at + chunk] for at in range(0, len(content), chunk)]
    async with world.work() as work:
        await work.add(kept)
        await work.add_all(
            [
                UploadChunk(id=new_id(), upload_id=kept.id, position=position, content=piece)
                for position, piece in enumerate(pieces)
            ]
        )
    return kept


async def start(
    world: World, content: bytes, *, mapping: str = MAPPING, dry_run: bool = False
) -> ImportJob:
    kept = await upload(world, content)
    async with world.work() as work:
        return await start_import(
            work,
            world.actor(world.marketer),
            upload_id=kept.id,
            mapping=mapping,
            dry_run=dry_run,
        )


async def open_job(world: World, content: bytes, **changes: Any) -> ImportJob:
    """Claim a job as the command does that reads the file itself."""
    given = {"file_name": "leads.csv", "fingerprint": "f" * 64, "mapping": MAPPING}
    options = {**given, "dry_run": False, "total_bytes": len(content), **changes}
    async with world.work() as work:
        return await open_import(work, system(world.tenant.id), **options)


async def chunks(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def run_all(world: World) -> None:
    """Run what waits, whoever's it is, until this world's jobs are over."""
    while await run_next(world.database):
        pass


async def the_job(world: World) -> ImportJob:
    async with world.work() as work:
        (job,) = await work.find(ImportJob)
    return job


async def all_of(world: World, kind: type) -> Sequence[Any]:
    async with world.work() as work:
        found: Sequence[Any] = await work.find(kind)
    return found


async def stored(world: World) -> tuple[int, int]:
    return len(await all_of(world, Lead)), len(await all_of(world, Handoff))


def counts(job: ImportJob) -> tuple[int, ...]:
    return job.rows, job.created, job.updated, job.unchanged, job.failed


def importer(world: World, job: ImportJob, **options: Any) -> Importer:
    return Importer(world.database, world.tenant.id, job, **options)
