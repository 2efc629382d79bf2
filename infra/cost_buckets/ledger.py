"""The buckets that all processes share: one row each, in a table that a crash empties.

After a crash every bucket is full again, which harms nobody; in return nothing of this is logged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from infra.cost_buckets.bucket import MICRO, Bucket, Lease, Quota
from infra.database import Database

ASK_SECONDS = 0.5
"""The longest that a request waits for a lease before it is let through without."""
_FORGOTTEN = timedelta(days=1)

# Locks the row, and makes it where there is none.  The quota of the directory is one that was set
# for this tenant, and concerns the tenant's own bucket only.
_OPEN = """
INSERT INTO cost_buckets AS b (tenant_id, holder_id, level, at, leases)
VALUES ($1, $2, $3, coalesce($4, now()), '[]')
ON CONFLICT (tenant_id, holder_id) DO UPDATE SET level = b.level
RETURNING b.level, b.at, b.leases, coalesce($4, now()),
    (SELECT d.cost_quota FROM directory d WHERE d.tenant_id = b.tenant_id
     AND b.holder_id = b.tenant_id)
"""
_CLOSE = """
UPDATE cost_buckets SET level = $3, at = $4, leases = $5 WHERE tenant_id = $1 AND holder_id = $2
"""
_FORGET = "DELETE FROM cost_buckets WHERE at < $1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whose bucket it is: a bearer's, or, where the holder is the tenant, the tenant's."""

    tenant_id: UUID
    holder_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What is left of an owner's last lease, and how long ago the rest of it was spent."""

    owner: str
    unspent: int
    idle: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What the ledger answers: the lease, if there was enough, and what is left in the bucket."""

    lease: Lease | None
    level: int
    quota: Quota


class Ledger:
    """Lends out of the shared buckets, as the platform's role."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def lend(
        self,
        holder: Holder,
        quota: Quota,
        rest: Rest,
        *,
        at_least: int,
        at_most: int,
    ) -> Grant:
        """Take back the rest of the owner's last lease, and lend anew; all or nothing."""
        async with (
            self._database.platform.acquire(timeout=ASK_SECONDS) as connection,
            connection.transaction(),
        ):
            bucket, quota = await self._open(connection, holder, quota, rest)
            at_least = min(at_least, quota.cost)
            bucket, lease = bucket.lent(rest.owner, at_least=at_least, at_most=at_most)
            await _close(connection, holder, bucket)
        return Grant(lease=lease, level=bucket.level, quota=quota)

    async def take_back(self, holder: Holder, quota: Quota, rest: Rest) -> None:
        """Take back the rest of the owner's lease."""
        async with (
            self._database.platform.acquire(timeout=ASK_SECONDS) as connection,
            connection.transaction(),
        ):
            bucket, _ = await self._open(connection, holder, quota, rest)
            await _close(connection, holder, bucket)

    async def forget(self) -> None:
        """Remove the buckets that nobody has used for a day: they are full."""
        await self._database.platform.execute(_FORGET, await self._database.now() - _FORGOTTEN)

    async def _open(
        self, connection: Any, holder: Holder, quota: Quota, rest: Rest
    ) -> tuple[Bucket, Quota]:
        clock = self._database.clock
        level, at, leases, now, own = await connection.fetchrow(
            _OPEN,
            holder.tenant_id,
            holder.holder_id,
            quota.cost * MICRO,
            clock() if clock else None,
        )
        quota = quota if own is None else Quota(cost=own, window=quota.window)
        bucket = Bucket(level=level, at=at, leases=_read(leases))
        bucket = bucket.told(rest.owner, rest.unspent, spent_by=now - rest.idle)
        return bucket.filled(quota, now).with_back(rest.owner, rest.unspent), quota


async def _close(connection: Any, holder: Holder, bucket: Bucket) -> None:
    leases = [[one.owner, one.cost, one.until.isoformat()] for one in bucket.leases]
    await connection.execute(
        _CLOSE, holder.tenant_id, holder.holder_id, bucket.level, bucket.at, leases
    )


def _read(leases: Sequence[Any]) -> tuple[Lease, ...]:
    return tuple(
        Lease(owner=owner, cost=cost, until=datetime.fromisoformat(until))
        for owner, cost, until in leases
    )
