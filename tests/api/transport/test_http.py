import asyncio
import gzip
import json

import httpx
import pytest
from starlette.responses import HTMLResponse

from api.engine import Gauges
from api.transport import HttpSettings
from tests.api.transport.sites import a_site, until

JSON = "application/json; charset=utf-8"
GRAPHQL = "application/graphql-response+json; charset=utf-8"


def codes(response):
    return [error["extensions"]["code"] for error in response.json()["errors"]]


async def test_a_query_is_answered_with_its_cost_and_is_never_cached(site, client):
    response = await client.post(
        site.url, json={"query": "{ hello }"}, headers={"X-Request-Id": "mine-1"}
    )

    assert response.status_code == 200
    assert response.json() == {
        "data": {"hello": "hello world"},
        "extensions": {"cost": {"requested": 0, "limit": 5_000}},
    }
    assert {
        name: response.headers[name]
        for name in ("content-type", "cache-control", "x-request-id", "vary")
    } == {
        "content-type": JSON,
        "cache-control": "no-store",
        "x-request-id": "mine-1",
        "vary": "Accept",
    }


async def test_a_request_without_an_id_gets_one_and_a_forged_one_is_not_repeated(site, client):
    response = await client.post(
        site.url, json={"query": "{ hello }"}, headers={"X-Request-Id": "evil\tid <script>"}
    )

    assert len(response.headers["x-request-id"]) == 32


async def test_a_bug_is_a_number_to_quote_and_nothing_else(site, client):
    response = await client.post(
        site.url, json={"query": "{ bug }"}, headers={"X-Request-Id": "mine-2"}
    )

    assert response.status_code == 200
    assert response.json()["data"] == {"bug": None}
    assert response.json()["errors"] == [
        {
            "message": "Something went wrong on our side. Quote the request id when you report it.",
            "locations": [{"line": 1, "column": 3}],
            "path": ["bug"],
            "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": "mine-2"},
        }
    ]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($id: ID!) { __typename }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($n: Int!) { leads(first: $n) { nodes { name } } }", "BAD_USER_INPUT"),
        ("query a { hello } query b { hello }", "BAD_USER_INPUT"),
        ("fragment f on Query { hello }", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_a_bad_document_has_no_data_and_a_status_by_media_type(site, client, query, code):
    for accept, status in (("application/json", 200), ("application/graphql-response+json", 400)):
        response = await client.post(site.url, json={"query": query}, headers={"Accept": accept})

        assert response.status_code == status
        assert response.headers["content-type"] == f"{accept}; charset=utf-8"
        assert set(response.json()) == {"errors"}
        assert set(codes(response)) == {code}


BODIES = {
    "number": b"1",
    "null": b"null",
    "string": b'"x"',
    "true": b"true",
    "empty": b"",
    "blank": b"  ",
    "batch": b'[{"query": "{ hello }"}]',
    "no query": b'{"notquery": "{ hello }"}',
    "empty query": b'{"query": ""}',
    "query of another type": b'{"query": {"a": 1}}',
    "operation name of another type": b'{"query": "{ hello }", "operationName": 1}',
    "variables of another type": b'{"query": "{ hello }", "variables": []}',
    "extensions of another type": b'{"query": "{ hello }", "extensions": "x"}',
    "invalid UTF-8": b'{"query": "\xff\xfe"}',
    "truncated multibyte": b'{"query": "\xc3',
    "lone surrogate": b'{"query": "\\ud800"}',
    "lone surrogate in a variable": b'{"query": "{ hello }", "variables": {"a": "\\udc00"}}',
    "lone surrogate in a name": b'{"query": "{ hello }", "operationName": "\\ud800"}',
    "deep": b'{"query": "{ hello }", "variables": {"a": ' + b"[" * 5000 + b"]" * 5000 + b"}}",
    "long number": b'{"query": "{ hello }", "variables": {"a": ' + b"1" * 100_000 + b"}}",
    "not a number": b'{"query": "{ hello }", "variables": {"a": NaN}}',
    "truncated": b'{"query": "{ hel',
    "NUL": b"\0",
    "more after the end": b'{"query": "{ hello }"} {}',
    "BOM": b'\xef\xbb\xbf{"query": "{ hello }"}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_a_hostile_body_is_the_clients_fault(site, client, body):
    for accept in ("application/json", "application/graphql-response+json"):
        response = await client.post(
            site.url, content=body, headers={"Content-Type": "application/json", "Accept": accept}
        )

        assert (response.status_code, codes(response)) == (400, ["BAD_USER_INPUT"])
        assert response.headers["content-type"] == f"{accept}; charset=utf-8"


@pytest.mark.parametrize(
    "body",
    [b'{"query": "{ hello }"}', gzip.compress(b'{"query": "{ a }"}', mtime=0)],
    ids=["false", "true"],
)
async def test_a_compressed_body_true_or_false_is_refused(site, client, body):
    response = await client.post(
        site.url,
        content=body,
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
    )

    assert (response.status_code, codes(response)) == (400, ["BAD_USER_INPUT"])


async def test_deep_variables_within_json_limits_are_the_clients_fault(site, client):
    query = "query ($where: Filter) { leads(where: $where) { nodes { name } } }"
    deep = b"[" * 1000 + b"]" * 1000
    body = b'{"query": "' + query.encode() + b'", "variables": {"where": ' + deep + b"}}"

    response = await client.post(
        site.url, content=body, headers={"Content-Type": "application/json"}
    )

    assert (response.status_code, codes(response)) == (200, ["BAD_USER_INPUT"])


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=iso-8859-1",
        "text/plain; application/json",
        "application/json, text/plain",
    ],
)
async def test_what_a_form_could_send_is_refused(site, client, content_type):
    headers = {} if content_type is None else {"Content-Type": content_type}
    response = await client.post(site.url, content=b'{"query": "{ hello }"}', headers=headers)

    assert response.status_code == 415


async def test_two_content_types_are_none(site, client):
    types = [("Content-Type", "application/json"), ("Content-Type", "text/plain")]
    response = await client.post(site.url, content=b'{"query": "{ hello }"}', headers=types)

    assert response.status_code == 415


@pytest.mark.parametrize(
    "content_type", ["application/json;charset=UTF-8", 'Application/JSON; charset="utf-8"']
)
async def test_json_in_utf8_is_accepted_however_it_is_written(site, client, content_type):
    response = await client.post(
        site.url,
        content='{"query": "{ hello(name: \\"Zoë 🏃\\") }"}'.encode(),
        headers={"Content-Type": content_type},
    )

    assert response.json()["data"] == {"hello": "hello Zoë 🏃"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "GraphQL-Require-Preflight": "1"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://app.example"}, 200),
    ],
)
async def test_a_get_of_another_site_must_have_asked_first(client, headers, status):
    trusting = HttpSettings(trusted_origins=frozenset({"https://app.example"}))
    async with a_site(http=trusting) as site:
        response = await client.get(site.url, params={"query": "{ hello }"}, headers=headers)

    assert response.status_code == status


async def test_get_asks_but_never_changes(site, client):
    query = "query ($n: String!) { hello(name: $n) }"
    asked = await client.get(
        site.url, params={"query": query, "variables": '{"n": "Ada"}', "operationName": ""}
    )
    changed = await client.get(site.url, params={"query": 'mutation { tell(headline: "x") }'})

    assert asked.json()["data"] == {"hello": "hello Ada"}
    assert (changed.status_code, changed.headers["allow"]) == (405, "POST")
    assert site.world.headline == "quiet"


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"query": "{ hello }", "variables": "{"},
        {"query": "{ hello }", "variables": "[]"},
        {"query": "{ hello }", "extensions": "1"},
        [("query", "{ hello }"), ("query", "{ bug }")],
    ],
)
async def test_a_malformed_query_string_is_the_clients_fault(site, client, params):
    response = await client.get(site.url, params=params)

    assert (response.status_code, codes(response)) == (400, ["BAD_USER_INPUT"])


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"])
async def test_other_methods_are_told_which_are_allowed(site, client, method):
    response = await client.request(method, site.url)

    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "image/*", "garbage"])
async def test_a_client_that_accepts_nothing_of_ours_is_told(site, client, accept):
    response = await client.post(site.url, json={"query": "{ hello }"}, headers={"Accept": accept})

    assert (response.status_code, response.headers["content-type"]) == (406, JSON)


async def test_only_bad_credentials_are_refused(site, client):
    answers = [
        await client.post(site.url, json={"query": "{ who }"}, headers=headers)
        for headers in ({}, {"Authorization": "Bearer good"}, {"Authorization": "Bearer bad"})
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 401]
    assert [answer.json().get("data") for answer in answers] == [
        {"who": None},
        {"who": "good"},
        None,
    ]
    assert answers[2].headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert codes(answers[2]) == ["UNAUTHENTICATED"]


async def test_a_body_is_not_read_beyond_the_limit(client):
    sent = 0

    async def endless():
        nonlocal sent
        while sent < 64:
            sent += 1
            yield b" " * 65536

    async with a_site(http=HttpSettings(body_limit=100_000)) as site:
        headers = {"Content-Type": "application/json"}
        announced = await client.post(site.url, content=b" " * 100_001, headers=headers)
        try:
            streamed = (await client.post(site.url, content=endless(), headers=headers)).status_code
        except httpx.TransportError:
            streamed = 413  # closed on us while we were sending

    assert (announced.status_code, streamed) == (413, 413)


async def test_a_request_is_over_at_its_deadline(client):
    async with a_site(http=HttpSettings(deadline=0.05)) as site:
        response = await client.post(site.url, json={"query": "{ slow }"})

    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert codes(response) == ["SERVICE_UNAVAILABLE"]


async def test_a_fault_outside_graphql_is_still_an_answer(site, client, monkeypatch):
    async def fail(connection, payload):
        raise RuntimeError("secret database password")

    monkeypatch.setattr(type(site.door), "__call__", lambda self, *given: fail(*given))
    response = await client.post(site.url, json={"query": "{ hello }"})

    assert (response.status_code, codes(response)) == (500, ["INTERNAL_SERVER_ERROR"])
    assert "secret" not in response.text


async def test_a_subscription_needs_a_client_that_reads_events(site, client):
    response = await client.post(
        site.url,
        json={"query": "subscription { events }"},
        headers={"Accept": "application/json"},
    )

    assert response.status_code == 406


async def test_requests_are_counted_while_they_run(site, client):
    asking = asyncio.create_task(client.post(site.url, json={"query": "{ slow }"}))
    await until(lambda: site.gauges.requests == 1)
    site.world.gate.set()

    assert json.loads((await asking).content)["data"] == {"slow": "done"}
    assert await site.settled() == Gauges()


async def test_a_browser_that_opens_the_address_gets_the_page_and_clients_do_not(client):
    async def page(request):
        return HTMLResponse("explore")

    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    async with a_site(explorer=page) as site:
        opened = await client.get(site.url, headers=browser)
        asked = await client.get(site.url, params={"query": "{ hello }"}, headers=browser)

    assert opened.text == "explore"
    assert asked.json()["data"] == {"hello": "hello world"}
