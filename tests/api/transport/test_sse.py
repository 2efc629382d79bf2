import asyncio
import contextlib
import json

import pytest

from api.engine import Gauges
from api.transport import HttpSettings, StreamSettings
from tests.api.transport.sites import a_site, until

EVENTS = {"Accept": "text/event-stream"}
URQL = {
    "Accept": "application/graphql-response+json, application/graphql+json, application/json, "
    "text/event-stream, multipart/mixed"
}


@contextlib.asynccontextmanager
async def a_stream(client, site, query, headers=EVENTS, **body):
    asked = {"json": {"query": query, **body}, "headers": headers}
    async with client.stream("POST", site.url, **asked) as response:
        yield response


async def frames(response, count=None):
    """Return the events, split as strict clients split them."""
    text = ""
    async for chunk in response.aiter_text():
        text += chunk
        if count is not None and text.count("\n\n") >= count:
            break
    return text.split("\n\n")[:-1]


def an_event(data):
    return f"event: next\ndata: {json.dumps(data, separators=(',', ':'))}"


async def test_a_feed_is_told_in_full_and_completed(site, client):
    async with a_stream(client, site, "subscription { events(count: 3) }") as response:
        told = await frames(response)

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-store, no-transform"
    assert "content-length" not in response.headers
    assert told == [
        ":",
        *(an_event({"data": {"events": number}}) for number in range(3)),
        "event: complete",
    ]


async def test_an_event_source_gets_data_with_the_end_or_it_would_not_hear_of_it(site, client):
    query = {"query": "subscription { events(count: 1) }"}
    response = await client.get(site.url, params=query, headers=EVENTS)

    assert response.text == (
        ':\n\nevent: next\ndata: {"data":{"events":0}}\n\nevent: complete\ndata:\n\n'
    )


async def test_a_state_is_told_as_it_changes(site, client):
    async with a_stream(client, site, "subscription { board { headline } }") as response:
        lines = response.aiter_lines()
        told = []
        async for line in lines:
            if line.startswith("data: "):
                told.append(json.loads(line[6:])["data"]["board"]["headline"])
                if len(told) == 3:
                    break
                site.world.tell(f"news {len(told)}")

    assert told == ["quiet", "news 1", "news 2"]


async def test_a_query_is_one_event_for_who_reads_only_events(site, client):
    async with a_stream(client, site, "{ __typename }") as response:
        told = await frames(response)

    cost = {"cost": {"requested": 0, "limit": 5_000}}
    assert told == [
        ":",
        an_event({"data": {"__typename": "Query"}, "extensions": cost}),
        "event: complete",
    ]


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (URQL["Accept"], "application/graphql-response+json; charset=utf-8"),
        ("application/json, text/event-stream", "application/json; charset=utf-8"),
        ("text/event-stream, application/json", "text/event-stream; charset=utf-8"),
        ("text/event-stream;q=0.5, application/json", "application/json; charset=utf-8"),
        ("text/event-stream;q=0, */*", "application/json; charset=utf-8"),
        ("text/event-stream, multipart/mixed", "text/event-stream; charset=utf-8"),
    ],
)
async def test_a_query_is_answered_by_order_and_weight(site, client, accept, content_type):
    async with a_stream(client, site, "{ hello }", {"Accept": accept}) as response:
        await response.aread()

    assert response.headers["content-type"] == content_type


async def test_a_subscription_streams_to_whoever_reads_events_at_all(site, client):
    async with a_stream(client, site, "subscription { events }", URQL) as response:
        assert (await frames(response))[-1] == "event: complete"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription ($n: Int!) { events(count: $n) }", "BAD_USER_INPUT"),
    ],
)
async def test_a_bad_document_is_an_event_only_where_nothing_else_is_read(
    site, client, query, code
):
    async with a_stream(client, site, query) as response:
        start, told, end = await frames(response)
    answer = json.loads(told.removeprefix("event: next\ndata: "))
    assert (response.status_code, start, end) == (200, ":", "event: complete")
    assert [error["extensions"]["code"] for error in answer["errors"]] == [code]
    assert set(answer) == {"errors"}

    async with a_stream(client, site, query, URQL) as response:
        await response.aread()
    assert response.status_code == 400
    assert [error["extensions"]["code"] for error in response.json()["errors"]] == [code]


async def test_bad_credentials_and_bodies_are_refused_before_any_stream(site, client):
    bad = {**EVENTS, "Authorization": "Bearer bad"}
    async with a_stream(client, site, "subscription { events }", bad) as response:
        assert response.status_code == 401
    malformed = await client.post(
        site.url, content=b"1", headers={**EVENTS, "Content-Type": "application/json"}
    )
    assert malformed.status_code == 400


async def test_a_source_that_breaks_ends_the_stream_without_saying_why(site, client):
    async with a_stream(client, site, "subscription { broken }") as response:
        _, first, broken, end = await frames(response)

    assert first == an_event({"data": {"broken": 1}})
    assert json.loads(broken.removeprefix("event: next\ndata: "))["errors"][0]["path"] == ["broken"]
    assert ("secret" in broken, end) == (False, "event: complete")


async def test_a_silent_stream_is_kept_alive(client):
    quick = HttpSettings(stream=StreamSettings(keep_alive=0.02))
    async with (
        a_site(http=quick) as site,
        a_stream(client, site, "subscription { board { headline } }") as response,
    ):
        told = await frames(response, count=6)

    board = an_event({"data": {"board": {"headline": "quiet"}}})
    assert told[0] == ":"
    assert set(told) <= {":", board}
    assert told.count(":") >= 5


async def test_readers_who_vanish_leave_nothing_behind(site, client):
    async with contextlib.AsyncExitStack() as stack:
        for query in ["subscription { board { headline } }", "subscription { chatter }"] * 5:
            response = await stack.enter_async_context(a_stream(client, site, query))
            assert response.status_code == 200
        await until(lambda: site.gauges.streams == 10)

    assert await site.settled() == Gauges()
    await until(lambda: site.world.opened == site.world.closed)


async def test_a_reader_who_stalls_is_let_go(client):
    patient = HttpSettings(stream=StreamSettings(send=0.2))
    async with (
        a_site(http=patient) as site,
        a_stream(client, site, "subscription { chatter }"),
    ):
        await until(lambda: site.gauges.sources == 1)
        assert await site.settled() == Gauges()
        assert (site.world.opened, site.world.closed) == (1, 1)


async def test_a_session_that_ends_ends_the_stream_and_does_not_complete_it(site, client):
    query = "subscription { board { headline } }"
    async with a_stream(client, site, query) as response:
        await until(lambda: site.gauges.sources == 1)
        site.door.sessions[0].revoked.set()
        told = await frames(response)

    assert told in ([":"], [":", an_event({"data": {"board": {"headline": "quiet"}}})])


async def test_a_shutdown_completes_every_stream(client):
    async with a_site() as site:
        query = "subscription { board { headline } }"
        async with a_stream(client, site, query) as response:
            reading = asyncio.create_task(frames(response))
            await until(lambda: site.gauges.sources == 1)
            site.shutdown.begin()
            told = await reading
        assert told[-1] == "event: complete"
        assert await site.settled() == Gauges()
