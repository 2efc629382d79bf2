"""Everybody's purses in this process."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from time import monotonic
from uuid import UUID, uuid4

from infra.cost_buckets.bucket import Quota
from infra.cost_buckets.ledger import Holder, Ledger
from infra.cost_buckets.purse import UNREACHABLE, Purse
from infra.database import Database
from infra.edge_limits import EdgeLimits

MOST_KEPT = 50_000
TIDY_SECONDS = 2.0
_IDLE_SECONDS = 60.0
_FORGET_EVERY = 1_800
"""Times of tidying up between two looks for buckets that nobody uses: an hour."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody's purses, each of which has to pay for each operation."""

    purses: Sequence[Purse]

    @property
    def allowances(self) -> Sequence[Purse]:
        """Return the purses, as what they allow."""
        return self.purses

    def wait(self) -> int | None:
        """Return after how many seconds anything can be paid; None if perhaps now."""
        waits = [seconds for purse in self.purses if (seconds := purse.empty_for()) is not None]
        return max(waits, default=None)

    async def pay(self, cost: int) -> int | None:
        """Pay all of the cost and return None, or nothing, and return the seconds to wait."""
        while True:
            # The bearer's own first: who has spent that shall not hold any of the tenant's.
            lacking = next((p for p in reversed(self.purses) if not p.has(cost)), None)
            if lacking is None:
                break  # and nobody else comes between here and the spending
            if not await lacking.fill(cost):
                return lacking.wait
        for purse in self.purses:
            purse.spend(cost)
        return None


class CostBuckets:
    """Finds the purses of whoever asks.  One for each process."""

    def __init__(
        self,
        database: Database,
        limits: EdgeLimits,
        *,
        monotonic: Callable[[], float] = monotonic,
    ) -> None:
        self._ledger = Ledger(database)
        self._limits = limits
        self._monotonic = monotonic
        self._owner = uuid4().hex
        self._purses: OrderedDict[Hashable, Purse] = OrderedDict()

    def __len__(self) -> int:
        return len(self._purses)

    def of_bearer(self, tenant_id: UUID, bearer_id: UUID, *, kind: str) -> Account:
        """Return the account of a user, an API key or a board: it and its tenant pay."""
        tenant, bearer = self._limits.tenant_cost, self._limits.bearer_cost
        purses = [
            self._purse(name, Quota(cost=cost), Holder(tenant_id=tenant_id, holder_id=holder_id))
            for name, cost, holder_id in (
                ("tenant", tenant, tenant_id),
                (kind, bearer, bearer_id),
            )
            if cost
        ]
        return Account(purses)

    def of_address(self, address: str) -> Account:
        """Return the account of somebody who brings no credentials, in this process alone."""
        cost = self._limits.address_cost
        return Account([self._purse("address", Quota(cost=cost), address)] if cost else ())

    def of_page(self, address: str, site_id: UUID | None) -> Account:
        """Return the account of a web page: its visitor's address and its site, in this process.

        It pays for events, out of buckets of its own, so that no flood of beacons, whose key is
        public, can use up what the API of the same tenant or address lives on.
        """
        limits = self._limits
        purses = [
            self._purse(name, Quota(cost=events), key)
            for name, events, key in (
                ("address", limits.address_events, f"page {address}"),
                ("site", limits.site_events, f"site {site_id}" if site_id else ""),
            )
            if events and key
        ]
        return Account(purses)

    async def run(self) -> None:
        """Give back, for ever, what is held idly of buckets that others draw on."""
        rounds = 0
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            await self.tidy()
            rounds += 1
            if rounds % _FORGET_EVERY == 0:
                await self._forget()

    async def tidy(self) -> None:
        """Give back what was not used lately, and forget whoever is long gone."""
        now = self._monotonic()
        for key, purse in list(self._purses.items()):
            idle = now - purse.used_at
            if idle > TIDY_SECONDS and purse.is_low:
                await purse.give_back()
            if idle > _IDLE_SECONDS:
                self._purses.pop(key, None)

    async def aclose(self) -> None:
        """Give back what others lack."""
        await asyncio.gather(
            *(purse.give_back() for purse in self._purses.values() if purse.is_low)
        )

    async def _forget(self) -> None:
        try:
            await self._ledger.forget()
        except UNREACHABLE:
            return  # an hour later will do

    def _purse(self, name: str, quota: Quota, key: Holder | str) -> Purse:
        known = self._purses.get(key)
        if known is not None:
            self._purses.move_to_end(key)
            return known
        if len(self._purses) >= MOST_KEPT:
            self._purses.popitem(last=False)
        holder = key if isinstance(key, Holder) else None
        purse = self._purses[key] = Purse(
            name,
            quota,
            monotonic=self._monotonic,
            owner=self._owner,
            ledger=self._ledger if holder else None,
            holder=holder,
        )
        return purse
