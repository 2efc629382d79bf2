"""The first run: an installation without a tenant is set up by who can read its log.

At its start the service prints a token, and whoever shows it makes the first tenant.  Processes
that start together print the same one; a later start replaces it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from domain.errors import DomainError
from domain.identity import NewCompany, SignedIn, new_tenant
from domain.ids import new_id
from domain.values import require_text
from infra.accounts import Account, Accounts, create_tenant
from infra.joining import account_of
from infra.secrets import FIRST_RUN, derived_secret, digest_of

# Processes that start within this time belong to one start.
_ONE_START = timedelta(minutes=1)

_ANY_TENANT = "SELECT EXISTS (SELECT FROM directory)"
_RENEW = """
INSERT INTO first_runs ("only", nonce, digest, made_at) VALUES (true, $1, $2, $3)
ON CONFLICT ("only") DO UPDATE SET nonce = $1, digest = $2, made_at = $3
WHERE first_runs.made_at <= $4
"""
_DIGEST = "SELECT digest FROM first_runs"
_NONCE = "SELECT nonce FROM first_runs"
# Who comes second does not wait: it would hold a connection that the first may need.
_CLAIM = "SELECT true FROM first_runs FOR UPDATE SKIP LOCKED"
_OVER = "DELETE FROM first_runs"

# Where the request has what the rules of a tenant and of an account complain about.
_PLACES: Mapping[str | int, tuple[str, str]] = {
    "slug": ("tenant", "slug"),
    "name": ("tenant", "name"),
    "timeZone": ("tenant", "timeZone"),
    "currency": ("tenant", "currency"),
    "ownerEmail": ("owner", "email"),
    "ownerName": ("owner", "name"),
    "password": ("owner", "password"),
}


class AlreadySetUp(DomainError):
    """There is a tenant, so there is nothing to set up."""

    code = "ALREADY_SET_UP"

    def __init__(self) -> None:
        super().__init__("This installation is set up already, or is just being set up.")


class WrongSetUpToken(DomainError):
    """Not what was printed, or not last."""

    code = "SETUP_TOKEN_NOT_VALID"

    def __init__(self) -> None:
        super().__init__(
            "This is not the token that the service printed at its last start.", path=("token",)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRun:
    """Guards the first tenant by a token that only the operator has seen."""

    accounts: Accounts
    key: bytes = field(repr=False)

    async def announce(self) -> str | None:
        """Return the token to print at a start; None if the installation is set up."""
        database = self.accounts.database
        if await database.platform.fetchval(_ANY_TENANT):
            return None
        nonce, at = new_id(), await database.now()
        digest = derived_secret(FIRST_RUN, nonce, key=self.key).digest
        await database.platform.execute(_RENEW, nonce, digest, at, at - _ONE_START)
        kept = await database.platform.fetchval(_NONCE)
        return derived_secret(FIRST_RUN, kept, key=self.key).text

    async def set_up(self, token: str, company: NewCompany) -> SignedIn:
        """Make the first tenant, and sign its owner in.

        Raises:
            AlreadySetUp: if there is a tenant, or somebody else is just making it.
            WrongSetUpToken: if the token is not the one that was printed last.
            DomainError: for a company that cannot be; see `create_tenant`.
        """
        platform = self.accounts.database.platform
        if await platform.fetchval(_ANY_TENANT):
            raise AlreadySetUp
        digest = digest_of(token, prefix=FIRST_RUN)
        if digest is None or digest != await platform.fetchval(_DIGEST):
            raise WrongSetUpToken
        async with platform.acquire() as connection, connection.transaction():
            # Looked at again, now that nobody else can set up before the transaction's end.
            if not await connection.fetchval(_CLAIM) or await connection.fetchval(_ANY_TENANT):
                raise AlreadySetUp
            with _at_its_place():
                account = await self._found(company)
            await connection.execute(_OVER)
        return await self.accounts.enter(account, tenant=company.slug)

    async def _found(self, company: NewCompany) -> Account:
        database = self.accounts.database
        place = {
            "slug": company.slug,
            "name": company.name,
            "time_zone": company.time_zone,
            "currency": company.currency,
        }
        # Refused before an account is made, which no refusal could undo.
        new_tenant(id=new_id(), at=await database.now(), **place)
        require_text(company.owner_name, name="The owner's name", path=("ownerName",))
        account = await account_of(self.accounts, company.owner_email, company.password)
        await create_tenant(
            database,
            self.accounts.passwords,
            owner_email=company.owner_email,
            owner_name=company.owner_name,
            password=company.password,
            cause=self.accounts.cause,
            **place,
        )
        return account


@contextmanager
def _at_its_place() -> Iterator[None]:
    """Say where in the request a refusal's fault is."""
    try:
        yield
    except DomainError as refusal:
        if refusal.path:
            refusal.path = _PLACES.get(refusal.path[0], refusal.path)
        raise
