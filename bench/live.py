"""`live`: a thousand subscribers of one agreement in one process."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter

import psutil

from bench.load import a_server
from bench.measuring import Meter, median, percentile, table
from bench.place import Place, a_place
from bench.report import Section
from bench.sockets import Subscriber, answered, subscribers
from bench.status import DOCUMENT
from bench.tenants import BenchTenant, a_database, a_tenant, environment
from domain.handoff_flow import hand_off
from domain.ids import public
from infra.database import Database
from infra.live import Hub, PostgresBus
from infra.worker import Worker
from tests.agreements import add_mql

SUBSCRIPTION = DOCUMENT.replace("query Status", "subscription Status")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What changes took to reach all subscribers."""

    latencies: Sequence[float]
    reads: Sequence[int]
    server_ms: float
    bytes_each: float


async def run(*, sizes: Sequence[int] = (1, 1_000), changes: int = 30) -> Section:
    """Commit hand-offs in this process, and see when each subscriber of another hears of them."""
    _allow_files(2 * max(sizes) + 500)
    found: dict[int, Delivery] = {}
    async with a_place("live") as place, a_database(place) as database:
        tenant = await a_tenant(database)
        async with _waking(place, database):
            for size in sizes:
                with a_server("api.app:from_environment", environment(place, tenant)) as server:
                    found[size] = await _follow(database, tenant, *server, size, changes)
    return Section(
        "live",
        "Live: subscribers of one agreement, over WebSocket, on one process",
        f"`slaStatus` as a subscription; {changes} hand-offs committed by another process, one"
        " after the other.  The time is from the return of COMMIT to the arrival at a subscriber,"
        " on a machine that runs the server, PostgreSQL and all subscribers.  Reads for a change"
        " are counted by the instants of reading (`asOf`) that subscribers were told: one for all"
        " of them means that they shared it.",
        table([_row(size, delivery) for size, delivery in found.items()]),
    )


def _row(size: int, delivery: Delivery) -> dict[str, str]:
    return {
        "subscribers": f"{size:,}",
        "commit to delivery, p50 ms": f"{1000 * median(delivery.latencies):.1f}",
        "p99 ms": f"{1000 * percentile(delivery.latencies, 0.99):.1f}",
        "reads a change": f"{median(delivery.reads):g} (at most {max(delivery.reads)})",
        "server CPU ms a change": f"{delivery.server_ms:.1f}",
        "memory a subscriber, KiB": f"{delivery.bytes_each / 1024:.0f}" if size > 1 else "–",
    }


async def _follow(
    database: Database,
    tenant: BenchTenant,
    port: int,
    process: psutil.Process,
    size: int,
    changes: int,
) -> Delivery:
    variables = {"sla": public("Sla", tenant.sla.id)}
    operation = {"query": SUBSCRIPTION, "variables": variables}
    async with subscribers(1, port, tenant.headers, operation):
        before = process.memory_info().rss
    async with subscribers(size, port, tenant.headers, operation) as members:
        latencies: list[float] = []
        reads: list[int] = []
        await _change(database, tenant, members)
        meter = Meter(process, tuple)
        for _ in range(changes):
            each, read = await _change(database, tenant, members)
            latencies += each
            reads.append(read)
        cost = meter.cost(changes)
        held = process.memory_info().rss - before
    return Delivery(latencies, reads, cost.server_ms, held / size)


async def _change(
    database: Database, tenant: BenchTenant, members: Sequence[Subscriber]
) -> tuple[list[float], int]:
    """Hand a lead off; return when each subscriber heard of it, and how often it was read."""
    lead = await add_mql(tenant.world)
    await asyncio.sleep(0.1)  # so that nothing of the change before is still under way
    had = [len(member.arrivals) for member in members]
    async with database.work(tenant.id) as work:
        await hand_off(work, tenant.world.actor(), lead.id)
    committed = perf_counter()
    await answered(members, [n + 1 for n in had])
    heard = [member.arrivals[n] for member, n in zip(members, had, strict=True)]
    return [at - committed for at, _ in heard], len({as_of for _, as_of in heard})


@asynccontextmanager
async def _waking(place: Place, database: Database) -> AsyncIterator[None]:
    """Let this process's commits be known to the others, as any process of the service does."""
    worker = Worker(database, Hub(PostgresBus(place.app)), relays=False)
    await worker.start()
    try:
        yield
    finally:
        await worker.stop()


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))
