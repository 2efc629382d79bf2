import asyncio
from contextlib import aclosing

import orjson
import pytest
import structlog

from api.engine import Engine, Gauges, GraphQLRequest, Limits, OperationFailed
from tests.api.engine.world import an_engine, schema


def asking(query, **variables):
    return GraphQLRequest(query=query, variables=variables)


async def test_an_answer_is_encoded_once_and_says_its_cost(engine, context):
    answer = await engine.execute(asking("{ lead { name owner { name } } }"), context)

    assert answer.body is answer.body
    assert orjson.loads(answer.body) == {
        "data": {"lead": {"name": "Ada", "owner": {"name": "Rep"}}},
        "extensions": {"cost": {"requested": 2, "limit": 5_000}},
    }


async def test_a_mutation_takes_effect(engine, context, world):
    answer = await engine.execute(
        asking("mutation ($h: String!) { tell(headline: $h) }", h="loud"), context
    )

    assert (answer.data, world.headline) == ({"tell": "loud"}, "loud")


@pytest.mark.parametrize(
    ("field", "code", "reason", "message"),
    [
        ("missing", "NOT_FOUND", {}, "There is no such lead."),
        ("forbidden", "FORBIDDEN", {}, "You may not."),
        (
            "stale",
            "BAD_USER_INPUT",
            {"reason": "STALE"},
            "This lead was changed by somebody else in the meantime; read it again.",
        ),
        (
            "bug",
            "INTERNAL_SERVER_ERROR",
            {},
            "Something went wrong on our side. Quote the request id when you report it.",
        ),
    ],
)
async def test_refusals_speak_and_bugs_do_not(engine, context, field, code, reason, message):
    answer = await engine.execute(asking(f"{{ {field} }}"), context)

    assert orjson.loads(answer.body)["errors"] == [
        {
            "message": message,
            "locations": [{"line": 1, "column": 3}],
            "path": [field],
            "extensions": {"code": code, **reason, "requestId": "request-1"},
        }
    ]
    assert answer.data == {field: None}


async def test_a_bug_is_logged_without_anything_personal(engine, context):
    query = '{ hello(name: "ada@example.org") bug }'
    with structlog.testing.capture_logs() as logs:
        await engine.execute(asking(query), context)

    [entry] = logs
    frames = entry.pop("frames")
    assert frames[-1].endswith(" bug")
    document = entry.pop("document")
    assert (len(document), entry) == (
        64,
        {
            "event": "graphql.bug",
            "log_level": "error",
            "operation": None,
            "field": "bug",
            "request_id": "request-1",
            "error": "RuntimeError",
        },
    )
    assert "ada" not in str(logs)
    assert "secret" not in str(logs)


async def test_what_cannot_be_written_is_a_bug_and_not_a_crash(engine, context):
    answer = await engine.execute(asking("{ unencodable }"), context)

    assert (answer.executed, answer.data) == (True, None)
    assert answer.errors[0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"


async def test_resolvers_see_variables_as_a_plain_mapping(engine, context):
    answer = await engine.execute(asking("query ($n: Int!) { variables(a: $n) }", n=1), context)

    assert answer.data == {"variables": "{'n': 1}"}


async def test_a_null_for_a_variable_with_a_default_is_the_clients_fault(engine, context):
    query = "query ($n: Int = 1) { variables(a: $n) }"
    answer = await engine.execute(asking(query, n=None), context)

    assert [error["extensions"]["code"] for error in answer.errors] == ["BAD_USER_INPUT"]


async def test_cost_by_variables_is_refused_before_anything_runs(engine, context):
    query = "query ($n: Int!) { leads(first: $n) { nodes { name } } }"
    answer = await engine.execute(asking(query, n=5_000), context)

    assert (answer.executed, answer.errors[0]["extensions"]) == (
        False,
        {
            "code": "COST_LIMIT_EXCEEDED",
            "cost": {"requested": 5_001, "limit": 5_000},
            "requestId": "request-1",
        },
    )


async def test_a_subscription_is_not_executed(engine, context):
    answer = await engine.execute(asking("subscription { events }"), context)

    assert (answer.executed, answer.errors[0]["extensions"]["code"]) == (False, "BAD_USER_INPUT")


async def test_a_mask_of_ones_own_decides_what_is_shown(context):
    engine = Engine(schema._schema, Limits(), lambda error: {"message": "no"})
    answer = await engine.execute(asking("{ missing }"), context)

    assert answer.errors == [
        {
            "message": "no",
            "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": "request-1"},
        }
    ]


# -- feeds -----------------------------------------------------------------------------------


async def heard(stream):
    async with aclosing(stream) as answers:
        return [orjson.loads(answer.body) async for answer in answers]


async def test_a_feed_drops_nothing_and_runs_each_event_in_a_fresh_context(engine, context, world):
    operation = await engine.plan(asking("subscription { events(count: 50) }"))

    answers = await heard(engine.subscribe(operation, context))

    assert answers == [{"data": {"events": number}} for number in range(50)]
    assert (world.contexts, world.opened, world.closed) == (50, 1, 1)


async def test_a_feed_is_read_only_as_fast_as_its_reader(engine, context, world):
    operation = await engine.plan(asking("subscription { events(count: 50) }"))

    async with aclosing(engine.subscribe(operation, context)) as answers:
        await anext(answers)
        await asyncio.sleep(0)
        assert (world.events_sent, engine.gauges) == (1, Gauges(sources=1))

    assert (world.closed, engine.gauges) == (1, Gauges())


async def test_a_feed_without_end_leaves_others_their_turn(engine, context):
    operation = await engine.plan(asking("subscription { chatter(size: 1) }"))

    async def listen():
        await heard(engine.subscribe(operation, context))

    listening = asyncio.create_task(listen())
    for _ in range(20):
        await asyncio.sleep(0)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)

    assert (listening.cancelled(), engine.gauges) == (True, Gauges())


async def test_a_long_subscription_remembers_nothing_of_its_events(context, world):
    engine = an_engine()
    operation = await engine.plan(asking("subscription { board { lead { owner { name } } } }"))
    executor = engine._executor(operation, context)
    events = [executor.build_per_event_executor(number) for number in range(3)]

    memos = [id(event._relevant_sub_fields) for event in events]

    assert len({*memos, id(executor._relevant_sub_fields)}) == 4


async def test_a_source_that_fails_ends_by_its_masked_error(engine, context):
    operation = await engine.plan(asking("subscription { broken }"))
    answers = engine.subscribe(operation, context)

    assert orjson.loads((await anext(answers)).body) == {"data": {"broken": 1}}
    with pytest.raises(OperationFailed) as failure:
        await anext(answers)
    assert failure.value.errors[0]["path"] == ["broken"]
    assert failure.value.code == "INTERNAL_SERVER_ERROR"
    assert engine.gauges == Gauges()


async def test_wrong_variables_are_refused_before_the_source_is_opened(engine, context, world):
    operation = await engine.plan(asking("subscription ($n: Int!) { events(count: $n) }", n="x"))

    with pytest.raises(OperationFailed) as failure:
        engine.subscribe(operation, context)
    assert (failure.value.code, world.opened) == ("BAD_USER_INPUT", 0)


async def test_heavy_queries_wait_for_each_other_and_light_ones_for_none(engine, world, context):
    many = {"x": [0] * 300}
    slow = GraphQLRequest(query="{ slow }", variables=many)
    first = asyncio.create_task(engine.execute(slow, context))
    second = asyncio.create_task(engine.execute(slow, context))

    light = await engine.execute(GraphQLRequest(query="{ hello }"), context)
    assert light.data == {"hello": "hello world"}
    assert not first.done()

    world.gate.set()
    assert [(await task).data for task in (first, second)] == [{"slow": "done"}] * 2


async def test_a_heavy_query_that_is_given_up_does_not_keep_the_next_waiting(
    engine, world, context
):
    slow = GraphQLRequest(query="{ slow }", variables={"x": [0] * 300})
    given_up = asyncio.create_task(engine.execute(slow, context))
    await asyncio.sleep(0)
    given_up.cancel()
    world.gate.set()

    async with asyncio.timeout(60):
        assert (await engine.execute(slow, context)).data == {"slow": "done"}


async def test_long_variables_of_a_query_cost_in_each_field_they_fill(context):
    engine = an_engine(Limits(values=3, cost=8))
    query = 'query ($n: String) { a: hello(name: $n) b: hello(name: $n) c: hello(name: "x") }'
    plan = await engine.plan(asking(query, n="x", rest=[1, 2, {"more": 3}]))
    with pytest.raises(OperationFailed) as failure:
        await engine.plan(asking(query, n="x", rest=[1, 2, 3, 4, 5, 6]))

    # n, rest and what is in it make six, of which three are free, in two fields.
    assert plan.cost == 2 * (6 - 3)
    assert failure.value.errors[0]["extensions"]["cost"] == {"requested": 10, "limit": 8}
