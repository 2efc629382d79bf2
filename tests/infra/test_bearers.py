"""Who stands behind a token or a key, read together and kept for a second."""

import asyncio

import pytest

from domain.identity import actor_of
from infra.bearers import Bearer, Bearers


class Counting:
    """A database that counts its transactions."""

    def __init__(self, database):
        self.database, self.platform, self.begun = database, database.platform, 0

    def work(self, tenant_id, **more):
        self.begun += 1
        return self.database.work(tenant_id, **more)


async def test_all_who_are_asked_for_at_once_are_read_at_once_and_kept_for_a_second(world):
    database = Counting(world.database)
    bearers = Bearers(database)
    users = [world.owner, world.marketer, world.rep, world.other_rep, world.analyst]
    asked = [Bearer.user(world.tenant.id, user.id) for user in (*users, *users)]

    first = await asyncio.gather(*(bearers.standing(bearer) for bearer in asked))
    again = await asyncio.gather(*(bearers.standing(bearer) for bearer in asked))

    assert [found.actor for found in first] == [
        actor_of(user, world.tenant.id) for user in (*users, *users)
    ]
    assert again == first
    assert database.begun == 1


async def test_what_is_kept_grows_old(world):
    database = Counting(world.database)
    bearers = Bearers(database, life_seconds=0)
    bearer = Bearer.user(world.tenant.id, world.rep.id)

    await bearers.standing(bearer)
    await bearers.standing(bearer)

    assert database.begun == 2


@pytest.mark.parametrize("everybody", [True, False])
async def test_news_of_a_tenant_makes_its_bearers_unknown_again(world, other_world, everybody):
    database = Counting(world.database)
    bearers = Bearers(database)
    ours = Bearer.user(world.tenant.id, world.rep.id)
    theirs = Bearer.user(other_world.tenant.id, other_world.rep.id)
    for bearer in (ours, theirs):
        await bearers.standing(bearer)

    bearers.forget(None if everybody else {world.tenant.id: 1})
    for bearer in (ours, theirs):
        await bearers.standing(bearer)

    assert database.begun == (4 if everybody else 3)


async def test_another_tenants_user_is_nobody_here(world, other_world):
    bearers = Bearers(world.database)

    assert await bearers.standing(Bearer.user(world.tenant.id, other_world.rep.id)) is None
