"""Counts of what is open now, each back at its start when everybody has left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

Gauge = Literal["requests", "sockets", "streams", "operations", "cohorts", "members", "sources"]


@dataclass(slots=True)
class Gauges:
    """Open HTTP requests, sockets, event streams, operations on sockets, and subscriptions.

    A cohort is one shared subscription, its members are the clients that follow it, and a source
    is an open source generator, shared or not.
    """

    requests: int = 0
    sockets: int = 0
    streams: int = 0
    operations: int = 0
    cohorts: int = 0
    members: int = 0
    sources: int = 0

    @contextmanager
    def counting(self, gauge: Gauge) -> Iterator[None]:
        """Count one more while the block runs."""
        setattr(self, gauge, getattr(self, gauge) + 1)
        try:
            yield
        finally:
            setattr(self, gauge, getattr(self, gauge) - 1)
