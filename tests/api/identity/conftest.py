"""A company that people can be let into."""

import pytest
from argon2 import Parameters
from argon2.low_level import Type

from infra.accounts import Accounts
from infra.passwords import Passwords
from infra.signing_keys import SigningKeys
from infra.tokens import AccessTokens

QUICK = Parameters(
    type=Type.ID, version=19, salt_len=16, hash_len=32, time_cost=1, memory_cost=64, parallelism=1
)


@pytest.fixture(scope="module")
def passwords():
    with_threads = Passwords(QUICK)
    yield with_threads
    with_threads.close()


@pytest.fixture
async def company(world, passwords):
    """The world with what lets people in, and its entry in the directory."""
    tokens = AccessTokens(keys=SigningKeys.generate(), issuer="us", audience="api")
    world.services.tokens = tokens
    world.services.accounts = Accounts(
        world.database, passwords, tokens, "https://smarketing.example"
    )
    await world.database.platform.execute(
        "INSERT INTO directory VALUES ($1, $2, $3, 'default')",
        world.tenant.slug,
        world.tenant.id,
        world.tenant.name,
    )
    return world
