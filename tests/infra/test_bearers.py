"""Who stands behind a token or a key, read together and kept for a second."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.identity import Role, SessionEnd, actor_of
from domain.identity.sessions import close_session
from infra.accounts import Accounts
from infra.bearers import Bearer, Bearers
from tests.sessions import begun
from tests.world import NOON


class Counting:
    """A database that counts its transactions."""

    def __init__(self, database):
        self.database, self.platform, self.begun = database, database.platform, 0
        self.on_commit = database.on_commit

    def work(self, tenant_id, **more):
        self.begun += 1
        return self.database.work(tenant_id, **more)


async def bearer_of(world, user):
    return Bearer.user(world.tenant.id, user.id, (await begun(world, user)).id)


async def test_all_who_are_asked_for_at_once_are_read_at_once_and_kept_for_a_second(world):
    database = Counting(world.database)
    bearers = Bearers(database)
    users = [world.owner, world.marketer, world.rep, world.other_rep, world.analyst]
    sessions = {user.id: await begun(world, user) for user in users}
    asked = [
        Bearer.user(world.tenant.id, user.id, sessions[user.id].id) for user in (*users, *users)
    ]

    first = await asyncio.gather(*(bearers.standing(bearer) for bearer in asked))
    again = await asyncio.gather(*(bearers.standing(bearer) for bearer in asked))

    assert [found.actor for found in first] == [
        replace(actor_of(user, world.tenant.id), session_id=sessions[user.id].id)
        for user in (*users, *users)
    ]
    assert again == first
    assert database.begun == 1


async def test_what_is_kept_grows_old(world):
    database = Counting(world.database)
    bearers = Bearers(database, life_seconds=0)
    bearer = await bearer_of(world, world.rep)

    await bearers.standing(bearer)
    await bearers.standing(bearer)

    assert database.begun == 2


@pytest.mark.parametrize("everybody", [True, False])
async def test_news_of_a_tenant_makes_its_bearers_unknown_again(world, other_world, everybody):
    database = Counting(world.database)
    bearers = Bearers(database)
    ours = await bearer_of(world, world.rep)
    theirs = await bearer_of(other_world, other_world.rep)
    for bearer in (ours, theirs):
        await bearers.standing(bearer)

    bearers.forget(None if everybody else {world.tenant.id: 1})
    for bearer in (ours, theirs):
        await bearers.standing(bearer)

    assert database.begun == (4 if everybody else 3)


async def test_whoever_is_signed_out_in_this_process_is_so_at_once(world):
    bearers = Bearers(world.database)
    session = await begun(world, world.rep)
    bearer = Bearer.user(world.tenant.id, world.rep.id, session.id)
    assert await bearers.standing(bearer) is not None

    async with world.work() as work:
        await close_session(work, session, because=SessionEnd.SIGNED_OUT)

    assert await bearers.standing(bearer) is None


async def test_what_changed_while_it_was_read_is_not_kept(world):
    bearers = Bearers(world.database)
    bearer = await bearer_of(world, world.rep)

    class Meanwhile(Counting):
        @asynccontextmanager
        async def work(self, tenant_id, **more):
            async with super().work(tenant_id, **more) as work:
                yield work
            bearers.forget((tenant_id,))

    database = bearers._database = Meanwhile(world.database)
    await bearers.standing(bearer)
    await bearers.standing(bearer)

    assert database.begun == 2


async def test_another_tenants_user_is_nobody_here(world, other_world):
    bearers = Bearers(world.database)

    theirs = await bearer_of(other_world, other_world.rep)

    assert await bearers.standing(replace(theirs, tenant_id=world.tenant.id)) is None


@pytest.mark.parametrize(
    "end",
    [
        {"ended_at": NOON, "ended_because": SessionEnd.SIGNED_OUT},
        {"expires_at": NOON},
    ],
    ids=["ended", "expired"],
)
async def test_a_session_that_is_over_stands_for_nobody(world, end):
    session = await begun(world, world.rep, **end)
    bearer = Bearer.user(world.tenant.id, world.rep.id, session.id)

    assert await Bearers(world.database).standing(bearer) is None


async def test_a_session_stands_for_its_own_user_only(world):
    session = await begun(world, world.rep)
    bearer = Bearer.user(world.tenant.id, world.owner.id, session.id)

    assert await Bearers(world.database).standing(bearer) is None


async def test_a_rotated_key_is_known_by_both_secrets_and_until_when(world):
    accounts = Accounts(world.database, None, None, "https://smarketing.example")
    first = await accounts.issue_api_key(world.actor(), name="CRM", role=Role.MEMBER)
    second = await accounts.rotate_api_key(
        world.actor(), first.api_key.id, overlap=timedelta(hours=1)
    )
    bearers = Bearers(world.database, life_seconds=0)
    old, new = await bearers.of_api_key(first.secret), await bearers.of_api_key(second.secret)

    assert (await bearers.standing(old)).expires_at == NOON + timedelta(hours=1)
    assert (await bearers.standing(new)).expires_at is None
    assert (await bearers.standing(old)).actor == (await bearers.standing(new)).actor

    world.wait(hours=1)

    assert await bearers.standing(old) is None
    assert (await bearers.standing(new)).expires_at is None


async def test_a_key_rotated_twice_does_not_know_its_first_secret(world):
    accounts = Accounts(world.database, None, None, "https://smarketing.example")
    first = await accounts.issue_api_key(world.actor(), name="CRM", role=Role.MEMBER)
    bearers = Bearers(world.database, life_seconds=0)
    known_before = await bearers.of_api_key(first.secret)
    for _ in range(2):
        await accounts.rotate_api_key(world.actor(), first.api_key.id)

    assert await bearers.standing(known_before) is None
    assert await Bearers(world.database).of_api_key(first.secret) is None
