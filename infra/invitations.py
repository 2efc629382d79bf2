"""Invitations over accounts and mail: the link goes out, and whoever holds it comes in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg

from domain import identity
from domain.identity import Actor, Invitation, InvitationPreview, Role, SignedIn, Tenant, User
from domain.identity.invitations import InvitationNotValid
from domain.ports import first
from infra.accounts import Accounts, join
from infra.database import PostgresWork
from infra.joining import account_of, has_account
from infra.mail.letters import invitation_letter
from infra.mail.queue import MailQueue
from infra.secrets import INVITATION, digest_of, new_secret

# A link says whose it is only through its digest, so the platform looks it up.
_LOOK_UP = "SELECT tenant_id, id FROM invitations WHERE digest = $1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitations:
    """Sends invitations, and lets in who accepts them.

    `app_url` is where people open links; `life` how long a link is good.
    """

    accounts: Accounts
    queue: MailQueue
    app_url: str
    life: timedelta

    async def invite(
        self,
        work: PostgresWork,
        actor: Actor,
        *,
        email: str,
        name: str | None,
        role: Role,
        team_ids: Sequence[UUID] = (),
    ) -> Invitation:
        """Invite somebody.  The letter leaves if, and only if, the work commits."""
        secret = new_secret(INVITATION)
        invitation = await identity.invite(
            work,
            actor,
            email=email,
            name=name,
            role=role,
            team_ids=team_ids,
            digest=secret.digest,
            life=self.life,
        )
        await self._write(work, actor, invitation, secret.text)
        return invitation

    async def resend(self, work: PostgresWork, actor: Actor, invitation_id: UUID) -> Invitation:
        """Send an invitation again, with a new link."""
        secret = new_secret(INVITATION)
        invitation = await identity.resend_invitation(
            work, actor, invitation_id, digest=secret.digest, life=self.life
        )
        await self._write(work, actor, invitation, secret.text)
        return invitation

    async def preview(self, token: str) -> InvitationPreview | None:
        """Return what the holder of a link is shown; None if there is no such invitation."""
        found = await self._behind(digest_of(token, prefix=INVITATION))
        if found is None:
            return None
        tenant_id, invitation_id = found
        async with self.accounts.database.work(tenant_id, read_only=True) as work:
            invitation = await work.get(Invitation, invitation_id)
            tenant = await work.get(Tenant, tenant_id)
            inviter = await _inviter(work, invitation)
        return InvitationPreview(
            tenant_name=tenant.name,
            inviter_name=inviter.name if inviter else None,
            email=invitation.email,
            name=invitation.name,
            role=invitation.role,
            expires_at=invitation.expires_at,
            state=invitation.state(work.now),
            has_account=await has_account(self.accounts, invitation.email),
        )

    async def accept(self, token: str, *, name: str | None, password: str) -> SignedIn:
        """Let the holder of a link in, with the password of the account, or of a new one.

        Raises:
            InvitationNotValid, InvitationExpired: if the link is not good (any more).
            BadCredentials: if the account that is there has another password.
            TooManyAttempts: if wrong ones were given too often before.
            WeakPassword: if there is none, and the password would be guessed.
        """
        digest = digest_of(token, prefix=INVITATION)
        found = await self._behind(digest)
        if digest is None or found is None:
            raise InvitationNotValid
        tenant_id, invitation_id = found
        database = self.accounts.database
        # Looked at before an account is made, which no refusal could undo.
        async with database.work(tenant_id, read_only=True) as work:
            invitation, tenant = await _acceptable(work, invitation_id)
            called = identity.accepted_name(invitation, name)
        account = await account_of(self.accounts, invitation.email, password)
        user_id = await join(database, account.id, tenant_id)
        newcomer = Actor(tenant_id=tenant_id, user_id=user_id, permissions=frozenset(), name=called)
        cause = self.accounts.cause.by(newcomer)
        async with database.work(tenant_id, by=user_id, cause=cause) as work:
            await identity.accept_invitation(
                work,
                invitation_id,
                digest=digest,
                account_id=account.id,
                user_id=user_id,
                name=called,
            )
        return await self.accounts.enter(account, tenant=tenant.slug)

    async def _write(
        self, work: PostgresWork, actor: Actor, invitation: Invitation, token: str
    ) -> None:
        tenant = await work.get(Tenant, work.tenant_id)
        letter = invitation_letter(
            to=invitation.email,
            tenant=tenant.name,
            inviter=actor.name if actor.user_id else None,
            url=f"{self.app_url}/invitation#token={token}",
            expires_at=invitation.expires_at,
        )
        await self.queue.put(work.connection, letter, at=work.now, expires_at=invitation.expires_at)

    async def _behind(self, digest: str | None) -> tuple[UUID, UUID] | None:
        if digest is None:
            return None
        row: asyncpg.Record | None = await self.accounts.database.platform.fetchrow(
            _LOOK_UP, digest
        )
        return None if row is None else (row["tenant_id"], row["id"])


async def _acceptable(work: PostgresWork, invitation_id: UUID) -> tuple[Invitation, Tenant]:
    invitation = await work.get(Invitation, invitation_id)
    await identity.require_acceptable(work, invitation)
    return invitation, await work.get(Tenant, work.tenant_id)


async def _inviter(work: PostgresWork, invitation: Invitation) -> User | None:
    if invitation.invited_by is None:
        return None
    return await first(work, User, id=invitation.invited_by)
