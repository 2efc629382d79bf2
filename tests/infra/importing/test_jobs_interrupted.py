"""Import jobs that are interrupted, taken over, given back or cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from domain.identity import system
from domain.import_batches import BatchOfRows, import_batch
from domain.import_jobs import LEASE, ClaimLost, ImportIsRunning, cancel_import, claim_import
from domain.uploads import (
    ImportJob,
    JobStatus,
)
from infra.importing import load_mapping
from infra.importing.jobs import Importer
from tests.agreements import sign
from tests.infra.importing.running_imports import (
    MAPPING,
    SEEN,
    a_file,
    chunks,
    counts,
    importer,
    open_job,
    run_all,
    start,
    stored,
    the_job,
)
from tests.world import World


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
