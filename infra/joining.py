"""The account of somebody who comes in: proven by its password, or made with a new one."""

from __future__ import annotations

from infra.accounts import Account, Accounts, find_or_create
from infra.passwords import check_password

_ACCOUNT = "SELECT id FROM accounts WHERE email = $1"


async def has_account(accounts: Accounts, email: str) -> bool:
    """Say whether there is an account.  Only for who has proven that the address is theirs."""
    return await accounts.database.platform.fetchval(_ACCOUNT, email) is not None


async def account_of(accounts: Accounts, email: str, password: str) -> Account:
    """Return the account of an address, which the password proves to be one's own.

    Where there is none it is made, with this password.  Of two who make it at once with different
    passwords, one is refused: nobody comes in by an account whose password he does not know.

    Raises:
        BadCredentials: if the account that is there has another password.
        TooManyAttempts: if wrong ones were given too often before.
        WeakPassword: if there is none, and the password would be guessed.
    """
    if not await has_account(accounts, email):
        check_password(password, email=email)
        await find_or_create(accounts.database, accounts.passwords, email, password)
    return await accounts.check(email=email, password=password)
