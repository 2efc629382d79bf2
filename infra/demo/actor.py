"""Somebody at work while you look: now and then one of the demo's people does the next thing."""

from __future__ import annotations

import asyncio
import heapq
import random
from itertools import count

import structlog

from domain.errors import DomainError
from infra.database import Database
from infra.demo.company import Company
from infra.demo.life import Life
from infra.demo.seeding import resumed

log = structlog.get_logger(__name__)

# Seconds between two things that happen, at first.
PAUSE = (3.0, 11.0)
# So many of them happen at that pace; the pauses grow from then on.  A day's work is done while
# somebody watches, and a demo left alone overnight still shows what two such teams might do.
QUICK = 40
# Above so many planned steps nobody new arrives: sales is not flooded.
BUSY = 40
_ARRIVES = 0.15


async def keep_alive(database: Database, company: Company) -> None:
    """Go on with the company's life until cancelled.

    What is planned happens sooner than it would: a day's work is done while somebody watches.
    """
    chance = random.Random()  # noqa: S311  # a story, not a secret
    life = await resumed(database, company, chance.randrange(2**32))
    for step in count():
        await asyncio.sleep(pause(step, chance))
        try:
            await _next(life, chance)
        except DomainError as refusal:
            # A visitor has done something else with the lead in the meantime.
            log.info("demo.refused", code=refusal.code)


def pause(step: int, chance: random.Random) -> float:
    """Return how many seconds to wait before a step, of which there were so many already."""
    return chance.uniform(*PAUSE) * max(1.0, step / QUICK)


async def _next(life: Life, chance: random.Random) -> None:
    arrives = len(life.planned) < BUSY and chance.random() < _ARRIVES
    if arrives or not life.planned:
        await life.arrive()
        return
    _, _, what = heapq.heappop(life.planned)
    await what()
