"""Which leads are proposed, merged or left alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.duplicates import CandidateStatus, DuplicateCandidate, Trait, dismiss_candidate
from domain.duplicates.scanning import DuplicateScan, claim_scan, scan_batch, set_rules
from domain.identity import system
from domain.lead_details import NamedCompany
from domain.merging import LeadMerge, merge_leads, unmerge_leads
from domain.uploads import JobStatus
from tests.infra.duplicates.scanning import (
    ACME,
    a_lead,
    begin,
    change,
    find,
    leads,
    pairs,
    two_alike,
)
from tests.world import World


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
