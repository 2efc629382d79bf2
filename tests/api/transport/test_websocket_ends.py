"""How sockets end: by whom, and what is left behind."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

from api.engine import Gauges
from api.transport import SocketSettings
from tests.api.transport.sites import a_site, until
from tests.api.transport.talking import INIT, a_client, a_socket


async def test_a_revoked_session_closes_at_once(site):
    async with a_client(site, {"token": "good"}) as client:
        await client.ask("subscription { board { headline } }")
        await client.receive()
        site.door.sessions[0].revoked.set()
        assert await client.closed() == (4403, "Forbidden")
    assert await site.settled() == Gauges()
    assert (site.world.opened, site.world.closed) == (1, 1)


async def test_an_expired_session_closes(site):
    site.door.expires_at = datetime.now(UTC) + timedelta(seconds=0.1)
    try:
        async with a_socket(site) as client:
            await client.send({**INIT, "payload": {"token": "good"}})
            assert await client.closed() == (4403, "Forbidden")
    finally:
        site.door.expires_at = None


async def test_the_server_pings_and_lets_the_silent_go(monkeypatch):
    at = Clock()
    monkeypatch.setattr("api.transport.websocket._now", at.read)
    quick = SocketSettings(ping=0.01, silence=30)
    async with a_site(sockets=quick) as site, a_client(site) as client:
        assert await client.receive() == {"type": "ping"}
        for _ in range(4):
            await client.is_heard()
            await at.pass_by(20)
        await client.is_heard()
        await at.pass_by(31)
        assert await client.closed() == (1001, "No answer to pings")


class Clock:
    """A clock that the test moves, and that knows how often somebody looked at it."""

    def __init__(self):
        self.now, self.looks = 0.0, 0

    def read(self):
        self.looks += 1
        return self.now

    async def pass_by(self, seconds):
        """Let time pass, and wait until somebody has seen that it has."""
        self.now += seconds
        looks = self.looks
        await until(lambda: self.looks > looks)


async def test_a_shutdown_is_told():
    async with a_site() as site, a_client(site) as client:
        await client.ask("subscription { board { headline } }")
        await client.receive()
        site.shutdown.begin()
        assert await client.closed() == (1012, "Service restart")
        assert await site.settled() == Gauges()


async def test_a_reader_who_stalls_is_let_go_and_holds_little():
    async with a_site(sockets=SocketSettings(send=0.2)) as site:
        async with a_client(site, max_queue=1, open_timeout=5) as client:
            client.socket.transport.pause_reading()
            await client.ask("subscription { chatter }")
            await until(lambda: site.gauges.sources == 1)
            assert await site.settled() == Gauges()
            client.socket.transport.abort()
        assert (site.world.opened, site.world.closed) == (1, 1)


async def test_readers_who_vanish_leave_nothing_behind(site):
    before = asyncio.all_tasks()
    clients = []
    async with contextlib.AsyncExitStack() as stack:
        for number in range(20):
            client = await stack.enter_async_context(a_client(site))
            await client.ask("subscription { board { headline } }", id="board")
            await client.ask("subscription { chatter(size: 10) }", id="chatter")
            await client.ask("{ slow }", id="slow")
            clients.append(client)
            assert len(clients) == number + 1
        await until(lambda: site.gauges.operations == 60)
        for client in clients:
            client.socket.transport.abort()
    assert await site.settled() == Gauges()
    await until(lambda: site.world.opened == site.world.closed)
    await until(lambda: len(asyncio.all_tasks() - before) == 0)
