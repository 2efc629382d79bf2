"""Looking for duplicates in the background: whole scans, what changes, and what is certain."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TypeAlias
from uuid import UUID

import structlog

from domain.audit import Cause
from domain.duplicates.comparing import compare_changed
from domain.duplicates.scanning import (
    DuplicateScan,
    ScanLost,
    claim_scan,
    leave_scan,
    leave_to_people,
    merge_certain,
    next_certain,
    scan_batch,
)
from domain.errors import AlreadyExists, DomainError, NotFound, StaleWrite
from domain.identity import system
from domain.merging import AlreadyMerged
from infra.database import CONNECTION_LOST, Database
from infra.refusals import Busy
from infra.rounds import in_rounds
from infra.tracing import traced

log = structlog.get_logger(__name__)

POLL_SECONDS = 2.0
SCAN = Cause(action="find duplicates")
MERGE = Cause(action="merge duplicates")

# As the platform's role; $1 replaces the database's clock.
_SCANS = """
SELECT DISTINCT tenant_id FROM duplicate_scans
WHERE status IN ('QUEUED', 'RUNNING')
  AND (claimed_until IS NULL OR claimed_until < coalesce($1, now()))
"""
_CHANGED = """
SELECT r.tenant_id FROM duplicate_rules r JOIN feeds f ON f.tenant_id = r.tenant_id
WHERE f.last_number > r.checked_to
"""
_CERTAIN = """
SELECT DISTINCT tenant_id FROM duplicate_candidates WHERE certain AND status = 'PROPOSED'
"""


_Scanning: TypeAlias = tuple[UUID, DuplicateScan]

# Somebody was at the same pairs, or leads: what was begun is begun anew.
_MEANWHILE = (Busy, StaleWrite, NotFound)


class DuplicateFinder:
    """Does what there is to do, for ever.  Any number of processes may."""

    def __init__(self, database: Database, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._database = database
        self._poll = poll_seconds

    async def run(self) -> None:
        while True:
            await self.find_all()
            await asyncio.sleep(self._poll)

    async def find_all(self) -> None:
        """Do all that waits now: a batch of each tenant in turn, so that none waits for another."""
        at = self._database.clock() if self._database.clock else None
        claimed = [await self._claim(tenant_id) for tenant_id in await self._tenants(_SCANS, at)]
        scans = [each for each in claimed if each is not None]
        try:
            while True:
                went_on = [await self._go_on(*each) for each in scans]
                scans = [each for each in went_on if each is not None]
                changed = await self._tenants(_CHANGED)
                await in_rounds(changed, self._compare, work="compare what has changed")
                await in_rounds(await self._tenants(_CERTAIN), self._merge, work="merge duplicates")
                if not scans:
                    return
        except asyncio.CancelledError:
            for each in scans:
                with suppress(*CONNECTION_LOST, DomainError):
                    await asyncio.shield(self._leave(*each))
            raise

    async def _tenants(self, query: str, *values: object) -> list[UUID]:
        return [row[0] for row in await self._database.platform.fetch(query, *values)]

    async def _claim(self, tenant_id: UUID) -> _Scanning | None:
        async with self._database.work(tenant_id, cause=SCAN) as work:
            scan = await claim_scan(work, system(tenant_id))
        return None if scan is None else (tenant_id, scan)

    @traced("find duplicates")
    async def _go_on(self, tenant_id: UUID, scan: DuplicateScan) -> _Scanning | None:
        """Compare the next leads; return the scan, or nothing where nothing is left to do."""
        try:
            async with self._database.work(tenant_id, cause=SCAN) as work:
                scan = await scan_batch(work, system(tenant_id), scan)
        except ScanLost:
            log.info("duplicates.claim_lost", scan=str(scan.id))
            return None
        except CONNECTION_LOST:
            raise  # whoever comes next goes on with it
        except (AlreadyExists, *_MEANWHILE):
            pass  # the same part once more
        except Exception as error:  # a scan that cannot go on must say so, whatever it is
            log.exception("duplicates.failed", scan=str(scan.id), error=type(error).__name__)
            await self._leave(
                tenant_id, scan, error="Something went wrong on our side; what was found is kept."
            )
            return None
        return None if scan.status.is_over else (tenant_id, scan)

    async def _leave(
        self, tenant_id: UUID, scan: DuplicateScan, *, error: str | None = None
    ) -> None:
        with suppress(ScanLost):
            async with self._database.work(tenant_id, cause=SCAN) as work:
                await leave_scan(work, system(tenant_id), scan, error=error)

    @traced("find duplicates of what has changed")
    async def _compare(self, tenant_id: UUID) -> bool:
        try:
            async with self._database.work(tenant_id, cause=SCAN) as work:
                return await compare_changed(work, system(tenant_id))
        except (AlreadyExists, *_MEANWHILE):
            return False  # the same changes once more, when it is looked again

    @traced("merge duplicates")
    async def _merge(self, tenant_id: UUID) -> bool:
        actor = system(tenant_id)
        async with self._database.work(tenant_id, read_only=True) as work:
            pair_id = await next_certain(work, actor)
        if pair_id is None:
            return False
        try:
            async with self._database.work(tenant_id, cause=MERGE) as work:
                await merge_certain(work, actor, pair_id)
        except (AlreadyMerged, *_MEANWHILE):
            pass  # the pair is gone by now, or is looked at again
        except DomainError as refusal:
            log.info("duplicates.not_merged", pair=str(pair_id), code=refusal.code)
            with suppress(*_MEANWHILE):
                async with self._database.work(tenant_id, cause=MERGE) as work:
                    await leave_to_people(work, actor, pair_id)
        return True
