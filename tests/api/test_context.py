"""Who shares the events of a subscription with whom."""

import orjson
import pytest

from api.context import Context
from api.engine import Engine, GraphQLRequest, OperationFailed
from api.schema import kinds, schema


async def test_two_people_never_share_an_inbox(world):
    document = "subscription { handoffInbox { id } }"
    engine = Engine(schema()._schema, kinds=kinds())
    keys = {
        world.context(user).audience("handoffInbox", shared=True)
        for user in (world.owner, world.rep, world.other_rep)
    }
    operation = await engine.plan(GraphQLRequest(query=document))
    streams = [
        engine.subscribe(operation, world.context(user)) for user in (world.rep, world.marketer)
    ]
    answers = [orjson.loads((await anext(stream)).body) for stream in streams]

    assert len(keys) == 3
    assert answers == [{"data": {"handoffInbox": []}}] * 2
    assert engine.gauges.cohorts == 2
    for stream in streams:
        await stream.aclose()
    await engine.aclose()


async def test_nobody_subscribes_without_signing_in(world):
    engine = Engine(schema()._schema, kinds=kinds())
    operation = await engine.plan(GraphQLRequest(query="subscription { handoffInbox { id } }"))
    stream = engine.subscribe(operation, Context(world.services, None, "request-1"))

    with pytest.raises(OperationFailed) as failed:
        await anext(stream)

    assert failed.value.code == "UNAUTHENTICATED"
    await engine.aclose()
