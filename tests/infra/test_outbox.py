from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from domain.errors import Invalid
from domain.events import Event, GoalChanged, TeamChanged
from domain.feed import EventsAfter, LoggedEvent
from domain.ids import new_id
from infra import outbox
from infra.database import Database
from infra.outbox import BATCH, Published, Relay, publish, publish_all, waiting
from tests.world import World


async def record(world: World, *events: Event) -> None:
    async with world.work() as work:
        for event in events:
            work.record(event)


def changed(world: World) -> TeamChanged:
    return TeamChanged(at=world.now, team_id=new_id())


async def log_of(world: World) -> list[LoggedEvent]:
    async with world.work() as work:
        return sorted(await work.find(LoggedEvent), key=lambda event: event.number)


def named(events: list[LoggedEvent]) -> list[UUID]:
    return [UUID(event.payload["team_id"]) for event in events]


async def test_events_of_one_transaction_are_numbered_in_the_order_they_were_recorded(
    world: World,
) -> None:
    events = [changed(world) for _ in range(12)]
    await record(world, *events)

    published = await publish_all(world.database, world.tenant.id)

    logged = await log_of(world)
    assert published == Published(moved=12, last=12)
    assert [event.number for event in logged] == list(range(1, 13))
    assert named(logged) == [event.team_id for event in events]


async def test_an_event_is_logged_as_it_was_recorded(world: World) -> None:
    at = world.now
    team_id = new_id()
    world.wait(minutes=5)
    async with world.work(by=world.rep.id) as work:
        work.record(TeamChanged(at=at, team_id=team_id))
    await publish_all(world.database, world.tenant.id)

    (logged,) = await log_of(world)

    assert logged == LoggedEvent(
        number=1,
        id=logged.id,
        kind="TeamChanged",
        at=at,
        recorded_at=world.now,
        by=world.rep.id,
        payload={"at": "2026-03-10T12:00:00Z", "by": None, "team_id": str(team_id)},
    )


async def test_what_is_rolled_back_is_never_published(world: World) -> None:
    async def fail() -> None:
        async with world.work() as work:
            work.record(changed(world))
            await work.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert await publish_all(world.database, world.tenant.id) == Published(moved=0, last=0)


async def test_what_commits_late_is_numbered_last(world: World) -> None:
    early, late = changed(world), changed(world)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with world.work() as work:
            work.record(late)
            await work.flush()
            begun.set()
            await go_on.wait()

    writing = asyncio.create_task(slow())
    await begun.wait()
    await record(world, early)
    await publish_all(world.database, world.tenant.id)
    seen = await log_of(world)
    go_on.set()
    await writing
    await publish_all(world.database, world.tenant.id)

    assert named(seen) == [early.team_id]
    assert named(await log_of(world)) == [early.team_id, late.team_id]


async def test_more_than_a_batch_is_published_in_order(world: World) -> None:
    events = [changed(world) for _ in range(BATCH + 1)]
    await record(world, *events)

    published = await publish_all(world.database, world.tenant.id)

    assert published == Published(moved=BATCH + 1, last=BATCH + 1)
    assert named(await log_of(world)) == [event.team_id for event in events]


async def test_numbers_are_each_tenants_own(world: World, other_world: World) -> None:
    await record(world, changed(world), changed(world))
    await record(other_world, changed(other_world))

    await publish_all(world.database, world.tenant.id)

    assert len(await log_of(world)) == 2
    assert await log_of(other_world) == []
    assert other_world.tenant.id in await waiting(world.database)
    assert world.tenant.id not in await waiting(world.database)
    await publish_all(world.database, other_world.tenant.id)
    assert [event.number for event in await log_of(other_world)] == [1]


class Traffic:
    """Writers, relays and a reader of one tenant, all at once."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.chance = random.Random(20)
        self.recorded: list[UUID] = []
        self.read: list[UUID] = []
        self.numbers: list[int] = []

    async def write(self) -> None:
        for _ in range(10):
            events = [changed(self.world) for _ in range(self.chance.randint(1, 4))]
            async with self.world.work() as work:
                for event in events:
                    work.record(event)
                await work.flush()
                # Commits in another order than the events were made.
                await asyncio.sleep(self.chance.random() / 200)
            self.recorded.extend(event.team_id for event in events)

    async def relay(self) -> None:
        while True:
            await publish(self.world.database, self.world.tenant.id)
            await asyncio.sleep(self.chance.random() / 500)

    async def follow(self, writing: asyncio.Future[Any]) -> None:
        while not (writing.done() and len(self.read) >= len(self.recorded)):
            cursor = self.numbers[-1] if self.numbers else 0
            async with self.world.work() as work:
                page = await work.ask(EventsAfter(kind="TeamChanged", after=cursor, limit=7))
            self.numbers.extend(event.number for event in page)
            self.read.extend(named(list(page)))


async def test_a_reader_misses_nothing_among_concurrent_writers_and_two_relays(
    world: World,
) -> None:
    """What a reader sees after a cursor is complete up to there, at every moment."""
    traffic = Traffic(world)
    relays = [asyncio.create_task(traffic.relay()) for _ in range(2)]
    writing = asyncio.gather(*(traffic.write() for _ in range(4)))

    await asyncio.wait_for(traffic.follow(writing), 60)

    for task in relays:
        task.cancel()
    await asyncio.gather(*relays, return_exceptions=True)
    assert sorted(traffic.read) == sorted(traffic.recorded)
    assert traffic.numbers == list(range(1, len(traffic.recorded) + 1))


async def test_a_relay_that_dies_at_work_leaves_everything_to_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [changed(world) for _ in range(3)]
    await record(world, *events)
    numbered = outbox._NUMBERED
    monkeypatch.setattr(outbox, "_NUMBERED", "SELECT $1::uuid, 1 / ($2::bigint - $2)")
    with pytest.raises(Invalid):
        await publish(world.database, world.tenant.id)
    monkeypatch.setattr(outbox, "_NUMBERED", numbered)

    assert await publish(world.database, world.tenant.id) == Published(moved=3, last=3)
    assert named(await log_of(world)) == [event.team_id for event in events]


async def announced_by(
    database: Database, tenants: set[UUID], **options: Any
) -> dict[UUID, list[int]]:
    """Run a relay until it has announced some tenants."""
    heard: dict[UUID, list[int]] = {}
    done = asyncio.Event()

    def announce(tenant_id: UUID, number: int) -> None:
        heard.setdefault(tenant_id, []).append(number)
        if heard.keys() >= tenants:
            done.set()

    relay = Relay(database, announce, **options)
    running = asyncio.create_task(relay.run())
    await asyncio.wait_for(done.wait(), 60)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    return {tenant_id: heard[tenant_id] for tenant_id in tenants}


async def test_a_relay_finds_what_nobody_nudged_it_for(world: World, other_world: World) -> None:
    await record(world, changed(world), changed(world))
    await record(other_world, changed(other_world))
    tenants = {world.tenant.id, other_world.tenant.id}

    heard = await announced_by(world.database, tenants, poll_seconds=60)

    assert heard == {world.tenant.id: [2], other_world.tenant.id: [1]}


async def test_a_nudged_relay_does_not_wait_for_its_poll(world: World) -> None:
    heard: asyncio.Queue[tuple[UUID, int]] = asyncio.Queue()
    relay = Relay(world.database, lambda *news: heard.put_nowait(news), poll_seconds=3600)
    await record(world, changed(world))
    running = asyncio.create_task(relay.run())
    while (await asyncio.wait_for(heard.get(), 60))[0] != world.tenant.id:
        pass  # what other tests left in the outbox

    await record(world, GoalChanged(at=world.now, goal_id=new_id()))
    relay.nudge([world.tenant.id])

    while (news := await asyncio.wait_for(heard.get(), 60))[0] != world.tenant.id:
        pass
    assert news == (world.tenant.id, 2)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_one_tenants_trouble_does_not_hold_up_another(
    world: World, other_world: World
) -> None:
    first, second = sorted((world, other_world), key=lambda each: each.tenant.id)
    await record(first, changed(first))
    await record(second, changed(second))
    async with first.work() as work:
        # A number that is taken already: the first tenant's events cannot be logged.
        await work.add(
            LoggedEvent(
                number=1, id=new_id(), kind="X", at=first.now, recorded_at=first.now, payload={}
            )
        )

    heard = await announced_by(world.database, {second.tenant.id})

    assert heard == {second.tenant.id: [1]}


async def test_who_waits_hears_of_each_batch_and_not_only_of_the_last(world: World) -> None:
    """So a tenant with very many events keeps no other one waiting, nor its own watchers."""
    await record(world, *(changed(world) for _ in range(BATCH + 1)))
    heard: asyncio.Queue[tuple[UUID, int]] = asyncio.Queue()
    relay = Relay(world.database, lambda *news: heard.put_nowait(news), poll_seconds=3600)
    running = asyncio.create_task(relay.run())
    numbers: list[int] = []
    while len(numbers) < 2:
        tenant_id, number = await asyncio.wait_for(heard.get(), 60)
        numbers += [number] if tenant_id == world.tenant.id else []
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running

    assert numbers == [BATCH, BATCH + 1]


async def test_a_stopped_process_that_holds_the_pen_holds_up_no_relay_for_long(
    world: World,
) -> None:
    event = changed(world)
    await record(world, event)
    async with world.work() as stopped:
        await stopped.connection.fetchval(outbox._TAKE_PEN, world.tenant.id)
        with pytest.raises(asyncpg.LockNotAvailableError):
            await asyncio.wait_for(publish(world.database, world.tenant.id), 60)

    assert await publish(world.database, world.tenant.id) == Published(moved=1, last=1)
    assert named(await log_of(world)) == [event.team_id]


async def test_a_relay_that_is_nudged_while_it_is_stopped_still_stops(world: World) -> None:
    relay = Relay(world.database, lambda *news: None, poll_seconds=3600)
    running = asyncio.create_task(relay._next())
    relay._look_at += 3600
    for _ in range(4):  # until it waits
        await asyncio.sleep(0)

    relay.nudge([world.tenant.id])
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 60)
