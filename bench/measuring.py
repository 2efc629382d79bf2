"""Processor time, medians and tables."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Cost:
    """What one round took: requests, seconds, and processor seconds on both sides."""

    requests: int
    seconds: float
    server: float
    postgres: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds

    @property
    def server_ms(self) -> float:
        return 1000 * self.server / self.requests

    @property
    def postgres_ms(self) -> float:
        return 1000 * self.postgres / self.requests


class Meter:
    """Reads the processor time of a server and of the database between two moments.

    Processes of the database come and go: what one that is gone has used is not known.
    """

    def __init__(
        self, server: psutil.Process, postgres: Callable[[], Iterable[psutil.Process]]
    ) -> None:
        self._server = server
        self._postgres = postgres
        self._before = self._now()

    def cost(self, requests: int) -> Cost:
        """Return what was used since the meter was made."""
        (began, server, postgres), (ended, server_now, postgres_now) = self._before, self._now()
        spent = sum(used - postgres.get(pid, 0) for pid, used in postgres_now.items())
        return Cost(requests, ended - began, server_now - server, spent)

    def _now(self) -> tuple[float, float, dict[int, float]]:
        postgres = {process.pid: cpu_of(process) for process in self._postgres()}
        return time.perf_counter(), cpu_of(self._server), postgres


def cpu_of(process: psutil.Process) -> float:
    """Return the processor seconds of a process, 0 if it is gone."""
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0
    return times.user + times.system


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """Return rows as a Markdown table."""
    head = list(rows[0])
    lines = [head, ["---", *("---:" for _ in head[1:])], *([*row.values()] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def comparison(costs: Mapping[str, Sequence[Cost]], against: str) -> str:
    """Return the medians of servers that took turns, each beside one of them."""
    reference = median(c.server_ms + c.postgres_ms for c in costs[against])
    rows = []
    for name, rounds in costs.items():
        both = median(c.server_ms + c.postgres_ms for c in rounds)
        rows.append(
            {
                "server": name,
                "server CPU ms a request": f"{median(c.server_ms for c in rounds):.2f}",
                "PostgreSQL CPU ms": f"{median(c.postgres_ms for c in rounds):.2f}",
                f"CPU, × {against}": f"{both / reference:.2f}",
                "requests/s": f"{median(c.rate for c in rounds):,.0f}",
            }
        )
    return table(rows)
