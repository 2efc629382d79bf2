"""Figures for Prometheus, of this process or, where several share the port, of all together.

With several processes PROMETHEUS_MULTIPROC_DIR must name a folder of theirs before this module is
imported: see `infra.serving`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

from infra.worker import Worker

CONTENT_TYPE = CONTENT_TYPE_LATEST
FOLDER = "PROMETHEUS_MULTIPROC_DIR"

REQUESTS = Counter(
    "smarketing_http_requests", "HTTP requests answered.", ["route", "method", "status"]
)
REQUEST_SECONDS = Histogram(
    "smarketing_http_request_seconds",
    "Time from a request to the end of its answer; streams are left out.",
    ["route"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15),
)
OPEN = Gauge(
    "smarketing_open",
    "What is open now: requests, sockets, streams, cohorts, watches, connections.",
    ["what"],
    multiprocess_mode="livesum",
)
EVENTS = Counter("smarketing_events_published", "Events moved from the outbox to the log.")
TRANSITIONS = Counter("smarketing_clock_transitions", "Changes of clocks told by the sweeper.")
WAKE_UPS = Counter("smarketing_wake_ups_sent", "Coalesced wake-ups sent to all processes.")
FAILURES = Counter("smarketing_loop_failures", "Loops of the worker that had to be started again.",
                   ["loop"])  # fmt: skip

_LIVE = re.compile(r"gauge_live\w+_(\d+)\.db")


class Figures:
    """Carries what a process counts for itself over to its metrics."""

    def __init__(self, worker: Worker, open_now: Callable[[], Mapping[str, int]]) -> None:
        self._worker = worker
        self._open_now = open_now
        self._seen: dict[str, int] = {}

    def refresh(self) -> None:
        """Bring the metrics up to date."""
        worker = self._worker
        for what, count in self._open_now().items():
            OPEN.labels(what).set(count)
        self._add("wake_ups", WAKE_UPS, worker.wake_ups.sent)
        if worker.relay and worker.sweeper:
            self._add("events", EVENTS, worker.relay.published)
            self._add("transitions", TRANSITIONS, worker.sweeper.transitions)
        for loop, count in worker.failures.items():
            self._add(f"failures {loop}", FAILURES.labels(loop), count)

    def _add(self, name: str, counter: Counter, total: int) -> None:
        counter.inc(total - self._seen.get(name, 0))
        self._seen[name] = total


def exposition() -> bytes:
    """Return all figures as Prometheus reads them."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return generate_latest(REGISTRY)
    _forget_the_dead(Path(folder))
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]  # theirs
    return generate_latest(registry)


def _forget_the_dead(folder: Path) -> None:
    """Drop what processes had open that were killed and could not say goodbye."""
    pids = {int(found[1]) for path in folder.iterdir() if (found := _LIVE.fullmatch(path.name))}
    for pid in pids:
        if not psutil.pid_exists(pid):
            multiprocess.mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]  # theirs
