"""The edge of the whole service, over real connections: who is let in, how often, with what."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from api.board import BOARD_DOCUMENT
from domain.identity import Role
from infra.edge_limits import DocumentMode
from infra.trusted_documents import Keeper, entries_of
from tests.api.sites import Site, a_site, key_of
from tests.conftest import DatabaseUrls
from tests.world import World

VIEWER = "query Viewer { viewer { tenant { slug } } }"
HASH = hashlib.sha256(VIEWER.encode()).hexdigest()
ID = f"sha256:{HASH}"
SCHEMA = "{ __schema { queryType { name } } }"
FEED = "subscription { clockTransitions { state } }"
GRAPHQL = "application/graphql-response+json"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Buckets are asked for what they hold, however long that takes: nobody guesses."""
    monkeypatch.setattr("infra.cost_buckets.purse.ASK_SECONDS", 60)
    monkeypatch.setattr("infra.cost_buckets.ledger.ASK_SECONDS", 60)


@asynccontextmanager
async def a_client(site: Site, world: World | None, **headers: str) -> AsyncIterator[Any]:
    """Open a client of a tenant's key, or of nobody's."""
    if world is not None:
        headers["authorization"] = f"Bearer {await key_of(site, world)}"
    async with httpx.AsyncClient(base_url=site.url, timeout=60, headers=headers) as client:
        yield client


@asynccontextmanager
async def a_socket(site: Site, world: World, **payload: str) -> AsyncIterator[ClientConnection]:
    key = await key_of(site, world)
    url = site.url.replace("http://", "ws://") + "/graphql"
    async with connect(url, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]  # a str is one
        init = {"authorization": f"Bearer {key}", **payload}
        await socket.send(json.dumps({"type": "connection_init", "payload": init}))
        assert json.loads(await socket.recv()) == {"type": "connection_ack"}
        yield socket


async def asked(socket: ClientConnection, payload: dict[str, Any], id: str = "1") -> Any:
    """Start an operation and return the first message about it."""
    await socket.send(json.dumps({"type": "subscribe", "id": id, "payload": payload}))
    while (message := json.loads(await socket.recv())).get("id") != id:
        pass
    return message


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["errors"][0]["extensions"]["code"])


# What is paid


async def test_every_answer_to_a_known_bearer_says_what_is_left(
    database_urls: DatabaseUrls, today: World
) -> None:
    limits = {"COST_PER_TENANT": "600", "COST_PER_BEARER": "300"}
    async with a_site(database_urls, WORKER="0", **limits) as site, a_client(site, today) as client:
        answer = await client.post("/graphql", json={"query": VIEWER})
        at = monotonic()
        broken = await client.post("/graphql", json={"query": "{"})
        inflow = 5 * (monotonic() - at)

    assert answer.headers["RateLimit-Policy"] == (
        '"tenant";q=600;w=60;smarketing-unit="cost", "key";q=300;w=60;smarketing-unit="cost"'
    )
    assert answer.headers["RateLimit"] == '"tenant";r=598;t=1, "key";r=298;t=1'
    cost = {"requested": 2, "limit": 5000, "remaining": 298}
    assert answer.json()["extensions"]["cost"] == cost
    # A document that cannot be read is work too.
    left = [int(number) for number in re.findall(r"r=(\d+)", broken.headers["RateLimit"])]
    assert left[1] < 298 - 5 + inflow


async def test_who_has_spent_everything_is_told_when_to_come_again(
    database_urls: DatabaseUrls, today: World
) -> None:
    limits = {"COST_PER_BEARER": "30", "MUTATION_COST": "25"}
    mutation = {"query": 'mutation { tenantUpdate(input: {name: "X"}) { tenant { name } } }'}
    async with (
        a_site(database_urls, WORKER="0", **limits) as site,
        a_client(site, today, accept=GRAPHQL) as client,
        a_socket(site, today) as socket,
    ):
        first = await client.post("/graphql", json=mutation)
        refused = await client.post("/graphql", json=mutation)
        await asked(socket, mutation)
        message = await asked(socket, mutation, "2")

    assert first.status_code == 200
    assert (refused.status_code, code_of(refused)) == (429, "RATE_LIMITED")
    seconds = int(refused.headers["Retry-After"])
    assert 10 <= seconds <= 60
    assert refused.json()["errors"][0]["extensions"]["retryAfter"] == seconds
    assert refused.headers["RateLimit"].endswith(f";t={seconds}")
    (error,) = message["payload"]
    assert message["type"] == "error"
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert 10 <= error["extensions"]["retryAfter"] <= 60


async def test_two_processes_share_what_a_tenant_may_spend(
    database_urls: DatabaseUrls, today: World
) -> None:
    # So few that what flows in meanwhile, two in twenty seconds, is not enough.
    limits = {"COST_PER_TENANT": "6", "WORKER": "0"}
    async with (
        a_site(database_urls, **limits) as here,
        a_site(database_urls, **limits) as there,
        a_client(here, today) as client,
        a_client(there, today) as other,
    ):
        body = {"query": VIEWER}
        statuses = [(await client.post("/graphql", json=body)).status_code for _ in range(3)]
        elsewhere = await other.post("/graphql", json=body)

    assert statuses == [200] * 3
    assert elsewhere.status_code == 429


async def test_who_brings_no_credentials_pays_by_address(database_urls: DatabaseUrls) -> None:
    async with (
        a_site(database_urls, WORKER="0", COST_PER_ADDRESS="12") as site,
        a_client(site, None) as client,
    ):
        body = {"query": "{ __typename }"}
        free = await client.post("/graphql", json=body)
        await client.post("/graphql", json={"query": "{"})
        await client.post("/graphql", json={"query": "{ {"})
        refused = await client.post("/graphql", json={"query": "{ { {"})

    assert free.headers["RateLimit-Policy"] == '"address";q=12;w=60;smarketing-unit="cost"'
    assert (refused.status_code, code_of(refused)) == (429, "RATE_LIMITED")


@pytest.mark.parametrize(
    "body",
    [{"documentId": "sha256:" + "0" * 64}, {"query": SCHEMA}, {"query": "{"}],
    ids=["unknown document", "the schema", "no document"],
)
async def test_what_is_refused_is_paid_for_too(
    database_urls: DatabaseUrls, body: dict[str, str]
) -> None:
    limits = {"COST_PER_ADDRESS": "25", "INTROSPECTION": "known"}
    async with a_site(database_urls, WORKER="0", **limits) as site, a_client(site, None) as client:
        answers = [await client.post("/graphql", json=body) for _ in range(3)]

    assert 429 not in {answer.status_code for answer in answers[:2]}
    assert (answers[2].status_code, code_of(answers[2])) == (429, "RATE_LIMITED")


# Who is counted


async def test_streams_and_sockets_have_so_many_places(
    database_urls: DatabaseUrls, today: World
) -> None:
    limits = {"MAX_SUBSCRIPTIONS_PER_TENANT": "1", "MAX_CONNECTIONS_PER_BEARER": "1"}
    headers = {"accept": "text/event-stream"}
    async with (
        a_site(database_urls, WORKER="0", **limits) as site,
        a_client(site, today, **headers) as client,
        a_socket(site, today) as socket,
    ):
        async with client.stream("POST", "/graphql", json={"query": FEED}) as stream:
            lines = stream.aiter_lines()
            assert await anext(lines) == ":"
            refused = await client.post("/graphql", json={"query": FEED})
            message = await asked(socket, {"query": FEED})
        assert (refused.status_code, code_of(refused)) == (429, "RATE_LIMITED")
        assert refused.headers["Retry-After"] == "5"
        assert message["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        async with asyncio.timeout(60):
            while len(site.app.state.process.edge.crowd) > 2:  # noqa: ASYNC110  # until it is let go
                await asyncio.sleep(0.01)
        await socket.send(json.dumps({"type": "subscribe", "id": "2", "payload": {"query": FEED}}))
        await socket.send(json.dumps({"type": "ping"}))
        assert json.loads(await socket.recv()) == {"type": "pong"}


async def test_an_address_has_so_many_connections(
    database_urls: DatabaseUrls, today: World
) -> None:
    async with a_site(database_urls, WORKER="0", MAX_CONNECTIONS_PER_ADDRESS="1") as site:
        url = site.url.replace("http://", "ws://") + "/graphql"
        protocols: Any = ["graphql-transport-ws"]
        async with a_socket(site, today), connect(url, subprotocols=protocols) as second:
            await second.wait_closed()
            assert second.close_code == 1013
        assert await site.settled()
        assert len(site.app.state.process.edge.crowd) == 0


# Who reads the schema


@pytest.mark.parametrize(
    ("who", "nobody", "analyst", "admin"),
    [("everybody", 200, 200, 200), ("known", 401, 200, 200), ("admins", 401, 403, 200)],
)
async def test_the_whole_schema_is_shown_to_whom_the_setting_says(
    database_urls: DatabaseUrls, today: World, who: str, nobody: int, analyst: int, admin: int
) -> None:
    async with (
        a_site(database_urls, WORKER="0", INTROSPECTION=who) as site,
        httpx.AsyncClient(base_url=site.url, timeout=60) as client,
    ):
        found = [(await client.post("/graphql", json={"query": SCHEMA})).status_code]
        for role in (Role.ANALYST, Role.ADMIN):
            headers = {"authorization": f"Bearer {await key_of(site, today, role)}"}
            answer = await client.post("/graphql", json={"query": SCHEMA}, headers=headers)
            found.append(answer.status_code)
        one = await client.post("/graphql", json={"query": '{ __type(name: "Lead") { name } }'})

    assert found == [nobody, analyst, admin]
    assert one.json()["data"] == {"__type": {"name": "Lead"}}


# Trusted documents


@pytest.fixture
async def web(database_urls: DatabaseUrls) -> str:
    """A front end that has uploaded one document."""
    name = f"web-{uuid4().hex[:12]}"
    entries = entries_of(json.dumps({HASH: VIEWER}).encode())
    await Keeper(database_urls.owner).upload(name, entries)
    return name


async def test_a_document_is_asked_for_by_its_id(
    database_urls: DatabaseUrls, today: World, web: str
) -> None:
    named = {"graphql-client-name": web}
    apollo = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": HASH}}}
    async with (
        a_site(database_urls, WORKER="0") as site,
        a_client(site, today, **named) as client,
        a_socket(site, today, clientName=web) as socket,
    ):
        answers = [
            await client.post("/graphql", json={"documentId": ID}),
            await client.get("/graphql", params={"documentId": ID}),
            await client.post("/graphql", json=apollo),
            await client.get("/graphql", params={"extensions": json.dumps(apollo["extensions"])}),
        ]
        message = await asked(socket, {"documentId": ID})
        events = await client.post(
            "/graphql", json={"documentId": ID}, headers={"accept": "text/event-stream"}
        )

    data = {"viewer": {"tenant": {"slug": today.tenant.slug}}}
    assert [answer.json()["data"] for answer in answers] == [data] * 4
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
    assert message["payload"]["data"] == data
    assert json.dumps(data, separators=(",", ":")) in events.text


@pytest.mark.parametrize(
    "refusal",
    [
        ("allow", {"documentId": "sha256:" + "0" * 64}, 400, "PERSISTED_QUERY_NOT_FOUND"),
        ("allow", {"documentId": "nonsense"}, 400, "PERSISTED_QUERY_NOT_FOUND"),
        ("allow", {"documentId": 1}, 400, "BAD_USER_INPUT"),
        ("allow", {"documentId": ""}, 400, "BAD_USER_INPUT"),
        ("allow", {"documentId": ID, "query": VIEWER}, 400, "BAD_USER_INPUT"),
        ("off", {"documentId": ID}, 400, "PERSISTED_QUERY_NOT_SUPPORTED"),
        ("only", {"query": VIEWER}, 403, "PERSISTED_QUERY_ONLY"),
    ],
    ids=["unknown", "custom", "number", "empty", "both", "off", "only"],
)
async def test_what_the_mode_does_not_let_in_is_refused(
    database_urls: DatabaseUrls, today: World, web: str, refusal: tuple[Any, ...]
) -> None:
    mode, body, status, code = refusal
    await Keeper(database_urls.owner).set_mode(web, DocumentMode(mode))
    named = {"apollographql-client-name": web}
    async with (
        a_site(database_urls, WORKER="0") as site,
        a_client(site, today, **named) as client,
    ):
        refused = await client.post("/graphql", json=body)

    assert (refused.status_code, code_of(refused)) == (status, code)
    assert "data" not in refused.json()


async def test_where_only_ids_are_taken_our_own_pages_still_work(
    database_urls: DatabaseUrls, today: World, web: str
) -> None:
    async with (
        a_site(database_urls, WORKER="0", TRUSTED_DOCUMENTS="only") as site,
        a_client(site, today, **{"graphql-client-name": web}) as client,
        a_socket(site, today, clientName=web) as socket,
    ):
        by_id = await client.post("/graphql", json={"documentId": ID})
        free = await client.post("/graphql", json={"query": VIEWER})
        on_socket = await asked(socket, {"query": VIEWER})
        own = await asked(socket, {"query": BOARD_DOCUMENT}, "2")
        page = await client.get("/graphql", headers={"accept": "text/html"})

    assert by_id.status_code == 200
    assert (free.status_code, code_of(free)) == (403, "PERSISTED_QUERY_ONLY")
    assert on_socket["payload"][0]["extensions"]["code"] == "PERSISTED_QUERY_ONLY"
    assert own["type"] == "next"
    assert page.headers["content-type"].startswith("text/html")


async def test_a_client_without_a_name_has_the_default_ones_documents(
    database_urls: DatabaseUrls, today: World, web: str
) -> None:
    async with a_site(database_urls, WORKER="0") as site, a_client(site, today) as client:
        refused = await client.post("/graphql", json={"documentId": ID})

    assert code_of(refused) == "PERSISTED_QUERY_NOT_FOUND"


async def test_a_mutation_by_id_is_no_more_a_get_than_any_other(
    database_urls: DatabaseUrls, today: World, web: str
) -> None:
    text = 'mutation { tenantUpdate(input: {name: "X"}) { tenant { name } } }'
    entries = entries_of(json.dumps({"rename": text}).encode())
    await Keeper(database_urls.owner).upload(web, entries)
    async with (
        a_site(database_urls, WORKER="0") as site,
        a_client(site, today, **{"graphql-client-name": web}) as client,
    ):
        refused = await client.get("/graphql", params={"documentId": "rename"})

    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")
