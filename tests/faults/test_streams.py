"""Who follows something hears of it late when the database is away, and misses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from domain.errors import Unavailable
from domain.feed import LoggedEvent
from domain.handoff_flow import hand_off
from domain.identity import Team
from domain.sla.agreement import CommitmentKind
from tests.agreements import a_commitment, a_sla, add_mql, sign
from tests.api.sites import Site, Started, a_site, accounts_of, key_of
from tests.conftest import DatabaseUrls
from tests.faults.places import OwnPostgres, until
from tests.faults.proxy import FaultProxy
from tests.faults.sockets import INBOX, a_socket, ask, said, subscribed, told
from tests.sessions import begun
from tests.world import World

FEED = "subscription { clockTransitions { cursor state clock { lead { email } } } }"

# In seconds.  It takes one or two, but on a busy machine; without what makes it good, for ever.
SOON = 20


@pytest.fixture
async def site(line: tuple[FaultProxy, DatabaseUrls]) -> AsyncIterator[Site]:
    async with a_site(line[1], REQUEST_TIMEOUT_SECONDS="2") as site:
        yield site


@pytest.fixture
def proxy(line: tuple[FaultProxy, DatabaseUrls]) -> FaultProxy:
    return line[0]


async def token_of(site: Site | Started, world: World) -> str:
    """Return a token of sam, who has an inbox."""
    return accounts_of(site.settings, world).tokens.issue(
        user_id=world.rep.id,
        tenant_id=world.tenant.id,
        account_id=world.rep.account_id,
        session_id=(await begun(world, world.rep)).id,
        now=await world.database.now(),
    )


async def hand_one_off(world: World) -> None:
    """Hand a lead to sam, past the service and over no faulty line."""
    lead = await add_mql(world)
    async with world.work() as work:
        await hand_off(
            work,
            world.actor(world.marketer),
            lead.id,
            from_team_id=world.marketing.id,
            to_team_id=world.sales.id,
            owner_id=world.rep.id,
        )


async def hears_of_it(socket: Any, had: int) -> float:
    """Wait until the inbox has grown by one; return the seconds it took."""
    at = monotonic()
    while len((await told(socket))["handoffInbox"]) <= had:
        pass
    return monotonic() - at


async def test_an_outage_makes_a_stream_late_and_nothing_else(
    site: Site, proxy: FaultProxy, tenant: World
) -> None:
    async with subscribed(site.url, await token_of(site, tenant), INBOX) as socket:
        assert await told(socket) == {"handoffInbox": []}
        await proxy.refuse()
        await until(lambda: _is_away(site))
        await hand_one_off(tenant)
        await proxy.accept()

        assert await hears_of_it(socket, had=0) < SOON
        await hand_one_off(tenant)
        assert await hears_of_it(socket, had=1) < SOON


async def _is_away(site: Site) -> bool:
    return bool(site.app.state.process.services.database.pulse.away)


async def test_with_only_the_line_for_news_swallowed_nobody_is_stale_for_long(
    site: Site, proxy: FaultProxy, tenant: World
) -> None:
    bus = site.app.state.process.services.hub.bus
    async with subscribed(site.url, await token_of(site, tenant), INBOX) as socket:
        assert await told(socket) == {"handoffInbox": []}
        near = bus._connection._transport.get_extra_info("sockname")
        for line in proxy.lines:
            line.dead = line.near.get_extra_info("peername") == near
        assert sum(line.dead for line in proxy.lines) == 1

        await hand_one_off(tenant)

        assert await hears_of_it(socket, had=0) < SOON
        listening = bus._connection
        await until(lambda: _replaced(bus, listening))


async def _replaced(bus: Any, connection: Any) -> bool:
    return bus.listening and bus._connection is not connection


async def test_with_every_line_swallowed_nobody_is_stale_for_long(
    site: Site, proxy: FaultProxy, tenant: World
) -> None:
    async with subscribed(site.url, await token_of(site, tenant), INBOX) as socket:
        assert await told(socket) == {"handoffInbox": []}
        proxy.hole()

        await hand_one_off(tenant)

        assert await hears_of_it(socket, had=0) < SOON


async def test_a_feed_goes_on_where_it_was_after_the_server_was_killed(
    site: Site, postgres: OwnPostgres, tenant: World
) -> None:
    today = tenant.now.date()
    sla = a_sla(tenant, period=(today.replace(day=1), today + timedelta(days=60)))
    await sign(
        tenant,
        a_commitment(sla, CommitmentKind.RESPONSE, within_minutes=60, working_time=False),
        sla=sla,
    )
    async with subscribed(site.url, await key_of(site, tenant), FEED) as socket:
        await hand_one_off(tenant)
        states = [await told(socket)]
        await asyncio.to_thread(postgres.kill)
        await postgres.start_again()
        await until(lambda: _answers(tenant))
        await hand_one_off(tenant)
        states.append(await told(socket))

        async with tenant.work() as work:
            log = await work.find(LoggedEvent, kind="ClockTransitioned")
    leads = [each["clockTransitions"]["clock"]["lead"]["email"] for each in states]
    assert len(set(leads)) == len(log) == 2


async def _answers(world: World) -> bool:
    with suppress(Unavailable):
        async with world.work() as work:
            return bool(await work.find(Team))
    return False


async def test_what_cannot_be_begun_is_refused_and_the_socket_stays(
    site: Site, proxy: FaultProxy, tenant: World
) -> None:
    secret = await token_of(site, tenant)
    async with a_socket(site.url, secret) as socket:
        assert (await said(socket))["type"] == "connection_ack"
        await proxy.refuse()
        await until(lambda: _is_away(site))
        for document in (INBOX, "{ teams { nodes { name } } }"):
            await ask(socket, document)
            message = await said(socket)
            assert (message["type"], message["id"]) == ("error", "1")
            extensions = message["payload"][0]["extensions"]
            assert (extensions["code"], extensions["outcome"]) == ("SERVICE_UNAVAILABLE", "FAILED")

        async with a_socket(site.url, await key_of(site, tenant)) as another:
            with pytest.raises(ConnectionClosed) as closed:
                await another.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1013

        await proxy.accept()
        await until(lambda: _is_back(site))
        await ask(socket, INBOX)
        assert await told(socket) == {"handoffInbox": []}


async def _is_back(site: Site) -> bool:
    return not await _is_away(site)
