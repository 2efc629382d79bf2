"""Accounts: one sign-in for each person of the installation, and the tenants it opens.

Accounts, memberships and the directory belong to no tenant, so what concerns them and a tenant
takes two transactions.  The installation's side is always written first.  Alone it opens nothing,
because whoever signs in must be an active user of the tenant as well; and a second attempt finds
it and goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from uuid import UUID

import asyncpg
from email_validator import EmailNotValidError, validate_email

from domain import identity
from domain.audit import SYSTEM, Cause
from domain.errors import AlreadyExists, Invalid
from domain.events import UserChanged
from domain.identity import (
    Actor,
    BadCredentials,
    IssuedApiKey,
    IssuedBoardLink,
    Role,
    SignedIn,
    SlugTaken,
    Tenant,
    TenantNeeded,
    User,
    actor_of,
)
from domain.ids import new_id
from domain.ports import first
from domain.values import require_text
from infra.database import Database, PostgresWork
from infra.passwords import Passwords, check_password
from infra.secrets import API_KEY, BOARD_LINK, new_secret
from infra.tokens import MAX_LIFE, AccessTokens

_ACCOUNT = "SELECT id, password_hash FROM accounts WHERE email = $1"
_NEW_ACCOUNT = """
INSERT INTO accounts (id, email, password_hash, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (email) DO NOTHING
"""
_NEW_HASH = "UPDATE accounts SET password_hash = $2 WHERE id = $1 AND password_hash = $3"
_MEMBERSHIPS = """
SELECT m.tenant_id, m.user_id, d.slug FROM memberships m JOIN directory d USING (tenant_id)
WHERE m.account_id = $1 ORDER BY d.slug
"""
# A membership that is there keeps its user: it may be of an attempt that did not get further.
_JOIN = """
INSERT INTO memberships (account_id, tenant_id, user_id) VALUES ($1, $2, $3)
ON CONFLICT (account_id, tenant_id) DO UPDATE SET user_id = memberships.user_id
RETURNING user_id
"""
_RENAME = "UPDATE directory SET name = $2 WHERE tenant_id = $1"
_ENTER_DIRECTORY = """
INSERT INTO directory (slug, tenant_id, name, placement) VALUES ($1, $2, $3, $4)
ON CONFLICT (slug) DO UPDATE SET slug = directory.slug
RETURNING tenant_id
"""


@dataclass(frozen=True, slots=True)
class Accounts:
    """Lets people in, and hands out what lets people and machines in.

    `public_url` is where the installation is reached: the addresses of boards begin with it.
    """

    database: Database
    passwords: Passwords
    tokens: AccessTokens
    public_url: str
    writing: Callable[[Actor], AbstractAsyncContextManager[PostgresWork]] | None = None
    """How a request opens its writing transactions; None: each by itself."""
    cause: Cause = SYSTEM
    """Where the request comes from."""

    async def sign_in(self, *, email: str, password: str, tenant: str | None = None) -> SignedIn:
        """Return a new session of the person behind an account.

        Raises:
            BadCredentials: if anything is wrong; the work done does not tell what.
            TenantNeeded: if the account opens several tenants and none is named.
        """
        account = await self.database.platform.fetchrow(_ACCOUNT, email)
        stored: str | None = account["password_hash"] if account else None
        verdict = await self.passwords.verify(password, stored)
        if account is None or stored is None or not verdict.right:
            raise BadCredentials
        memberships = await self._memberships(account["id"], tenant)
        if not memberships:
            raise BadCredentials
        if len(memberships) > 1:
            raise TenantNeeded([found.slug for found, _ in memberships])
        if verdict.outdated:
            renewed = await self.passwords.hash(password)
            await self.database.platform.execute(_NEW_HASH, account["id"], renewed, stored)
        return await self._begin_session(*memberships[0])

    async def renew(self, actor: Actor) -> SignedIn:
        """Return a later token of the session that the actor is in."""
        user_id = actor.require_user()
        found = await self._active(actor.tenant_id, user_id)
        if found is None:
            raise BadCredentials
        return await self._session(*found, session_id=actor.session_id or new_id())

    async def add_user(
        self, actor: Actor, *, email: str, name: str, role: Role, password: str
    ) -> User:
        """Let a person into the actor's tenant.  An account that exists keeps its password."""
        async with self.database.work(actor.tenant_id, read_only=True) as work:
            await identity.check_addition(work, actor, email=email, name=name, role=role)
        check_password(password, email=email)
        account_id = await find_or_create(self.database, self.passwords, email, password)
        user_id = await join(self.database, account_id, actor.tenant_id)
        async with self._writing(actor) as work:
            return await identity.add_user(
                work,
                actor,
                user_id=user_id,
                account_id=account_id,
                email=email,
                name=name,
                role=role,
            )

    async def update_tenant(
        self,
        actor: Actor,
        *,
        name: str | None = None,
        time_zone: str | None = None,
        currency: str | None = None,
    ) -> Tenant:
        """Change the actor's tenant, and its name in the directory."""
        async with self._writing(actor) as work:
            tenant = await identity.update_tenant(
                work, actor, name=name, time_zone=time_zone, currency=currency
            )
        await self.database.platform.execute(_RENAME, tenant.id, tenant.name)
        return tenant

    async def issue_api_key(self, actor: Actor, *, name: str, role: Role) -> IssuedApiKey:
        """Make a key for a machine."""
        secret = new_secret(API_KEY)
        async with self._writing(actor) as work:
            key = await identity.create_api_key(
                work, actor, name=name, role=role, digest=secret.digest
            )
        return IssuedApiKey(api_key=key, secret=secret.text)

    async def issue_board(
        self, actor: Actor, *, name: str, sales_team_id: UUID | None = None
    ) -> IssuedBoardLink:
        """Make a link to a wall board."""
        secret = new_secret(BOARD_LINK)
        async with self._writing(actor) as work:
            board = await identity.create_board(
                work, actor, name=name, digest=secret.digest, sales_team_id=sales_team_id
            )
        return IssuedBoardLink(board_link=board, url=f"{self.public_url}/board/{secret.text}")

    def _writing(self, actor: Actor) -> AbstractAsyncContextManager[PostgresWork]:
        if self.writing is not None:
            return self.writing(actor)
        cause = self.cause.by(actor)
        return self.database.work(actor.tenant_id, by=actor.user_id, cause=cause)

    async def _begin_session(self, tenant: Tenant, user: User) -> SignedIn:
        """Let a user in, and have the audit log say so."""
        session_id, actor = new_id(), actor_of(user, tenant.id)
        if actor is None:
            raise BadCredentials
        cause = self.cause.by(replace(actor, session_id=session_id))
        async with self.database.work(tenant.id, by=user.id, cause=cause) as work:
            work.note(user)
        return await self._session(tenant, user, session_id=session_id)

    async def _memberships(self, account_id: UUID, slug: str | None) -> list[tuple[Tenant, User]]:
        """Return the tenants an account may enter now, or the one that is named."""
        rows = await self.database.platform.fetch(_MEMBERSHIPS, account_id)
        wanted = [row for row in rows if slug is None or row["slug"] == slug]
        found = [await self._active(row["tenant_id"], row["user_id"]) for row in wanted]
        return [member for member in found if member is not None]

    async def _active(self, tenant_id: UUID, user_id: UUID) -> tuple[Tenant, User] | None:
        async with self.database.work(tenant_id, read_only=True) as work:
            user = await first(work, User, id=user_id, active=True)
            return (await work.get(Tenant, tenant_id), user) if user else None

    async def _session(self, tenant: Tenant, user: User, *, session_id: UUID) -> SignedIn:
        now = await self.database.now()
        token = self.tokens.issue(
            user_id=user.id,
            tenant_id=tenant.id,
            account_id=user.account_id,
            session_id=session_id,
            now=now,
        )
        # A token counts whole seconds.
        expires_at = now.replace(microsecond=0) + MAX_LIFE
        return SignedIn(access_token=token, expires_at=expires_at, user=user, tenant=tenant)


async def create_tenant(
    database: Database,
    passwords: Passwords,
    *,
    slug: str,
    name: str,
    owner_email: str,
    owner_name: str,
    password: str,
    time_zone: str,
    currency: str,
    cause: Cause = SYSTEM,
) -> tuple[Tenant, User]:
    """Make a tenant with one owner.  An account that exists keeps its password.

    Raises:
        Invalid: for a slug, name, e-mail address, zone or currency that cannot be.
        WeakPassword: for a password that would be guessed.
        SlugTaken: if there is such a tenant.
    """
    email = _address(owner_email)
    owner_name = require_text(owner_name, name="The owner's name", path=("ownerName",))
    tenant = identity.new_tenant(
        id=new_id(),
        slug=slug,
        name=name,
        time_zone=time_zone,
        currency=currency,
        at=await database.now(),
    )
    check_password(password, email=email)
    if await _is_founded(database, slug):
        raise SlugTaken(slug)
    account_id = await find_or_create(database, passwords, email, password)
    tenant_id = await database.platform.fetchval(
        _ENTER_DIRECTORY, slug, tenant.id, tenant.name, tenant.placement
    )
    tenant = replace(tenant, id=tenant_id)
    owner = User(
        id=await join(database, account_id, tenant_id),
        account_id=account_id,
        email=email,
        name=owner_name,
        role=Role.OWNER,
        created_at=tenant.created_at,
    )
    try:
        async with database.work(tenant_id, cause=cause) as work:
            await work.add_all([tenant, owner])
            work.record(UserChanged(user_id=owner.id, at=work.now))
    except AlreadyExists as error:  # somebody founded it in the meantime
        raise SlugTaken(slug) from error
    return tenant, owner


async def find_or_create(
    database: Database, passwords: Passwords, email: str, password: str
) -> UUID:
    """Return the account of an e-mail address; a new one gets the password, which was checked."""
    # Hashed in any case: the time taken must not tell who has an account already.
    hashed, now = await passwords.hash(password), await database.now()
    async with database.platform.acquire() as connection:
        await connection.execute(_NEW_ACCOUNT, new_id(), email, hashed, now)
        account_id: UUID = await connection.fetchval(_ACCOUNT, email)
    return account_id


async def join(database: Database, account_id: UUID, tenant_id: UUID) -> UUID:
    """Return the id that an account's user in a tenant has, or is to have."""
    user_id: UUID = await database.platform.fetchval(_JOIN, account_id, tenant_id, new_id())
    return user_id


async def _is_founded(database: Database, slug: str) -> bool:
    """Say whether a tenant is there, and not only its entry in the directory."""
    entry: asyncpg.Record | None = await database.platform.fetchrow(
        "SELECT tenant_id FROM directory WHERE slug = $1", slug
    )
    if entry is None:
        return False
    async with database.work(entry["tenant_id"], read_only=True) as work:
        return bool(await work.find(Tenant, id=entry["tenant_id"]))


def _address(text: str) -> str:
    """Return an e-mail address in the one spelling that accounts are found by."""
    try:
        found = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise Invalid(f"{text[:80]!r} is not an e-mail address.", path=("ownerEmail",)) from error
    return found.normalized.lower()
