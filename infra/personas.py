"""Assigning leads to personas in the background, where there are too many to do it at once."""

from __future__ import annotations

import asyncio
from uuid import UUID

from domain.audit import Cause
from domain.identity import system
from domain.personas import assign_leads
from infra.database import Database
from infra.rounds import in_rounds
from infra.tracing import traced

POLL_SECONDS = 2.0
ASSIGN = Cause(action="assign leads")

# As the platform's role, by the partial index personas_assigning.
_TENANTS = "SELECT DISTINCT tenant_id FROM personas WHERE assigning_after IS NOT NULL"


class PersonaAssigner:
    """Goes on where a change of personas left off.  Any number of processes may."""

    def __init__(self, database: Database, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._database = database
        self._poll = poll_seconds

    async def run(self) -> None:
        """Assign what waits, for ever."""
        while True:
            await self.assign_all()
            await asyncio.sleep(self._poll)

    async def assign_all(self) -> None:
        """Assign all that waits now, a batch of each tenant in turn."""
        rows = await self._database.platform.fetch(_TENANTS)
        await in_rounds((row[0] for row in rows), self._assign, work="assign leads")

    @traced("assign personas")
    async def _assign(self, tenant_id: UUID) -> bool:
        async with self._database.work(tenant_id, cause=ASSIGN) as work:
            return await assign_leads(work, system(tenant_id))
