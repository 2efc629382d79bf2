"""Scoring in the background: what fades, what waits since a change, and what each month brings."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

from domain.audit import Cause
from domain.errors import AlreadyExists
from domain.identity import system
from domain.scoring import BATCH, score_next, sweep_gradings
from domain.sla.recalibration import recalibrate
from infra.database import Database
from infra.rounds import in_rounds, tried
from infra.tracing import traced

POLL_SECONDS = 2.0
MONTHLY_POLL_SECONDS = 60.0
EVERY = timedelta(hours=1)
SCORE = Cause(action="score leads")
RECALIBRATE = Cause(action="recalibrate values")

# As the platform's role, by the partial indexes; $1 replaces the database's clock.
_WAITING = """
SELECT tenant_id FROM scoring_models WHERE scoring_after IS NOT NULL
UNION SELECT tenant_id FROM lead_gradings WHERE changes_at <= coalesce($1, now())
"""
_VALUED = "SELECT DISTINCT tenant_id FROM commitments WHERE measure <> 'COUNT'"


class ScoreKeeper:
    """Scores leads anew where it is time.  Any number of processes may."""

    def __init__(self, database: Database, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._database = database
        self._poll = poll_seconds

    async def run(self) -> None:
        """Score what waits, for ever."""
        while True:
            await self.score_all()
            await asyncio.sleep(self._poll)

    async def score_all(self) -> None:
        """Score all that waits now, a batch of each tenant in turn."""
        at = self._database.clock() if self._database.clock else None
        rows = await self._database.platform.fetch(_WAITING, at)
        await in_rounds((row[0] for row in rows), self._score, work="score leads")

    @traced("score leads")
    async def _score(self, tenant_id: UUID) -> bool:
        async with self._database.work(tenant_id, cause=SCORE) as work:
            more = await score_next(work, system(tenant_id))
        async with self._database.work(tenant_id, cause=SCORE) as work:
            swept = await sweep_gradings(work, system(tenant_id), limit=BATCH)
        return more or swept == BATCH


class MonthlyRecalibration:
    """Reckons what lead types were worth, once a month in each tenant's own time zone.

    What is stored says what has been done, so any number of processes may look, however often.
    Each looks once an hour, because agreements come into force at any time.
    """

    def __init__(self, database: Database, *, poll_seconds: float = MONTHLY_POLL_SECONDS) -> None:
        self._database = database
        self._poll = poll_seconds
        self._next: dict[UUID, datetime] = {}

    async def run(self) -> None:
        """Reckon what is due, for ever."""
        while True:
            await self.recalibrate_all()
            await asyncio.sleep(self._poll)

    async def recalibrate_all(self) -> None:
        """Reckon for every tenant with values that was not looked at within the last hour."""
        at = await self._database.now()
        for (tenant_id,) in await self._database.platform.fetch(_VALUED):
            if self._next.get(tenant_id, at) <= at:
                self._next[tenant_id] = at + EVERY
                await tried(self._recalibrate, tenant_id, work="recalibrate values")

    @traced("recalibrate values")
    async def _recalibrate(self, tenant_id: UUID) -> bool:
        try:
            async with self._database.work(tenant_id, cause=RECALIBRATE) as work:
                return await recalibrate(work, system(tenant_id)) is not None
        except AlreadyExists:
            # Another process was quicker by an instant, and this one has written nothing.
            return False
