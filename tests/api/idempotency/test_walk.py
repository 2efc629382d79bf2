"""Every mutation there is, sent twice under one key."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from api.engine import GraphQLRequest
from api.idempotency import HEADER, REPLAYED, Once
from tests.api.scene import SETTINGS, Scene, fingerprint
from tests.api.walking import CALLS, OF_ACCOUNTS, ONCE, Call
from tests.world import ENGINE

MUTATIONS = [call for call in CALLS if call.root == "mutation" and call.name not in ONCE]
WITH_KEY = Headers({HEADER: "the-key"})


@pytest.mark.parametrize("call", [m for m in MUTATIONS if m.name not in OF_ACCOUNTS], ids=str)
async def test_a_mutation_sent_twice_has_one_effect_and_one_answer(
    scene: Scene, call: Call
) -> None:
    await _is_done_once(scene, call)


@pytest.mark.parametrize("call", [m for m in MUTATIONS if m.name in OF_ACCOUNTS], ids=str)
async def test_a_mutation_of_an_account_sent_twice_has_one_effect_and_one_answer(
    own_scene: Scene, call: Call
) -> None:
    await _is_done_once(own_scene, call)


async def _is_done_once(scene: Scene, call: Call) -> None:
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
