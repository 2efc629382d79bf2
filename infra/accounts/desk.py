"""The desk where people are let in, and where machines are given their keys."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from domain import identity, tenant_flow
from domain.audit import SYSTEM, Cause
from domain.errors import Overloaded, StaleWrite
from domain.identity import (
    OVERLAP,
    Actor,
    BadCredentials,
    IssuedApiKey,
    IssuedBoardLink,
    Role,
    SessionEnd,
    SessionLives,
    SignedIn,
    Tenant,
    TenantNeeded,
    User,
    WrongPassword,
)
from domain.ports import first
from infra.accounts.founding import find_or_create, join
from infra.accounts.sessions import Sessions, end_all_sessions, end_sessions_before
from infra.attempts import Attempts
from infra.database import Database, PostgresWork
from infra.passwords import Passwords, check_password
from infra.refresh_tokens import RefreshTokens
from infra.secrets import API_KEY, BOARD_LINK, new_secret
from infra.tokens import AccessTokens

_ACCOUNT = "SELECT id, email, password_hash, epoch FROM accounts WHERE email = $1"
_RENEWED_HASH = "UPDATE accounts SET password_hash = $2 WHERE id = $1 AND password_hash = $3"
_CHANGED_HASH = """
UPDATE accounts SET password_hash = $2, epoch = epoch + 1 WHERE id = $1 AND epoch = $3
RETURNING epoch
"""
# A link that was mailed before must not undo the change: it may be why the password was changed.
_SPEND_RESETS = """
UPDATE password_resets SET used_at = $2
WHERE account_id = $1 AND used_at IS NULL AND expires_at > $2
"""
_MEMBERSHIPS = """
SELECT m.tenant_id, m.user_id, d.slug FROM memberships m JOIN directory d USING (tenant_id)
WHERE m.account_id = $1 ORDER BY d.slug
"""
_RENAME = "UPDATE directory SET name = $2 WHERE tenant_id = $1"


@dataclass(frozen=True, slots=True)
class Account:
    """A sign-in whose password was right.  `epoch` counts its changes of password."""

    id: UUID
    email: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Accounts:
    """Lets people in, and hands out what lets people and machines in.

    `public_url` is where the installation is reached: the addresses of boards begin with it.
    `secret` makes refresh tokens and hides whose failures are counted; one made up on the spot
    serves one process.
    """

    database: Database
    passwords: Passwords
    tokens: AccessTokens
    public_url: str
    writing: Callable[[Actor], AbstractAsyncContextManager[PostgresWork]] | None = None
    """How a request opens its writing transactions; None: each by itself."""
    cause: Cause = SYSTEM
    """Where the request comes from."""
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    lives: SessionLives = field(default_factory=SessionLives)

    @property
    def attempts(self) -> Attempts:
        return Attempts(self.database, self.secret)

    @property
    def sessions(self) -> Sessions:
        refresh = RefreshTokens(self.secret)
        return Sessions(self.database, self.tokens, refresh, self.lives, self.cause)

    async def check(self, *, email: str, password: str) -> Account:
        """Return the account of an e-mail address whose password this is.

        Raises:
            BadCredentials: if there is none, or it is not; the work done does not tell which.
            TooManyAttempts: if there were too many before, right or wrong.
        """
        attempt = await self.attempts.begin(email, self.cause.ip_address)
        row = await self.database.platform.fetchrow(_ACCOUNT, email)
        stored: str | None = row["password_hash"] if row else None
        try:
            verdict = await self.passwords.verify(password, stored)
        except Overloaded:
            await self.attempts.withdrawn(attempt)
            raise
        if row is None or not verdict.right:
            raise BadCredentials
        await self.attempts.succeeded(attempt)
        if verdict.outdated:
            with suppress(Overloaded):  # then the next time
                renewed = await self.passwords.hash(password)
                await self.database.platform.execute(_RENEWED_HASH, row["id"], renewed, stored)
        return Account(row["id"], row["email"], row["epoch"])

    async def sign_in(self, *, email: str, password: str, tenant: str | None = None) -> SignedIn:
        """Return a new session of the person behind an account.

        Raises:
            BadCredentials: if anything is wrong; the work done does not tell what.
            TooManyAttempts: as `check` says.
            TenantNeeded: if the account opens several tenants and none is named.
        """
        account = await self.check(email=email, password=password)
        return await self.enter(account, tenant=tenant)

    async def enter(self, account: Account, *, tenant: str | None = None) -> SignedIn:
        """Return a new session of an account that was checked."""
        memberships = await self._memberships(account.id, tenant)
        if not memberships:
            raise BadCredentials
        if len(memberships) > 1:
            raise TenantNeeded([found.slug for found, _ in memberships])
        return await self.sessions.begin(*memberships[0], epoch=account.epoch)

    async def refresh(self, refresh_token: str) -> SignedIn:
        """Return the next tokens of a session; see `Sessions.go_on`."""
        return await self.sessions.go_on(refresh_token)

    async def sign_out_everywhere(self, actor: Actor) -> User:
        """End all sessions of the person who asks, in every tenant."""
        user = await self._user(actor)
        await end_all_sessions(
            self.database,
            user.account_id,
            because=SessionEnd.SIGNED_OUT_EVERYWHERE,
            cause=self.cause.by(actor),
        )
        return user

    async def change_password(self, actor: Actor, *, current: str, new: str) -> User:
        """Change the password of the person who asks, and end all his or her other sessions.

        Raises:
            WrongPassword: if `current` is not the password.
            WeakPassword: if the new one would be guessed.
            TooManyAttempts: if wrong ones were given too often before.
        """
        user = await self._user(actor)
        check_password(new, email=user.email, path=("newPassword",))
        try:
            account = await self.check(email=user.email, password=current)
        except BadCredentials:
            raise WrongPassword from None
        if account.id != user.account_id:
            raise WrongPassword
        here = (actor.tenant_id, actor.session_id) if actor.session_id else None
        await replace(self, cause=self.cause.by(actor)).set_password(account, new, besides=here)
        return user

    async def set_password(
        self, account: Account, password: str, *, besides: tuple[UUID, UUID] | None = None
    ) -> None:
        """Give an account a password that was checked, and end its sessions, or all but one.

        Raises:
            StaleWrite: if somebody else changed it since the account was read.
        """
        hashed, at = await self.passwords.hash(password), await self.database.now()
        async with self.database.platform.acquire() as connection, connection.transaction():
            # First the links, then the account, as whoever uses a link does.
            await connection.execute(_SPEND_RESETS, account.id, at)
            epoch: int | None = await connection.fetchval(
                _CHANGED_HASH, account.id, hashed, account.epoch
            )
            if epoch is None:
                raise StaleWrite("account")
        await end_sessions_before(
            self.database,
            account.id,
            epoch,
            because=SessionEnd.PASSWORD_CHANGED,
            besides=besides,
            cause=self.cause,
        )

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
            tenant = await tenant_flow.update_tenant(
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

    async def rotate_api_key(
        self, actor: Actor, key_id: UUID, *, overlap: timedelta = OVERLAP
    ) -> IssuedApiKey:
        """Give a machine's key another secret; the one until now works on for the overlap."""
        secret = new_secret(API_KEY)
        async with self._writing(actor) as work:
            key = await identity.rotate_api_key(
                work, actor, key_id, digest=secret.digest, overlap=overlap
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

    async def _user(self, actor: Actor) -> User:
        """Return the user who asks."""
        user_id = actor.require_user()
        async with self.database.work(actor.tenant_id, read_only=True) as work:
            return await work.get(User, user_id)

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
