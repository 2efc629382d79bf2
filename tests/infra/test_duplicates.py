"""Looking for duplicates in the background: whole scans, what changes, and what is certain."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain.duplicates import CandidateStatus, DuplicateCandidate, Trait, dismiss_candidate
from domain.duplicates.scanning import (
    DuplicateScan,
    ScanLost,
    cancel_scan,
    claim_scan,
    leave_scan,
    scan_batch,
    set_rules,
    start_scan,
)
from domain.errors import AlreadyExists, StaleWrite
from domain.identity import system
from domain.lead_details import LeadDetails, NamedCompany
from domain.lead_intake import create_lead, update_lead
from domain.leads import Lead
from domain.merging import LeadMerge, merge_leads, unmerge_leads
from domain.uploads import JobStatus
from infra.duplicates import DuplicateFinder
from infra.outbox import publish_all
from tests.world import World

ACME = NamedCompany(name="Acme", domain="acme.example")


async def a_lead(world: World, email: str, **said: Any) -> Lead:
    async with world.work() as work:
        lead: Lead = await create_lead(work, world.actor(), LeadDetails(email=email, **said))
    return lead


async def change(world: World, lead: Lead, **said: Any) -> None:
    async with world.work() as work:
        await update_lead(work, world.actor(), lead.id, LeadDetails(**said))


async def begin(world: World) -> DuplicateScan:
    await publish_all(world.database, world.tenant.id)
    async with world.work() as work:
        scan: DuplicateScan = await start_scan(work, world.actor())
    return scan


async def find(world: World) -> None:
    """Let the worker do all there is."""
    await publish_all(world.database, world.tenant.id)
    await DuplicateFinder(world.database).find_all()


async def pairs(world: World) -> dict[frozenset[UUID], DuplicateCandidate]:
    async with world.work() as work:
        found = await work.find(DuplicateCandidate)
    return {frozenset((each.lead_id, each.other_id)): each for each in found}


async def leads(world: World) -> set[UUID]:
    async with world.work() as work:
        return {lead.id for lead in await work.find(Lead)}


async def two_alike(world: World) -> tuple[Lead, Lead]:
    """Two leads of one name at one company: likely one person, and not certainly."""
    said: dict[str, Any] = {"first_name": "Ann", "last_name": "Lee", "company": ACME}
    return await a_lead(world, "ann@acme.example", **said), await a_lead(
        world, "lee@acme.example", **said
    )


async def test_a_scan_proposes_what_is_likely_and_says_why(world: World) -> None:
    one, other = await two_alike(world)
    await a_lead(world, "bob@acme.example", first_name="Bob", last_name="Poe", company=ACME)
    scan = await begin(world)

    await find(world)

    async with world.work() as work:
        done = await work.get(DuplicateScan, scan.id)
    assert (done.status, done.leads, done.compared, done.found) == (JobStatus.DONE, 3, 3, 1)
    assert done.progress_share == 1
    found = await pairs(world)
    assert found.keys() == {frozenset((one.id, other.id))}
    (pair,) = found.values()
    assert (pair.status, pair.certain, pair.score) == (
        CandidateStatus.PROPOSED,
        False,
        Decimal("0.8000"),
    )
    told = {each.trait: (each.agreement, each.bits) for each in pair.evidence}
    assert told[Trait.NAME] == (1, 8)
    assert told[Trait.COMPANY] == (1, 5)
    assert told[Trait.EMAIL][1] == -1


async def test_what_is_certain_is_merged_by_itself_and_can_be_parted_again(world: World) -> None:
    elder = await a_lead(world, "ann.lee@acme.example", first_name="Ann", last_name="Lee")
    await a_lead(world, "ann.lee+fair@acme.example", first_name="Ann", last_name="Lee")
    await begin(world)

    await find(world)

    assert await leads(world) == {elder.id}
    async with world.work() as work:
        (merge,) = await work.find(LeadMerge)
    assert (merge.automatic, merge.merged_by, merge.score) == (True, None, Decimal("1.0000"))
    async with world.work() as work:
        await unmerge_leads(work, world.actor(), merge.id)
    assert len(await leads(world)) == 2


async def test_one_telephone_and_one_name_are_certain_an_office_is_not(world: World) -> None:
    said: dict[str, Any] = {"phone": "+4930123456", "company": ACME}
    one = await a_lead(world, "ann@acme.example", first_name="Ann", last_name="Lee", **said)
    bob = await a_lead(world, "bob@acme.example", first_name="Bob", last_name="Poe", **said)
    await a_lead(world, "al@other.example", first_name="Ann", last_name="Lee", phone="+4930123456")
    await begin(world)

    await find(world)

    assert await leads(world) == {one.id, bob.id}


async def test_whom_somebody_has_parted_no_rule_merges_again(world: World) -> None:
    elder = await a_lead(world, "ann.lee@acme.example", first_name="Ann", last_name="Lee")
    await a_lead(world, "ann.lee+fair@acme.example", first_name="Ann", last_name="Lee")
    await begin(world)
    await find(world)
    async with world.work() as work:
        (merge,) = await work.find(LeadMerge)
        await unmerge_leads(work, world.actor(), merge.id)

    await find(world)

    assert elder.id in await leads(world)
    assert len(await leads(world)) == 2
    (pair,) = (await pairs(world)).values()
    assert (pair.status, pair.certain) == (CandidateStatus.DISMISSED, False)


async def test_nothing_is_merged_by_itself_where_only_people_may(world: World) -> None:
    await a_lead(world, "ann.lee@acme.example", first_name="Ann")
    await a_lead(world, "ann.lee+fair@acme.example", first_name="Ann")
    async with world.work() as work:
        await set_rules(work, world.actor(), merge_from=None, propose_from=Decimal("0.5"))
    await begin(world)

    await find(world)

    assert len(await leads(world)) == 2
    assert [pair.certain for pair in (await pairs(world)).values()] == [False]


async def test_a_lead_that_comes_or_changes_is_compared_once_the_tenant_is_watched(
    world: World,
) -> None:
    one = await a_lead(world, "ann@acme.example", first_name="Ann", last_name="Lee", company=ACME)
    await find(world)
    assert await pairs(world) == {}
    await begin(world)
    await find(world)

    other = await a_lead(world, "lee@acme.example", first_name="Ann", last_name="Poe", company=ACME)
    await find(world)
    assert await pairs(world) == {}
    await change(world, other, last_name="Lee")
    await find(world)
    assert (await pairs(world)).keys() == {frozenset((one.id, other.id))}
    await change(world, one, first_name="Zoe")
    await find(world)
    assert await pairs(world) == {}


async def test_what_somebody_turned_down_stays_so_until_it_is_more_alike(world: World) -> None:
    one, other = await two_alike(world)
    await begin(world)
    await find(world)
    (pair,) = (await pairs(world)).values()
    async with world.work() as work:
        await dismiss_candidate(work, world.actor(), pair.id)

    await begin(world)
    await change(world, one, first_name="Anne")
    await find(world)
    assert [p.status for p in (await pairs(world)).values()] == [CandidateStatus.DISMISSED]

    await change(world, one, first_name="Ann", email="lee.ann@acme.example")
    await change(world, other, email="ann.lee@acme.example")
    await find(world)
    (again,) = (await pairs(world)).values()
    assert (again.id, again.status) == (pair.id, CandidateStatus.PROPOSED)
    assert again.score > pair.score


async def test_what_was_said_of_a_loser_holds_for_the_winner(world: World) -> None:
    one, other = await two_alike(world)
    await begin(world)
    await find(world)
    (pair,) = (await pairs(world)).values()
    async with world.work() as work:
        await dismiss_candidate(work, world.actor(), pair.id)
    third = await a_lead(world, "al@other.example", first_name="Ann", last_name="Lee")
    async with world.work() as work:
        merge = await merge_leads(work, world.actor(), third.id, [one.id])

    await find(world)

    found = await pairs(world)
    assert {key: p.status for key, p in found.items()} == {
        frozenset((third.id, other.id)): CandidateStatus.DISMISSED
    }
    async with world.work() as work:
        await unmerge_leads(work, world.actor(), merge.id)
    assert frozenset((one.id, other.id)) in await pairs(world)


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


async def test_rules_that_have_become_stricter_leave_what_was_found_to_people(
    world: World,
) -> None:
    await a_lead(world, "ann.lee@acme.example", first_name="Ann")
    await a_lead(world, "ann.lee+fair@acme.example", first_name="Ann")
    await begin(world)
    actor = system(world.tenant.id)
    async with world.work() as work:
        scan = await claim_scan(work, actor)
    while not scan.status.is_over:
        async with world.work() as work:
            scan = await scan_batch(work, actor, scan)
    assert [pair.certain for pair in (await pairs(world)).values()] == [True]
    async with world.work() as work:
        await set_rules(work, world.actor(), merge_from=None, propose_from=Decimal("0.75"))

    await find(world)

    assert len(await leads(world)) == 2
    assert [pair.certain for pair in (await pairs(world)).values()] == [False]


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


async def test_a_scan_drops_what_is_alike_no_more(world: World) -> None:
    await two_alike(world)
    await begin(world)
    await find(world)
    async with world.work() as work:
        await set_rules(work, world.actor(), merge_from=None, propose_from=Decimal("0.9"))

    await begin(world)
    await find(world)

    assert await pairs(world) == {}


async def test_however_many_share_a_key_those_next_to_each_other_are_compared(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that very many have: whoever works at one company stands side by side in its line."""
    monkeypatch.setattr("infra.queries.duplicates.blocks.NEAREST", 2)
    known = []
    for number in range(12):
        company = NamedCompany(name=f"Firm {number % 6}", domain=f"firm{number % 6}.example")
        said: dict[str, Any] = {"first_name": "Ann", "last_name": "Lee", "company": company}
        if number >= 6:  # the names turned round share no other key with the first
            said |= {"first_name": "Lee", "last_name": "Ann"}
        known.append(await a_lead(world, f"lead{number}@x{number}.example", **said))
    scan = await begin(world)
    actor = system(world.tenant.id)
    async with world.work() as work:
        running = await claim_scan(work, actor)
    assert running is not None
    while not running.status.is_over:
        async with world.work() as work:
            running = await scan_batch(work, actor, running, limit=5)

    expected = {frozenset((known[n].id, known[n + 6].id)) for n in range(6)}
    assert (await pairs(world)).keys() == expected
    assert (running.id, running.found, running.compared) == (scan.id, 6, 12)


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


async def test_what_a_scan_finds_a_change_finds_too(world: World) -> None:
    said: dict[str, Any] = {"company": ACME}
    names = ("Jon Smith", "John Smyth", "Smith Jon", "Jan Smit", "Ana Lee", "Anna Lee", "Bo Li")
    known = []
    for number, (first, last) in enumerate(name.split() for name in names):
        email = f"{last}.{first}{number}@acme.example".lower()
        known.append(await a_lead(world, email, first_name=first, last_name=last, **said))
    async with world.work() as work:
        await set_rules(work, world.actor(), merge_from=None, propose_from=Decimal("0.05"))
    await begin(world)
    actor = system(world.tenant.id)
    async with world.work() as work:
        scan = await claim_scan(work, actor)
    while scan is not None and not scan.status.is_over:
        async with world.work() as work:
            scan = await scan_batch(work, actor, scan)
    scanned = {key: pair.score for key, pair in (await pairs(world)).items()}
    assert len(scanned) == 7
    async with world.work() as work:
        await work.delete(DuplicateCandidate)

    for lead in known:
        await change(world, lead, job_title="CTO")
    await find(world)

    assert {key: pair.score for key, pair in (await pairs(world)).items()} == scanned
