"""`smarketing audit`, on a real database."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from infra.audit.verifying import head_of
from infra.cli import app
from infra.database import Database
from tests.api.sites import SECRET
from tests.conftest import DatabaseUrls
from tests.infra.audit.reading_the_log import entries, rename_often
from tests.world import NOON, World, enter_directory, make_world

_TAMPER = "UPDATE audit_log SET actor_name = 'Nobody' WHERE tenant_id = $1 AND number = 10"


@pytest.fixture
async def world(database: Database) -> World:
    """A tenant that is in the directory, with a log."""
    world = await make_world(database, {"now": NOON})
    await enter_directory(world)
    await rename_often(world, 5)
    return world


class Commands:
    """Runs `smarketing audit` in a thread, because it has a loop of its own."""

    def __init__(self, urls: DatabaseUrls) -> None:
        self._environ: Mapping[str, str] = {
            "SMARKETING_SECRET": SECRET,
            "DATABASE_URL": urls.owner,
            "APP_DATABASE_URL": urls.app,
            "PLATFORM_DATABASE_URL": urls.platform,
        }

    async def __call__(self, *arguments: str) -> Result:
        return await asyncio.to_thread(
            CliRunner(env=dict(self._environ)).invoke, app, ["audit", *arguments]
        )


@pytest.fixture
def audit(database_urls: DatabaseUrls) -> Commands:
    return Commands(database_urls)


async def tamper(urls: DatabaseUrls, world: World) -> None:
    connection = await asyncpg.connect(urls.owner)
    assert await connection.execute(_TAMPER, world.tenant.id) == "UPDATE 1"
    await connection.close()


async def test_a_sound_log_is_said_to_be(world: World, audit: Commands) -> None:
    head = await head_of(world.database, world.tenant.id)
    done = await audit("verify", "--tenant", world.tenant.slug)

    sound = f"{head.number} entries, all as they were written ({head.anchor})"
    assert (done.exit_code, done.output) == (0, f"{world.tenant.slug}: {sound}\n")


async def test_the_first_bad_entry_is_named_and_the_command_fails(
    world: World, database_urls: DatabaseUrls, audit: Commands
) -> None:
    await tamper(database_urls, world)
    told = await audit("verify", "--tenant", world.tenant.slug)
    in_json = await audit("verify", "--tenant", world.tenant.slug, "--json")

    message = "it does not say what it said"
    assert told.exit_code == in_json.exit_code == 1
    assert told.output == f"{world.tenant.slug}: entry 10 is bad, CHANGED: {message}.\n"
    found = json.loads(in_json.output)
    assert (found["tenant"], found["entries"]) == (world.tenant.slug, 9)
    assert found["bad"] == {"number": 10, "fault": "CHANGED", "message": message}


async def test_all_tenants_are_verified_and_a_bad_one_hides_no_other(
    world: World, database: Database, database_urls: DatabaseUrls, audit: Commands
) -> None:
    other = await make_world(database, {"now": NOON})
    await enter_directory(other)
    await tamper(database_urls, world)

    done = await audit("verify", "--json")

    found = {line["tenant"]: line["bad"] for line in map(json.loads, done.output.splitlines())}
    assert done.exit_code == 1
    assert found[world.tenant.slug]["number"] == 10
    assert found[other.tenant.slug] is None


async def test_a_head_is_noted_and_held_against_the_log(world: World, audit: Commands) -> None:
    slug = world.tenant.slug
    noted = (await audit("head", "--tenant", slug)).output.strip()
    await rename_often(world, 1)
    sound = await audit("verify", "--tenant", slug, "--expect", noted)
    number, _, digits = noted.partition(":")
    other = await audit("verify", "--tenant", slug, "--expect", f"{number}:{digits[::-1]}")

    message = "its hash is not the one that was noted: the log was rewritten"
    assert noted == f"{number}:{digits}"
    assert sound.exit_code == 0
    assert (other.exit_code, other.output) == (
        1,
        f"{slug}: entry {number} is bad, REWRITTEN: {message}.\n",
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "--expect", f"1:{'00' * 32}"),
        ("verify", "--tenant", "acme", "--expect", "1"),
        ("verify", "--tenant", "acme", "--expect", f"-1:{'00' * 32}"),
        ("verify", "--tenant", "acme", "--expect", "x:y"),
        ("head",),
    ],
    ids=["no tenant", "no hash", "negative", "nonsense", "head of what"],
)
async def test_wrong_use_is_told(audit: Commands, arguments: tuple[str, ...]) -> None:
    assert (await audit(*arguments)).exit_code == 2


async def test_the_log_is_taken_elsewhere_and_hashed_by_somebody_else(
    world: World, audit: Commands
) -> None:
    """By nothing but what the ADR says, over what the export holds."""
    done = await audit("export", "--tenant", world.tenant.slug)
    lines = [json.loads(line) for line in done.output.splitlines()]

    last = "00" * 32
    for number, line in enumerate(lines, start=1):
        assert (line["number"], line["previous_hash"]) == (number, last)
        last = hashed(line)
        assert line["hash"] == last
    assert done.exit_code == 0
    assert len(lines) == (await head_of(world.database, world.tenant.id)).number
    assert len([line for line in lines if line["action"] == "teamUpdate"]) == 5
    assert len(await entries(world)) == 5


FIELDS = (
    *("tenant_id", "id", "at", "action", "actor_kind", "actor_id", "actor_name", "session_id"),
    *("request_id", "ip_address", "user_agent", "effect", "subject_kind", "subject_id"),
    "differences",
)


def hashed(line: Mapping[str, Any]) -> str:
    told = b"".join(netstring(value) for value in ("1", *(line[name] for name in FIELDS)))
    place = bytes.fromhex(line["previous_hash"]) + line["number"].to_bytes(8)
    return hashlib.sha256(place + hashlib.sha256(told).digest()).hexdigest()


def netstring(text: str | None) -> bytes:
    data = None if text is None else text.encode()
    return b"-," if data is None else b"%d:%b," % (len(data), data)
