"""Somebody at work while you look: now and then one of the demo's people does the next thing."""

from __future__ import annotations

import asyncio
import heapq
import random

import structlog

from domain.errors import DomainError
from infra.database import Database
from infra.demo.company import Company
from infra.demo.life import Life
from infra.demo.seeding import resumed

log = structlog.get_logger(__name__)

# Seconds between two things that happen.
PAUSE = (3.0, 11.0)
# Above so many planned steps nobody new arrives, so that a demo left alone overnight keeps its
# pace instead of flooding its sales team.
BUSY = 40


async def keep_alive(database: Database, company: Company) -> None:
    """Go on with the company's life until cancelled.

    What is planned happens sooner than it would: a day's work is done while somebody watches.
    """
    chance = random.Random()  # noqa: S311  # a story, not a secret
    life = await resumed(database, company, chance.randrange(2**32))
    while True:
        await asyncio.sleep(chance.uniform(*PAUSE))
        try:
            await _next(life, chance)
        except DomainError as refusal:
            # A visitor has done something else with the lead in the meantime.
            log.info("demo.refused", code=refusal.code)


async def _next(life: Life, chance: random.Random) -> None:
    arrives = len(life.planned) < BUSY and chance.random() < 0.35
    if arrives or not life.planned:
        await life.arrive()
        return
    _, _, what = heapq.heappop(life.planned)
    await what()
