"""`crowds`: a thousand connections at once, and more requests than can be answered."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import httpx

from bench.faults import a_postgres, resident
from bench.load import Failed
from bench.measuring import median, percentile, table
from bench.report import Section
from bench.sockets import Subscriber, subscribers
from tests.api.sites import Started, a_process, key_of
from tests.faults.places import a_tenant
from tests.world import World

BOARD = {"query": "subscription { board { asOf sides { side status } } }"}
TEAMS = '{"query": "{ teams { nodes { name } } }"}'
UNPAID = {"COST_PER_TENANT": "0", "COST_PER_BEARER": "0"}
LET_IN = 210  # ten run and two hundred wait, by default


async def run(*, size: int = 1_000, rounds: int = 3) -> Section:
    """Open many connections, restart the service under them, and ask for too much."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        async with a_postgres() as postgres, a_tenant(postgres.urls) as world:
            place = Path(folder)
            with a_process(postgres.urls, place) as started:
                key = await key_of(started, world)
                rows.append(await _idle(started, key, size))
            rows.append(await _storm(postgres.urls, place, world, size))
            with a_process(postgres.urls, place, LOG_LEVEL="warning", **UNPAID) as started:
                rows += await _overload(started, await key_of(started, world), rounds)
    return Section(
        "crowds",
        "Crowds: idle sockets, a reconnect storm, overload",
        f"One process of the service with everything on one machine.  {size:,} sockets that have"
        " introduced themselves and are silent; as many subscribers of the live board, whose"
        " process is killed and started again on the same port (from the start of listening until"
        " the last of them has its board); and `wrk`, which pays no heed to Retry-After, with ten"
        f" connections and then with three times the {LET_IN} that are let in at once: what is"
        " answered with 200 in the one case and in the other, in rounds that take turns.",
        table(rows),
    )


def _row(what: str, figure: str, beside: str = "") -> dict[str, str]:
    return {"what": what, "figure": figure, "beside": beside}


class Idle(Subscriber):
    """A connection that only introduces itself."""

    def _hear(self, message: bytes) -> None:
        if b'"connection_ack"' in message:
            self.arrivals.append((monotonic(), b""))


async def _idle(started: Started, key: str, size: int) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {key}"}
    port = started.settings.port
    async with subscribers(1, port, headers, BOARD, kind=Idle):
        before = resident(started)
    async with subscribers(size, port, headers, BOARD, kind=Idle):
        held = resident(started) - before
    return _row(
        f"memory of {size:,} idle sockets",
        f"{held / (1 << 20):.0f} MiB",
        f"{held / size / 1024:.0f} KiB each",
    )


async def _storm(urls: Any, folder: Path, world: World, size: int) -> dict[str, str]:
    with a_process(urls, folder) as first:
        headers = {"Authorization": f"Bearer {await key_of(first, world)}"}
        port = first.settings.port
        async with subscribers(size, port, headers, BOARD):
            await asyncio.to_thread(first.stop, signal.SIGKILL)
    with a_process(urls, folder, at=port):
        began = monotonic()
        async with subscribers(size, port, headers, BOARD) as again:
            took = monotonic() - began
            each = [member.arrivals[0][0] for member in again]
    spread = percentile(each, 0.99) - percentile(each, 0.5)
    return _row(
        f"{size:,} subscribers back after a restart",
        f"{took:.1f} s until all have the truth",
        f"p50 to p99: {spread:.1f} s",
    )


async def _overload(started: Started, key: str, rounds: int) -> list[dict[str, str]]:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    peaks, loads, alive = [], [], list[float]()
    for _ in range(rounds):
        peaks.append(await asyncio.to_thread(goodput, started.settings.port, headers, 10))
        loading = asyncio.to_thread(goodput, started.settings.port, headers, 3 * LET_IN)
        task = asyncio.create_task(loading)
        await _watch(started, task, alive)
        loads.append(await task)
    peak, load = median(peaks), median(loads)
    slow = f"p99 {1000 * percentile(alive, 0.99):.0f} ms"
    return [
        _row("goodput, 10 connections", f"{peak:,.0f} requests/s"),
        _row(f"goodput, {3 * LET_IN} connections", f"{load:,.0f} requests/s", f"{load / peak:.0%}"),
        _row("/healthz meanwhile", f"{1000 * median(alive):.0f} ms (median)", slow),
    ]


async def _watch(started: Started, task: asyncio.Task[float], alive: list[float]) -> None:
    async with httpx.AsyncClient(base_url=started.url, timeout=20) as client:
        while not task.done():
            at = monotonic()
            await client.get("/healthz")
            alive.append(monotonic() - at)
            await asyncio.sleep(0.1)


def goodput(port: int, headers: Mapping[str, str], connections: int, seconds: int = 6) -> float:
    """Return how many requests a second are answered with 200."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise Failed("crowds needs wrk")
    lines = ['wrk.method = "POST"', f"wrk.body = [==[{TEAMS}]==]"]
    lines += [f"wrk.headers[ [==[{name}]==] ] = [==[{value}]==]" for name, value in headers.items()]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write("\n".join(lines))
        script.flush()
        command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s"]
        command += ["-s", script.name, f"http://127.0.0.1:{port}/graphql"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    everything = re.search(r"(\d+) requests in ([\d.]+)s", told)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    if everything is None:
        raise Failed(told)
    return (int(everything[1]) - (int(refused[1]) if refused else 0)) / float(everything[2])
