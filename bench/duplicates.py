"""`duplicates`: all leads of a tenant compared, with duplicates put in that we know of."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from uuid import UUID

import psutil

from bench.load import Failed
from bench.measuring import Cost, Meter, median, table
from bench.place import Place, a_place, seeding
from bench.report import Section
from bench.tenants import BenchTenant, a_database, a_tenant
from domain.duplicates import DuplicateCandidate, DuplicateRules, LeadPrint
from domain.duplicates.comparing import Neighbours
from domain.duplicates.scanning import (
    BATCH,
    DuplicateScan,
    NextLeads,
    claim_scan,
    scan_batch,
    start_scan,
)
from domain.duplicates.scoring import bits_needed
from domain.identity import system
from domain.ids import new_id
from domain.leads import Company, Lead
from domain.uploads import JobStatus
from infra.database import Database
from tests.agreements import an_mql

_SYLLABLES = ("an", "be", "cor", "da", "el", "fi", "ga", "hol", "is", "jo", "ka", "lu", "mar", "ne")
_ENDINGS = ("son", "mann", "ez", "ova", "ski", "ley", "ton", "berg", "ini", "as")
_STORED_AT_ONCE = 1_000
_SAMPLE = 50
# $2 is a name.  The index is made for this benchmark alone.
_BY_TRIGRAMS = (
    "SELECT lead_id FROM lead_prints WHERE tenant_id = $1 AND person OPERATOR(trgm.%) $2 LIMIT 100"
)
_INDEX = "CREATE INDEX bench_trigrams ON lead_prints USING gin (person trgm.gin_trgm_ops)"

Alter = Callable[["Crowd", Lead], Lead]


@dataclass(slots=True)
class Crowd:
    """People with jobs, names as common as names are, and some of them twice."""

    chance: random.Random = field(default_factory=lambda: random.Random(4))
    companies: list[Company] = field(default_factory=list)
    leads: list[Lead] = field(default_factory=list)
    twice: dict[str, set[frozenset[UUID]]] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)

    def fill(self, tenant: BenchTenant, people: int, doubles: int) -> None:
        at = tenant.world.now
        self.companies = [
            Company(id=new_id(), name=f"{word} {n}", domain=f"{word}{n}.example", created_at=at)
            for n in range(people // 10)
            for word in [self._word(3)]
        ]
        first = sorted({self._word(2) for _ in range(400)})
        last = sorted({self._word(2) + self.chance.choice(_ENDINGS) for _ in range(2000)})
        # Names are as common as they are rare: the tenth is a tenth as common as the first.
        often = [1 / rank for rank in range(1, len(last) + 1)]
        for family in self.chance.choices(last, often, k=people):
            given, company = self.chance.choice(first), self.chance.choice(self.companies)
            self.leads.append(
                replace(
                    an_mql(at),
                    first_name=given.capitalize(),
                    last_name=family.capitalize(),
                    company_id=company.id,
                    email=self.free(f"{given}.{family}", company.domain or ""),
                )
            )
        originals = self.chance.sample(self.leads, doubles)
        for number, lead in enumerate(originals):
            kind, alter = list(_ALTERED.items())[number % len(_ALTERED)]
            double = alter(self, replace(lead, id=new_id()))
            self.leads.append(double)
            self.twice.setdefault(kind, set()).add(frozenset((lead.id, double.id)))
        self.chance.shuffle(self.leads)

    def free(self, local: str, domain: str) -> str:
        """Return an address that nobody has."""
        address, number = f"{local}@{domain}", 1
        while address in self._taken:
            number += 1
            address = f"{local}{number}@{domain}"
        self._taken.add(address)
        return address

    def slipped(self, word: str | None) -> str:
        """Return a word with two letters turned round, or one left out."""
        word = word or ""
        at = self.chance.randrange(1, len(word) - 1)
        if self.chance.random() < 0.5:
            return word[:at] + word[at + 1 :]
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]

    def _word(self, syllables: int) -> str:
        return "".join(self.chance.choice(_SYLLABLES) for _ in range(syllables))


def _same_mailbox(crowd: Crowd, lead: Lead) -> Lead:
    local, _, domain = (lead.email or "").partition("@")
    return replace(lead, email=crowd.free(f"{local}+fair", domain), company_id=None)


def _slip(crowd: Crowd, lead: Lead) -> Lead:
    name = crowd.slipped(lead.last_name)
    local, _, domain = (lead.email or "").partition("@")
    email = crowd.free(f"{(lead.first_name or '').lower()}.{name.lower()}", domain)
    return replace(lead, last_name=name, email=email if local else None)


def _other_address(crowd: Crowd, lead: Lead) -> Lead:
    _, _, domain = (lead.email or "").partition("@")
    local = f"{(lead.first_name or '')[0]}{lead.last_name or ''}".lower()
    return replace(lead, email=crowd.free(local, domain))


def _turned_round(crowd: Crowd, lead: Lead) -> Lead:
    return replace(
        lead, first_name=lead.last_name, last_name=lead.first_name, email=None, job_title="CEO"
    )


_ALTERED: dict[str, Alter] = {
    "another address of one mailbox, no company": _same_mailbox,
    "a slip in the name, and in the address": _slip,
    "another address at the same company": _other_address,
    "first and last name turned round, no address": _turned_round,
}


async def run(*, people: int = 95_000, doubles: int = 5_000) -> Section:
    """Compare all leads, and look which of the duplicates that were put in have been found."""
    crowd = Crowd()
    async with a_place("duplicates") as place, a_database(place) as database:
        tenant = await a_tenant(database)
        crowd.fill(tenant, people, doubles)
        await _store(place, database, tenant, crowd)
        meter = Meter(psutil.Process(), place.postgres)
        await _reading(database, tenant)
        read = meter.cost(len(crowd.leads))
        scanned, memory = await _scan(place, database, tenant, len(crowd.leads))
        found = await _found(database, tenant)
        near = await _neighbours(place, database, tenant)
    leads = len(crowd.leads)
    times = [
        {
            "": name,
            "s": f"{cost.seconds:,.1f}",
            "leads/s": f"{cost.rate:,.0f}",
            "Python CPU s": f"{cost.server:,.1f}",
            "PostgreSQL CPU s": f"{cost.postgres:,.1f}",
            "CPU, × reading": f"{_cpu(cost) / _cpu(read):.1f}",
        }
        for name, cost in (
            ("reading all leads, in the same batches", read),
            ("the scan", scanned),
        )
    ]
    return Section(
        "duplicates",
        "Duplicates: all leads of a tenant compared",
        f"{leads:,} leads, among them {doubles:,} put in that are one person with another, by one"
        f" worker in batches of {BATCH:,}, everything under row-level security.  Its memory"
        f" grew by {memory / 1e6:,.0f} MB at most meanwhile.  Names are as common as names are:"
        " most proposals that were not put in are namesakes at one company.  Below, how often"
        " what was put in was found (recall), and how much of what was found was put in"
        " (precision).  Last, what brings a lead's likely doubles together: equal keys sifted by"
        " trigrams, or a trigram index, which row-level security keeps from being used.",
        "\n\n".join((table(times), table(_recall(crowd, found)), table(near))),
    )


def _recall(crowd: Crowd, found: Sequence[DuplicateCandidate]) -> list[dict[str, str]]:
    pairs = {frozenset((each.lead_id, each.other_id)): each for each in found}
    certain = {pair for pair, each in pairs.items() if each.certain}
    rows = [_row(kind, known, pairs.keys(), certain) for kind, known in crowd.twice.items()]
    everything = set().union(*crowd.twice.values())
    return [
        *rows,
        {
            **_row("all", everything, pairs.keys(), certain),
            "precision": f"{len(everything & pairs.keys()) / max(len(pairs), 1):.3f}",
            "of the certain": f"{len(everything & certain) / max(len(certain), 1):.3f}",
        },
    ]


def _row(
    kind: str, known: set[frozenset[UUID]], proposed: object, certain: object
) -> dict[str, str]:
    return {
        "put in": kind,
        "pairs": f"{len(known):,}",
        "recall": f"{len(known & set(proposed)) / len(known):.3f}",  # type: ignore[call-overload]  # sets of pairs
        "certain": f"{len(known & set(certain)) / len(known):.3f}",  # type: ignore[call-overload]  # as above
        "precision": "",
        "of the certain": "",
    }


async def _store(place: Place, database: Database, tenant: BenchTenant, crowd: Crowd) -> None:
    # In the order in which they come to be known their ids ascend.
    crowd_ids = sorted(lead.id for lead in crowd.leads)
    known = dict(zip((lead.id for lead in crowd.leads), crowd_ids, strict=True))
    crowd.leads = [replace(lead, id=known[lead.id]) for lead in crowd.leads]
    crowd.twice = {
        kind: {frozenset(known[id] for id in pair) for pair in pairs}
        for kind, pairs in crowd.twice.items()
    }
    for rows in (crowd.companies, crowd.leads):
        for start in range(0, len(rows), _STORED_AT_ONCE):
            async with database.work(tenant.id) as work:
                await work.add_all(rows[start : start + _STORED_AT_ONCE])
    async with seeding(place):
        pass  # analysed at the end


async def _reading(database: Database, tenant: BenchTenant) -> int:
    after, count = UUID(int=0), 0
    while True:
        async with database.work(tenant.id) as work:
            leads = await work.ask(NextLeads(after=after, limit=BATCH))
        if not leads:
            return count
        after, count = leads[-1].id, count + len(leads)


async def _timed(doing: Awaitable[object]) -> float:
    began = time.perf_counter()
    await doing
    return time.perf_counter() - began


def _cpu(cost: Cost) -> float:
    return cost.server + cost.postgres


async def _scan(
    place: Place, database: Database, tenant: BenchTenant, leads: int
) -> tuple[Cost, int]:
    """Scan all leads; return what it cost, and by how much memory grew at most."""
    world = tenant.world
    async with database.work(tenant.id) as work:
        await start_scan(work, world.actor())
    process = psutil.Process()
    before, most = process.memory_info().rss, 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, process.memory_info().rss - before)
            await asyncio.sleep(0.02)

    watching = asyncio.create_task(watch())
    meter = Meter(process, place.postgres)
    await _to_the_end(database, tenant)
    cost = meter.cost(leads)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    async with database.work(tenant.id) as work:
        (scan,) = await work.find(DuplicateScan)
    if scan.status is not JobStatus.DONE:
        raise Failed(f"the scan did not come to its end: {scan}")
    return cost, most


async def _to_the_end(database: Database, tenant: BenchTenant) -> None:
    """Do what the worker does, but for merging: then what was found could not be counted."""
    actor = system(tenant.id)
    async with database.work(tenant.id) as work:
        scan = await claim_scan(work, actor)
    while scan is not None and not scan.status.is_over:
        async with database.work(tenant.id) as work:
            scan = await scan_batch(work, actor, scan)


async def _found(database: Database, tenant: BenchTenant) -> Sequence[DuplicateCandidate]:
    async with database.work(tenant.id) as work:
        found: Sequence[DuplicateCandidate] = await work.find(DuplicateCandidate)
    return found


async def _neighbours(
    place: Place, database: Database, tenant: BenchTenant
) -> list[dict[str, str]]:
    """Return what it takes to bring one lead's likely doubles together, in two ways."""
    async with seeding(place) as owner:
        await owner.execute(_INDEX)
    async with database.work(tenant.id) as work:
        prints = (await work.find(LeadPrint))[:: max(1, 100_000 // _SAMPLE)]
        needed = bits_needed(DuplicateRules(id=tenant.id).propose_from)
        by_keys = [
            await _timed(work.ask(Neighbours(lead_ids=(each.lead_id,), needed=needed)))
            for each in prints
        ]
        by_index = [
            await _timed(work.connection.fetch(_BY_TRIGRAMS, tenant.id, each.person))
            for each in prints
        ]
    return [
        {
            "": name,
            "ms a lead": f"{1000 * median(took):.2f}",
            "× keys": f"{median(took) / median(by_keys):.0f}",
        }
        for name, took in (
            ("keys, sifted by trigrams, and scored", by_keys),
            ("a trigram index, not scored", by_index),
        )
    ]
