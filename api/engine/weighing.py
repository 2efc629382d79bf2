"""What an operation weighs beyond what it costs, and the lane of those that are heavy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from graphql import OperationType

from api.engine.documents import PreparedOperation
from domain.errors import Unavailable

HEAVY_COST = 1_000
HEAVY_PARTS = 200
MANY_PARTS = 1_000
"""Objects, lists and values of variables that are read in a thread: ten milliseconds."""
SHORT_COST = 100
"""Cost up to which an answer is completed without regard to others: ten milliseconds."""
BREATH_SECONDS = 0.25
MOST_WAITING = 50


class Lane:
    """Heavy queries, one at a time.

    They keep the connections of the pool, and between two awaits the event loop.  So an innocent
    request waits for one of them and not for all.
    """

    def __init__(self, *, most_waiting: int = MOST_WAITING) -> None:
        self._busy = asyncio.Lock()
        self._most_waiting = most_waiting
        self._waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for the heavy query before, and for as long again as it took, which is others'.

        Raises:
            Unavailable: if so many wait already that the deadline would come first.
        """
        await self._wait()
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            yield
        finally:
            loop.call_later(min(loop.time() - began, BREATH_SECONDS), self._busy.release)

    async def _wait(self) -> None:
        if self._waiting >= self._most_waiting:
            raise Unavailable("Too many large queries at once.  Nothing was changed; try again.")
        self._waiting += 1
        try:
            await self._busy.acquire()
        finally:
            self._waiting -= 1


def is_heavy(operation: PreparedOperation, cost: int, variables: Mapping[str, Any]) -> bool:
    """Say whether a query may keep others waiting: by cost, variables, or the schema it reads.

    What reads nothing but the schema waits for the thread anyway.
    """
    if operation.kind is not OperationType.QUERY or operation.static:
        return False
    if cost > HEAVY_COST or operation.introspects:
        return True
    return parts_of(variables, HEAVY_PARTS) > HEAVY_PARTS


def surcharge(
    operation: PreparedOperation, variables: Mapping[str, Any], *, free: int, most: int
) -> int:
    """Return what long variables of a query cost: 1 for each value, in each field they fill.

    No more than `most` are counted, which is too much already.  Most of them are filters, which are
    read and put into SQL in each of their places.
    """
    if operation.kind is OperationType.MUTATION:
        return 0
    return operation.filled * max(0, parts_of(variables, free + most) - free)


def parts_of(value: object, most: int) -> int:
    """Count the objects, lists and values of variables, until there are more than enough."""
    waiting, found = [value], 0
    while waiting and found <= most:
        match waiting.pop():
            case dict(members):
                waiting.extend(members.values())
                found += len(members)
            case list(members):
                waiting.extend(members)
                found += len(members)
            case _:
                pass
    return found
