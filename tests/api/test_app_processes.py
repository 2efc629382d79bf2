"""The service in processes of their own: started, stopped, killed, and several at once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from domain.events import TeamChanged
from domain.feed import LastNumber
from domain.ids import new_id, public
from tests.agreements import a_sla, add_mql, sign
from tests.api.sites import Started, a_process, accounts_of, key_of
from tests.sessions import begun
from tests.world import World, enter_directory


@pytest.fixture
async def today(today: World) -> World:
    """A tenant that can be found: where there is none, a start prints how to make the first."""
    await enter_directory(today)
    return today


@asynccontextmanager
async def subscribed(started: Started, key: str, document: str) -> AsyncIterator[ClientConnection]:
    address = f"{started.url.replace('http', 'ws')}/graphql"
    async with connect(address, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]  # a NewType
        init = {"type": "connection_init", "payload": {"authorization": f"Bearer {key}"}}
        await socket.send(json.dumps(init))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        subscribe = {"type": "subscribe", "id": "1", "payload": {"query": document}}
        await socket.send(json.dumps(subscribe))
        yield socket


async def next_data(socket: ClientConnection) -> Any:
    async with asyncio.timeout(60):
        while (message := json.loads(await socket.recv()))["type"] == "ping":
            await socket.send('{"type": "pong"}')
    assert message["type"] == "next", message
    return message["payload"]["data"]


async def test_what_changes_in_one_process_reaches_who_listens_in_another(
    database_urls: Any, tmp_path: Path, today: World
) -> None:
    month = (
        today.now.date().replace(day=1),
        today.now.date().replace(year=today.now.year + 1, day=1),
    )
    sla = await sign(today, sla=a_sla(today, period=month))
    status = f'subscription {{ slaStatus(sla: "{public("Sla", sla.id)}") {{ sla {{ name }} }} }}'
    inbox = "subscription { handoffInbox { status } }"
    with (
        a_process(database_urls, tmp_path) as worker,
        a_process(database_urls, tmp_path, "--no-worker") as web,
    ):
        for listening, acting in ((web, worker), (worker, web)):
            key = await key_of(listening, today)
            token = accounts_of(listening.settings, today).tokens.issue(
                user_id=today.rep.id,
                tenant_id=today.tenant.id,
                account_id=today.rep.account_id,
                session_id=(await begun(today, today.rep)).id,
                now=await today.database.now(),
            )
            async with subscribed(listening, token, inbox) as socket:
                before = len((await next_data(socket))["handoffInbox"])
                await hand_off_over(acting, today)
                while len((await next_data(socket))["handoffInbox"]) == before:
                    pass
            async with subscribed(listening, key, status) as socket:
                assert (await next_data(socket))["slaStatus"]["sla"]["name"] == sla.name


async def hand_off_over(started: Started, world: World) -> None:
    """Hand a lead to sam, through one process."""
    lead = await add_mql(world)
    document = """mutation($input: LeadHandOffInput!) { leadHandOff(input: $input) {
      userErrors { code message } } }"""
    wanted = {
        "lead": {"id": public("Lead", lead.id)},
        "fromTeam": {"id": public("Team", world.marketing.id)},
        "toTeam": {"id": public("Team", world.sales.id)},
        "owner": {"id": public("User", world.rep.id)},
    }
    headers = {"authorization": f"Bearer {await key_of(started, world)}"}
    async with httpx.AsyncClient(timeout=60) as client:
        answer = await client.post(
            f"{started.url}/graphql",
            json={"query": document, "variables": {"input": wanted}},
            headers=headers,
        )
    assert answer.json()["data"] == {"leadHandOff": {"userErrors": []}}, answer.text


async def test_on_sigterm_streams_are_told_and_it_ends_well(
    database_urls: Any, tmp_path: Path, today: World
) -> None:
    feed = "subscription { clockTransitions { state } }"
    with a_process(database_urls, tmp_path, SHUTDOWN_SECONDS="60") as started:
        key = await key_of(started, today)
        headers = {"authorization": f"Bearer {key}", "accept": "text/event-stream"}
        async with (
            httpx.AsyncClient(timeout=60) as client,
            client.stream(
                "POST", f"{started.url}/graphql", json={"query": feed}, headers=headers
            ) as stream,
            subscribed(started, key, feed) as socket,
        ):
            lines = stream.aiter_lines()
            assert await anext(lines) == ":"
            began = asyncio.get_running_loop().time()
            stopping = asyncio.create_task(asyncio.to_thread(started.stop))

            assert "event: complete" in [line async for line in lines]
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code in (1001, 1012)
            assert await stopping == 0
            assert asyncio.get_running_loop().time() - began < 30
        logged = [json.loads(line) for line in started.log.read_text().splitlines()]
        assert [e for e in logged if e["level"] == "error" and "uvicorn" in e["logger"]] == []


async def test_several_processes_share_a_port_heal_and_add_up_their_figures(
    database_urls: Any, tmp_path: Path
) -> None:
    with a_process(database_urls, tmp_path, PROCESSES="2") as started:
        async with httpx.AsyncClient(base_url=started.url, timeout=60) as client:
            answered = 'smarketing_http_requests_total{method="GET",route="/",status="200"} '
            for _ in range(10):
                await client.get("/", headers={"connection": "close"})
            assert f"{answered}10.0" in await figures(client)

            children = server_pids(started)
            assert len(children) == 2
            os.kill(children[0], signal.SIGKILL)
            async with asyncio.timeout(60):
                await two_again(started, without=children[0])
            for _ in range(5):
                await client.get("/", headers={"connection": "close"})
            assert f"{answered}15.0" in await figures(client)
        assert await asyncio.to_thread(started.stop) == 0


async def two_again(started: Started, *, without: int) -> None:
    now = [without]
    while without in now or len(now) < 2:
        await asyncio.sleep(0.1)
        now = server_pids(started)


async def figures(client: httpx.AsyncClient) -> str:
    return (await client.get("/metrics", headers={"connection": "close"})).text


def server_pids(started: Started) -> list[int]:
    """Return the server processes.  (The other child keeps count of what is shared.)"""
    return sorted(
        child.pid
        for child in psutil.Process(started.process.pid).children()
        if child.status() != psutil.STATUS_ZOMBIE and "spawn_main" in " ".join(child.cmdline())
    )


@pytest.mark.usefixtures("today")
def test_the_log_names_routes_and_never_keys(database_urls: Any, tmp_path: Path) -> None:
    with a_process(database_urls, tmp_path) as started:
        httpx.get(f"{started.url}/board/smb_secret?x=smb_secret", timeout=60)
        httpx.put(f"{started.url}/uploads/upl_secret", content=b"x", timeout=60)
        headers = {"authorization": "Bearer smk_secret"}
        asked = {"query": "{ secret }"}
        httpx.post(f"{started.url}/graphql", json=asked, headers=headers, timeout=60)
        started.stop()
        logged = [json.loads(line) for line in started.log.read_text().splitlines()]

    requests = [entry for entry in logged if entry["message"] == "request"]
    assert [(entry["method"], entry["route"]) for entry in requests] == [
        ("GET", "/board/{token}"),
        ("PUT", "/uploads/{token}"),
        ("POST", "/graphql"),
    ]
    assert "secret" not in started.log.read_text()


async def test_events_survive_a_service_that_is_killed(
    database_urls: Any, tmp_path: Path, today: World
) -> None:
    """What was committed and not yet published is published by whoever comes next."""
    async with today.work() as work:
        work.record(TeamChanged(at=today.now, team_id=new_id()))
    with a_process(database_urls, tmp_path) as started:
        assert started.stop(signal.SIGKILL) == -signal.SIGKILL
    with a_process(database_urls, tmp_path):
        async with asyncio.timeout(60):
            while await last_number(today) == 0:  # noqa: ASYNC110  # there is no event for it
                await asyncio.sleep(0.05)
    assert await last_number(today) == 1


async def last_number(world: World) -> int:
    async with world.work() as work:
        number: int = await work.ask(LastNumber())
    return number
