"""Following a subscription in a test: what comes next, once something happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson

from api.context import Context
from api.engine import GraphQLRequest
from api.engine.events import Payload
from domain.identity import User
from tests.world import ENGINE, World


class Following:
    """A subscription, and a way to wake it up."""

    def __init__(self, world: World, answers: AsyncGenerator[Payload, None]) -> None:
        self._world = world
        self._answers = answers

    async def next(self) -> dict[str, Any]:
        """Return the next answer; there must be one soon."""
        payload = await asyncio.wait_for(anext(self._answers), 60)
        answer: dict[str, Any] = orjson.loads(payload.body)
        return answer

    async def after_news(self) -> dict[str, Any]:
        """Wake everybody who watches the tenant, as the relay does, and return the next answer."""
        self._world.services.hub.wake(frozenset({self._world.tenant.id}))
        return await self.next()


@asynccontextmanager
async def following(
    world: World,
    document: str,
    variables: dict[str, Any] | None = None,
    *,
    as_: User | None = None,
    context: Context | None = None,
) -> AsyncIterator[Following]:
    """Subscribe as a user, or in a context of one's own."""
    engine = ENGINE()
    operation = await engine.plan(GraphQLRequest(query=document, variables=variables or {}))
    answers = engine.subscribe(operation, context or world.context(as_))
    try:
        yield Following(world, answers)
    finally:
        await answers.aclose()
