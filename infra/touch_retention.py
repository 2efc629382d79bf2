"""Touches and visitors that were kept long enough go, tenant after tenant."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from domain.audit import Cause
from domain.identity import system
from domain.touch_erasure import erase_old
from infra.database import Database
from infra.rounds import in_rounds
from infra.tracing import traced

POLL_SECONDS = 30.0
# A changed limit counts within this time.
EVERY = timedelta(hours=1)
ERASE = Cause(action="erase old touches")

# As the platform's role.
_TENANTS = "SELECT tenant_id FROM directory"


class TouchEraser:
    """Looks at every tenant once an hour, and lets go what is to go.

    What is stored says what has been done, so any number of processes may look, however often.
    """

    def __init__(self, database: Database, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._database = database
        self._poll = poll_seconds
        self._next: dict[UUID, datetime] = {}

    async def run(self) -> None:
        """Let go what is to go, for ever."""
        while True:
            await self.erase_all()
            await asyncio.sleep(self._poll)

    async def erase_all(self) -> None:
        """Do all there is of every tenant that was not looked at within the last hour."""
        at = await self._database.now()
        rows = await self._database.platform.fetch(_TENANTS)
        tenants = [row[0] for row in rows if self._next.get(row[0], at) <= at]
        self._next.update(dict.fromkeys(tenants, at + EVERY))
        await self.erase_in_turn(tenants)

    async def erase_in_turn(self, tenants: Sequence[UUID]) -> None:
        """Do all there is of some tenants, a batch of each in turn, so that none waits long."""
        await in_rounds(tenants, self._erase, work="erase old touches")

    @traced("erase old touches")
    async def _erase(self, tenant_id: UUID) -> bool:
        async with self._database.work(tenant_id, cause=ERASE) as work:
            return await erase_old(work, system(tenant_id))
