"""A real server with a board whose picture the test changes by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request

from api.board_page import board_routes

TOKEN = "board-key-of-the-office"


class Wall:
    """One tenant's board in memory: what it shows, who follows it, whether its key still works."""

    def __init__(self, board: dict[str, Any]) -> None:
        self.board = board
        self.revoked = False
        self.followers = 0
        self.deserted = asyncio.Event()
        self._news = asyncio.Condition()

    async def load(self, request: Request, token: str) -> Wall | None:
        return None if self.revoked or token != TOKEN else self

    async def snapshot(self) -> dict[str, Any]:
        return self.board

    async def stream(self) -> AsyncGenerator[bytes, None]:
        self.followers += 1
        try:
            while not self.revoked:
                yield json.dumps({"data": {"board": self.board}}).encode()
                async with self._news:
                    await self._news.wait()
        finally:
            self.followers -= 1
            self.deserted.set()

    async def publish(self, board: dict[str, Any]) -> None:
        async with self._news:
            self.board = board
            self._news.notify_all()

    async def revoke(self) -> None:
        async with self._news:
            self.revoked = True
            self._news.notify_all()


def an_app(wall: Wall, *, ping_seconds: float = 10.0, stall_seconds: float = 30.0) -> Starlette:
    routes = board_routes(wall.load, ping_seconds=ping_seconds, stall_seconds=stall_seconds)
    return Starlette(routes=routes)


@asynccontextmanager
async def serving(wall: Wall, port: int, ping_seconds: float = 10.0) -> AsyncIterator[str]:
    """Serve the wall on a port, and yield the address of its board."""
    config = uvicorn.Config(
        an_app(wall, ping_seconds=ping_seconds),
        port=port,
        log_level="warning",
        timeout_graceful_shutdown=1,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110  uvicorn offers nothing to wait for
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}/board/{TOKEN}"
    finally:
        server.should_exit = True
        await running
