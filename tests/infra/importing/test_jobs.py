from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from domain.errors import AlreadyExists
from domain.feed import LoggedEvent
from domain.handoff import Handoff
from domain.identity import system
from domain.ids import new_id
from domain.import_jobs import (
    LEASE,
    BatchOfRows,
    ClaimLost,
    ImportIsRunning,
    cancel_import,
    claim_import,
    import_batch,
    open_import,
    start_import,
)
from domain.leads import Lead
from domain.uploads import (
    ImportJob,
    ImportRowError,
    JobStatus,
    Upload,
    UploadChunk,
    UploadPurpose,
)
from infra.importing import load_mapping
from infra.importing.jobs import Importer, ImportLoop, run_next
from infra.outbox import publish_all
from infra.refusals import Busy
from tests.agreements import sign
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


async def start(world: World, content: bytes, *, dry_run: bool = False) -> ImportJob:
    kept = await upload(world, content)
    async with world.work() as work:
        return await start_import(
            work,
            world.actor(world.marketer),
            upload_id=kept.id,
            mapping=MAPPING,
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


@pytest.mark.parametrize("after", [0, 1, 2, 3])
async def test_a_killed_reader_loses_nothing_and_doubles_nothing(world: World, after: int) -> None:
    """The kill comes in the middle of a batch: its transaction is never committed."""
    await sign(world)
    content = a_file(20)
    job = await open_job(world, content)
    first = importer(world, job, rows_a_batch=6)

    async def killed(*given: Any) -> ImportJob:
        if first.job.rows == 6 * after:
            raise ConnectionResetError
        return await Importer._commit(first, *given)

    first._commit = killed  # type: ignore[method-assign]  # the process dies there
    with suppress(ConnectionResetError):
        await first.run(chunks(content))
    assert await stored(world) == (6 * after, 6 * after)

    world.wait(seconds=LEASE.total_seconds() + 1)
    job = await open_job(world, content)
    assert job.rows == 6 * after
    job = await importer(world, job, rows_a_batch=6).run(chunks(content))

    assert (job.status, counts(job)) == (JobStatus.DONE, (20, 20, 0, 0, 0))
    assert await stored(world) == (20, 20)


async def test_a_reader_that_wakes_up_late_finds_that_it_lost_the_job(world: World) -> None:
    content = a_file(4)
    asleep = await open_job(world, content)
    world.wait(seconds=LEASE.total_seconds() + 1)
    awake = await open_job(world, content)

    job = await importer(world, asleep).run(chunks(content))

    assert (job.claim, job.rows) == (awake.claim, 0)
    assert await stored(world) == (0, 0)
    with pytest.raises(ClaimLost):
        async with world.work() as work:
            await import_batch(
                work, system(world.tenant.id), asleep, load_mapping(MAPPING), BatchOfRows([], 0)
            )


async def test_a_file_that_is_being_read_is_not_read_twice(world: World) -> None:
    await open_job(world, a_file(4))

    with pytest.raises(ImportIsRunning):
        await open_job(world, a_file(4))
    assert (await open_job(world, a_file(4), fingerprint="0" * 64)).claim == 1


async def test_of_two_workers_one_gets_the_job(world: World) -> None:
    await start(world, a_file(4))
    async with world.work() as one, world.work() as two:
        claims = [await claim_import(work, system(world.tenant.id)) for work in (one, two)]

    assert [None if claim is None else claim.claim for claim in claims] == [1, None]
    async with world.work() as work:
        assert await claim_import(work, system(world.tenant.id)) is None


async def test_another_worker_takes_over_when_the_lease_is_up(world: World) -> None:
    await start(world, a_file(4))
    async with world.work() as work:
        await claim_import(work, system(world.tenant.id))
    await run_all(world)
    assert (await the_job(world)).status is JobStatus.RUNNING

    world.wait(seconds=LEASE.total_seconds() + 1)
    await run_all(world)

    assert (await the_job(world)).status is JobStatus.DONE
    assert await stored(world) == (4, 4)


async def test_a_reader_that_is_stopped_gives_the_job_back(world: World) -> None:
    content = a_file(10)
    reader = importer(world, await open_job(world, content), rows_a_batch=4)
    reader._progress = lambda job: reader.stop()

    job = await reader.run(chunks(content))

    assert (job.status, job.rows, job.claimed_until) == (JobStatus.RUNNING, 4, None)
    job = await importer(world, await open_job(world, content)).run(chunks(content))
    assert (job.status, counts(job)) == (JobStatus.DONE, (10, 10, 0, 0, 0))


async def test_a_reader_that_is_cancelled_gives_the_job_back(world: World) -> None:
    content, reached = a_file(10), asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield content
        reached.set()
        await asyncio.Event().wait()

    reader = asyncio.create_task(importer(world, await open_job(world, content)).run(endless()))
    await reached.wait()
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader

    job = await the_job(world)
    assert (job.status, job.claimed_until) == (JobStatus.RUNNING, None)


async def test_a_cancelled_import_stops_at_once_and_keeps_what_it_has(world: World) -> None:
    content = a_file(10)
    job = await open_job(world, content)
    reader = importer(world, job, rows_a_batch=4)
    commit = reader._commit

    async def cancelled_meanwhile(*given: Any) -> ImportJob:
        if reader.job.rows == 4:
            async with world.work() as work:
                await cancel_import(work, world.actor(), job.id)
        return await commit(*given)

    reader._commit = cancelled_meanwhile  # type: ignore[method-assign]  # somebody cancels just then
    job = await reader.run(chunks(content))

    assert (job.status, job.rows, job.ended_at) == (JobStatus.CANCELLED, 4, world.now)
    assert await stored(world) == (4, 4)


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

    async with asyncio.timeout(20):
        while (await the_job(world)).status is not JobStatus.DONE:  # noqa: ASYNC110  # a loop's work
            await asyncio.sleep(0.01)

    loop.cancel()
    with suppress(asyncio.CancelledError):
        await loop
    assert await stored(world) == (2, 2)


async def test_a_history_in_two_files_is_resumed_by_line_whatever_the_batches(
    world: World,
) -> None:
    content = a_file(5, '"multi\nline@example.com",IE,x', f"eve@example.com,IE,{SEEN}")
    reader = importer(world, await open_job(world, content), rows_a_batch=6)
    reader._progress = lambda job: reader.stop()
    job = await reader.run(chunks(content))
    assert (job.rows, job.last_line) == (6, 7)

    job = await importer(world, await open_job(world, content)).run(chunks(content))

    assert (job.rows, job.last_line, job.created, job.failed) == (7, 9, 6, 1)


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
