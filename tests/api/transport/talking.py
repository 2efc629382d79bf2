"""A client of the WebSocket transport, frame by frame."""

import asyncio
import contextlib
import json

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

INIT = {"type": "connection_init"}
ACK = {"type": "connection_ack"}


def a_subscribe(query, *, id="1", **payload):
    return {"id": id, "type": "subscribe", "payload": {"query": query, **payload}}


class Client:
    """A client that knows frames and nothing of the protocol."""

    def __init__(self, socket):
        self.socket = socket

    async def send(self, message):
        await self.socket.send(
            message if isinstance(message, (str, bytes)) else json.dumps(message)
        )

    async def receive(self):
        async with asyncio.timeout(60):
            frame = await self.socket.recv()
        assert isinstance(frame, str)
        return json.loads(frame)

    async def ask(self, query, *, id="1", **payload):
        await self.send(a_subscribe(query, id=id, **payload))

    async def is_heard(self):
        """Say something, and wait until it is answered, whatever comes before."""
        await self.send({"type": "ping", "payload": {"heard": 1}})
        while await self.receive() != {"type": "pong", "payload": {"heard": 1}}:
            pass

    async def closed(self):
        """Return code and reason of the close, whatever comes before it."""
        with contextlib.suppress(ConnectionClosed):
            async with asyncio.timeout(60):
                while True:
                    await self.socket.recv()
        return self.socket.close_code, self.socket.close_reason


@contextlib.asynccontextmanager
async def a_socket(site, *, protocols=("graphql-transport-ws",), **options):
    async with connect(
        site.socket_url, subprotocols=protocols, compression=None, **options
    ) as socket:
        yield Client(socket)


@contextlib.asynccontextmanager
async def a_client(site, payload=None, **options):
    async with a_socket(site, **options) as client:
        await client.send(INIT if payload is None else {**INIT, "payload": payload})
        assert await client.receive() == ACK
        yield client


def next_(data, id="1"):
    return {"id": id, "type": "next", "payload": {"data": data}}


def complete(id="1"):
    return {"id": id, "type": "complete"}
