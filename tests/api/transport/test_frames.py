"""Whatever a socket is sent: it closes with the code that the protocol says, or stays open."""

import contextlib
import json

import pytest
import structlog
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from api.engine import Gauges
from api.transport import SocketSettings
from tests.api.transport.sites import a_site
from tests.api.transport.talking import ACK, INIT, Client, next_

NUMBERS = st.integers(-(2**80), 2**80) | st.floats(allow_nan=False, allow_infinity=False)
ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)
OBJECT = st.dictionaries(st.text(max_size=9), ANYTHING, max_size=3)
IDS = st.sampled_from(["1", "2", "ü🏃"])
TYPES = ["connection_init", "ping", "pong", "subscribe", "complete"]
ASKED = st.fixed_dictionaries(
    {"query": st.just("{ slow }")},
    optional={
        "variables": st.none() | OBJECT,
        "extensions": st.none() | OBJECT,
        "operationName": st.none(),
        "more": ANYTHING,
    },
)


def a_message(type, **fields):
    return st.fixed_dictionaries({"type": st.just(type)}, **fields)


GOOD = (
    a_message("connection_init", optional={"payload": st.none() | OBJECT})
    | a_message("ping", optional={"payload": st.none() | OBJECT})
    | a_message("pong", optional={"payload": st.none() | OBJECT})
    | st.fixed_dictionaries({"type": st.just("complete"), "id": IDS, "more": ANYTHING})
    | st.fixed_dictionaries({"type": st.just("subscribe"), "id": IDS, "payload": ASKED})
)
ODD = st.fixed_dictionaries(
    {"type": st.sampled_from([*TYPES, "start", "next", "error", "ka", "connection_ack"])},
    optional={
        "id": IDS | ANYTHING,
        "payload": ASKED | ANYTHING | st.fixed_dictionaries({"query": NUMBERS | OBJECT}),
    },
)
FRAMES = st.one_of(GOOD, GOOD, ODD, ANYTHING, st.binary(max_size=30), st.text(max_size=30))


def deep(depth):
    nested = {}
    for _ in range(depth):
        nested = {"a": nested}
    return nested


def written(frame):
    return frame if isinstance(frame, (str, bytes)) else json.dumps(frame)


class Judge:
    """What the protocol says, written down once more and with no regard to how we do it."""

    def __init__(self):
        self.introduced = False
        self.running = set()

    def code(self, frame):
        """Return the code that a frame closes the socket with, if it does."""
        message = self.read(frame)
        if not self.is_formed(message):
            return 4400
        match message["type"]:
            case "connection_init":
                again, self.introduced = self.introduced, True
                return 4429 if again else None
            case "subscribe":
                return self.begin(message["id"])
            case "complete":
                self.running.discard(message["id"])
        return None

    def begin(self, id):
        if not self.introduced:
            return 4401
        if id in self.running:
            return 4409
        self.running.add(id)
        return None

    def read(self, frame):
        if isinstance(frame, bytes):
            return None
        try:
            return json.loads(frame) if isinstance(frame, str) else frame
        except ValueError:
            return None

    def is_formed(self, message):
        if not isinstance(message, dict) or message.get("type") not in TYPES:
            return False
        payload = message.get("payload")
        if message["type"] in ("subscribe", "complete") and not is_id(message.get("id")):
            return False
        if message["type"] == "subscribe":
            return is_request(payload)
        return message["type"] == "complete" or payload is None or isinstance(payload, dict)


def is_id(value):
    return isinstance(value, str) and value != ""


def is_request(payload):
    return (
        isinstance(payload, dict)
        and isinstance(payload.get("query"), str)
        and isinstance(payload.get("operationName"), str | None)
        and all(isinstance(payload.get(name), dict | None) for name in ("variables", "extensions"))
    )


@pytest.fixture(scope="module")
async def crowded():
    """A site with somebody else on it, who must not notice anything; nothing is left of it all."""
    quiet = SocketSettings(ping=3600, initialisation=3600)
    async with a_site(sockets=quiet) as site, a_socket(site) as other:
        await other.send(INIT)
        assert await other.receive() == ACK
        await other.ask("subscription { board { headline } }", id="other")
        assert await other.receive() == next_({"board": {"headline": "quiet"}}, "other")
        yield site, other
        await other.send({"type": "complete", "id": "other"})
        await other.socket.close()
        assert await site.settled() == Gauges()


@contextlib.asynccontextmanager
async def a_socket(site):
    protocols = ["graphql-transport-ws"]
    async with connect(site.socket_url, subprotocols=protocols, compression=None) as socket:
        yield Client(socket)


async def play(client, frames):
    """Send frames until one of them must close the socket; return the code it must close with."""
    judge = Judge()
    for frame in frames:
        met = judge.introduced
        await client.send(written(frame))
        if code := judge.code(frame):
            return code
        if judge.introduced and not met:
            while await client.receive() != ACK:
                pass
    return None


@settings(
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.booleans(), st.lists(FRAMES, min_size=1, max_size=8))
@example(True, [{"type": "ping", "payload": deep(300)}])
@example(True, [{"type": "ping", "payload": {"a": 2**70, "b": -(2**70), "c": 1e300}}])
@example(True, [{"type": "ping", "payload": {"a": "\x00\u2028"}}])
@example(True, [{"type": "subscribe", "id": "1", "payload": {"query": "{ slow }"}}] * 2)
@example(False, [{"type": "subscribe", "id": "1", "payload": {"query": "{ slow }"}}])
@example(True, [{"type": "connection_init"}])
async def test_a_socket_closes_as_the_protocol_says_or_stays_of_use(crowded, introduced, frames):
    site, other = crowded
    site.door.sessions.clear()
    with structlog.testing.capture_logs() as logs:
        async with a_socket(site) as client:
            expected = await play(client, [INIT, *frames] if introduced else frames)
            if expected is not None:
                assert (await client.closed())[0] == expected
            else:
                await client.send({"type": "ping", "payload": {"still": "here"}})
                with contextlib.suppress(ConnectionClosed):
                    while await client.receive() != {"type": "pong", "payload": {"still": "here"}}:
                        pass
                assert client.socket.close_code is None

    assert [log for log in logs if "exception" in log or log["log_level"] == "error"] == []
    await other.send({"type": "ping", "payload": {"other": True}})
    assert await other.receive() == {"type": "pong", "payload": {"other": True}}
