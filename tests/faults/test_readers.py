"""Readers that stall or vanish cost little, are let go, and disturb nobody."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import psutil
from websockets.asyncio.client import ClientConnection

from domain.handoff_flow import hand_off
from tests.agreements import add_mql
from tests.api.sites import Started, a_process
from tests.faults.places import OwnPostgres, until
from tests.faults.sockets import subscribed, told
from tests.faults.test_streams import token_of
from tests.world import World

DOCUMENT = "subscription { handoffInbox { status reason lead { email } } }"
STALLED = 100  # of each kind
VANISHED = 2_000
MOST_MEMORY = 64 << 20
IMPATIENT = {"SEND_SECONDS": "2", "SOCKET_PING_SECONDS": "2", "SOCKET_SILENCE_SECONDS": "60"}


async def test_stalled_and_vanished_readers_are_let_go_and_disturb_nobody(
    postgres: OwnPostgres, tenant: World, tmp_path: Path
) -> None:
    await hand_off_at_length(tenant, 30)
    with a_process(postgres.urls, tmp_path, **IMPATIENT) as started:
        secret = await token_of(started, tenant)
        process = psutil.Process(started.process.pid)
        async with subscribed(started.url, secret, DOCUMENT) as socket, follow(socket) as seen:
            await until(lambda: _hears(seen, 30))
            before, handles = process.memory_info().rss, process.num_fds()
            at_rest = await open_now(started)
            async with stalled_readers(started, secret):
                await until(lambda: _opens(started, "sockets", STALLED + 1))
                await until(lambda: _opens(started, "streams", STALLED))
                # More than all the buffers on the way hold, and then some.
                for count in range(31, 43):
                    await hand_off_at_length(tenant, 1)
                    await until(lambda: _hears(seen, count))  # noqa: B023  # done by then
                memory = process.memory_info().rss - before
                await until(lambda: _is(started, at_rest))
            await asyncio.to_thread(vanish, started, VANISHED)
            await until(lambda: _is(started, at_rest))
            await until(lambda: _has_handles(process, handles + 5))
            await hand_off_at_length(tenant, 1)
            await until(lambda: _hears(seen, 43))
        assert memory < MOST_MEMORY
        assert process.memory_info().rss - before < MOST_MEMORY


@asynccontextmanager
async def follow(socket: ClientConnection) -> AsyncIterator[list[int]]:
    """Read on, and keep how long the inbox was each time."""
    seen: list[int] = []

    async def read() -> None:
        while True:
            seen.append(len((await told(socket, within=60))["handoffInbox"]))

    reading = asyncio.create_task(read())
    try:
        yield seen
    finally:
        reading.cancel()


async def _hears(seen: list[int], count: int) -> bool:
    return count in seen[-1:]


async def hand_off_at_length(world: World, count: int) -> None:
    """Hand leads to sam, with much to say about each."""
    for _ in range(count):
        lead = await add_mql(world)
        async with world.work() as work:
            await hand_off(
                work,
                world.actor(world.marketer),
                lead.id,
                from_team_id=world.marketing.id,
                to_team_id=world.sales.id,
                owner_id=world.rep.id,
                reason="because " * 60,
            )


async def open_now(started: Started) -> dict[str, float]:
    """Return what the process says is open, of what readers open."""
    async with httpx.AsyncClient(base_url=started.url, timeout=60) as client:
        lines = (await client.get("/metrics")).text.splitlines()
    figures = [line.removeprefix("smarketing_open{what=") for line in lines]
    opened = (line.split("} ") for line in figures if line.startswith('"'))
    return {
        what.strip('"'): float(count)
        for what, count in opened
        if what.strip('"') in ("sockets", "streams", "operations", "members", "sources", "requests")
    }


async def _opens(started: Started, what: str, count: int) -> bool:
    return (await open_now(started))[what] == count


async def _is(started: Started, at_rest: dict[str, float]) -> bool:
    return await open_now(started) == at_rest


async def _has_handles(process: psutil.Process, most: int) -> bool:
    return process.num_fds() <= most


@asynccontextmanager
async def stalled_readers(started: Started, secret: str) -> AsyncIterator[None]:
    """Subscribe over sockets and event streams, and read nothing any more."""
    opening = [_stalled_socket(started, secret) for _ in range(STALLED)]
    opening += [_stalled_stream(started, secret) for _ in range(STALLED)]
    writers = [await reader for reader in opening]
    try:
        yield
    finally:
        for writer in writers:
            writer.transport.abort()


async def _connected(started: Started) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    end = socket.socket()
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    end.setblocking(False)
    await asyncio.get_running_loop().sock_connect(end, ("127.0.0.1", started.settings.port))
    return await asyncio.open_connection(sock=end)


async def _stalled_socket(started: Started, secret: str) -> asyncio.StreamWriter:
    reader, writer = await _connected(started)
    key = base64.b64encode(os.urandom(16)).decode()
    head = ["GET /graphql HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade"]
    head += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"]
    head += ["Sec-WebSocket-Protocol: graphql-transport-ws", "", ""]
    writer.write("\r\n".join(head).encode())
    await reader.readuntil(b"\r\n\r\n")
    writer.write(_frame({"type": "connection_init", "payload": {"token": secret}}))
    await reader.readuntil(b"connection_ack")
    writer.write(_frame({"type": "subscribe", "id": "1", "payload": {"query": DOCUMENT}}))
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # it is one that reads, too
    return writer


def _frame(message: object) -> bytes:
    text, mask = json.dumps(message).encode(), os.urandom(4)
    head = bytes([0x81, 0x80 | 126]) + len(text).to_bytes(2) + mask
    return head + bytes(b ^ mask[i % 4] for i, b in enumerate(text))


async def _stalled_stream(started: Started, secret: str) -> asyncio.StreamWriter:
    _, writer = await _connected(started)
    body = json.dumps({"query": DOCUMENT})
    head = ["POST /graphql HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    head += ["Accept: text/event-stream", f"Authorization: Bearer {secret}"]
    head += [f"Content-Length: {len(body)}", "", body]
    writer.write("\r\n".join(head).encode())
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # as above
    return writer


def vanish(started: Started, count: int) -> None:
    """Connect, say something unfinished or nothing, and break off."""
    said = (
        b"",
        b"GET /graphql HT",
        b"POST /graphql HTTP/1.1\r\nContent-Length: 99\r\n\r\n{",
        b"\x16\x03",
    )
    for number in range(count):
        with socket.create_connection(("127.0.0.1", started.settings.port), 60) as end:
            end.sendall(said[number % len(said)])
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
