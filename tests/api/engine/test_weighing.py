from __future__ import annotations

import asyncio

import pytest

from api.engine.weighing import Lane
from domain.errors import Unavailable


async def test_heavy_queries_wait_for_each_other_and_only_so_many_do():
    lane, told = Lane(most_waiting=1), []
    first_may_go = asyncio.Event()

    async def first() -> None:
        async with lane.turn():
            told.append("first begins")
            await first_may_go.wait()
            told.append("first ends")

    async def second() -> None:
        async with lane.turn():
            told.append("second begins")

    running = [asyncio.create_task(first()), asyncio.create_task(second())]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await second()
    first_may_go.set()
    await asyncio.gather(*running)

    assert told == ["first begins", "first ends", "second begins"]


async def test_who_gives_up_waiting_leaves_room():
    lane = Lane(most_waiting=1)
    async with lane.turn():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), lane.turn():
                pass
        waiting = asyncio.create_task(_pass(lane))
        await asyncio.sleep(0)
    await waiting


async def _pass(lane: Lane) -> None:
    async with lane.turn():
        pass
