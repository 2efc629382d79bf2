from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect

from api.engine import GraphQLRequest, OperationFailed, Payload
from domain import handoff_flow
from domain.events import ClockTransitioned, TeamChanged
from domain.feed import cursor_at
from domain.identity import User
from domain.ids import new_id, public
from domain.paging import write_cursor
from domain.sla.agreement import Commitment, CommitmentKind, Sla
from domain.sla.clock import ClockState
from domain.sla.clocks import SlaClock
from infra.live import PostgresBus
from infra.outbox import publish_all
from infra.sweeper import Sweeper
from tests.agreements import a_commitment, a_sla, add_mql, sign
from tests.api.sites import Site, a_site, key_of
from tests.world import ENGINE, World

FOLLOW = """subscription($filter: ClockTransitionFilter, $after: String) {
  clockTransitions(filter: $filter, after: $after) { cursor state at clock { id } }
}"""
CURSOR = "{ feedCursor }"


async def promised(world: World, *commitments: Commitment, sla: Sla | None = None) -> SlaClock:
    """Hand a lead off under a promise; return its clock."""
    if sla is None:
        sla = a_sla(world)
        answer = a_commitment(sla, CommitmentKind.RESPONSE, within_minutes=60, warn_minutes=(30,))
        await sign(world, *(commitments or (answer,)), sla=sla)
    lead = await add_mql(world)
    async with world.work() as work:
        await handoff_flow.hand_off(work, world.actor(world.marketer), lead.id)
    async with world.work() as work:
        clock: SlaClock = (await work.find(SlaClock, lead_id=lead.id))[0]
    return clock


def told(clock: SlaClock, number: int, **changes: Any) -> ClockTransitioned:
    """Return a change of a clock, at so many minutes after its start."""
    values: dict[str, Any] = {
        "at": clock.started_at + timedelta(minutes=number),
        "clock_id": clock.id,
        "sla_id": clock.sla_id,
        "commitment_id": clock.commitment_id,
        "handoff_id": clock.handoff_id,
        "lead_id": clock.lead_id,
        "user_id": clock.user_id,
        "state": ClockState.RUNNING,
    }
    return ClockTransitioned(**{**values, **changes})


async def record(world: World, *events: Any) -> None:
    async with world.work() as work:
        for event in events:
            work.record(event)
    await announce(world)


async def announce(world: World) -> int:
    published = await publish_all(world.database, world.tenant.id)
    await world.services.hub.bus.send({world.tenant.id: published.last})
    return published.last


@asynccontextmanager
async def following(
    world: World,
    *,
    wanted: dict[str, Any] | None = None,
    after: str | None = None,
    as_: User | None = None,
) -> AsyncIterator[AsyncGenerator[Payload, None]]:
    variables = {"filter": wanted, "after": after}
    operation = await ENGINE().plan(GraphQLRequest(query=FOLLOW, variables=variables))
    async with aclosing(ENGINE().subscribe(operation, world.context(as_))) as answers:
        yield answers


async def take(answers: AsyncGenerator[Payload, None], count: int) -> list[dict[str, Any]]:
    found = []
    async with asyncio.timeout(60):
        for _ in range(count):
            answer = orjson.loads((await anext(answers)).body)
            assert "errors" not in answer, answer
            found.append(answer["data"]["clockTransitions"])
    return found


async def silent(answers: AsyncGenerator[Payload, None]) -> bool:
    """Say whether nothing comes.  The stream cannot be used afterwards."""
    coming = asyncio.ensure_future(anext(answers))
    await asyncio.wait([coming], timeout=0.2)
    quiet = not coming.done()
    coming.cancel()
    await asyncio.gather(coming, return_exceptions=True)
    return quiet


async def test_what_clocks_do_is_told_in_order(world: World) -> None:
    start = (await world.data(CURSOR, as_=world.analyst))["feedCursor"]
    clock = await promised(world)
    world.wait(hours=2)
    await Sweeper(world.database).sweep()
    await announce(world)

    async with following(world, after=start, as_=world.analyst) as answers:
        events = await take(answers, 3)

    node = {"clock": {"id": public("SlaClock", clock.id)}}
    assert [{k: v for k, v in event.items() if k != "cursor"} for event in events] == [
        {"state": "RUNNING", "at": "2026-03-10T12:00:00Z", **node},
        {"state": "WARNING", "at": "2026-03-10T12:30:00Z", **node},
        {"state": "BREACHED", "at": "2026-03-10T13:00:00Z", **node},
    ]


async def test_every_field_of_an_event_can_be_read(world: World) -> None:
    clock = await promised(world)
    async with world.work(by=world.rep.id) as work:
        work.record(told(clock, 5, state=ClockState.WAIVED, reason="A wrong number."))
    world.wait(minutes=7)
    await announce(world)
    document = """subscription { clockTransitions(after: "%s", filter: {states: [WAIVED]}) {
      cursor at recordedAt state reason clock { id } sla { id } commitment { id } handoff { id }
      lead { id } user { name } causedBy { name }
    } }"""
    request = GraphQLRequest(query=document % cursor_at(0))
    operation = await ENGINE().plan(request)

    async with aclosing(ENGINE().subscribe(operation, world.context())) as answers:
        (event,) = await take(answers, 1)

    assert event == {
        "cursor": event["cursor"],
        "at": "2026-03-10T12:05:00Z",
        "recordedAt": "2026-03-10T12:00:00Z",
        "state": "WAIVED",
        "reason": "A wrong number.",
        "clock": {"id": public("SlaClock", clock.id)},
        "sla": {"id": public("Sla", clock.sla_id)},
        "commitment": {"id": public("Commitment", clock.commitment_id)},
        "handoff": {"id": public("Handoff", clock.handoff_id)},
        "lead": {"id": public("Lead", clock.lead_id)},
        "user": {"name": world.rep.name},
        "causedBy": {"name": world.rep.name},
    }


async def test_without_a_cursor_it_starts_now(world: World) -> None:
    clock = await promised(world)
    await announce(world)
    async with following(world) as answers:
        coming = asyncio.ensure_future(take(answers, 1))
        # Nobody tells when it has begun; what happens before that is not told.
        while not coming.done():
            await record(world, told(clock, 9))
            await asyncio.wait([coming], timeout=0.02)

        assert [event["at"] for event in await coming] == ["2026-03-10T12:09:00Z"]


async def test_after_a_cursor_nothing_is_missed_and_nothing_comes_twice(world: World) -> None:
    clock = await promised(world)
    await announce(world)
    start = cursor_at(await announce(world))
    await record(world, *(told(clock, n) for n in range(5)))
    async with following(world, after=start) as answers:
        first = await take(answers, 2)
    async with following(world, after=first[-1]["cursor"]) as answers:
        rest = await take(answers, 3)
        assert await silent(answers)

    assert [event["at"][14:16] for event in first + rest] == ["00", "01", "02", "03", "04"]


async def test_a_long_backlog_comes_whole_and_then_goes_on_live(world: World) -> None:
    clock = await promised(world)
    start = cursor_at(await announce(world))
    events = [told(clock, n) for n in range(450)]
    # Other events lie between, and are passed over.
    others = [TeamChanged(at=world.now, team_id=new_id()) for _ in range(3)]
    await record(world, *events[:230], *others, *events[230:])
    async with following(world, after=start) as answers:
        backlog = await take(answers, 450)
        await record(world, *others, told(clock, 1000))
        live = await take(answers, 1)

    assert [event["at"] for event in backlog] == [
        event.at.isoformat().replace("+00:00", "Z") for event in events
    ]
    assert live[0]["at"] == "2026-03-11T04:40:00Z"


@pytest.mark.parametrize("name", ["sla", "commitment", "user", "states"])
async def test_only_what_is_wanted_comes(world: World, name: str) -> None:
    clock = await promised(world)
    start = cursor_at(await announce(world))
    other: dict[str, Any] = {
        "sla": {"sla_id": new_id()},
        "commitment": {"commitment_id": new_id()},
        "user": {"user_id": world.other_rep.id},
        "states": {"state": ClockState.MET},
    }[name]
    await record(world, told(clock, 1, **other), told(clock, 2), told(clock, 3, **other))
    wanted = {
        "sla": {"sla": public("Sla", clock.sla_id)},
        "commitment": {"commitment": public("Commitment", clock.commitment_id)},
        "user": {"user": public("User", world.rep.id)},
        "states": {"states": ["RUNNING", "WARNING"]},
    }[name]

    async with following(world, wanted=wanted, after=start) as answers:
        assert [event["at"][14:16] for event in await take(answers, 1)] == ["02"]
        assert await silent(answers)


async def test_a_filter_that_fits_nothing_moves_on_through_the_log(world: World) -> None:
    clock = await promised(world)
    start = cursor_at(await announce(world))
    await record(world, *(told(clock, n) for n in range(420)), told(clock, 421, user_id=None))
    await record(world, told(clock, 422, state=ClockState.MET))

    async with following(world, wanted={"states": ["MET"]}, after=start) as answers:
        assert len(await take(answers, 1)) == 1


async def test_another_tenants_events_stay_there(world: World, other_world: World) -> None:
    clock, theirs = await promised(world), await promised(other_world)
    start = cursor_at(0)
    await announce(world)
    await announce(other_world)
    async with following(world, after=start) as answers:
        ours = await take(answers, 1)
        await record(other_world, told(theirs, 5))
        assert await silent(answers)
    assert ours[0]["clock"] == {"id": public("SlaClock", clock.id)}

    for unknown in (public("Sla", theirs.sla_id), public("Sla", new_id())):
        async with following(world, wanted={"sla": unknown}, after=start) as answers:
            assert await silent(answers)


async def test_no_connection_is_held_while_a_reader_takes_his_time(world: World) -> None:
    clock = await promised(world)
    start = cursor_at(await announce(world))
    await record(world, *(told(clock, n) for n in range(5)))
    async with following(world, after=start) as answers:
        await take(answers, 1)
        pool = world.database.app
        assert pool.get_idle_size() == pool.get_size()


CODES = {
    "nonsense": "BAD_USER_INPUT",
    "": "BAD_USER_INPUT",
    "\x00": "BAD_USER_INPUT",
    write_cursor((-1,)): "BAD_USER_INPUT",
    write_cursor((10**30,)): "BAD_USER_INPUT",
    write_cursor((1, 2)): "BAD_USER_INPUT",
    write_cursor(("1",)): "BAD_USER_INPUT",
    write_cursor((True,)): "BAD_USER_INPUT",
    write_cursor((1.0,)): "BAD_USER_INPUT",
    "x" * 100_000: "BAD_USER_INPUT",
}


@pytest.mark.parametrize("after", CODES, ids=[repr(cursor[:12]) for cursor in CODES])
async def test_what_is_no_cursor_is_refused(world: World, after: str) -> None:
    assert await refusal(world, after=after) == "BAD_USER_INPUT"


async def test_a_cursor_of_a_longer_log_is_refused(world: World) -> None:
    """Not waited for: the events up to there would be missed in silence."""
    last = await announce(world)
    assert await refusal(world, after=cursor_at(last + 1)) == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "wanted",
    [
        {"sla": public("User", new_id())},
        {"commitment": "commitment_xyz"},
        {"user": "\x00"},
        {"sla": "x" * 10_000},
        {"states": ["LATE"]},
    ],
    ids=["of another kind", "no id", "NUL", "long", "no state"],
)
async def test_what_is_no_filter_is_refused(world: World, wanted: dict[str, Any]) -> None:
    assert await refusal(world, wanted=wanted) == "BAD_USER_INPUT"


async def test_who_may_not_view_is_refused(world: World) -> None:
    context = world.context()
    context.signed_in = None
    operation = await ENGINE().plan(GraphQLRequest(query=FOLLOW))
    with pytest.raises(OperationFailed) as failure:
        await anext(ENGINE().subscribe(operation, context))
    assert failure.value.code == "UNAUTHENTICATED"


async def refusal(world: World, **options: Any) -> str:
    with pytest.raises(OperationFailed) as failure:
        async with following(world, **options) as answers:
            await anext(answers)
    return failure.value.code


# Over real sockets


@pytest.fixture
async def site(database_urls: Any) -> AsyncIterator[Site]:
    # Without relaying: a real sweeper would tell what the test's own clock has not reached.
    async with a_site(database_urls, WORKER="0") as site:
        yield site


async def over_sse(site: Site, key: str, after: str) -> AsyncGenerator[dict[str, Any], None]:
    """Follow by server-sent events; closing tears the connection."""
    headers = {"authorization": f"Bearer {key}", "accept": "text/event-stream"}
    body = {"query": FOLLOW, "variables": {"after": after}}
    async with (
        httpx.AsyncClient(timeout=60) as client,
        client.stream("POST", f"{site.url}/graphql", json=body, headers=headers) as response,
    ):
        assert response.status_code == 200
        async for line in response.aiter_lines():
            if line.startswith("data: "):
                yield json.loads(line[6:])["data"]["clockTransitions"]


async def over_socket(site: Site, key: str, after: str) -> AsyncGenerator[dict[str, Any], None]:
    """Follow over a WebSocket; closing tears the connection, without a farewell."""
    address = f"{site.url.replace('http', 'ws')}/graphql"
    async with connect(address, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]  # a NewType
        init = {"type": "connection_init", "payload": {"authorization": f"Bearer {key}"}}
        await socket.send(json.dumps(init))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        payload = {"query": FOLLOW, "variables": {"after": after}}
        await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
        try:
            while True:
                message = json.loads(await socket.recv())
                if message["type"] == "next":
                    yield message["payload"]["data"]["clockTransitions"]
        finally:
            socket.transport.abort()


@pytest.mark.parametrize("follow", [over_sse, over_socket], ids=["sse", "socket"])
async def test_torn_connections_miss_nothing_and_repeat_nothing(
    world: World, site: Site, database_urls: Any, follow: Any
) -> None:
    clock = await promised(world)
    cursor = cursor_at(await announce(world))
    key = await key_of(site, world)
    bus = PostgresBus(database_urls.app)
    await bus.start()

    async def happen() -> None:
        for n in range(60):
            async with world.work() as work:
                work.record(told(clock, n))
            published = await publish_all(world.database, world.tenant.id)
            await bus.send({world.tenant.id: published.last})
            await asyncio.sleep(0.01)

    happening = asyncio.create_task(happen())
    seen: list[str] = []
    async with asyncio.timeout(60):
        for length in (1, 7, 2, 20, 3, 27):
            async with aclosing(follow(site, key, cursor)) as events:
                for _ in range(length):
                    event = await anext(events)
                    seen.append(event["at"])
                    cursor = event["cursor"]
    await happening
    await bus.stop()

    assert seen == [f"2026-03-10T12:{n:02}:00Z" for n in range(60)]
    assert await site.settled()
