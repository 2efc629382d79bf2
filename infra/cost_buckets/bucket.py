"""A token bucket that is lent out in parts.

A process leases some cost, and spends it without asking anybody.  What is lent counts as if it
were still in the bucket until it is spent, given back or run out: the bucket fills only as far as
its quota without it.  So level and leases together never hold more than the quota, and in any span
of time all processes together spend at most the quota and what flowed in during that time, however
many there are and whenever each of them spends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

MICRO = 1_000_000
"""Parts of a cost of 1, in which levels are counted, so that nothing is rounded away."""
LEASE = timedelta(seconds=10)
WINDOW = timedelta(seconds=60)
_CHUNKS = 20
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What a bucket holds when it is full, which is also what flows in in a window."""

    cost: int
    window: timedelta = WINDOW

    @property
    def chunk(self) -> int:
        """Return what is leased at once: three seconds' worth of what flows in."""
        return max(1, self.cost // _CHUNKS)

    def inflow(self, elapsed: timedelta) -> int:
        """Return what flows in, in millionths."""
        passed, window = elapsed // _MICROSECOND, self.window // _MICROSECOND
        return max(0, passed) * self.cost * MICRO // window

    def seconds_for(self, micros: int) -> float:
        """Return how long it takes until so much has flowed in."""
        return max(0, micros) / MICRO / self.cost * self.window.total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """What one process may spend until some instant."""

    owner: str
    cost: int
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """How full a bucket was at some instant, and what was lent out of it."""

    level: int
    """In millionths of cost."""
    at: datetime
    leases: tuple[Lease, ...] = ()

    @classmethod
    def full(cls, quota: Quota, at: datetime) -> Bucket:
        """Return a bucket out of which nothing was taken."""
        return cls(level=quota.cost * MICRO, at=at)

    def filled(self, quota: Quota, now: datetime) -> Bucket:
        """Return the bucket as it is now, without the leases that have run out.

        Whenever one runs out there is more room, so the time since is gone through lease by lease.
        """
        now = max(now, self.at)
        level, at = self.level, self.at
        for moment in sorted({now, *(one.until for one in self.leases if one.until < now)}):
            lent = sum(one.cost for one in self.leases if one.until >= moment)
            room = max(0, quota.cost - lent) * MICRO
            level, at = min(room, level + quota.inflow(moment - at)), max(at, moment)
        running = tuple(one for one in self.leases if one.until > now)
        return replace(self, level=level, at=now, leases=running)

    def told(self, owner: str, unspent: int, *, spent_by: datetime) -> Bucket:
        """Return the bucket that knows by when its owner has spent a lease but for what is left.

        From then on there was room for as much to flow in.
        """
        lease = self._of(owner)
        if lease is None or unspent >= lease.cost or spent_by >= lease.until:
            return self
        spent = replace(lease, owner="", cost=lease.cost - unspent, until=spent_by)
        left = replace(lease, cost=unspent)
        others = tuple(one for one in self.leases if one is not lease)
        return replace(self, leases=(*others, spent, left))

    def with_back(self, owner: str, unspent: int) -> Bucket:
        """Return the bucket with what is left of a lease; of one that has run out, nothing is."""
        lease = self._of(owner)
        if lease is None:
            return self
        others = tuple(one for one in self.leases if one is not lease)
        return replace(self, level=self.level + min(unspent, lease.cost) * MICRO, leases=others)

    def lent(self, owner: str, *, at_least: int, at_most: int) -> tuple[Bucket, Lease | None]:
        """Return the bucket without a new lease, and the lease: None if there is too little."""
        cost = min(at_most, self.level // MICRO)
        if cost < at_least:
            return self, None
        lease = Lease(owner=owner, cost=cost, until=self.at + LEASE)
        rest = replace(self, level=self.level - cost * MICRO, leases=(*self.leases, lease))
        return rest, lease

    def _of(self, owner: str) -> Lease | None:
        return next((one for one in self.leases if one.owner == owner), None)
