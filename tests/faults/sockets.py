"""A subscriber over WebSocket, who notes what he is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

INBOX = "subscription { handoffInbox { status lead { email } } }"


@asynccontextmanager
async def a_socket(url: str, secret: str) -> AsyncIterator[ClientConnection]:
    """Connect, and introduce oneself."""
    address = f"{url.replace('http', 'ws')}/graphql"
    async with connect(address, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]  # a NewType
        init = {"type": "connection_init", "payload": {"authorization": f"Bearer {secret}"}}
        await socket.send(json.dumps(init))
        yield socket


async def said(socket: ClientConnection, *, within: float = 60) -> dict[str, Any]:
    """Return the next message that is no ping."""
    async with asyncio.timeout(within):
        while True:
            message: dict[str, Any] = json.loads(await socket.recv())
            if message["type"] != "ping":
                return message
            await socket.send('{"type": "pong"}')


async def ask(socket: ClientConnection, document: str, id: str = "1", **variables: Any) -> None:
    """Start an operation."""
    payload = {"query": document, "variables": variables}
    await socket.send(json.dumps({"type": "subscribe", "id": id, "payload": payload}))


@asynccontextmanager
async def subscribed(url: str, secret: str, document: str) -> AsyncIterator[ClientConnection]:
    """Subscribe to one thing."""
    async with a_socket(url, secret) as socket:
        assert (await said(socket))["type"] == "connection_ack"
        await ask(socket, document)
        yield socket


async def told(socket: ClientConnection, *, within: float = 60) -> Any:
    """Return the data of the next answer."""
    message = await said(socket, within=within)
    assert message["type"] == "next", message
    assert "errors" not in message["payload"], message
    return message["payload"]["data"]
