from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from time import monotonic
from typing import Any

import asyncpg
import pytest

from domain.errors import AlreadyExists, Invalid, NotFound, StaleWrite
from domain.events import TeamChanged
from domain.goals.targets import MetricTally
from domain.identity import Team, TeamMember
from domain.ids import new_id
from domain.stages import Side
from infra.database import Database, _ServerTime
from infra.outbox import waiting
from infra.refusals import Busy
from tests.fakes import FakeWork
from tests.world import NOON, World


def a_team(name: str = "North", side: Side = Side.SALES, **changes: Any) -> Team:
    return Team(id=new_id(), name=name, side=side, created_at=NOON, **changes)


# What every Work does


@pytest.fixture(params=["fake", "postgres"])
async def work(request: pytest.FixtureRequest, world: World) -> AsyncIterator[Any]:
    if request.param == "fake":
        yield FakeWork(NOON)
        return
    async with world.work() as work:
        yield work


async def test_what_is_added_can_be_got(work: Any) -> None:
    team = a_team()
    assert await work.add(team) == team
    assert await work.get(Team, team.id) == team
    assert await work.get(Team, team.id, lock=True) == team


async def test_what_is_not_there_is_not_found(work: Any) -> None:
    with pytest.raises(NotFound) as refusal:
        await work.get(Team, new_id())
    assert refusal.value.message == "There is no such team."


async def test_entities_are_found_by_their_fields_oldest_first(work: Any) -> None:
    north, south, west = a_team("North"), a_team("South"), a_team("West", Side.MARKETING)
    await work.add_all([west, south, north])

    ids = (north.id, south.id, west.id)
    assert list(await work.find(Team, id=ids)) == [north, south, west]
    assert list(await work.find(Team, id=ids, side=Side.SALES)) == [north, south]
    assert list(await work.find(Team, name=["West", "North"], lock=True)) == [north, west]
    assert list(await work.find(Team, id={south.id}, calendar_id=None)) == [south]
    assert list(await work.find(Team, id=())) == []
    assert list(await work.find(Team, id=ids, name="East")) == []


async def test_saving_returns_the_next_version(work: Any) -> None:
    team = await work.add(a_team())

    saved = await work.save(replace(team, name="South"))
    again = await work.save(replace(saved, name="West"))

    assert (saved.name, saved.version) == ("South", 2)
    assert (again.name, again.version) == ("West", 3)
    assert await work.get(Team, team.id) == again


async def test_a_stale_copy_cannot_be_saved(work: Any) -> None:
    team = await work.add(a_team())
    saved = await work.save(replace(team, name="South"))

    with pytest.raises(StaleWrite):
        await work.save(replace(team, name="West"))
    assert await work.get(Team, team.id) == saved


async def test_what_was_never_added_cannot_be_saved(work: Any) -> None:
    with pytest.raises(NotFound):
        await work.save(a_team())


async def test_many_are_added_and_saved_together(work: Any) -> None:
    teams = [a_team(f"Team {number}") for number in range(3)]
    await work.add_all(teams)
    await work.save_all([replace(team, name=f"{team.name}!") for team in teams])
    await work.add_all([])
    await work.save_all([])

    found = await work.find(Team, id=tuple(team.id for team in teams))
    assert [(team.name, team.version) for team in found] == [
        ("Team 0!", 2),
        ("Team 1!", 2),
        ("Team 2!", 2),
    ]


async def test_of_many_a_stale_one_is_refused(work: Any) -> None:
    teams = [a_team(f"Team {number}") for number in range(2)]
    await work.add_all(teams)
    await work.save(teams[1])

    with pytest.raises(StaleWrite):
        await work.save_all([replace(team, name=f"{team.name}!") for team in teams])


async def test_what_is_deleted_is_gone(work: Any) -> None:
    if isinstance(work, FakeWork):
        team_id, user_id = new_id(), new_id()
    else:
        member = (await work.find(TeamMember))[0]
        team_id, user_id = member.team_id, member.user_id
        await work.delete(TeamMember, team_id=team_id)
    member = TeamMember(id=new_id(), team_id=team_id, user_id=user_id, created_at=NOON)
    await work.add(member)

    await work.delete(TeamMember, team_id=new_id())
    assert await work.find(TeamMember, team_id=team_id) == [member]
    await work.delete(TeamMember, team_id=team_id)
    assert list(await work.find(TeamMember, team_id=team_id)) == []


# Over PostgreSQL


async def test_an_exception_undoes_everything(world: World) -> None:
    team = a_team()

    async def fail() -> None:
        async with world.work() as work:
            await work.add(team)
            work.record(TeamChanged(at=NOON, team_id=team.id))
            work.count(MetricTally, on=NOON.date(), by={"amount": 1}, metric="X", team_id=team.id)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with world.work() as work:
        assert await work.find(Team, id=team.id) == []
        assert await work.find(MetricTally, team_id=team.id) == []
    assert world.tenant.id not in await waiting(world.database)


async def test_a_refused_change_leaves_a_connection_that_works(world: World) -> None:
    for _ in range(world.database.app.get_max_size() + 1):
        with pytest.raises(AlreadyExists):
            await add(world, a_team("Sales"))
    async with world.work() as work:
        assert len(await work.find(Team)) == 2


async def add(world: World, *entities: Any) -> None:
    async with world.work() as work:
        await work.add_all(list(entities))


async def test_a_cancelled_change_leaves_a_connection_that_works(world: World) -> None:
    async def hang() -> None:
        async with world.work() as work:
            await work.add(a_team())
            await work.connection.execute("SELECT pg_sleep(60)")

    for _ in range(world.database.app.get_max_size() + 1):
        task = asyncio.create_task(hang())
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with world.work() as work:
        assert len(await work.find(Team)) == 2


async def test_a_failure_that_is_passed_over_is_no_success(world: World) -> None:
    """PostgreSQL would answer COMMIT with a quiet ROLLBACK."""

    async def pass_over() -> None:
        async with world.work() as work:
            await work.add(a_team())
            with pytest.raises(asyncpg.UniqueViolationError):
                await work.add(a_team("Sales"))

    with pytest.raises(RuntimeError, match="passed over"):
        await pass_over()
    async with world.work() as work:
        assert len(await work.find(Team)) == 2


async def test_what_cannot_be_stored_is_refused(world: World) -> None:
    for name in ("a\x00b", "\ud800"):
        with pytest.raises(Invalid):
            await add(world, a_team(name))


async def test_a_reading_transaction_cannot_write(world: World) -> None:
    async def write() -> None:
        async with world.database.work(world.tenant.id, read_only=True) as work:
            await work.add(a_team())

    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await write()


async def test_a_locked_entity_waits_for_its_holder(world: World) -> None:
    held, order = asyncio.Event(), list[str]()

    async def hold() -> None:
        async with world.work() as work:
            await work.get(Team, world.sales.id, lock=True)
            held.set()
            await asyncio.sleep(0.1)
            order.append("held")

    async def wait() -> None:
        await held.wait()
        async with world.work() as work:
            await work.get(Team, world.sales.id, lock=True)
            order.append("got")

    await asyncio.gather(hold(), wait())
    assert order == ["held", "got"]


async def test_of_two_who_change_one_thing_one_is_told_it_is_stale(world: World) -> None:
    read = asyncio.Barrier(2)

    async def rename(name: str) -> str:
        try:
            async with world.work() as work:
                team = await work.get(Team, world.sales.id)
                await read.wait()
                await work.save(replace(team, name=name))
        except StaleWrite:
            return "stale"
        return "saved"

    assert sorted(await asyncio.gather(rename("A"), rename("B"))) == ["saved", "stale"]


async def test_who_gives_way_in_a_deadlock_is_told_to_try_again(world: World) -> None:
    both = asyncio.Barrier(2)

    async def lock(first: Team, second: Team) -> str:
        try:
            async with world.work() as work:
                await work.get(Team, first.id, lock=True)
                await both.wait()
                await work.get(Team, second.id, lock=True)
        except Busy as busy:
            return busy.code
        return "done"

    answers = await asyncio.gather(
        lock(world.sales, world.marketing), lock(world.marketing, world.sales)
    )
    assert sorted(answers) == ["STALE", "done"]


async def test_counters_add_up_whoever_counts(world: World) -> None:
    team_id, day = new_id(), date(2026, 3, 10)

    async def count(amount: int) -> None:
        async with world.work() as work:
            for metric in ("B", "A"):
                for _ in range(2):
                    work.count(
                        MetricTally, on=day, by={"amount": amount}, metric=metric, team_id=team_id
                    )

    await asyncio.gather(*(count(amount) for amount in range(1, 11)))

    async with world.work() as work:
        tallies = await work.find(MetricTally, team_id=team_id)
    assert {(tally.metric, tally.on, tally.amount) for tally in tallies} == {
        ("A", day, 110),
        ("B", day, 110),
    }


async def test_who_commits_events_is_heard_of_once_they_are_committed(world: World) -> None:
    heard = []
    world.database.on_commit.add(heard.append)
    async with world.work() as work:
        work.record(TeamChanged(at=NOON, team_id=world.sales.id))
        work.record(TeamChanged(at=NOON, team_id=world.marketing.id))
        assert heard == []
    async with world.work() as work:
        await work.find(Team)

    assert heard == [world.tenant.id]


async def test_the_clock_is_the_databases_and_read_once(session_database: Database) -> None:
    database = Database(session_database.app, session_database.platform)
    async with database.work(new_id()) as work:
        there = await work.connection.fetchval("SELECT now()")
        assert work.now == there
        assert work.now == work.now
    async with database.work(new_id(), read_only=True) as work:
        assert abs(work.now - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_time_told_quickest_is_carried_on() -> None:
    """A process that was busy when the answer came does not live in the past from then on."""
    at, time = monotonic(), _ServerTime()
    assert time.now() is None

    time.told(NOON, asked=at - 20, answered=at - 19.998)
    time.told(NOON, asked=at - 20, answered=at)
    assert timedelta(seconds=19.99) < _some(time.now()) - NOON < timedelta(seconds=30)
    time.told(NOON, asked=at, answered=at)
    assert timedelta(0) <= _some(time.now()) - NOON < timedelta(seconds=19)


def test_a_time_told_long_ago_is_forgotten() -> None:
    at, time = monotonic(), _ServerTime()
    time.told(NOON, asked=at - 31, answered=at - 31)
    assert time.now() is None

    time.told(NOON, asked=at - 2, answered=at)
    assert _some(time.now()) >= NOON


def _some(told: datetime | None) -> datetime:
    assert told is not None
    return told


async def test_after_work_a_pooled_connection_has_no_tenant(world: World) -> None:
    async with world.work() as work:
        connection = work.connection
        assert await connection.fetchval("SELECT current_setting('app.tenant_id')") == str(
            world.tenant.id
        )
    async with world.database.app.acquire() as connection:
        setting = "SELECT current_setting('app.tenant_id', true)"
        assert not await connection.fetchval(setting)
