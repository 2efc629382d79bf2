"""Traces of the real service, sent to a collector; and that nobody's data is in them."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from infra.database import Database
from tests.api.sites import Started, a_process, key_of
from tests.collecting import Collector, collecting
from tests.world import World, make_world

CANARY = "zyxkanari"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "tracestate": f"vendor={CANARY}"}
CREATE = """mutation Zyxkanari($input: LeadCreateInput!) {
  leadCreate(input: $input) { lead { id } userErrors { code } }
}"""
SIGN_IN = """mutation($mail: EmailAddress!, $password: String!) {
  signIn(input: {email: $mail, password: $password}) { userErrors { code } }
}"""
HAND_OFF = """mutation($lead: LeadRef!, $reason: String) {
  leadHandOff(input: {lead: $lead, reason: $reason}) { userErrors { code } }
}"""


@dataclass
class Traced:
    """The service in a process of its own, a collector of its spans, and a client with a key."""

    service: Started
    collector: Collector
    client: httpx.AsyncClient
    key: str

    async def ask(self, query: str, headers: dict[str, str] | None = None, **given: Any) -> Any:
        body = {"query": query, "variables": given}
        answer = await self.client.post("/graphql", json=body, headers=headers)
        return answer.json()


@pytest.fixture
async def traced(database_urls, session_database: Database, tmp_path) -> AsyncIterator[Traced]:
    clock = {"now": datetime.now(UTC)}
    today = Database(session_database.app, session_database.platform)
    world: World = await make_world(today, clock)
    with collecting() as collector:
        told = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "LOG_LEVEL": "debug",
        }
        with a_process(database_urls, tmp_path, **told) as service:
            key = await key_of(service, world)
            headers = {"authorization": f"Bearer {key}", "user-agent": f"{CANARY}/1"}
            async with httpx.AsyncClient(
                base_url=service.url, headers=headers, timeout=60
            ) as client:
                yield Traced(service, collector, client, key)


async def test_a_change_is_traced_from_the_request_to_the_relay(traced: Traced):
    made = await traced.ask(CREATE, PARENT, input={"email": "ann@example.com"})
    assert made["data"]["leadCreate"]["userErrors"] == []

    operation = traced.collector.find("mutation leadCreate")
    request = traced.collector.find("POST /graphql")
    relayed = traced.collector.find("relay events", cause=operation)

    assert (request.trace_id, request.parent_id) == (TRACE, "00f067aa0ba902b7")
    assert (operation.trace_id, operation.parent_id) == (TRACE, request.id)
    assert operation.attributes["graphql.operation.type"] == "mutation"
    for statement in ("BEGIN", "INSERT leads", "INSERT outbox", "COMMIT"):
        assert traced.collector.find(statement, parent=operation).trace_id == TRACE
    assert request.attributes == {
        "http.request.method": "POST",
        "http.route": "/graphql",
        "http.response.status_code": 200,
    }
    assert relayed.trace_id != TRACE


async def test_a_refusal_and_each_event_of_a_subscription_are_traced(traced: Traced):
    await traced.ask('{ team(id: "team_0") { name } }')
    stream = {"query": "subscription { board { asOf } }"}
    async with traced.client.stream(
        "POST", "/graphql", json=stream, headers={"accept": "text/event-stream"}
    ) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data:"):
                break

    refused = traced.collector.find("query team")
    event = traced.collector.find("subscription board")

    assert refused.attributes["graphql.error.codes"] == ["BAD_USER_INPUT"]
    assert not refused.failed
    assert event.attributes["graphql.root_field"] == "board"


async def test_nobodys_data_is_in_a_span_a_log_or_a_figure(traced: Traced):
    mail = f"{CANARY}@example.com"
    person = {"email": mail, "firstName": CANARY, "lastName": CANARY, "jobTitle": CANARY}
    made = await traced.ask(CREATE, PARENT, input={**person, "originSource": CANARY})
    assert made["data"]["leadCreate"]["lead"]["id"].startswith("lead_")
    await traced.ask(CREATE, input=person)  # there is one already
    await traced.ask(CREATE, input={**person, "country": CANARY})
    await traced.ask(HAND_OFF, lead={"email": mail}, reason=CANARY)
    await traced.ask(HAND_OFF, lead={"email": f"no.{mail}"})
    await traced.ask(f'{{ leads(filter: {{email: {{eq: "{mail}"}}}}) {{ nodes {{ email }} }} }}')
    await traced.ask(f"{{ {CANARY} }}")
    await traced.ask(f'{{ "{CANARY}')
    await traced.ask(SIGN_IN, mail=mail, password=CANARY)
    await import_rows(traced, mail)
    await refused_credentials(traced)
    await traced.client.get(f"/board/{CANARY}")
    await traced.client.get(f"/{CANARY}?{CANARY}={CANARY}")
    await traced.client.post("/graphql", content=f'{{"query": "{CANARY}', headers=JSON)
    traced.collector.find("import rows")
    traced.collector.find("query leads")
    figures = (await traced.client.get("/metrics")).text
    assert traced.service.stop() == 0

    log = traced.service.log.read_text()
    assert log.count('"trace_id"') > 10
    assert "smarketing_" in figures
    for told in (log, traced.collector.text, figures):
        assert re.findall(f"(?i).*{CANARY}.*", told) == []
        assert traced.key not in told


async def test_a_collector_that_is_away_hinders_nobody(database_urls, tmp_path):
    with a_process(
        database_urls, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", WORKER="0"
    ) as service:
        async with httpx.AsyncClient(base_url=service.url, timeout=60) as client:
            answer = await client.post("/graphql", json={"query": "{ __typename }"})

        assert answer.json()["data"] == {"__typename": "Query"}
        assert service.stop() == 0


JSON = {"content-type": "application/json"}


async def import_rows(traced: Traced, mail: str) -> None:
    announce = """mutation($name: String!, $size: Int!) {
      importUpload(input: {fileName: $name, size: $size}) {
        uploadTicket { uploadUrl method upload { id } } userErrors { code message }
    } }"""
    rows = f"email,first\n2{mail},{CANARY}\n{CANARY},{CANARY}\n".encode()
    told = await traced.ask(announce, name=f"{CANARY}.csv", size=len(rows))
    ticket = told["data"]["importUpload"]["uploadTicket"]
    sent = await traced.client.request(ticket["method"], ticket["uploadUrl"], content=rows)
    assert sent.status_code in (200, 201, 204)
    start = """mutation($upload: ID!, $mapping: String!) {
      importStart(input: {upload: $upload, mapping: $mapping}) { userErrors { code message } } }"""
    mapping = f'# {CANARY}\n[lead]\nemail = "email"\nfirst_name = "first"\n'
    begun = await traced.ask(start, upload=ticket["upload"]["id"], mapping=mapping)
    assert begun == {**begun, "data": {"importStart": {"userErrors": []}}}


async def refused_credentials(traced: Traced) -> None:
    bad = {"authorization": f"Bearer {CANARY}"}
    viewer = {"query": "{ viewer { permissions } }"}
    refused = await traced.client.post("/graphql", json=viewer, headers=bad)
    assert refused.status_code == 401
    address = traced.service.url.replace("http", "ws") + "/graphql"
    async with connect(address, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]  # a str will do
        init = {"type": "connection_init", "payload": {"token": CANARY}}
        await socket.send(json.dumps(init))
        with pytest.raises(ConnectionClosed):
            await socket.recv()
