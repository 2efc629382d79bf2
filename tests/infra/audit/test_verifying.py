"""Somebody with all rights over the tables changes the log, and is found out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import fields
from typing import Any

import asyncpg
import pytest

from domain.audit import GENESIS, RECORD_FIELDS, AuditEntry, Head, digest_of, next_hash
from domain.ids import new_id
from infra.audit.verifying import BadEntry, ChainFault, entries_of, head_of, verify
from infra.database import Database
from tests.infra.audit.reading_the_log import entries, rename_often
from tests.world import NOON, World, make_world

_INSERT = """
INSERT INTO audit_log SELECT (jsonb_populate_record(t, $3::jsonb)).* FROM audit_log t
WHERE tenant_id = $1 AND number = $2
"""


class Tamperer:
    """The tables' owner, who may do anything with a tenant's log."""

    def __init__(self, connection: asyncpg.Connection, world: World) -> None:
        self.connection = connection
        self.tenant_id = world.tenant.id

    async def does(self, statement: str, *values: Any) -> None:
        """Run a statement in which `$1` is the tenant."""
        done = await self.connection.execute(statement, self.tenant_id, *values)
        assert not done.endswith(" 0"), done

    async def copies(self, number: int, *, to: int) -> None:
        """Put in a copy of an entry under another number."""
        await self.does(_INSERT, number, f'{{"id": "{new_id()}", "number": {to}}}')


@pytest.fixture
async def world(database: Database) -> World:
    """A tenant with a log of a hundred entries at least."""
    world = await make_world(database, {"now": NOON})
    await rename_often(world, 20)
    return world


@pytest.fixture
async def owner(database_urls: Any, world: World) -> AsyncIterator[Tamperer]:
    connection = await asyncpg.connect(database_urls.owner)
    yield Tamperer(connection, world)
    await connection.close()


async def bad(world: World, **options: Any) -> tuple[int, ChainFault] | None:
    """Return the number and the fault of the first bad entry."""
    found = (await verify(world.database, world.tenant.id, **options)).bad
    return None if found is None else (found.number, found.fault)


async def last_of(world: World) -> int:
    return (await head_of(world.database, world.tenant.id)).number


async def test_a_log_that_nobody_touched_is_sound(world: World) -> None:
    head = await head_of(world.database, world.tenant.id)
    verdict = await verify(world.database, world.tenant.id)

    assert (verdict.entries, verdict.last, verdict.bad) == (head.number, head, None)


async def test_the_log_of_a_tenant_that_did_nothing_is_sound(database: Database) -> None:
    verdict = await verify(database, new_id())

    assert (verdict.entries, verdict.last, verdict.bad) == (0, Head(0, GENESIS), None)


# A field of an entry, with SQL for another value of it.
OTHERS = {
    "id": "gen_random_uuid()",
    "at": "\"at\" + interval '1 microsecond'",
    "action": "'teamCreate'",
    "actor_kind": "'SYSTEM'",
    "actor_id": "NULL",
    "actor_name": "'Somebody else'",
    "session_id": "gen_random_uuid()",
    "request_id": "''",
    "ip_address": "'192.0.2.8'",
    "user_agent": "NULL",
    "effect": "'ADDED'",
    "subject_kind": "'User'",
    "subject_id": "gen_random_uuid()",
    "differences": """differences || ' '""",
    "previous_hash": "hash",
    "hash": "previous_hash",
}


@pytest.mark.parametrize("field", OTHERS)
async def test_an_entry_that_was_changed_is_named(
    world: World, owner: Tamperer, field: str
) -> None:
    await owner.does(
        f'UPDATE audit_log SET "{field}" = {OTHERS[field]} WHERE tenant_id = $1 AND number = 15'
    )

    assert await bad(world) == (15, ChainFault.CHANGED)


def test_every_field_is_tampered_with() -> None:
    assert {*OTHERS, "number"} == {field.name for field in fields(AuditEntry)}
    assert {*OTHERS} - {"previous_hash", "hash"} == {*RECORD_FIELDS}


async def test_a_change_that_was_hashed_anew_is_named_by_what_follows(
    world: World, owner: Tamperer
) -> None:
    entry = next(e for e in await entries(world) if e.number == 15)
    values = {name: getattr(entry, name) for name in RECORD_FIELDS} | {"actor_name": "Nobody"}
    forged = AuditEntry(**values, number=15, previous_hash=entry.previous_hash, hash=entry.hash)
    anew = next_hash(forged.previous_hash, 15, digest_of(world.tenant.id, forged))
    await owner.does(
        "UPDATE audit_log SET actor_name = 'Nobody', hash = $2"
        " WHERE tenant_id = $1 AND number = 15",
        anew,
    )

    assert await bad(world) == (16, ChainFault.UNLINKED)


@pytest.mark.parametrize(
    ("gone", "named"),
    [("1", 1), ("15", 15), ("10, 11, 12", 10)],
    ids=["first", "middle", "several"],
)
async def test_an_entry_that_was_removed_is_named(
    world: World, owner: Tamperer, gone: str, named: int
) -> None:
    await owner.does(f"DELETE FROM audit_log WHERE tenant_id = $1 AND number IN ({gone})")

    assert await bad(world) == (named, ChainFault.MISSING)


async def test_the_newest_entries_cannot_be_cut_off(world: World, owner: Tamperer) -> None:
    last = await last_of(world)
    await owner.does("DELETE FROM audit_log WHERE tenant_id = $1 AND number > $2", last - 3)

    assert await bad(world) == (last - 2, ChainFault.MISSING)


async def test_a_whole_log_cannot_be_emptied(world: World, owner: Tamperer) -> None:
    await owner.does("DELETE FROM audit_log WHERE tenant_id = $1")

    assert await bad(world) == (1, ChainFault.MISSING)


async def test_an_entry_that_was_put_in_at_the_end_is_named(world: World, owner: Tamperer) -> None:
    last = await last_of(world)
    await owner.copies(last, to=last + 1)

    assert await bad(world) == (last + 1, ChainFault.BEYOND_HEAD)


async def test_an_entry_that_was_put_in_between_is_named(world: World, owner: Tamperer) -> None:
    """Its number is taken, so those behind it have to make way."""
    await owner.does("UPDATE audit_log SET number = -number WHERE tenant_id = $1 AND number > 15")
    await owner.does("UPDATE audit_log SET number = 1 - number WHERE tenant_id = $1 AND number < 0")
    await owner.copies(15, to=16)
    await owner.does("UPDATE audit_heads SET number = number + 1 WHERE tenant_id = $1")

    assert await bad(world) == (16, ChainFault.CHANGED)


async def test_entries_that_changed_places_are_named(world: World, owner: Tamperer) -> None:
    swap = "UPDATE audit_log SET number = $3 WHERE tenant_id = $1 AND number = $2"
    for before, after in ((15, -1), (18, 15), (-1, 18)):
        await owner.does(swap, before, after)

    found = (await verify(world.database, world.tenant.id)).bad
    assert found == BadEntry(15, ChainFault.MOVED, "it was written as number 18")


async def test_a_gap_that_was_closed_by_renumbering_is_named(world: World, owner: Tamperer) -> None:
    await owner.does("DELETE FROM audit_log WHERE tenant_id = $1 AND number = 15")
    await owner.does("UPDATE audit_log SET number = -number WHERE tenant_id = $1 AND number > 15")
    await owner.does(
        "UPDATE audit_log SET number = -number - 1 WHERE tenant_id = $1 AND number < 0"
    )
    await owner.does("UPDATE audit_heads SET number = number - 1 WHERE tenant_id = $1")

    assert await bad(world) == (15, ChainFault.MOVED)


@pytest.mark.parametrize(
    ("change", "by", "fault"),
    [
        ("UPDATE audit_heads SET number = number - 1 WHERE tenant_id = $1", 0, "BEYOND_HEAD"),
        ("UPDATE audit_heads SET number = number + 1 WHERE tenant_id = $1", 1, "MISSING"),
        ("UPDATE audit_heads SET hash = sha256(hash) WHERE tenant_id = $1", 0, "WRONG_HEAD"),
    ],
    ids=["lower", "higher", "other"],
)
async def test_a_head_that_was_changed_is_named(
    world: World, owner: Tamperer, change: str, by: int, fault: str
) -> None:
    last = await last_of(world)
    await owner.does(change)

    assert await bad(world) == (last + by, ChainFault(fault))


async def test_a_head_that_was_removed_is_named(world: World, owner: Tamperer) -> None:
    await owner.does("DELETE FROM audit_heads WHERE tenant_id = $1")

    assert await bad(world) == (1, ChainFault.BEYOND_HEAD)


async def test_what_no_table_would_take_is_named_too(world: World, owner: Tamperer) -> None:
    """Who owns the table can drop its checks and its unique index as well."""
    connection = owner.connection
    last = await last_of(world)
    rolled_back = connection.transaction()
    await rolled_back.start()
    await connection.execute("ALTER TABLE audit_log DROP CONSTRAINT audit_log_pkey")
    await connection.execute("ALTER TABLE audit_log DROP CONSTRAINT audit_log_actor_kind_check")
    await owner.does(
        "UPDATE audit_log SET number = 15, actor_kind = 'GHOST'"
        " WHERE tenant_id = $1 AND number = $2",
        last,
    )
    found = await verify(Within(connection, world.database), world.tenant.id)  # type: ignore[arg-type]  # one connection
    await rolled_back.rollback()

    assert found.bad == BadEntry(15, ChainFault.DOUBLED, "there are two of this number")


class Within:
    """A database of which only one connection is used, inside a transaction that is open."""

    def __init__(self, connection: asyncpg.Connection, database: Database) -> None:
        self.app = self
        self._connection = connection

    def acquire(self, timeout: float) -> Within:
        return self

    async def __aenter__(self) -> Within:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def execute(self, statement: str) -> None:
        """Begin nothing, because we are within a transaction already."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


# What was noted elsewhere


async def test_a_head_that_was_noted_proves_that_nothing_before_it_was_rewritten(
    world: World, owner: Tamperer
) -> None:
    noted = await head_of(world.database, world.tenant.id)
    await rename_often(world, 2)
    assert await bad(world, expected=noted) is None

    await rewrite(owner, world)

    assert await bad(world) is None
    assert await bad(world, expected=noted) == (noted.number, ChainFault.REWRITTEN)


async def test_a_head_that_was_noted_proves_that_nothing_up_to_it_was_cut_off(
    world: World, owner: Tamperer
) -> None:
    noted = await head_of(world.database, world.tenant.id)
    await owner.does("DELETE FROM audit_log WHERE tenant_id = $1 AND number = $2", noted.number)
    await owner.does(
        "UPDATE audit_heads h SET number = h.number - 1, hash = l.hash FROM audit_log l"
        " WHERE h.tenant_id = $1 AND l.tenant_id = $1 AND l.number = h.number - 1"
    )

    assert await bad(world) is None
    assert await bad(world, expected=noted) == (noted.number, ChainFault.MISSING)


@pytest.mark.parametrize(("hash", "found"), [(GENESIS, None), (b"x" * 32, (0, "REWRITTEN"))])
async def test_the_empty_log_can_be_noted_too(world: World, hash: bytes, found: Any) -> None:
    assert await bad(world, expected=Head(0, hash)) == found


async def rewrite(owner: Tamperer, world: World) -> None:
    """Forge one entry and hash everything behind it anew, as only the owner could."""
    last = GENESIS
    for entry in [e async for e in entries_of(world.database, world.tenant.id)]:
        values = {name: getattr(entry, name) for name in RECORD_FIELDS}
        if entry.number == 15:
            values["actor_name"] = "Nobody"
        forged = AuditEntry(**values, number=entry.number, previous_hash=last, hash=entry.hash)
        anew = next_hash(last, entry.number, digest_of(world.tenant.id, forged))
        await owner.does(
            "UPDATE audit_log SET actor_name = $3, previous_hash = $4, hash = $5"
            " WHERE tenant_id = $1 AND number = $2",
            *(entry.number, forged.actor_name, last, anew),
        )
        last = anew
    await owner.does("UPDATE audit_heads SET hash = $2 WHERE tenant_id = $1", last)


async def test_it_can_be_verified_while_others_write(world: World) -> None:
    """Each verdict is about one instant, at which log and head agree."""
    writing = asyncio.create_task(rename_often(world, 30))
    verdicts = [await verify(world.database, world.tenant.id) for _ in range(10)]
    await writing

    assert [verdict.bad for verdict in verdicts] == [None] * 10
    assert all(verdict.entries == verdict.last.number for verdict in verdicts)
    assert await bad(world) is None
