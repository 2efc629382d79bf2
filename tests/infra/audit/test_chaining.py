"""The chain as it grows: in the same transaction, without gaps, and never otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from domain.audit import AuditEntry, Head
from domain.identity import Team
from domain.ids import new_id
from infra.audit.verifying import head_of, verify
from infra.database import Database
from tests.infra.audit.reading_the_log import changes, entries, rename, together, writing
from tests.world import NOON, World, make_world


async def test_twenty_who_write_at_once_make_one_chain_without_gaps(database: Database) -> None:
    world = await make_world(database, {"now": NOON})
    teams = [
        Team(id=new_id(), name=f"Team {number}", side=world.sales.side, created_at=NOON)
        for number in range(20)
    ]
    async with world.work() as work:
        await work.add_all(teams)
    before = await head_of(database, world.tenant.id)

    await together(
        *(rename(world, team, f"{team.name}, {turn}") for turn in range(3) for team in teams)
    )

    found = await entries(world, action="teamUpdate")
    verdict = await verify(database, world.tenant.id)
    assert [entry.number for entry in found] == [before.number + 1 + n for n in range(60)]
    assert (verdict.entries, verdict.bad) == (before.number + 60, None)
    assert verdict.last == Head(found[-1].number, found[-1].hash)


async def test_the_first_entries_of_a_tenant_may_come_at_once(database: Database) -> None:
    """The head is not there yet, so there is nothing to lock."""
    world = await make_world(database, {"now": NOON})
    tenant = replace(world.tenant, id=new_id(), slug=f"t{new_id().hex[-12:]}")

    async def add(name: str) -> None:
        async with database.work(tenant.id) as work:
            await work.add(Team(id=new_id(), name=name, side=world.sales.side, created_at=NOON))

    await together(*(add(f"Team {number}") for number in range(6)))

    verdict = await verify(database, tenant.id)
    assert (verdict.entries, verdict.last.number, verdict.bad) == (6, 6, None)


async def test_what_is_rolled_back_leaves_nothing_in_the_log(world: World) -> None:
    async def fail() -> None:
        async with writing(world) as work:
            await work.save(replace(world.sales, name="West"))
            await work.flush()
            raise RuntimeError("after the log was written")

    before = await head_of(world.database, world.tenant.id)
    with pytest.raises(RuntimeError, match="after the log was written"):
        await fail()

    assert await entries(world) == []
    assert await head_of(world.database, world.tenant.id) == before


async def test_what_only_reads_does_not_touch_the_chain(world: World) -> None:
    before = await head_of(world.database, world.tenant.id)
    async with writing(world) as work:
        await work.get(Team, world.sales.id, lock=True)

    assert await head_of(world.database, world.tenant.id) == before


async def test_five_hundred_changes_take_one_statement_for_the_log(world: World) -> None:
    counts = []
    for size in (1, 500):
        async with writing(world) as work:
            teams = [
                Team(id=new_id(), name=f"{size}/{n}", side=world.sales.side, created_at=NOON)
                for n in range(size)
            ]
            await work.add_all(teams)
            work.connection = counting = Counting(work.connection)
            await work.flush()
            counts.append(counting.statements)

    assert counts == [1, 1]
    assert (await verify(world.database, world.tenant.id)).bad is None


class Counting:
    """A connection that counts what is sent over it."""

    def __init__(self, connection: Any) -> None:
        self.statements = 0
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        self.statements += 1
        return getattr(self._connection, name)


async def test_another_tenants_log_is_not_there(world: World, other_world: World) -> None:
    await rename(world, world.sales, "West")

    async with other_world.work() as work:
        seen = {row[0] for row in await work.connection.fetch("SELECT tenant_id FROM audit_log")}
        heads = {row[0] for row in await work.connection.fetch("SELECT tenant_id FROM audit_heads")}
    assert seen == heads == {other_world.tenant.id}
    assert await changes(other_world) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET action = 'nothing'",
        "UPDATE audit_log SET hash = '\\x00'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "DELETE FROM audit_heads",
        "TRUNCATE audit_heads",
        "ALTER TABLE audit_log DISABLE ROW LEVEL SECURITY",
    ],
)
async def test_the_application_can_only_add(world: World, statement: str) -> None:
    async with world.database.app.acquire() as connection:
        await connection.execute(f"BEGIN; SELECT app.enter('{world.tenant.id}')")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
        await connection.execute("ROLLBACK")


async def test_the_platform_sees_nothing_of_it(world: World) -> None:
    for table in ("audit_log", "audit_heads"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await world.database.platform.fetch(f"SELECT * FROM {table}")


async def test_whatever_was_stored_is_hashed_alike_when_it_is_read_again(world: World) -> None:
    """Letters of all kinds, numbers as JSON has them, and criteria with fractions."""
    async with writing(world, user_agent="Zoë ‘ü€’ \U0001f600") as work:
        await work.save(replace(world.sales, name='a "quoted" \\ name, 😀 \u2028'))

    found: list[Any] = await changes(world)
    assert found == [("CHANGED", "Team", {"name": ("Sales", 'a "quoted" \\ name, 😀 \u2028')})]
    assert (await verify(world.database, world.tenant.id)).bad is None


async def test_an_entry_is_found_by_its_number_and_its_id(world: World) -> None:
    await rename(world, world.sales, "West")
    (entry,) = await entries(world)

    async with world.database.work(world.tenant.id, read_only=True) as work:
        assert await work.get(AuditEntry, entry.id) == entry
        assert await work.find(AuditEntry, number=entry.number) == [entry]
