"""A company that people can be let into."""

import pytest

from infra.accounts import Accounts
from infra.signing_keys import SigningKeys
from infra.tokens import AccessTokens
from tests.world import enter_directory


@pytest.fixture
async def company(world, passwords):
    """The world with what lets people in, and its entry in the directory."""
    tokens = AccessTokens(keys=SigningKeys.generate(), issuer="us", audience="api")
    world.services.tokens = tokens
    world.services.accounts = Accounts(
        world.database, passwords, tokens, "https://smarketing.example"
    )
    await enter_directory(world)
    return world
