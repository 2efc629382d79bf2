"""Sessions of accounts: begun, refreshed, and ended in every tenant at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain import identity
from domain.audit import SYSTEM, Cause
from domain.identity import (
    BadCredentials,
    BadRefreshToken,
    Presented,
    RefreshTokenReused,
    Session,
    SessionEnd,
    SessionLives,
    SessionOver,
    SignedIn,
    Tenant,
    User,
    actor_of,
)
from domain.ids import new_id
from domain.ports import Work, first
from infra import refresh_tokens
from infra.database import Database
from infra.refresh_tokens import RefreshToken, RefreshTokens
from infra.tokens import MAX_LIFE, AccessTokens

_EPOCH = "SELECT epoch FROM accounts WHERE id = $1"
_NEXT_EPOCH = "UPDATE accounts SET epoch = epoch + 1 WHERE id = $1 RETURNING epoch"
_USERS = "SELECT tenant_id, user_id FROM memberships WHERE account_id = $1 ORDER BY tenant_id"


@dataclass(frozen=True, slots=True)
class Sessions:
    """Begins sessions, and gives them their tokens."""

    database: Database
    access: AccessTokens
    refresh: RefreshTokens
    lives: SessionLives
    cause: Cause = SYSTEM
    """Where the request comes from."""

    async def begin(self, tenant: Tenant, user: User, *, epoch: int) -> SignedIn:
        """Return a new session of a user whose credentials were right, as of an account's epoch.

        Raises:
            BadCredentials: if they were changed in the meantime.
        """
        token = self.refresh.first(tenant.id, new_id())
        cause = self._cause(tenant, user, token.session_id)
        async with self.database.work(tenant.id, by=user.id, cause=cause) as work:
            work.note(user)
            session = await identity.begin_session(
                work,
                id=token.session_id,
                user_id=user.id,
                digest=token.digest,
                epoch=epoch,
                lives=self.lives,
                ip_address=cause.ip_address,
                user_agent=cause.user_agent,
            )
            now = work.now
        # Looked at once the session is there: so either this sees the new epoch, or whoever made
        # it sees the session.
        if await self._is_outdated(tenant.id, user, session):
            raise BadCredentials
        return self._signed_in(tenant, user, session, token, now)

    async def go_on(self, text: str) -> SignedIn:
        """Return the next tokens of the session that a refresh token belongs to.

        Raises:
            BadRefreshToken: if it is none of ours.
            SessionOver: if the session has expired or was ended.
            RefreshTokenReused: if it was used before; then the session is ended.
        """
        token = refresh_tokens.read(text)
        if token is None:
            raise BadRefreshToken
        async with self.database.work(token.tenant_id, cause=self.cause) as work:
            session, presented = await self._presented(work, token)
            user = await first(work, User, id=session.user_id, active=True)
            if presented is Presented.SPENT:
                await identity.close_session(work, session, because=SessionEnd.TOKEN_REUSED)
                work.note(session)
            elif user is not None and presented is Presented.CURRENT:
                session = await self._rotated(work, session, token)
            tenant, now = await work.get(Tenant, work.tenant_id), work.now
        # Raised out here, because what is raised within takes back what was written.
        if presented is Presented.SPENT:
            raise RefreshTokenReused
        if user is None or await self._is_outdated(tenant.id, user, session):
            raise SessionOver
        return self._signed_in(tenant, user, session, self.refresh.after(token), now)

    async def _rotated(self, work: Work, session: Session, token: RefreshToken) -> Session:
        digest = self.refresh.after(token).digest
        return await work.save(
            identity.rotated(session, digest=digest, at=work.now, lives=self.lives)
        )

    def _cause(self, tenant: Tenant, user: User, session_id: UUID) -> Cause:
        """Return who is let in, as the audit log says it."""
        actor = actor_of(user, tenant.id)
        if actor is None:
            raise BadCredentials
        return self.cause.by(replace(actor, session_id=session_id))

    async def _presented(self, work: Work, token: RefreshToken) -> tuple[Session, Presented]:
        session = await first(work, Session, lock=True, id=token.session_id)
        if session is None:
            raise BadRefreshToken
        steps = self.refresh.steps(token, generation=session.generation, digest=session.digest)
        if steps is None:
            raise BadRefreshToken
        if not session.is_open(work.now):
            raise SessionOver
        return session, identity.judged(session, steps=steps, at=work.now)

    async def _is_outdated(self, tenant_id: UUID, user: User, session: Session) -> bool:
        """Say whether the account has had another epoch since the sign-in; if so, end the session.

        Whoever changes a password ends the sessions in each tenant, one after the other.  This is
        for what he could not: a session begun just then, a process that died on the way.
        """
        epoch = await self.database.platform.fetchval(_EPOCH, user.account_id)
        if epoch == session.epoch:
            return False
        async with self.database.work(tenant_id) as work:
            found = await work.get(Session, session.id, lock=True)
            await identity.close_session(work, found, because=SessionEnd.PASSWORD_CHANGED)
        return True

    def _signed_in(
        self, tenant: Tenant, user: User, session: Session, token: RefreshToken, now: datetime
    ) -> SignedIn:
        # A token counts whole seconds, and does not outlive its session.
        whole = now.replace(microsecond=0)
        life = max(min(MAX_LIFE, session.expires_at - whole), timedelta(seconds=1))
        access_token = self.access.issue(
            user_id=user.id,
            tenant_id=tenant.id,
            account_id=user.account_id,
            session_id=session.id,
            now=now,
            life=life,
        )
        return SignedIn(
            access_token=access_token,
            expires_at=whole + timedelta(seconds=int(life.total_seconds())),
            refresh_token=token.text,
            refresh_expires_at=session.expires_at,
            user=user,
            tenant=tenant,
        )


async def end_all_sessions(
    database: Database,
    account_id: UUID,
    *,
    because: SessionEnd,
    besides: tuple[UUID, UUID] | None = None,
    cause: Cause = SYSTEM,
) -> None:
    """End an account's sessions in every tenant, or all but one, named by its tenant and its id.

    The epoch comes first: should the rest not be reached, no session of before it can be gone on
    with once its access token has expired.
    """
    epoch: int = await database.platform.fetchval(_NEXT_EPOCH, account_id)
    await end_sessions_before(
        database, account_id, epoch, because=because, besides=besides, cause=cause
    )


async def end_sessions_before(
    database: Database,
    account_id: UUID,
    epoch: int,
    *,
    because: SessionEnd,
    besides: tuple[UUID, UUID] | None = None,
    cause: Cause = SYSTEM,
) -> None:
    """End the sessions of an account that were begun before an epoch; the spared one joins it."""
    for tenant_id, user_id in await database.platform.fetch(_USERS, account_id):
        spared = besides[1] if besides and besides[0] == tenant_id else None
        async with database.work(tenant_id, by=user_id, cause=cause) as work:
            if (user := await first(work, User, id=user_id)) is not None:
                work.note(user)
            await identity.close_sessions(
                work, user_id=user_id, because=because, besides=spared, epoch=epoch
            )
