"""Attribution in the background: models computed, campaigns and assets finding what is theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from domain.attribution import compute_models
from domain.audit import Cause
from domain.campaigns import adopt_strays
from domain.content_matching import match_touches
from domain.identity import Actor, system
from infra.database import Database
from infra.rounds import in_rounds
from infra.tracing import traced

POLL_SECONDS = 2.0

Batch = Callable[[Any, Actor], Awaitable[bool]]

# As the platform's role, by the partial indexes attribution_models_computing,
# campaigns_adopting and content_assets_matching.
_WAITING: Mapping[str, str] = {
    "compute attribution": (
        "SELECT DISTINCT tenant_id FROM attribution_models WHERE computing_after IS NOT NULL"
    ),
    "adopt touches": ("SELECT DISTINCT tenant_id FROM campaigns WHERE adopting_after IS NOT NULL"),
    "match touches": (
        "SELECT DISTINCT tenant_id FROM content_assets WHERE matching_after IS NOT NULL"
    ),
}
_BATCHES: Mapping[str, Batch] = {
    "compute attribution": compute_models,
    "adopt touches": adopt_strays,
    "match touches": match_touches,
}


class AttributionKeeper:
    """Goes on where a new model, campaign or asset left off.  Any number of processes may."""

    def __init__(self, database: Database, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._database = database
        self._poll = poll_seconds

    async def run(self) -> None:
        """Do what waits, for ever."""
        while True:
            await self.catch_up()
            await asyncio.sleep(self._poll)

    async def catch_up(self) -> None:
        """Do all that waits now, a batch of each tenant in turn."""
        for action, waiting in _WAITING.items():
            rows = await self._database.platform.fetch(waiting)
            await in_rounds((row[0] for row in rows), partial(self._go_on, action), work=action)

    @traced("attribute")
    async def _go_on(self, action: str, tenant_id: UUID) -> bool:
        async with self._database.work(tenant_id, cause=Cause(action=action)) as work:
            return await _BATCHES[action](work, system(tenant_id))
