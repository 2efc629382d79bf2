import asyncio
import json

import pytest

from api.transport import SocketSettings
from tests.api.transport.sites import a_site, until
from tests.api.transport.talking import (
    ACK,
    INIT,
    a_client,
    a_socket,
    complete,
    next_,
)

# -- introduction ----------------------------------------------------------------------------


async def test_the_protocol_is_agreed_on_and_the_connection_acknowledged(site):
    async with a_client(site) as client:
        assert client.socket.subprotocol == "graphql-transport-ws"


@pytest.mark.parametrize("protocols", [None, ["graphql-ws"], ["something"]])
async def test_other_protocols_are_refused(site, protocols):
    async with a_socket(site, protocols=protocols) as client:
        assert await client.closed() == (4406, "Subprotocol not acceptable")


async def test_who_does_not_introduce_himself_is_closed():
    async with (
        a_site(sockets=SocketSettings(initialisation=0.05)) as site,
        a_socket(site) as client,
    ):
        assert await client.closed() == (4408, "Connection initialisation timeout")


async def test_bad_credentials_are_forbidden_and_none_are_anonymous(site):
    async with a_socket(site) as client:
        await client.send({**INIT, "payload": {"token": "bad"}})
        assert await client.closed() == (4403, "Forbidden")
    async with a_client(site, {"token": "good"}) as client:
        await client.ask("{ who }")
        assert (await client.receive())["payload"]["data"] == {"who": "good"}
    async with a_client(site) as client:
        await client.ask("{ who }")
        assert (await client.receive())["payload"]["data"] == {"who": None}


async def test_a_second_introduction_closes_even_while_the_first_is_judged(site):
    site.door.hold = asyncio.Event()
    try:
        async with a_socket(site) as client:
            await client.send(INIT)
            await client.send(INIT)
            assert await client.closed() == (4429, "Too many initialisation requests")
    finally:
        site.door.hold = None
    async with a_client(site) as client:
        await client.send(INIT)
        assert await client.closed() == (4429, "Too many initialisation requests")


async def test_nothing_runs_before_the_acknowledgement(site):
    async with a_socket(site) as client:
        await client.ask("{ hello }")
        assert await client.closed() == (4401, "Unauthorized")


async def test_pings_are_answered_even_before_the_introduction(site):
    async with a_socket(site) as client:
        await client.send({"type": "ping"})
        assert await client.receive() == {"type": "pong"}
        await client.send({"type": "ping", "payload": {"a": 1}})
        assert await client.receive() == {"type": "pong", "payload": {"a": 1}}
        await client.send({"type": "pong", "payload": None})
        await client.send({"type": "complete", "id": "unknown"})
        await client.send(INIT)
        assert await client.receive() == ACK


# -- malformed frames ------------------------------------------------------------------------

MALFORMED = [
    "",
    "{",
    "[]",
    "null",
    "1",
    '"x"',
    "{}",
    "[" * 5000,
    "1" * 100_000,
    '{"type": null}',
    '{"type": []}',
    '{"type": "unknown"}',
    '{"type": "connection_ack"}',
    '{"type": "next", "id": "1", "payload": {}}',
    '{"type": "error", "id": "1", "payload": []}',
    '{"type": "ka"}',
    '{"type": "start", "id": "1", "payload": {"query": "{ hello }"}}',
    '{"type": "connection_init", "payload": []}',
    '{"type": "connection_init", "payload": "x"}',
    '{"type": "ping", "payload": 1}',
    '{"type": "pong", "payload": []}',
    '{"type": "complete"}',
    '{"type": "complete", "id": ""}',
    '{"type": "complete", "id": 1}',
    '{"type": "subscribe"}',
    '{"type": "subscribe", "id": "1"}',
    '{"type": "subscribe", "id": "1", "payload": null}',
    '{"type": "subscribe", "id": "1", "payload": []}',
    '{"type": "subscribe", "id": {}, "payload": {"query": "{ hello }"}}',
    '{"type": "subscribe", "id": "", "payload": {"query": "{ hello }"}}',
    '{"type": "subscribe", "id": 1, "payload": {"query": "{ hello }"}}',
    '{"type": "subscribe", "id": "1", "payload": {}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": 1}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": null}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": "{ hello }", "operationName": 1}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": "{ hello }", "variables": []}}',
    '{"type": "subscribe", "id": "1", "payload": {"query": "{ hello }", "extensions": "x"}}',
    b"binary",
    b'{"type": "ping"}',
]


@pytest.mark.parametrize("frame", MALFORMED, ids=range(len(MALFORMED)))
async def test_a_malformed_frame_closes_with_4400_and_a_reason(site, frame):
    async with a_client(site) as client:
        await client.send(frame)
        code, reason = await client.closed()

    assert code == 4400
    assert 0 < len(reason.encode()) <= 123


async def test_a_message_over_the_limit_closes(site):
    async with a_client(site) as client:
        await client.send(json.dumps({"type": "ping", "payload": {"a": "ü" * 150_000}}))
        assert await client.closed() == (1009, "The message is too big")


# -- operations ------------------------------------------------------------------------------


async def test_queries_and_mutations_are_answered_once_and_completed(site):
    async with a_client(site) as client:
        await client.ask("query ($n: String!) { hello(name: $n) }", variables={"n": "Ada"})
        answer = await client.receive()
        assert answer["payload"]["data"] == {"hello": "hello Ada"}
        assert answer["payload"]["extensions"] == {"cost": {"requested": 0, "limit": 5_000}}
        assert await client.receive() == complete()

        await client.ask('mutation { tell(headline: "loud") }', operationName=None)
        assert (await client.receive())["payload"]["data"] == {"tell": "loud"}
        assert await client.receive() == complete()
    assert site.world.headline == "loud"


async def test_operations_run_side_by_side(site):
    async with a_client(site) as client:
        await client.ask("{ slow }", id="slow")
        await client.ask("{ hello }", id="fast")
        assert [(await client.receive())["id"] for _ in range(2)] == ["fast", "fast"]
        site.world.gate.set()
        assert (await client.receive())["payload"]["data"] == {"slow": "done"}
        assert await client.receive() == complete("slow")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { events board { headline } }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($n: Int!) { leads(first: $n) { nodes { name } } }", "BAD_USER_INPUT"),
        ("subscription ($n: Int!) { events(count: $n) }", "BAD_USER_INPUT"),
        ("subscription { closedToYou }", "FORBIDDEN"),
    ],
)
async def test_an_error_ends_its_operation_and_leaves_the_others_alive(site, query, code):
    async with a_client(site) as client:
        await client.ask("subscription { board { headline } }", id="other")
        assert await client.receive() == next_({"board": {"headline": "quiet"}}, "other")

        await client.ask(query, id="bad")
        error = await client.receive()
        assert (error["id"], error["type"]) == ("bad", "error")
        assert [one["extensions"]["code"] for one in error["payload"]] == [code]

        site.world.tell("loud")
        assert await client.receive() == next_({"board": {"headline": "loud"}}, "other")
        await client.ask("{ __typename }", id="bad")  # the id is free again
        assert (await client.receive())["id"] == "bad"


async def test_a_feed_is_told_in_full_and_completed(site):
    async with a_client(site) as client:
        await client.ask("subscription { events(count: 3) }")
        messages = [await client.receive() for _ in range(4)]

    assert messages == [*(next_({"events": number}) for number in range(3)), complete()]


async def test_a_source_that_breaks_ends_its_operation_without_saying_why(site):
    async with a_client(site) as client:
        await client.ask("subscription { broken }")
        assert await client.receive() == next_({"broken": 1})
        error = await client.receive()

    assert (error["type"], error["payload"][0]["path"]) == ("error", ["broken"])
    assert error["payload"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "secret" not in json.dumps(error)


async def test_a_client_that_completes_hears_no_more_and_its_source_is_closed(site):
    async with a_client(site) as client:
        await client.ask("subscription { board { headline } }")
        await client.receive()
        await client.send(complete())
        await until(lambda: site.world.closed == 1)
        site.world.tell("loud")
        await client.ask("{ slow }", id="2")
        await client.send(complete("2"))
        site.world.gate.set()
        await client.ask("{ hello }", id="2")
        assert (await client.receive())["payload"]["data"] == {"hello": "hello world"}
        assert await client.receive() == complete("2")


async def test_an_id_in_use_closes_the_socket(site):
    async with a_client(site) as client:
        await client.ask("subscription { board { headline } }", id="a")
        await client.ask("{ hello }", id="a")
        assert await client.closed() == (4409, "Subscriber for a already exists")


async def test_a_reason_never_outgrows_a_close_frame(site):
    async with a_client(site) as client:
        await client.ask("{ slow }", id="ü" * 200)
        await client.ask("{ slow }", id="ü" * 200)
        code, reason = await client.closed()

    assert (code, len(reason.encode()) <= 123) == (4409, True)


async def test_operations_of_one_socket_are_limited():
    async with a_site(sockets=SocketSettings(operations=2)) as site, a_client(site) as client:
        for number in ("1", "2", "3"):
            await client.ask("{ slow }", id=number)
        error = await client.receive()
        assert (error["id"], error["type"]) == ("3", "error")
        assert error["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        await client.send(complete("1"))
        await client.ask("{ hello }", id="3")
        assert (await client.receive())["type"] == "next"


async def test_a_query_is_over_at_its_deadline():
    async with a_site(sockets=SocketSettings(deadline=0.05)) as site, a_client(site) as client:
        await client.ask("{ slow }")
        error = await client.receive()

    assert error["payload"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"
