"""`faults`: how long writes stop, and what is lost, when processes are killed."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import psutil

from bench.measuring import median, table
from bench.place import FOLDER
from bench.report import Section
from infra.embedded import EmbeddedPostgres
from infra.migrate import upgrade
from infra.settings import APP_ROLE, PLATFORM_ROLE, role_password
from tests.api.sites import Started, a_process, key_of
from tests.conftest import DatabaseUrls
from tests.faults.places import OwnPostgres, a_tenant
from tests.faults.test_processes import server_pids
from tests.faults.writers import Ledger, account_for, writing

WRITES = 60


@dataclass(frozen=True, slots=True)
class Outage:
    """What one fault did."""

    gap: float
    """The longest time without an acknowledged write, in seconds."""
    recovered: float | None
    """From when PostgreSQL answered again to the next acknowledged write."""
    ledger: Ledger


Break = Callable[[OwnPostgres, Started], Awaitable[float | None]]


async def run(*, rounds: int = 3) -> Section:
    """Break something in the middle of four clients' writes, and account for every one of them."""
    found = {name: [await _break(fault) for _ in range(rounds)] for name, fault in _FAULTS.items()}
    return Section(
        "faults",
        "Kill -9 under load",
        "Four clients create leads as fast as they are answered, on two processes of the service."
        f"  Median and worst of {rounds} rounds.  Afterwards every write is looked up: one that was"
        " acknowledged and is not there is lost, one that is there twice, or whose event was"
        " numbered twice, is doubled; a round with either stops the benchmark.  After a write of"
        " unknown outcome the clients go on with another.",
        table([_row(name, outages) for name, outages in found.items()]),
    )


async def _kill_a_process(_: OwnPostgres, started: Started) -> None:
    os.kill(server_pids(started)[0], signal.SIGKILL)


async def _kill_postgres(postgres: OwnPostgres, _: Started) -> float:
    await asyncio.to_thread(postgres.kill)
    return await postgres.start_again()


async def _terminate(postgres: OwnPostgres, _: Started) -> None:
    await postgres.terminate_all()


_FAULTS: dict[str, Break] = {
    "a process of the service": _kill_a_process,
    "PostgreSQL, and its restart": _kill_postgres,
    "all backends (terminated)": _terminate,
}


def _row(name: str, outages: Sequence[Outage]) -> dict[str, str]:
    gaps = [outage.gap for outage in outages]
    recovered = [outage.recovered for outage in outages if outage.recovered is not None]
    ledgers = [outage.ledger for outage in outages]
    return {
        "killed": name,
        "gap without a write, s": f"{median(gaps):.2f} (at most {max(gaps):.2f})",
        "after PostgreSQL is back, s": f"{max(recovered):.2f} at most" if recovered else "–",
        "acknowledged": f"{sum(len(ledger.acknowledged) for ledger in ledgers):,}",
        "lost": "0",
        "doubled": "0",
        "refused": str(sum(len(ledger.failed) for ledger in ledgers)),
        "unknown": str(sum(len(ledger.unknown) for ledger in ledgers)),
    }


async def _break(fault: Break) -> Outage:
    with tempfile.TemporaryDirectory() as folder:
        async with a_postgres() as postgres, a_tenant(postgres.urls) as tenant:
            with a_process(postgres.urls, Path(folder), PROCESSES="2") as started:
                async with writing(started.url, await key_of(started, tenant)) as ledger:
                    await ledger.more(WRITES)
                    at = monotonic()
                    back = await fault(postgres, started)
                    await ledger.more(WRITES)
            await account_for(tenant, ledger)
    after = [told for told in ledger.told_at if back is not None and told > back]
    recovered = after[0] - back if after and back is not None else None
    return Outage(ledger.gap(since=at - 0.2), recovered, ledger)


@asynccontextmanager
async def a_postgres() -> AsyncIterator[OwnPostgres]:
    """A durable server of one's own, which may be killed."""
    with EmbeddedPostgres(FOLDER / "faults") as server:
        owner = server.url()
        await upgrade(
            owner,
            app_password=role_password(owner, APP_ROLE),
            platform_password=role_password(owner, PLATFORM_ROLE),
        )
        yield OwnPostgres(server, DatabaseUrls.of(owner))


def resident(started: Started) -> int:
    """Return the bytes of memory that a service of one process holds."""
    return psutil.Process(started.process.pid).memory_info().rss
