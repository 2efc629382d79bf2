"""Import jobs: what becomes of a file and of its rows."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from domain.errors import AlreadyExists
from domain.feed import LoggedEvent
from domain.import_batches import BatchOfRows
from domain.import_jobs import start_import
from domain.uploads import (
    ImportJob,
    ImportRowError,
    JobStatus,
    UploadChunk,
)
from infra.importing.jobs import Importer, ImportLoop
from infra.outbox import publish_all
from infra.refusals import Busy
from tests.agreements import sign
from tests.infra.importing.running_imports import (
    MAPPING,
    SEEN,
    a_file,
    all_of,
    chunks,
    counts,
    importer,
    open_job,
    run_all,
    start,
    stored,
    the_job,
    upload,
)
from tests.world import World


async def test_an_uploaded_file_is_imported_and_not_kept(world: World) -> None:
    await sign(world)
    await start(world, a_file(30, "bad,IE,2026-03-02", f"eve@example.com,Eire,{SEEN}"))

    await run_all(world)

    job = await the_job(world)
    assert (job.status, counts(job), job.error) == (JobStatus.DONE, (32, 30, 0, 0, 2), None)
    assert (job.done_bytes, job.claimed_until, job.ended_at) == (job.total_bytes, None, world.now)
    errors = await all_of(world, ImportRowError)
    assert [(e.line, e.column, e.code, e.message, e.row) for e in errors] == [
        (
            32,
            "email",
            "BAD_EMAIL",
            "email is no e-mail address: 'bad'.",
            "bad,IE,2026-03-02",
        ),
        (
            33,
            "country",
            "INVALID",
            "A country is given by the two letters of ISO 3166-1.",
            f"eve@example.com,Eire,{SEEN}",
        ),
    ]
    assert await stored(world) == (30, 30)
    assert await all_of(world, UploadChunk) == []


async def test_a_file_that_another_job_has_used_up_is_not_taken_for_a_short_one(
    world: World,
) -> None:
    sent = await upload(world, a_file(20))
    given = {"upload_id": sent.id, "mapping": MAPPING}
    async with world.work() as work:
        await start_import(work, world.actor(world.marketer), **given)
        last = await start_import(work, world.actor(world.marketer), **given)

    await run_all(world)

    statuses = {job.id: (job.status, job.error) for job in await all_of(world, ImportJob)}
    assert statuses[last.id] == (JobStatus.FAILED, "The file is no longer kept; send it again.")
    assert await stored(world) == (20, 20)


async def test_who_asked_for_an_import_is_in_the_log(world: World) -> None:
    await start(world, a_file(1))
    await run_all(world)

    await publish_all(world.database, world.tenant.id)

    log = await all_of(world, LoggedEvent)
    assert {e.by for e in log if e.kind == "LeadCreated"} == {world.marketer.id}
    assert [e.kind for e in log].count("ImportProgressed") == 4


async def test_a_dry_run_counts_everything_and_keeps_nothing(world: World) -> None:
    content = a_file(8, f"ann0@example.com,FR,{SEEN}", f"eve@example.com,Eire,{SEEN}")
    job = await open_job(world, content, dry_run=True)

    job = await importer(world, job, rows_a_batch=3).run(chunks(content))

    # The ninth row speaks of the first one's lead, which an earlier batch would have made.
    assert (job.status, counts(job)) == (JobStatus.DONE, (10, 8, 1, 0, 1))
    assert await stored(world) == (0, 0)
    job = await open_job(world, content)
    job = await importer(world, job, rows_a_batch=3).run(chunks(content))
    assert counts(job) == (10, 8, 1, 0, 1)
    assert await stored(world) == (8, 8)


async def test_the_file_of_a_dry_run_is_kept(world: World) -> None:
    await start(world, a_file(1), dry_run=True)
    await run_all(world)

    assert (await the_job(world)).status is JobStatus.DONE
    assert len(await all_of(world, UploadChunk)) > 0


async def test_a_row_that_the_database_refuses_is_left_out_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = a_file(9)
    reader = importer(world, await open_job(world, content), rows_a_batch=9)
    commit = Importer._commit

    async def refused(self: Importer, mapping: Any, batch: BatchOfRows) -> ImportJob:
        emails = [getattr(each, "email", None) for each in batch.outcomes]
        if "ann5@example.com" in emails:
            raise AlreadyExists("There is already a lead with this e-mail address.")
        return await commit(self, mapping, batch)

    monkeypatch.setattr(Importer, "_commit", refused)
    job = await reader.run(chunks(content))

    assert (job.status, counts(job)) == (JobStatus.DONE, (9, 8, 0, 0, 1))
    (error,) = await all_of(world, ImportRowError)
    assert (error.line, error.code, error.row) == (
        7,
        "ALREADY_EXISTS",
        f"ann5@example.com,IE,{SEEN}",
    )


async def test_two_who_make_the_same_lead_at_once_spoil_no_row(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = a_file(4)
    reader = importer(world, await open_job(world, content))
    commit, tries = Importer._commit, [0]

    async def busy(self: Importer, mapping: Any, batch: BatchOfRows) -> ImportJob:
        tries[0] += 1
        if tries[0] <= 4:
            raise Busy("Somebody else changed the same things; try again.")
        return await commit(self, mapping, batch)

    monkeypatch.setattr(Importer, "_commit", busy)
    job = await reader.run(chunks(content))

    assert (job.status, counts(job)) == (JobStatus.DONE, (4, 4, 0, 0, 0))


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"%PDF-1.7 something", "This is not CSV: it looks like a PDF document."),
        (b"email,land\na@example.com,IE\n", "The file has no column 'country'"),
    ],
)
async def test_a_file_that_cannot_be_read_fails_with_the_reason(
    world: World, content: bytes, error: str
) -> None:
    job = await importer(world, await open_job(world, content)).run(chunks(content))

    assert (job.status, job.rows, job.ended_at) == (JobStatus.FAILED, 0, world.now)
    assert job.error is not None
    assert job.error.startswith(error)


async def test_a_bug_ends_the_job_and_does_not_tell_of_itself(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bug(*given: Any, **options: Any) -> None:
        raise ValueError("secret")

    monkeypatch.setattr("infra.importing.jobs.import_batch", bug)

    job = await importer(world, await open_job(world, a_file(1))).run(chunks(a_file(1)))

    assert (job.status, job.error) == (
        JobStatus.FAILED,
        "Something went wrong on our side; the rows before it are kept.",
    )


async def test_the_loop_reads_what_comes(world: World) -> None:
    loop = asyncio.create_task(ImportLoop(world.database, poll_seconds=0.01).run())
    await start(world, a_file(2))

    async with asyncio.timeout(60):
        while (await the_job(world)).status is not JobStatus.DONE:  # noqa: ASYNC110  # a loop's work
            await asyncio.sleep(0.01)

    loop.cancel()
    with suppress(asyncio.CancelledError):
        await loop
    assert await stored(world) == (2, 2)


def test_progress_is_a_share_of_the_file() -> None:
    job = ImportJob(
        id=UUID(int=1),
        file_name="f",
        fingerprint="0",
        mapping="",
        dry_run=False,
        status=JobStatus.RUNNING,
        created_at=SEEN,  # type: ignore[arg-type]  # not read here
        total_bytes=3,
        done_bytes=1,
    )

    assert str(job.progress_share) == "0.3333"
    assert replace(job, status=JobStatus.DONE).progress_share == 1
    assert replace(job, total_bytes=0).progress_share == 1
