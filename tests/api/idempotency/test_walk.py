"""Every mutation there is, sent twice under one key."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from starlette.datastructures import Headers

from api.engine import GraphQLRequest
from api.idempotency import HEADER, REPLAYED, Once
from infra.database import Database
from infra.passwords import Passwords
from tests.api.scene import SETTINGS, Scene, fingerprint, make_scene
from tests.api.walking import CALLS, ONCE, Call
from tests.passwords import QUICK
from tests.world import ENGINE, NOON

MUTATIONS = [call for call in CALLS if call.root == "mutation" and call.name not in ONCE]
WITH_KEY = Headers({HEADER: "the-key"})


@pytest.fixture(scope="module")
async def scene(session_database: Database) -> AsyncIterator[Scene]:
    """One tenant for all tests here: they rehearse, so none finds what another did."""
    passwords, clock = Passwords(QUICK), {"now": NOON}
    database = Database(session_database.app, session_database.platform, clock=lambda: clock["now"])
    yield await make_scene(database, clock, passwords)
    passwords.close()


@pytest.mark.parametrize("call", MUTATIONS, ids=str)
async def test_a_mutation_sent_twice_has_one_effect_and_one_answer(
    scene: Scene, call: Call
) -> None:
    variables = call.variables(scene)
    request = GraphQLRequest(query=call.document(variables), variables=variables)
    once, planned = Once(ENGINE(), SETTINGS.secret), await ENGINE().plan(request)

    async with scene.stage() as (stage, context):
        first = await once.run(planned, context, WITH_KEY)
        done = await fingerprint(stage, scene.world.tenant.id)
        second = await once.run(planned, context, WITH_KEY)
        replayed = await fingerprint(stage, scene.world.tenant.id)

    assert not first.errors
    assert first.data is not None
    assert first.data[call.name]["userErrors"] == []
    assert (dict(first.headers), dict(second.headers)) == ({}, {REPLAYED: "true"})
    assert second.body == first.body
    assert replayed == done
