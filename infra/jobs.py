"""The jobs that run beside the service's own loops, by name."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import asyncpg

from infra.attribution import AttributionKeeper
from infra.database import Database
from infra.digests import digest_loop
from infra.duplicates import DuplicateFinder
from infra.idempotency import AnswerCleaner
from infra.importing.jobs import ImportLoop
from infra.mail.sending import mail_loop
from infra.mentions import mention_loop
from infra.personas import PersonaAssigner
from infra.prediction import ModelTrainer
from infra.scoring import MonthlyRecalibration, ScoreKeeper
from infra.services import Services
from infra.touch_retention import TouchEraser
from infra.worker import Loop

# Names the file that keeps what the demo shows once; set by `smarketing demo`.
DEMO = "SMARKETING_DEMO"
# Any number that nothing else locks: one process at a time acts in the demo.
_DEMO_LOCK = 5_173_920_045


def jobs_of(services: Services) -> Mapping[str, Loop]:
    """Return the jobs of one process."""
    jobs: dict[str, Loop] = {
        "imports": ImportLoop(services.database).run,
        "kept_answers": AnswerCleaner(services.database).run,
        "duplicates": DuplicateFinder(services.database).run,
        "personas": PersonaAssigner(services.database).run,
        "scores": ScoreKeeper(services.database).run,
        "training": ModelTrainer(services.database).run,
        "recalibration": MonthlyRecalibration(services.database).run,
        "attribution": AttributionKeeper(services.database).run,
        "retention": TouchEraser(services.database).run,
        "mail": mail_loop(services).run,
        "digests": digest_loop(services).run,
        "mentions": mention_loop(services).run,
    }
    if memory := os.environ.get(DEMO):
        jobs["demo"] = _DemoLoop(services, Path(memory)).run
    return jobs


class _DemoLoop:
    """Keeps the demo alive, in one of the processes."""

    def __init__(self, services: Services, memory: Path) -> None:
        self._services = services
        self._memory = memory

    async def run(self) -> None:
        from infra.demo.actor import keep_alive
        from infra.demo.seeding import prepare

        database: Database = self._services.database
        async with database.platform.acquire() as connection:
            await _take_turn(connection)
            demo = await prepare(self._services.accounts, self._memory, lambda words: None)
            await keep_alive(database, demo.company)


async def _take_turn(connection: asyncpg.pool.PoolConnectionProxy) -> None:
    """Wait until no other process acts.  The lock ends with the connection."""
    while not await connection.fetchval(  # noqa: ASYNC110  # nobody tells us when it is free
        "SELECT pg_try_advisory_lock($1)", _DEMO_LOCK
    ):
        await asyncio.sleep(5)
