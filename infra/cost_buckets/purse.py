"""What this process has of one bucket, to be spent without asking anybody."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog

from infra.cost_buckets.bucket import LEASE, MICRO, Bucket, Quota
from infra.cost_buckets.ledger import ASK_SECONDS, Holder, Ledger, Rest
from infra.pool import CONNECTION_LOST

log = structlog.get_logger(__name__)

ASK_AGAIN_SECONDS = 1.0
"""For which a purse knows by itself that its bucket is empty, or that the ledger is away."""
UNREACHABLE = (*CONNECTION_LOST, asyncpg.PostgresError)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class Purse:
    """Holds a lease of a bucket of the ledger; without a ledger, a bucket of its own.

    While the ledger cannot be reached it lends from a bucket of its own of the same size: a
    database that is away shall not stop what can be answered without it.
    """

    def __init__(
        self,
        name: str,
        quota: Quota,
        *,
        monotonic: Callable[[], float],
        owner: str = "",
        ledger: Ledger | None = None,
        holder: Holder | None = None,
    ) -> None:
        self.name = name
        self.used_at = monotonic()
        self._quota = quota
        self._monotonic = monotonic
        self._owner = owner
        self._ledger = ledger
        self._holder = holder
        self._filling = asyncio.Lock()
        self._held = 0
        self._until = -math.inf
        self._level = quota.cost * MICRO
        self._seen_at = self.used_at
        self._ask_at = self._wait_until = 0.0
        self._own: Bucket | None = None

    @property
    def quota(self) -> int:
        """Return the cost that the bucket holds when it is full."""
        return self._quota.cost

    @property
    def window(self) -> int:
        """Return the seconds in which a quota flows in."""
        return int(self._quota.window.total_seconds())

    @property
    def remaining(self) -> int:
        """Return what is left in the bucket, as far as this process knows."""
        return self._expected // MICRO

    @property
    def wait(self) -> int:
        """Return after how many seconds more is there; where it flows steadily, one."""
        seconds = math.ceil(self._wait_until - self._monotonic())
        return seconds if seconds > 0 else int(self.remaining < self.quota)

    @property
    def is_low(self) -> bool:
        """Return whether what is held here is missing elsewhere."""
        return self._usable > 0 and self._level < self.quota * MICRO // 2

    def empty_for(self) -> int | None:
        """Return after how many seconds something can be paid, None if perhaps now.

        What it will be is not known yet: so it is as long as a part that is leased takes.
        """
        if self._usable >= 1 or not self._is_known_to_lack(1):
            return None
        return max(self.wait, math.ceil(self._quota.seconds_for(self._quota.chunk * MICRO)))

    def has(self, cost: int) -> bool:
        """Say whether a cost can be paid at once."""
        return self._usable >= min(cost, self.quota)

    def spend(self, cost: int) -> None:
        """Pay a cost that it has."""
        self._held -= min(cost, self.quota)
        self._wait_until = 0.0
        self.used_at = self._monotonic()

    async def fill(self, cost: int) -> bool:
        """See to it that a cost can be paid; say whether it can."""
        async with self._filling:
            if self.has(cost):
                return True
            if not self._is_known_to_lack(cost):
                await self._lease(min(cost, self.quota))
            if not self.has(cost):
                lacking = min(cost, self.quota) * MICRO - self._expected
                seconds = max(1.0, self._quota.seconds_for(lacking))
                self._wait_until = self._monotonic() + seconds
            return self.has(cost)

    async def give_back(self) -> None:
        """Return what is left, for others to spend."""
        async with self._filling:
            rest = self._taken()
            if self._ledger is None or self._holder is None or self._own is not None:
                return
            try:
                async with asyncio.timeout(ASK_SECONDS):
                    await self._ledger.take_back(self._holder, self._quota, rest)
            except UNREACHABLE:
                return  # then it runs out

    def _taken(self) -> Rest:
        """Take what is held, so that nobody spends it while it is on its way back."""
        unspent, self._held = self._usable, 0
        idle = timedelta(seconds=self._monotonic() - self.used_at)
        return Rest(owner=self._owner, unspent=unspent, idle=idle)

    @property
    def _usable(self) -> int:
        return self._held if self._monotonic() < self._until else 0

    @property
    def _expected(self) -> int:
        """Return what there should be by now, here and in the bucket, in millionths."""
        passed = timedelta(seconds=self._monotonic() - self._seen_at)
        there = self._level + self._quota.inflow(passed)
        return min(self.quota * MICRO, self._usable * MICRO + there)

    def _is_known_to_lack(self, cost: int) -> bool:
        lacks = self._expected < min(cost, self.quota) * MICRO
        return lacks and self._monotonic() < self._ask_at

    async def _lease(self, cost: int) -> None:
        rest, asked_at = self._taken(), self._monotonic()
        away = self._own is not None and asked_at < self._ask_at
        if self._ledger is None or self._holder is None or away:
            self._lend_myself(cost, rest)
        else:
            await self._ask(self._ledger, self._holder, cost, rest)
        self._seen_at = asked_at
        self._ask_at = max(self._ask_at, asked_at + ASK_AGAIN_SECONDS)

    async def _ask(self, ledger: Ledger, holder: Holder, cost: int, rest: Rest) -> None:
        asked_at = self._monotonic()
        try:
            async with asyncio.timeout(ASK_SECONDS):
                grant = await ledger.lend(
                    holder,
                    self._quota,
                    # The ledger knows nothing of what was lent here while it was away.
                    rest if self._own is None else replace(rest, unspent=0),
                    at_least=cost,
                    at_most=max(cost, self._quota.chunk),
                )
        except UNREACHABLE as error:
            if self._own is None:
                log.warning("cost_buckets.unreachable", error=type(error).__name__)
            self._ask_at = self._monotonic() + ASK_AGAIN_SECONDS
            self._lend_myself(cost, rest)
            return
        self._own = None
        self._quota, self._level = grant.quota, grant.level
        self._held = grant.lease.cost if grant.lease else 0
        # Counted from before the question: never longer than the ledger counts.
        self._until = asked_at + LEASE.total_seconds()

    def _lend_myself(self, cost: int, rest: Rest) -> None:
        now = _EPOCH + timedelta(seconds=self._monotonic())
        own = self._own or Bucket.full(self._quota, now)
        own = own.told(self._owner, rest.unspent, spent_by=now - rest.idle)
        own = own.filled(self._quota, now).with_back(self._owner, rest.unspent)
        own, lease = own.lent(self._owner, at_least=cost, at_most=max(cost, self._quota.chunk))
        self._own, self._level = own, own.level
        self._held = lease.cost if lease else 0
        self._until = self._monotonic() + LEASE.total_seconds()
