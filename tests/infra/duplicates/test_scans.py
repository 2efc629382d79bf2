"""Scans are begun, held, left, taken up again and ended."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from domain.duplicates.scanning import (
    DuplicateScan,
    ScanLost,
    cancel_scan,
    claim_scan,
    leave_scan,
    scan_batch,
)
from domain.errors import AlreadyExists, StaleWrite
from domain.identity import system
from domain.merging import LeadMerge
from domain.uploads import JobStatus
from infra.duplicates import DuplicateFinder
from infra.outbox import publish_all
from tests.infra.duplicates.scanning import ACME, a_lead, begin, find, leads, pairs, two_alike
from tests.world import World


async def test_a_scan_goes_on_where_it_was_left(world: World) -> None:
    for number in range(5):
        email = f"ann{number}@acme.example"
        await a_lead(world, email, first_name="Ann", last_name="Lee", company=ACME)
    await begin(world)
    actor = system(world.tenant.id)
    async with world.work() as work:
        scan = await claim_scan(work, actor)
    async with world.work() as work:
        scan = await scan_batch(work, actor, scan, limit=2)
    assert (scan.compared, scan.progress_share) == (2, Decimal("0.2"))
    async with world.work() as work:
        await leave_scan(work, actor, scan)

    async with world.work() as work:
        again = await claim_scan(work, actor)
    async with world.work() as work:
        with pytest.raises(ScanLost):
            await scan_batch(work, actor, scan)
    while again is not None and not again.status.is_over:
        async with world.work() as work:
            again = await scan_batch(work, actor, again, limit=2)

    assert again is not None
    assert (again.status, again.compared, again.found) == (JobStatus.DONE, 5, 10)


async def test_a_scan_is_held_by_one_worker_until_its_lease_is_over(world: World) -> None:
    await begin(world)
    actor = system(world.tenant.id)
    async with world.work() as work:
        first = await claim_scan(work, actor)
    async with world.work() as work:
        assert await claim_scan(work, actor) is None
    world.wait(minutes=2)
    async with world.work() as work:
        second = await claim_scan(work, actor)

    assert (first.claim, second.claim) == (1, 2)


async def test_a_cancelled_scan_stops_and_another_may_begin(world: World) -> None:
    await a_lead(world, "ann@acme.example")
    scan = await begin(world)
    assert (await begin(world)).id == scan.id
    actor = system(world.tenant.id)
    async with world.work() as work:
        claimed = await claim_scan(work, actor)
    async with world.work() as work:
        await cancel_scan(work, world.actor(), scan.id)

    async with world.work() as work:
        with pytest.raises(ScanLost):
            await scan_batch(work, actor, claimed)
    assert (await begin(world)).id != scan.id


async def test_a_worker_that_is_stopped_leaves_its_scan_to_the_next(world: World) -> None:
    await two_alike(world)
    scan = await begin(world)
    finder = DuplicateFinder(world.database)
    claimed = await finder._claim(world.tenant.id)
    assert claimed is not None

    async with world.work() as work:
        assert await claim_scan(work, system(world.tenant.id)) is None
    await finder._leave(*claimed)
    await find(world)

    async with world.work() as work:
        assert (await work.get(DuplicateScan, scan.id)).status is JobStatus.DONE


async def test_a_scan_that_cannot_go_on_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("infra.duplicates.scan_batch", fails)
    scan = await begin(world)

    await DuplicateFinder(world.database).find_all()

    async with world.work() as work:
        failed = await work.get(DuplicateScan, scan.id)
    assert (failed.status, failed.error) == (
        JobStatus.FAILED,
        "Something went wrong on our side; what was found is kept.",
    )


async def test_two_workers_merge_each_pair_once(world: World) -> None:
    for name in ("ann.lee", "bob.poe", "cyd.roe"):
        first, last = name.split(".")
        for suffix in ("", "+a", "+b"):
            email = f"{name}{suffix}@acme.example"
            await a_lead(world, email, first_name=first, last_name=last)
    await begin(world)
    await publish_all(world.database, world.tenant.id)

    await asyncio.gather(*(DuplicateFinder(world.database).find_all() for _ in range(2)))
    await find(world)

    assert len(await leads(world)) == 3
    async with world.work() as work:
        merges = await work.find(LeadMerge)
    assert sorted(len(merge.losers) for merge in merges) == [1] * 6


async def test_another_tenant_is_not_looked_at(world: World, other_world: World) -> None:
    await two_alike(world)
    await two_alike(other_world)
    await begin(world)

    await find(world)
    await find(other_world)

    assert (len(await pairs(world)), len(await pairs(other_world))) == (1, 0)


async def test_a_scan_outlives_that_somebody_is_at_the_same_pairs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process has found the pair, or a person has turned it down, in the same instant."""
    await two_alike(world)
    scan = await begin(world)
    meanwhile = [AlreadyExists("This already exists."), StaleWrite("candidate")]

    async def at_first_in_vain(*args: Any) -> DuplicateScan:
        if meanwhile:
            raise meanwhile.pop()
        return await scan_batch(*args)

    monkeypatch.setattr("infra.duplicates.scan_batch", at_first_in_vain)
    await find(world)

    async with world.work() as work:
        assert (await work.get(DuplicateScan, scan.id)).status is JobStatus.DONE
    assert len(await pairs(world)) == 1


@pytest.mark.parametrize("limit", [2, 3, 1000])
async def test_pages_of_any_size_find_the_same(world: World, limit: int) -> None:
    """A block that goes on over the end of a page is compared as one."""
    for number in range(7):
        email = f"ann{number}@acme.example"
        await a_lead(world, email, first_name="Ann", last_name="Lee", company=ACME)
    await begin(world)
    actor = system(world.tenant.id)
    async with world.work() as work:
        scan = await claim_scan(work, actor)
    shares = []
    while scan is not None and not scan.status.is_over:
        async with world.work() as work:
            scan = await scan_batch(work, actor, scan, limit=limit)
        shares.append(scan.progress_share)

    assert len(await pairs(world)) == 7 * 6 / 2
    assert shares == sorted(shares)
    assert (scan.found, scan.progress_share) == (21, 1)
