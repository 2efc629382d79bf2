"""`sweep`: clocks that come due, told per second, beside ever more clocks that are not due."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import psutil

from bench.load import Failed
from bench.measuring import Cost, Meter, median, table
from bench.place import Place, a_place, seeding
from bench.report import Section
from bench.tenants import (
    BenchTenant,
    HandedOff,
    a_database,
    a_tenant,
    copies,
    hand_off_one,
    numbered,
)
from domain.identity import system
from domain.sla.escalation import sweep_and_escalate
from infra.database import Database

# A Tuesday at noon, within working hours: four hours later every first answer is overdue.
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(hours=4, seconds=1)
BATCH = 500
CLOCKS_A_LEAD = 10
# With fewer clocks, reading all of them is the right plan.
ENOUGH = 10_000


async def run(
    *, due: int = 2_000, rounds: int = 3, not_due: Sequence[int] = (0, 100_000, 1_000_000)
) -> Section:
    """Sweep the same number of due hand-offs again and again, with more and more clocks beside."""
    clock = {"now": NOON}
    costs: dict[int, list[Cost]] = {}
    async with a_place("sweep") as place, a_database(place, clock=clock) as database:
        tenant = await a_tenant(database, clock)
        one, far = await hand_off_one(database, tenant), await hand_off_one(database, tenant)
        await _put_off(place, one)
        await _put_off(place, far)
        beside, first = 0, 1
        for count in not_due:
            await _add_not_due(place, far, beside, count)
            beside = count
            costs[count] = []
            for _ in range(rounds):
                clock["now"] = NOON
                await _add_due(place, one, first, due)
                first += due
                clock["now"] = LATER
                costs[count].append(await _sweep_all(place, database, tenant, due))
        plan = await _plan(database, tenant, beside)
    return Section(
        "sweep",
        "The sweeper, by the number of clocks that are not due",
        f"{due:,} hand-offs, each with a first answer that is overdue, an attempt that is not and a"
        f" decision that has reached a step of its ladder, swept in batches of {BATCH} through the"
        f" use case, in process; median of {rounds} rounds.  Clocks are counted by the transitions"
        " told.",
        table(_rows(costs))
        + f"\n\nHow due clocks are found beside {beside:,}:\n\n```\n{plan}\n```",
    )


def _rows(costs: dict[int, list[Cost]]) -> list[dict[str, str]]:
    reference = median(c.server_ms + c.postgres_ms for c in next(iter(costs.values())))
    rows = []
    for count, rounds in costs.items():
        both = median(c.server_ms + c.postgres_ms for c in rounds)
        rows.append(
            {
                "clocks not due": f"{count:,}",
                "transitions told/s": f"{median(c.rate for c in rounds):,.0f}",
                "Python CPU ms each": f"{median(c.server_ms for c in rounds):.2f}",
                "PostgreSQL CPU ms each": f"{median(c.postgres_ms for c in rounds):.2f}",
                "CPU, × none": f"{both / reference:.2f}",
            }
        )
    return rows


async def _sweep_all(place: Place, database: Database, tenant: BenchTenant, due: int) -> Cost:
    meter, told = Meter(psutil.Process(), place.postgres), 0
    while True:
        async with database.work(tenant.id) as work:
            swept = await sweep_and_escalate(work, system(tenant.id), limit=BATCH)
        told += swept.transitions
        if not swept.leads:
            break
    if told < due:
        raise Failed(f"{told} transitions were told of at least {due}")
    return meter.cost(told)


async def _put_off(place: Place, handed_off: HandedOff) -> None:
    """Take the originals out of the way: only their copies are swept."""
    async with seeding(place) as connection:
        await connection.execute(
            "UPDATE sla_clocks SET next_at = next_at + interval '10 years' WHERE handoff_id = $1",
            handed_off.id,
        )


async def _add_due(place: Place, one: HandedOff, first: int, count: int) -> None:
    async with seeding(place) as connection:
        await _add_leads(connection, one, first, count, space=100)
        for number, clock_id in enumerate(one.clock_ids):
            changes = {
                "id": numbered(110 + number),
                "lead_id": numbered(100),
                "handoff_id": numbered(101),
                "next_at": "t.next_at - interval '10 years'",
            }
            await copies(connection, "sla_clocks", clock_id, count, changes, first=first)


async def _add_not_due(place: Place, far: HandedOff, there: int, count: int) -> None:
    async with seeding(place) as connection:
        before, after = there // CLOCKS_A_LEAD, count // CLOCKS_A_LEAD
        await _add_leads(connection, far, before + 1, after - before, space=200)
        belonging = f"1 + i / {CLOCKS_A_LEAD}"
        changes = {
            "id": numbered(210),
            "lead_id": numbered(200, belonging),
            "handoff_id": numbered(201, belonging),
            "next_at": "t.next_at + i * interval '1 second'",
        }
        await copies(
            connection, "sla_clocks", far.clock_ids[0], count - there, changes, first=there + 1
        )


async def _add_leads(
    connection: asyncpg.Connection, like: HandedOff, first: int, count: int, *, space: int
) -> None:
    lead = {"id": numbered(space), "email": f"'lead{space}.' || i || '@bench.example'"}
    await copies(connection, "leads", like.lead_id, count, lead, first=first)
    handoff = {"id": numbered(space + 1), "lead_id": numbered(space)}
    await copies(connection, "handoffs", like.id, count, handoff, first=first)


async def _plan(database: Database, tenant: BenchTenant, beside: int) -> str:
    """Return how PostgreSQL finds what is due, as the application's role in the tenant."""
    asked: list[Any] = []
    async with database.work(tenant.id) as work:
        with work.connection.query_logger(asked.append):
            await sweep_and_escalate(work, system(tenant.id), limit=BATCH)
        await asyncio.sleep(0)  # the logger is called in the loop's next turn
        found = next(each for each in asked if "next_at <=" in each.query)
        rows = await work.connection.fetch(f"EXPLAIN {found.query}", *found.args)
    lines = [row[0] for row in rows]
    # Both are partial: they hold the clocks that change by themselves, and no history.
    by_index = any("sla_clocks_next" in line or "sla_clocks_due" in line for line in lines)
    if beside >= ENOUGH and not by_index:
        raise Failed("\n".join(lines))
    return "\n".join(lines)
