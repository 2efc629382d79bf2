from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from domain.audit import AuditEntry, Cause
from domain.errors import AlreadyExists, NotFound
from domain.events import TeamChanged
from domain.goals.targets import MetricTally
from domain.identity import Team
from domain.ids import new_id
from domain.stages import Side
from infra.audit.verifying import head_of, verify
from infra.database import Database
from infra.one_transaction import OneTransaction, one_transaction
from infra.refusals import Busy
from tests.world import NOON, World

TODAY = date(2026, 3, 10)


def a_team(name: str) -> Team:
    return Team(id=new_id(), name=name, side=Side.SALES, created_at=NOON)


class Refusal(Exception):
    """Stands for whatever ends a part."""


async def add(one: OneTransaction, world: World, name: str, *, fails: bool = False) -> None:
    """Add a team with an event and a count, as a mutation would."""
    team = a_team(name)
    async with one.work(world.tenant.id, by=world.owner.id) as work:
        await work.add(team)
        work.record(TeamChanged(team_id=team.id, at=NOON))
        work.count(MetricTally, on=TODAY, by={"amount": 1}, metric="X", team_id=world.sales.id)
        if fails:
            raise Refusal


async def stored(world: World) -> tuple[set[str], list[str], list[int]]:
    """Return the names of the teams that were added, the events and the counts."""
    async with world.work() as work:
        names = {team.name for team in await work.find(Team)} - {"Marketing", "Sales"}
        events = await work.connection.fetch("SELECT kind FROM outbox ORDER BY batch, position")
        counts = [tally.amount for tally in await work.find(MetricTally)]
    return names, [event[0] for event in events], counts


def in_one(world: World) -> Any:
    return one_transaction(world.database, world.tenant.id, by=world.owner.id)


async def test_parts_see_each_other_and_are_stored_together(world: World) -> None:
    async with in_one(world) as one:
        await add(one, world, "North")
        async with one.work(world.tenant.id, read_only=True) as work:
            seen = {team.name for team in await work.find(Team)}
        await add(one, world, "South")
        before = await stored(world)

    assert seen == {"Marketing", "Sales", "North"}
    assert before == (set(), [], [])
    assert await stored(world) == ({"North", "South"}, ["TeamChanged"] * 2, [2])
    assert one.changed


async def test_a_refused_part_leaves_the_others_as_they_are(world: World) -> None:
    async with in_one(world) as one:
        await add(one, world, "North")
        with pytest.raises(Refusal):
            await add(one, world, "East", fails=True)
        with pytest.raises(AlreadyExists):
            await add(one, world, "North")
        await add(one, world, "South")

    assert await stored(world) == ({"North", "South"}, ["TeamChanged"] * 2, [2])


async def test_a_transaction_with_nothing_but_refusals_has_changed_nothing(world: World) -> None:
    async with in_one(world) as one:
        with pytest.raises(Refusal):
            await add(one, world, "East", fails=True)

    assert (one.changed, one.broken) == (False, False)
    assert await stored(world) == (set(), [], [])


async def test_what_ends_the_whole_ends_every_part(world: World) -> None:
    async def fail() -> None:
        async with in_one(world) as one:
            await add(one, world, "North")
            raise Refusal

    with pytest.raises(Refusal):
        await fail()
    assert await stored(world) == (set(), [], [])


async def test_news_are_told_once_and_only_when_they_are_stored(world: World) -> None:
    told: list[UUID] = []
    world.database.on_commit.add(told.append)

    async with in_one(world) as one:
        await add(one, world, "North")
        await add(one, world, "South")
        assert told == []

    assert told == [world.tenant.id]


async def test_a_read_that_is_not_found_spoils_nothing(world: World) -> None:
    async with in_one(world) as one:
        with pytest.raises(NotFound):
            async with one.work(world.tenant.id, read_only=True) as work:
                await work.get(Team, new_id())
        await add(one, world, "North")

    assert not one.broken
    assert (await stored(world))[0] == {"North"}


async def test_a_read_that_the_database_refuses_spoils_the_whole(world: World) -> None:
    async with in_one(world) as one:
        with pytest.raises(asyncpg.UndefinedTableError):
            async with one.work(world.tenant.id, read_only=True) as work:
                await work.connection.fetch("SELECT * FROM nowhere")
        assert one.broken
        with pytest.raises(asyncpg.InFailedSQLTransactionError):
            await add(one, world, "North")
        await one.whole.connection.execute("ROLLBACK; BEGIN")  # so that the end has one to end


async def test_parts_take_turns(world: World) -> None:
    async with in_one(world) as one:
        await asyncio.gather(*(add(one, world, f"Team {n}") for n in range(5)))

    names, events, counts = await stored(world)
    assert (names, len(events), counts) == ({f"Team {n}" for n in range(5)}, 5, [5])


async def test_who_gives_way_to_another_transaction_can_go_on(world: World) -> None:
    async def give_way(one: OneTransaction) -> None:
        async with one.work(world.tenant.id) as work:
            await work.add(a_team("East"))
            raise asyncpg.DeadlockDetectedError

    async with in_one(world) as one:
        with pytest.raises(Busy):
            await give_way(one)
        assert (one.gave_way, one.changed, one.broken) == (True, False, False)
        await add(one, world, "North")

    assert (await stored(world))[0] == {"North"}


async def test_a_part_within_a_part_fails_at_once_rather_than_waiting_for_itself(
    world: World,
) -> None:
    async with in_one(world) as one, one.work(world.tenant.id, read_only=True):
        with pytest.raises(RuntimeError, match="within another"):
            await add(one, world, "North")


async def test_another_tenants_work_is_a_transaction_of_its_own(
    world: World, other_world: World
) -> None:
    async def fail() -> None:
        async with in_one(world) as one:
            async with one.work(other_world.tenant.id) as work:
                await work.save(replace(other_world.sales, name="Rest"))
            raise Refusal

    with pytest.raises(Refusal):
        await fail()
    async with other_world.work() as work:
        assert (await work.get(Team, other_world.sales.id)).name == "Rest"


async def test_what_still_runs_when_the_whole_is_cancelled_is_ended_with_it(
    database_urls: Any, world: World
) -> None:
    """Nothing comes late to a connection that has been given to somebody else."""
    database = await Database.connect(
        database_urls.app, database_urls.platform, size=1, wait_seconds=60
    )
    reading = asyncio.Event()
    late: list[asyncio.Task[None]] = []

    async def read() -> None:
        one = ones[0]
        async with one.work(world.tenant.id, read_only=True) as work:
            reading.set()
            await work.connection.fetch("SELECT pg_sleep(30)")

    async def whole() -> None:
        async with one_transaction(database, world.tenant.id, by=None) as one:
            ones.append(one)
            await add(one, world, "North")
            late.append(asyncio.create_task(read()))
            await asyncio.Event().wait()

    ones: list[OneTransaction] = []
    task = asyncio.create_task(whole())
    async with asyncio.timeout(60):
        await reading.wait()
    task.cancel()
    results = await asyncio.gather(task, *late, return_exceptions=True)

    assert [type(result) for result in results] == [asyncio.CancelledError] * 2
    with pytest.raises(RuntimeError, match="is over"):
        async with ones[0].work(world.tenant.id, read_only=True):
            pass
    async with database.work(world.tenant.id, read_only=True) as work:
        assert await work.connection.fetchval("SELECT 1") == 1
    assert await stored(world) == (set(), [], [])
    await database.close()


async def test_the_audit_log_tells_of_each_part_that_was_not_undone(world: World) -> None:
    """At the end and at once, because whoever writes in it holds up all others."""
    user = Cause().by(world.actor())

    async def rename(one: OneTransaction, team: Team, name: str, *, fails: bool = False) -> None:
        cause = user.doing(name)
        async with one.work(world.tenant.id, by=world.owner.id, cause=cause) as work:
            await work.save(replace(await work.get(Team, team.id), name=name))
            if fails:
                raise Refusal

    before = await head_of(world.database, world.tenant.id)
    async with in_one(world) as one:
        await rename(one, world.sales, "West")
        with pytest.raises(Refusal):
            await rename(one, world.sales, "Undone", fails=True)
        await rename(one, world.sales, "East")
        async with one.work(world.tenant.id, read_only=True) as work:
            written = await work.find(AuditEntry, actor_id=world.owner.id)

    async with world.work() as work:
        entries = await work.find(AuditEntry, actor_id=world.owner.id)
    assert written == []
    assert [(entry.number, entry.action, entry.differences) for entry in entries] == [
        (before.number + 1, "West", '[{"field":"name","before":"Sales","after":"West"}]'),
        (before.number + 2, "East", '[{"field":"name","before":"West","after":"East"}]'),
    ]
    assert (await verify(world.database, world.tenant.id)).bad is None
