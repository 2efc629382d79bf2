"""`audit`: what the audit log costs those who write, and those who write at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from uuid import UUID

import psutil

from bench.measuring import Cost, Meter, median, table
from bench.place import Place, a_place, seeding
from bench.report import Section
from bench.tenants import BenchTenant, a_tenant, copies, numbered
from domain.audit import SYSTEM, Cause
from domain.handoff_flow import hand_off
from domain.lead_details import LeadDetails
from domain.lead_intake import update_lead, upsert_leads
from infra.audit.verifying import head_of, verify
from infra.database import Database
from tests.agreements import add_mql

WRITERS = 16
ROWS = 500
_SPACE = 1


class Bench:
    """A tenant with leads to write about, as somebody whose writing is audited or is not."""

    def __init__(self, database: Database, tenant: BenchTenant) -> None:
        self.database = database
        self.tenant = tenant
        self.actor = tenant.world.actor()
        self._handed = count(1)

    async def upsert(self, cause: Cause, number: int) -> None:
        """Bring 500 leads: the half of them new, the others with a new score."""
        rows = [
            LeadDetails(email=f"upsert{number // 2}.{n}@bench.example", score=number % 100)
            for n in range(number % 2 * ROWS // 2, ROWS + number % 2 * ROWS // 2)
        ]
        async with self._work(cause) as work:
            await upsert_leads(work, self.actor, rows)

    async def hand_off(self, cause: Cause, number: int) -> None:
        """Hand off the next lead that was not handed off yet."""
        async with self._work(cause) as work:
            await hand_off(work, self.actor, _lead(next(self._handed)))

    async def update(self, cause: Cause, number: int) -> None:
        """Give each of some leads another score, sixteen at the same time."""
        await asyncio.gather(*(self._update(cause, number, lead) for lead in range(1, 17)))

    async def _update(self, cause: Cause, number: int, lead: int) -> None:
        async with self._work(cause) as work:
            # Beyond those that are handed off, so that nobody waits for them.
            lead_id = _lead(1_000_000 + lead)
            await update_lead(work, self.actor, lead_id, LeadDetails(score=number % 1000))

    def _work(self, cause: Cause):  # type: ignore[no-untyped-def]  # as the database says
        return self.database.work(self.tenant.id, by=self.actor.user_id, cause=cause)


@dataclass(frozen=True, slots=True)
class Job:
    """What is done so many times a round, each time so many transactions."""

    name: str
    do: Callable[[Cause, int], Awaitable[None]]
    times: int
    each: int = 1


async def run(*, rounds: int = 6, handoffs: int = 100, updates: int = 40) -> Section:
    """Write the same with and without the log, taking turns; the first round warms up."""
    async with a_place("audit") as place:
        database = await Database.connect(place.app, place.platform, size=WRITERS)
        try:
            tenant = await a_tenant(database)
            await _seed(place, tenant, handoffs * 2 * (rounds + 1))
            bench = Bench(database, tenant)
            jobs = (
                Job(f"`leadsUpsert` of {ROWS} rows", bench.upsert, 2),
                Job("`leadHandOff`", bench.hand_off, handoffs),
                Job(f"`leadUpdate`, {WRITERS} at once", bench.update, updates, WRITERS),
            )
            rows = [await _row(job, place, bench, rounds) for job in jobs]
            rows_verified = await _verified(database, tenant)
        finally:
            await database.close()
    return Section(
        "audit",
        "The audit log",
        "The use cases in process, each in a transaction of its own, by a user (whose writing is"
        f" audited) and by the system (whose writing of leads is not); median of {rounds}"
        " interleaved rounds.  With the log a transaction takes one statement more, however much it"
        " changed, and those who write for one tenant commit one after the other.  Other tenants do"
        f" not wait.  {rows_verified}",
        table(rows),
    )


async def _row(job: Job, place: Place, bench: Bench, rounds: int) -> dict[str, str]:
    user = Cause(action="bench").by(bench.actor)
    costs: dict[Cause, list[Cost]] = {SYSTEM: [], user: []}
    numbers = count(1)
    for number in range(rounds + 1):
        for cause in (user, SYSTEM) if number % 2 else (SYSTEM, user):
            cost = await _cost(place, job, cause, numbers)
            costs[cause] += [cost] if number else []
    return _told(job.name, costs[SYSTEM], costs[user])


async def _cost(place: Place, job: Job, cause: Cause, numbers: Iterator[int]) -> Cost:
    meter = Meter(psutil.Process(), place.postgres)
    for _ in range(job.times):
        await job.do(cause, next(numbers))
    return meter.cost(job.times * job.each)


def _told(name: str, without: Sequence[Cost], with_log: Sequence[Cost]) -> dict[str, str]:
    def cpu(costs: Sequence[Cost]) -> float:
        return median(cost.server_ms + cost.postgres_ms for cost in costs)

    def rate(costs: Sequence[Cost]) -> float:
        return median(cost.rate for cost in costs)

    return {
        "": name,
        "CPU ms without": f"{cpu(without):.1f}",
        "CPU ms with": f"{cpu(with_log):.1f}",
        "CPU, × without": f"{cpu(with_log) / cpu(without):.2f}",
        "a second without": f"{rate(without):,.1f}",
        "a second with": f"{rate(with_log):,.1f}",
    }


async def _verified(database: Database, tenant: BenchTenant) -> str:
    """Verify what was written, and say how quickly."""
    meter = asyncio.get_running_loop().time
    began, verdict = meter(), await verify(database, tenant.id)
    seconds = meter() - began
    if verdict.bad is not None or verdict.last != await head_of(database, tenant.id):
        raise RuntimeError(f"the log is not sound: {verdict}")
    return f"Verifying reads {verdict.entries / seconds:,.0f} entries a second."


async def _seed(place: Place, tenant: BenchTenant, handoffs: int) -> None:
    lead = await add_mql(tenant.world)
    changes = {"id": numbered(_SPACE), "email": "'lead' || i || '@bench.example'"}
    async with seeding(place) as connection:
        await copies(connection, "leads", lead.id, handoffs, changes)
        await copies(connection, "leads", lead.id, WRITERS, changes, first=1_000_001)
        await connection.execute("UPDATE team_members SET capacity = 100000")


def _lead(number: int) -> UUID:
    """Return the id of the copy of a number."""
    return UUID(int=_SPACE << 64 | number)
