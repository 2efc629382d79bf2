"""Other people's clients and audits, run against a real server."""

import json
from pathlib import Path

import pytest

from tests.node import installed, node

FOLDER = Path(__file__).parent / "node"

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def packages():
    return installed(FOLDER)


async def test_every_audit_of_graphql_over_http_is_passed(site, packages):
    assert await node(packages, "node", "audit.mjs", site.url) == "61 of 61\n"


async def test_the_clients_of_both_protocols_hear_the_same(site, packages):
    heard = [
        json.loads(line)
        for line in (await node(packages, "node", "clients.mjs", site.url)).splitlines()
    ]

    both = [
        ["{ who }", [{"who": "good"}, "complete"]],
        ['mutation { tell(headline: "loud") }', [{"tell": "loud"}, "complete"]],
        ["subscription { events(count: 2) }", [{"events": 0}, {"events": 1}, "complete"]],
    ]
    assert heard == [
        *(["graphql-ws", *one] for one in both),
        ["graphql-ws", "subscription { nothing }", ["GRAPHQL_VALIDATION_FAILED"]],
        ["graphql-ws", "subscription { broken }", [{"broken": 1}, "INTERNAL_SERVER_ERROR"]],
        *(["graphql-sse", *one] for one in both),
        ["graphql-sse", "subscription { nothing }", ["GRAPHQL_VALIDATION_FAILED", "complete"]],
        [
            "graphql-sse",
            "subscription { broken }",
            [{"broken": 1}, "INTERNAL_SERVER_ERROR", "complete"],
        ],
    ]
