import asyncio
from contextlib import AsyncExitStack, aclosing

import orjson
import pytest

from api.engine import Gauges, GraphQLRequest, OperationFailed
from api.engine.cohorts import Cohorts
from api.engine.events import Payload
from tests.api.engine.world import Context

BOARD = "subscription Board($shout: Boolean = false) { board(shout: $shout) { headline } }"


async def follow(engine, context, query=BOARD, **variables):
    operation = await engine.plan(GraphQLRequest(query=query, variables=variables))
    return engine.subscribe(operation, context)


def headline(payload):
    return orjson.loads(payload.body)["data"]["board"]["headline"]


async def idle():
    for _ in range(20):
        await asyncio.sleep(0)


async def test_the_same_question_is_asked_once_and_answered_in_the_same_bytes(
    engine, context, world
):
    async with AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(aclosing(await follow(engine, context)))
            for _ in range(100)
        ]
        first = await asyncio.gather(*(anext(stream) for stream in streams))
        world.tell("loud")
        second = await asyncio.gather(*(anext(stream) for stream in streams))

        assert {headline(answer) for answer in first} == {"quiet"}
        assert {headline(answer) for answer in second} == {"loud"}
        assert len({id(answer) for answer in second}) == 1
        assert (world.opened, world.contexts) == (1, 2)  # one source, one execution an event
        assert engine.gauges == Gauges(cohorts=1, members=100, sources=1)

    await idle()
    assert (world.closed, engine.gauges) == (1, Gauges())


async def test_who_comes_late_gets_the_latest_at_once(engine, context, world):
    async with aclosing(await follow(engine, context)) as early:
        await anext(early)
        async with aclosing(await follow(engine, context)) as late:
            assert headline(await anext(late)) == "quiet"
    assert world.opened == 1


async def test_the_same_answer_is_not_told_twice(engine, context, world):
    async with aclosing(await follow(engine, context)) as stream:
        await anext(stream)
        for _ in range(3):
            world.wake()
            await idle()
        world.tell("loud")
        assert headline(await anext(stream)) == "loud"
        assert world.contexts == 5


async def test_a_slow_reader_gets_the_latest_and_only_that(engine, context, world):
    async with aclosing(await follow(engine, context)) as stream:
        await anext(stream)
        for number in range(10):
            world.tell(f"news {number}")
            await idle()
        assert headline(await anext(stream)) == "news 9"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await anext(stream)


async def test_another_question_or_another_audience_is_another_cohort(engine, context, world):
    others = Context(world, tenant="umbrella")
    async with AsyncExitStack() as stack:
        for stream in [
            await follow(engine, context),
            await follow(engine, context, shout=True),
            await follow(engine, context, query=BOARD + " "),
            await follow(engine, others),
        ]:
            await stack.enter_async_context(aclosing(stream))
            await anext(stream)
        assert engine.gauges == Gauges(cohorts=4, members=4, sources=4)


async def test_the_order_of_variables_makes_no_other_cohort(engine, context):
    query = (
        "subscription ($a: Boolean!, $b: Boolean!) { board(shout: $a) { headline @skip(if: $b) } }"
    )
    async with AsyncExitStack() as stack:
        for variables in ({"a": False, "b": True}, {"b": True, "a": False}):
            stream = await follow(engine, context, query=query, **variables)
            await stack.enter_async_context(aclosing(stream))
            await anext(stream)
        assert engine.gauges == Gauges(cohorts=1, members=2, sources=1)


async def test_the_first_may_leave_and_the_others_go_on(engine, context, world):
    first, second = await follow(engine, context), await follow(engine, context)
    await anext(first)
    await anext(second)
    await first.aclose()
    world.tell("loud")

    assert headline(await anext(second)) == "loud"
    await second.aclose()
    await idle()
    assert (world.opened, world.closed) == (1, 1)


async def test_whoever_comes_when_the_last_has_left_opens_a_new_source(engine, context, world):
    first = await follow(engine, context)
    await anext(first)
    await first.aclose()
    async with aclosing(await follow(engine, context)) as second:
        assert headline(await anext(second)) == "quiet"
    assert world.opened == 2


async def test_a_cancelled_reader_leaves(engine, context, world):
    stream = await follow(engine, context)
    await anext(stream)
    waiting = asyncio.create_task(anext(stream))
    await idle()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await stream.aclose()
    await idle()

    assert (world.closed, engine.gauges) == (1, Gauges())


async def test_the_end_of_the_source_is_the_end_for_all(engine, context, world):
    first, second = await follow(engine, context), await follow(engine, context)
    await anext(first)
    await anext(second)
    world.ended = True
    world.wake()

    for stream in (first, second):
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
    assert engine.gauges == Gauges()


async def test_a_failure_of_the_source_is_the_end_for_all():
    gauges = Gauges()
    cohorts = Cohorts(gauges)
    go = asyncio.Event()

    async def source():
        yield Payload(b"1")
        await go.wait()
        raise OperationFailed([{"message": "broken"}])

    first, second = cohorts.follow("key", source), cohorts.follow("key", source)
    assert [(await anext(stream)).body for stream in (first, second)] == [b"1", b"1"]
    go.set()

    for stream in (first, second):
        with pytest.raises(OperationFailed, match="broken"):
            await anext(stream)
    assert gauges == Gauges()


async def test_a_bug_in_the_source_is_told_as_one():
    async def source():
        raise ZeroDivisionError
        yield

    with pytest.raises(OperationFailed) as failure:
        await anext(Cohorts(Gauges()).follow("key", source))
    assert failure.value.code == "INTERNAL_SERVER_ERROR"


async def test_closing_the_engine_closes_every_source(engine, context, world):
    stream = await follow(engine, context)
    await anext(stream)
    await engine.aclose()

    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    assert (world.closed, engine.gauges) == (1, Gauges())
