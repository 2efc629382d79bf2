"""Learning in the background: each month by itself, and what somebody asked for."""

from __future__ import annotations

import asyncio
from uuid import UUID

from domain.audit import Cause
from domain.errors import AlreadyExists
from domain.identity import system
from domain.prediction import plan_training, train_next
from infra.database import Database
from infra.rounds import in_rounds, tried
from infra.tracing import traced

POLL_SECONDS = 5.0
TRAIN = Cause(action="train prediction")

# As the platform's role.  A tenant that was never planned for is due as well.
_DUE = "SELECT tenant_id FROM prediction_schedules WHERE next_at <= coalesce($1, now())"
_UNPLANNED = "SELECT tenant_id FROM directory EXCEPT SELECT tenant_id FROM prediction_schedules"
_QUEUED = "SELECT DISTINCT tenant_id FROM prediction_models WHERE status = 'QUEUED'"


class ModelTrainer:
    """Trains the models that wait, and queues each tenant's own once a month.

    Any number of processes may: the schedule and the model are locked by whoever works on them,
    and what was done is stored in the same transaction.  So each month is queued once, each model
    trained once, and a process that dies leaves it to the next.
    """

    def __init__(self, database: Database, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._database = database
        self._poll = poll_seconds

    async def run(self) -> None:
        """Plan and train, for ever."""
        while True:
            await self.plan_all()
            await self.train_all()
            await asyncio.sleep(self._poll)

    async def plan_all(self) -> None:
        """Queue what this month is to be learnt, for every tenant whose time has come."""
        at = self._database.clock() if self._database.clock else None
        platform = self._database.platform
        due = [*await platform.fetch(_DUE, at), *await platform.fetch(_UNPLANNED)]
        for row in due:
            await tried(self._plan, row[0], work="plan training")

    async def train_all(self) -> None:
        """Train all models that wait now, one of each tenant in turn."""
        rows = await self._database.platform.fetch(_QUEUED)
        await in_rounds((row[0] for row in rows), self._train, work="train prediction")

    @traced("plan training")
    async def _plan(self, tenant_id: UUID) -> bool:
        try:
            async with self._database.work(tenant_id, cause=TRAIN) as work:
                return await plan_training(work, system(tenant_id)) is not None
        except AlreadyExists:
            # Another process was quicker by an instant, and this one has written nothing.
            return False

    @traced("train prediction")
    async def _train(self, tenant_id: UUID) -> bool:
        async with self._database.work(tenant_id, cause=TRAIN) as work:
            return await train_next(work, system(tenant_id))
