from __future__ import annotations

import asyncio

import pytest

from api.transport.shedding import NoTurn, Shedding, Turns


async def test_so_many_run_so_many_wait_and_the_next_is_refused():
    turns = Turns(running=1, waiting=1, wait_seconds=10)
    async with turns.turn():
        waiting = asyncio.create_task(have_a_turn(turns))
        await asyncio.sleep(0)
        assert (turns.waiting, turns.full) == (1, True)
        with pytest.raises(NoTurn):
            await have_a_turn(turns)
    await waiting

    assert (turns.waiting, turns.full, turns.refused) == (0, False, 1)
    await have_a_turn(turns)


async def test_nobody_waits_longer_than_he_has_to():
    turns = Turns(running=1, waiting=1, wait_seconds=0.01)
    async with turns.turn():
        with pytest.raises(NoTurn):
            await have_a_turn(turns)
    assert (turns.waiting, turns.refused) == (0, 1)
    await have_a_turn(turns)


async def test_who_leaves_while_he_waits_leaves_no_trace():
    turns = Turns(running=1, waiting=1, wait_seconds=10)
    async with turns.turn():
        waiting = asyncio.create_task(have_a_turn(turns))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert (turns.waiting, turns.refused) == (0, 0)
    await have_a_turn(turns)


async def have_a_turn(turns: Turns) -> None:
    async with turns.turn():
        pass


@pytest.mark.parametrize(("path", "passed"), [("/graphql", False), ("/healthz", True)])
async def test_only_graphql_is_shed(path, passed):
    turns = Turns(running=1, waiting=0, wait_seconds=1)
    reached, sent = list[str](), list[dict]()

    async def app(scope, receive, send):
        reached.append(scope["path"])

    async def send(message):
        sent.append(message)

    await Shedding(app, turns)({"type": "http", "path": path}, None, send)

    assert reached == ([path] if passed else [])
    assert [message.get("status") for message in sent] == ([] if passed else [503, None])
