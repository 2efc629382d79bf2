from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import sqlalchemy as sa

from domain import handoff_flow
from domain.events import TeamChanged
from domain.feed import LoggedEvent
from domain.ids import new_id
from domain.sla.agreement import CommitmentKind
from domain.sla.clock import ClockState
from domain.sla.clocks import SlaClock, SlaTally
from infra import sweeper
from infra.database import Database, Unavailable
from infra.live import Hub, LocalBus, PostgresBus, Watch
from infra.outbox import publish_all
from infra.rows import table_of
from infra.sweeper import LIMIT, Sweeper
from infra.worker import Loop, Worker
from tests.agreements import a_commitment, a_sla, an_mql, sign
from tests.world import World

# Sweeps are counted here, and every sweep is of the whole database.
pytestmark = pytest.mark.usefixtures("nothing_else_due")


async def promised(world: World, leads: int, **terms: Any) -> list[UUID]:
    """Hand leads off under a promise of an answer in one working hour; return their ids."""
    sla = a_sla(world)
    usual = {"within_minutes": 60, "warn_minutes": (30,)}
    await sign(world, a_commitment(sla, CommitmentKind.RESPONSE, **{**usual, **terms}), sla=sla)
    mqls = [an_mql(world.now, number) for number in range(leads)]
    async with world.work() as work:
        await work.add_all(mqls)
    for lead in mqls:
        async with world.work() as work:
            await handoff_flow.hand_off(work, world.actor(world.marketer), lead.id)
    return [lead.id for lead in mqls]


async def transitions(world: World) -> list[tuple[str, str]]:
    """Return what was told of clocks, by state and instant, in the order of the log."""
    await publish_all(world.database, world.tenant.id)
    async with world.work() as work:
        events = await work.find(LoggedEvent, kind="ClockTransitioned")
    events = sorted(events, key=lambda event: event.number)
    return [(event.payload["state"], f"{event.at:%H:%M}") for event in events]


# The sweeper


async def test_what_was_missed_for_hours_is_told_once_at_its_own_instant(world: World) -> None:
    await promised(world, 2)
    world.wait(hours=3)

    # At least: what other tests have left due in their tenants is swept along.
    assert await Sweeper(world.database).sweep() >= 4
    assert await Sweeper(world.database).sweep() == 0

    assert sorted(await transitions(world)) == [
        ("BREACHED", "13:00"),
        ("BREACHED", "13:00"),
        ("RUNNING", "12:00"),
        ("RUNNING", "12:00"),
        ("WARNING", "12:30"),
        ("WARNING", "12:30"),
    ]
    async with world.work() as work:
        clocks = await work.find(SlaClock)
    assert {(clock.state, clock.next_at) for clock in clocks} == {(ClockState.BREACHED, None)}


async def test_two_sweepers_among_hundreds_of_clocks_tell_each_change_once(world: World) -> None:
    await promised(world, 300)
    world.wait(minutes=30)
    sweepers = [Sweeper(world.database) for _ in range(2)]

    await asyncio.gather(*(sweeper.sweep() for sweeper in sweepers))
    world.wait(minutes=31)
    await asyncio.gather(*(sweeper.sweep() for sweeper in sweepers))
    # Each passed over what the other held at that moment.
    await Sweeper(world.database).sweep()

    told = await transitions(world)
    assert {change: told.count(change) for change in told} == {
        ("RUNNING", "12:00"): 300,
        ("WARNING", "12:30"): 300,
        ("BREACHED", "13:00"): 300,
    }
    async with world.work() as work:
        (tally,) = await work.find(SlaTally)
    assert (tally.opened, tally.breached) == (300, 300)


async def test_more_than_one_batch_is_told_in_one_sweep(world: World) -> None:
    await promised(world, 1)
    async with world.work() as work:
        (clock,) = await work.find(SlaClock)
        leads = [an_mql(world.now, number) for number in range(LIMIT)]
        await work.add_all(leads)
        await work.add_all([replace(clock, id=new_id(), lead_id=lead.id) for lead in leads])
    world.wait(minutes=30)

    assert await Sweeper(world.database).sweep() == LIMIT + 1


async def test_a_clock_that_cannot_be_read_holds_up_no_other(world: World) -> None:
    await promised(world, 12)
    async with world.work() as work:
        first = min(await work.find(SlaClock), key=lambda clock: clock.id)
        early = replace(
            first, facts=({"kind": "NONSENSE"},), next_at=world.now - timedelta(minutes=5)
        )
        await work.save(early)
    world.wait(minutes=30)

    assert await Sweeper(world.database).sweep() == 11

    async with world.work() as work:  # so that it troubles no other test's sweeper
        await work.execute(sa.update(table_of(SlaClock)).values(next_at=None))


async def test_a_held_lead_is_passed_over_and_told_later(world: World) -> None:
    held, _ = await promised(world, 2)
    world.wait(minutes=30)
    async with world.work() as work:
        from domain.leads import Lead

        await work.get(Lead, held, lock=True)
        assert await Sweeper(world.database).sweep() == 1
    assert await Sweeper(world.database).sweep() == 1


async def test_a_sweep_below_the_watermark_comes_only_now_and_then(world: World) -> None:
    sweeper = Sweeper(world.database, unbounded_every_seconds=3600)
    assert await sweeper.sweep() == 0
    await promised(world, 1)
    async with world.work() as work:
        (clock,) = await work.find(SlaClock)
        await work.save(replace(clock, next_at=world.now - timedelta(hours=1)))
    world.wait(minutes=30)

    assert await sweeper.sweep() == 0
    sweeper._unbounded_at = 0
    assert await sweeper.sweep() == 1


async def test_one_tenants_clocks_are_swept_as_that_tenant(
    world: World, other_world: World
) -> None:
    await promised(world, 1)
    await promised(other_world, 1)
    world.wait(minutes=30)

    assert await Sweeper(world.database).sweep() == 2
    assert len(await transitions(world)) == len(await transitions(other_world)) == 2


async def test_the_sweeper_sleeps_until_the_next_change_but_not_for_long(world: World) -> None:
    sweeper = Sweeper(world.database, longest_wait_seconds=10_000)
    await promised(world, 1)
    await sweeper.sweep()

    assert await sweeper._wait() == 30 * 60
    assert await Sweeper(world.database)._wait() == 1


@pytest.mark.parametrize("name", ["_TENANTS", "_SECONDS_TO_NEXT"])
async def test_who_has_something_due_can_be_found_by_one_index(
    database_urls: Any, name: str
) -> None:
    """With few rows the planner may like the tenants' own index better, so it is taken away."""
    statement = getattr(sweeper, name).replace("$1", "NULL::timestamptz").replace("$2", "NULL")
    connection = await asyncpg.connect(database_urls.owner)
    await connection.execute("BEGIN; SET LOCAL enable_seqscan = off; DROP INDEX sla_clocks_next")
    plan = await connection.fetch(f"EXPLAIN {statement}")
    await connection.execute("ROLLBACK")
    await connection.close()

    assert "sla_clocks_due" in "\n".join(row[0] for row in plan)


# The worker


@pytest.fixture
async def process(
    world: World, database_urls: Any, clock: dict[str, Any]
) -> AsyncIterator[Callable[..., Any]]:
    """Return a function that starts what one process runs, over connections of its own."""
    async with AsyncExitStack() as stack:

        async def start(*, bus: Any = None, **options: Any) -> Worker:
            database = await Database.connect(
                database_urls.app,
                database_urls.platform,
                size=4,
                clock=lambda: clock["now"],
                wait_seconds=60,
            )
            stack.push_async_callback(database.close)
            worker = Worker(database, Hub(bus or PostgresBus(database_urls.app)), **options)
            await worker.start()
            stack.push_async_callback(worker.stop)
            return worker

        yield start


@asynccontextmanager
async def watching(worker: Worker, world: World) -> AsyncIterator[Watch]:
    """Watch a tenant in a process whose greetings have been said."""
    with worker.hub.watch(world.tenant.id) as watch:
        await asyncio.wait_for(watch.news(within=timedelta(seconds=0.1)), 60)
        yield watch


async def commit(worker: Worker, world: World) -> None:
    async with worker.database.work(world.tenant.id) as work:
        work.record(TeamChanged(at=world.now, team_id=new_id()))


async def test_what_one_process_commits_reaches_who_watches_in_another(
    world: World, process: Callable[..., Any]
) -> None:
    here, there = await process(), await process()
    async with watching(there, world) as watch:
        await commit(here, world)
        await asyncio.wait_for(watch.news(), 60)


async def test_a_process_that_does_not_relay_asks_one_that_does(
    world: World, process: Callable[..., Any]
) -> None:
    web, worker = await process(relays=False), await process()
    worker.relay._poll = worker.relay._look_at = 1e9  # it will not look around by itself
    async with watching(web, world) as watch:
        await commit(web, world)
        await asyncio.wait_for(watch.news(), 60)
    assert worker.relay.published >= 1
    assert web.relay is None


async def test_a_lost_wake_up_is_made_good_by_the_poll(
    world: World, process: Callable[..., Any]
) -> None:
    """The two processes share nothing but the database."""
    here = await process(bus=LocalBus())
    there = await process(bus=LocalBus(), relays=False, poll_seconds=0.05)
    async with watching(there, world) as watch:
        await commit(here, world)
        await asyncio.wait_for(watch.news(), 60)


async def test_one_change_rings_a_watch_once(world: World, process: Callable[..., Any]) -> None:
    worker = await process(bus=LocalBus(), poll_seconds=0.01)
    async with watching(worker, world) as watch:
        rung = 0
        ring = watch.ring

        def count() -> None:
            nonlocal rung
            rung += 1
            ring()

        watch.ring = count  # type: ignore[method-assign]  # to count
        await commit(worker, world)
        await asyncio.wait_for(watch.news(), 60)
        await asyncio.sleep(0.1)  # a few polls
        assert rung == 1


async def test_clocks_move_by_themselves_and_watchers_hear_of_it(
    world: World, process: Callable[..., Any]
) -> None:
    await promised(world, 1)
    worker = await process()
    async with watching(worker, world) as watch:
        while ("WARNING", "12:30") not in await transitions(world):
            world.at(world.now.replace(hour=12, minute=31))
            await asyncio.wait_for(watch.news(), 60)


async def test_two_workers_and_hundreds_of_clocks_double_nothing(
    world: World, process: Callable[..., Any]
) -> None:
    await promised(world, 200)
    workers = [await process(), await process()]
    world.wait(minutes=61)

    async def told() -> int:
        async with world.work() as work:
            return len(await work.find(LoggedEvent, kind="ClockTransitioned"))

    async with asyncio.timeout(60):
        while await told() < 600:  # noqa: ASYNC110  # there is no event for it
            await asyncio.sleep(0.05)
    for worker in workers:
        await worker.stop()

    changes = await transitions(world)
    assert {change: changes.count(change) for change in changes} == {
        ("RUNNING", "12:00"): 200,
        ("WARNING", "12:30"): 200,
        ("BREACHED", "13:00"): 200,
    }
    async with world.work() as work:
        numbers = sorted(event.number for event in await work.find(LoggedEvent))
    assert numbers == list(range(1, len(numbers) + 1))


async def test_a_loop_that_fails_is_started_again_and_stops_no_other(
    world: World, process: Callable[..., Any]
) -> None:
    attempts: asyncio.Queue[int] = asyncio.Queue()

    async def fragile() -> None:
        attempts.put_nowait(1)
        raise OSError("the disk is gone")

    jobs: dict[str, Loop] = {"fragile": fragile}
    worker = await process(jobs=jobs)
    for _ in range(2):
        await asyncio.wait_for(attempts.get(), 60)
    async with watching(worker, world) as watch:
        await commit(worker, world)
        await asyncio.wait_for(watch.news(), 60)
    assert worker.failures["fragile"] >= 1


async def test_the_loops_heal_when_their_connections_are_cut(
    world: World, process: Callable[..., Any], database_urls: Any
) -> None:
    worker = await process()
    connection = await asyncpg.connect(database_urls.owner)
    pids = [
        line.get_server_pid()
        for pool in (worker.database.app, worker.database.platform)
        for line in pool._lines
        if not line.is_closed()
    ]
    await connection.execute("SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) pid", pids)
    await connection.close()

    async with watching(worker, world) as watch:
        while not worker.relay.published:
            try:
                await commit(worker, world)
            except Unavailable:
                continue
            await asyncio.wait_for(watch.news(), 60)


async def test_jobs_run_only_where_relaying_is_done(process: Callable[..., Any]) -> None:
    async def idle() -> None:
        await asyncio.Event().wait()

    jobs: dict[str, Loop] = {"imports": idle}
    assert "imports" in (await process(jobs=jobs)).loops
    assert set((await process(jobs=jobs, relays=False)).loops) == {"wake_ups", "feeds"}


async def test_a_stopped_worker_leaves_nothing_running(process: Callable[..., Any]) -> None:
    worker = await process()
    await worker.stop()

    names = {task.get_name() for task in asyncio.all_tasks()}
    assert not any(name.startswith(("worker.", "bus")) for name in names)
