"""The clients that front ends are built with, against the served application."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.transport import HttpSettings
from infra.database import Database
from tests.api.clients.stage import FOLDER, Stage, a_stage
from tests.api.sites import a_site, key_of
from tests.api.transport.sites import a_site as a_small_site
from tests.conftest import ROOT, DatabaseUrls
from tests.midnight import enough_of_today
from tests.node import installed, node
from tests.world import make_world

TITLE = "Head of Tulips"
URQL = (
    "application/graphql-response+json, application/graphql+json, application/json, "
    "text/event-stream, multipart/mixed"
)

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def packages() -> Path:
    return installed(FOLDER)


@pytest.fixture
async def stage(
    packages: Path, database_urls: DatabaseUrls, session_database: Database
) -> AsyncIterator[Stage]:
    clock = {"now": await enough_of_today()}
    world = await make_world(Database(session_database.app, session_database.platform), clock)
    async with a_stage(database_urls, world) as stage:
        yield stage


async def test_apollo_client(stage: Stage, database_urls: DatabaseUrls) -> None:
    first, second, third, fourth = (stage.lead(number) for number in range(1, 5))
    async with (
        a_small_site(http=HttpSettings(deadline=0.05)) as slow,
        a_site(database_urls, WORKER="0", COST_PER_ADDRESS="1") as mean,
        a_site(database_urls, WORKER="0", TRUSTED_DOCUMENTS="only") as closed,
    ):
        urls = {"meanUrl": f"{mean.url}/graphql", "closedUrl": f"{closed.url}/graphql"}
        seen = await stage.play("apollo.mjs", slowUrl=slow.url, **urls)

    assert seen == {
        "signedIn": "Ada",
        "page": [[first, None], [second, None]],
        "pages": [[first, None], [second, None], [third, None], [fourth, None]],
        "refused": [["DUPLICATE_LEAD", True]],
        "changed": [[first, TITLE], [second, None], [third, None], [fourth, None]],
        "cached": TITLE,
        "live": ["10", "20", "21", "30"],
        "failed": ["GRAPHQL_VALIDATION_FAILED"],
        "renewals": 1,
        "streamed": ["30", "31"],
        "failedStreaming": ["GRAPHQL_VALIDATION_FAILED"],
        "multipart": ["GRAPHQL_VALIDATION_FAILED"],
        "linked": [
            "UNAUTHENTICATED",
            "SERVICE_UNAVAILABLE",
            "PERSISTED_QUERY_ONLY",
            "UNAUTHENTICATED",
            "RATE_LIMITED",
        ],
    }


async def test_urql(stage: Stage) -> None:
    first, second, third, fourth = (stage.lead(number) for number in range(1, 5))

    assert await stage.play("urql.mjs") == {
        "signedIn": "Ada",
        "page": [[first, None], [second, None]],
        "nextPage": [[third, None], [fourth, None]],
        "refused": [["DUPLICATE_LEAD", True]],
        "changed": [None, TITLE],
        "live": ["10", "20", "21", "30"],
        "failed": ["GRAPHQL_VALIDATION_FAILED"],
        "renewals": 1,
        "streamed": ["30", "31"],
        "failedStreaming": ["GRAPHQL_VALIDATION_FAILED"],
        "accepted": [URQL, "text/event-stream, multipart/mixed"],
        "stranger": [401, ["UNAUTHENTICATED"]],
    }


async def test_relay(stage: Stage, tmp_path: Path) -> None:
    first, second, third, fourth = (stage.lead(number) for number in range(1, 5))
    artifacts = await compiled(tmp_path)

    assert await stage.play("relay.mjs", folder=str(artifacts)) == {
        "signedIn": "Ada",
        "page": [[first, None], [second, None]],
        "pages": [True, [[first, None], [second, None], [third, None], [fourth, None]]],
        "refused": [["DUPLICATE_LEAD", True]],
        "changed": [f"{TITLE}, soon", TITLE],
        "byId": TITLE,
        "node": [first, TITLE],
        "live": ["10", "20", "21", "30"],
        "failed": ["GRAPHQL_VALIDATION_FAILED"],
        "renewals": 1,
    }


async def test_every_audit_of_graphql_over_http_is_passed_with_a_key(stage: Stage) -> None:
    audits = installed(FOLDER.parent / "transport" / "node")
    key = await key_of(stage.site, stage.world)

    assert await node(audits, "node", "audit.mjs", stage.url, key) == "61 of 61\n"


async def compiled(folder: Path) -> Path:
    """Compile the operations of Relay's script and return where the artifacts are."""
    source, artifacts = folder / "relay", folder / "artifacts"
    shutil.copytree(FOLDER / "relay", source)
    artifacts.mkdir()
    shutil.copy(ROOT / "api" / "schema.graphql", folder / "schema.graphql")
    program = FOLDER / "node_modules" / "relay-compiler" / "cli.js"
    config = {
        "src": "relay",
        "schema": "schema.graphql",
        "artifactDirectory": "artifacts",
        "language": "javascript",
        "eagerEsModules": False,
    }
    (folder / "relay.config.json").write_text(json.dumps(config))
    await node(folder, "node", str(program))
    return artifacts
