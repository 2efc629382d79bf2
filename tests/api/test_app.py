from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from domain.errors import Unavailable
from domain.events import TeamChanged
from domain.feed import LastNumber
from domain.ids import new_id, public
from infra.database import Database
from infra.health import Health
from infra.outbox import publish_all
from tests.agreements import a_sla, add_mql, sign
from tests.api.sites import Site, Started, a_process, a_site, accounts_of, key_of
from tests.sessions import begun
from tests.world import World, make_world

VIEWER = {"query": "{ viewer { tenant { name } } }"}
TEAMS = "{ teams { nodes { name } } }"


@pytest.fixture(scope="module")
async def site(database_urls: Any) -> AsyncIterator[Site]:
    async with a_site(database_urls, WORKER="0", PUBLIC_URL="https://smarketing.example") as site:
        yield site


@pytest.fixture
async def client(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=site.url, timeout=20) as client:
        yield client


@pytest.fixture
async def today(session_database: Database) -> World:
    """A fresh tenant that lives now, as the service does."""
    clock = {"now": datetime.now(UTC)}
    return await make_world(Database(session_database.app, session_database.platform), clock)


# One process


async def test_it_is_alive_and_ready(client: httpx.AsyncClient) -> None:
    alive, ready = await client.get("/healthz"), await client.get("/readyz")

    assert (alive.status_code, alive.text) == (200, "alive\n")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


async def test_it_is_alive_but_not_ready_without_its_schema(
    site: Site, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.health.columns_needed", lambda: frozenset({"leads.shoe_size"}))
    monkeypatch.setattr(
        site.app.state.process, "health", Health(site.app.state.process.services.database)
    )

    ready = await client.get("/readyz")

    assert (ready.status_code, ready.json()) == (
        503,
        {
            "status": "not ready",
            "fault": "the schema lacks 1 columns: run `smarketing migrate`",
        },
    )
    assert (await client.get("/healthz")).status_code == 200


async def test_it_is_not_ready_while_the_database_is_away(
    site: Site, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away() -> None:
        raise Unavailable

    monkeypatch.setattr(site.app.state.process.health, "fault", away)

    ready = await client.get("/readyz")

    assert (ready.status_code, ready.json()["fault"]) == (503, "the database does not answer")


async def test_who_brings_no_key_is_nobody_and_a_bad_one_is_refused(
    client: httpx.AsyncClient,
) -> None:
    nobody = await client.post("/graphql", json=VIEWER)
    stranger = await client.post(
        "/graphql", json=VIEWER, headers={"authorization": "Bearer nonsense"}
    )

    assert nobody.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert stranger.status_code == 401


async def test_a_key_opens_its_own_tenant(
    site: Site, client: httpx.AsyncClient, today: World
) -> None:
    headers = {"authorization": f"Bearer {await key_of(site, today)}"}

    answer = await client.post("/graphql", json={"query": TEAMS}, headers=headers)

    assert answer.json()["data"] == {"teams": {"nodes": [{"name": "Marketing"}, {"name": "Sales"}]}}


@pytest.mark.parametrize(
    "path", ["/", "/graphql", "/healthz", "/metrics", "/nowhere", "/board/none", "/static/0/x.js"]
)
async def test_every_answer_is_guarded(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path, headers={"accept": "text/html"})).headers

    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert re.fullmatch(r"[0-9a-f]{32}", headers["x-request-id"])
    assert "server" not in headers


async def test_a_requests_id_is_kept_if_it_is_one(client: httpx.AsyncClient) -> None:
    kept = await client.post("/graphql", json=VIEWER, headers={"x-request-id": "abc-123"})
    made = await client.post("/graphql", json=VIEWER, headers={"x-request-id": "a b"})

    assert kept.headers["x-request-id"] == "abc-123"
    assert kept.json()["errors"][0]["extensions"]["requestId"] == "abc-123"
    assert made.headers["x-request-id"] == made.json()["errors"][0]["extensions"]["requestId"]
    assert re.fullmatch(r"[0-9a-f]{32}", made.headers["x-request-id"])


async def test_the_keys_that_check_our_tokens_are_public(client: httpx.AsyncClient) -> None:
    answer = await client.get("/.well-known/jwks.json")

    assert answer.headers["content-type"] == "application/jwk-set+json"
    (key, *_) = answer.json()["keys"]
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")
    assert "d" not in key


async def test_a_browser_at_the_endpoint_gets_a_page_and_a_client_does_not(
    client: httpx.AsyncClient,
) -> None:
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    page = await client.get("/graphql", headers={"accept": accept})
    script = re.search(r'src="(/static/\w+/explorer[-\w]*\.js)"', page.text)

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<style" not in page.text
    assert not re.search(r"<script(?![^>]*src=)", page.text)
    # But for the examples in its menu, which are data.
    fetched = re.sub(r"<template.*?</template>", "", page.text, flags=re.DOTALL)
    assert not re.search(r"https?://", fetched)
    assert script
    assert (await client.get(script[1])).status_code == 200
    answer = await client.get(
        "/graphql", params={"query": "{ __typename }"}, headers={"accept": "*/*"}
    )
    assert answer.json()["data"] == {"__typename": "Query"}


async def test_there_is_nothing_anywhere_else(client: httpx.AsyncClient) -> None:
    assert (await client.get("/nowhere")).status_code == 404
    assert (await client.delete("/graphql")).status_code == 405
    assert (await client.get("/uploads/none")).status_code == 405


async def test_figures_say_what_was_answered_but_no_key(client: httpx.AsyncClient) -> None:
    await client.get("/board/smb_secret")
    await client.request("TRACE", "/nowhere")

    figures = (await client.get("/metrics")).text

    assert (
        'smarketing_http_requests_total{method="GET",route="/board/{token}",status="404"}'
        in figures
    )
    assert 'smarketing_http_requests_total{method="OTHER",route="none",status="404"}' in figures
    assert 'smarketing_open{what="connections"}' in figures
    assert "smb_secret" not in figures


# The wall board


async def next_board(lines: AsyncIterator[str]) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while not (line := await anext(lines)).startswith("data: ") or line == "data: {}":
            pass
    board: dict[str, Any] = json.loads(line[6:])["data"]["board"]
    return board


async def test_a_board_is_a_page_and_a_stream_until_its_link_is_revoked(
    site: Site, client: httpx.AsyncClient, today: World
) -> None:
    accounts = accounts_of(site.settings, today)
    issued = await accounts.issue_board(today.actor(), name="The wall")
    path = issued.url.removeprefix(site.settings.public_url)

    page = await client.get(path)
    assert page.status_code == 200
    assert "Acme" in page.text
    async with client.stream("GET", f"{path}/stream") as response:
        lines = response.aiter_lines()
        assert (await next_board(lines))["tenantName"] == "Acme"
        headers = {"authorization": f"Bearer {await key_of(site, today)}"}
        document = """mutation($id: ID!) {
          boardLinkRevoke(input: {boardLink: $id}) { userErrors { code } } }"""
        revoke = {"query": document, "variables": {"id": public("Board", issued.board_link.id)}}
        revoked = await client.post("/graphql", json=revoke, headers=headers)
        assert revoked.json()["data"] == {"boardLinkRevoke": {"userErrors": []}}
        await publish_all(today.database, today.tenant.id)
        async with asyncio.timeout(20):
            rest = [line async for line in lines]
    assert "event: complete" in rest
    assert (await client.get(path)).status_code == 404
    assert await site.settled()


# Processes of their own


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
    async with asyncio.timeout(20):
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
    async with httpx.AsyncClient(timeout=20) as client:
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
    with a_process(database_urls, tmp_path, SHUTDOWN_SECONDS="20") as started:
        key = await key_of(started, today)
        headers = {"authorization": f"Bearer {key}", "accept": "text/event-stream"}
        async with (
            httpx.AsyncClient(timeout=20) as client,
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
            assert asyncio.get_running_loop().time() - began < 10
        logged = [json.loads(line) for line in started.log.read_text().splitlines()]
        assert [e for e in logged if e["level"] == "error" and "uvicorn" in e["logger"]] == []


async def test_several_processes_share_a_port_heal_and_add_up_their_figures(
    database_urls: Any, tmp_path: Path
) -> None:
    with a_process(database_urls, tmp_path, PROCESSES="2") as started:
        async with httpx.AsyncClient(base_url=started.url, timeout=20) as client:
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


def test_the_log_names_routes_and_never_keys(database_urls: Any, tmp_path: Path) -> None:
    with a_process(database_urls, tmp_path) as started:
        httpx.get(f"{started.url}/board/smb_secret?x=smb_secret")
        httpx.put(f"{started.url}/uploads/upl_secret", content=b"x")
        headers = {"authorization": "Bearer smk_secret"}
        httpx.post(f"{started.url}/graphql", json={"query": "{ secret }"}, headers=headers)
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
        async with asyncio.timeout(20):
            while await last_number(today) == 0:  # noqa: ASYNC110  # there is no event for it
                await asyncio.sleep(0.05)
    assert await last_number(today) == 1


async def last_number(world: World) -> int:
    async with world.work() as work:
        number: int = await work.ask(LastNumber())
    return number
