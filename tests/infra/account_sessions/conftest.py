"""A tenant with accounts, and somebody signed in to it."""

import pytest

from infra.accounts import Accounts
from tests.infra.account_sessions.signing_in import HOME, LIVES, TOKENS, found, sign_in


@pytest.fixture(autouse=True)
async def _nobody_has_failed(database):
    """The tallies are the installation's: what other tests left would count here."""
    await database.platform.execute("DELETE FROM sign_in_failures")


@pytest.fixture
def accounts(database, passwords):
    return Accounts(
        database, passwords, TOKENS, "https://us.example", secret=b"s" * 32, lives=LIVES, cause=HOME
    )


@pytest.fixture
async def tenant(database, passwords):
    return (await found(database, passwords))[0]


@pytest.fixture
async def signed_in(accounts, tenant):
    return await sign_in(accounts, tenant)
