"""Other people's clients and audits, run against a real server."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

NODE = Path(__file__).parent / "node"

pytestmark = [
    pytest.mark.node,
    pytest.mark.skipif(
        shutil.which("node") is None or shutil.which("npm") is None,
        reason="Node.js and npm are not installed",
    ),
]


async def run(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=NODE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


@pytest.fixture(scope="module")
async def packages():
    """Install the packages of the lock, unless they are there."""
    installed = NODE / "node_modules" / ".package-lock.json"
    lock = NODE / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        await run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")


@pytest.mark.usefixtures("packages")
async def test_every_audit_of_graphql_over_http_is_passed(site):
    assert await run("node", "audit.mjs", site.url) == "61 of 61\n"


@pytest.mark.usefixtures("packages")
async def test_the_clients_of_both_protocols_hear_the_same(site):
    heard = [json.loads(line) for line in (await run("node", "clients.mjs", site.url)).splitlines()]

    told = [
        ["{ who }", [{"who": "good"}, "complete"]],
        ['mutation { tell(headline: "loud") }', [{"tell": "loud"}, "complete"]],
        ["subscription { events(count: 2) }", [{"events": 0}, {"events": 1}, "complete"]],
    ]
    assert heard == [
        *(["graphql-ws", *one] for one in told),
        ["graphql-ws", "subscription { nothing }", ["GRAPHQL_VALIDATION_FAILED"]],
        ["graphql-ws", "subscription { broken }", [{"broken": 1}, "INTERNAL_SERVER_ERROR"]],
        *(["graphql-sse", *one] for one in told),
        ["graphql-sse", "subscription { nothing }", ["GRAPHQL_VALIDATION_FAILED", "complete"]],
        [
            "graphql-sse",
            "subscription { broken }",
            [{"broken": 1}, "INTERNAL_SERVER_ERROR", "complete"],
        ],
    ]
