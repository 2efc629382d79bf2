"""Invitations: how a person comes in, by a link that was mailed to his or her own address.

Nobody chooses a password for anybody else: who holds the link proves that the address is theirs,
and chooses their own or shows that of the account they have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.errors import AlreadyExists, DomainError, Invalid, NotFound, PermissionDenied
from domain.events import InvitationChanged, TeamChanged, UserChanged
from domain.filters import FieldType, FilterField, FilterFields
from domain.identity.people import OwnersOnly, User, actor_of
from domain.identity.policy import Actor, Permission, Role
from domain.identity.teams import Team, TeamMember
from domain.ids import new_id
from domain.ports import Work, first
from domain.values import require_text

# Another letter to the same address, sooner than this, would help nobody but a pest.
RESEND_PAUSE = timedelta(minutes=1)
MOST_TEAMS = 20


class InvitationState(StrEnum):
    """How an invitation stands."""

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A person asked to come in.  Only the digest of the link's secret is kept."""

    id: UUID
    email: str
    name: str | None
    role: Role
    team_ids: tuple[UUID, ...]
    digest: str
    invited_by: UUID | None
    created_at: datetime
    sent_at: datetime
    expires_at: datetime
    accepted_at: datetime | None = None
    revoked_at: datetime | None = None
    user_id: UUID | None = None
    version: int = 1

    def state(self, now: datetime) -> InvitationState:
        """Say how the invitation stands at `now`.  It ends at its last instant, not after."""
        if self.accepted_at is not None:
            return InvitationState.ACCEPTED
        if self.revoked_at is not None:
            return InvitationState.REVOKED
        return InvitationState.PENDING if now < self.expires_at else InvitationState.EXPIRED


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationPreview:
    """What the holder of a link is shown before deciding."""

    tenant_name: str
    inviter_name: str | None
    email: str
    name: str | None
    role: Role
    expires_at: datetime
    state: InvitationState
    has_account: bool


INVITATION_FIELDS = FilterFields(
    "invitation",
    (
        FilterField(
            name="email",
            attribute="email",
            type=FieldType.TEXT,
            description="The address it was sent to, in small letters.",
        ),
        FilterField(
            name="role",
            attribute="role",
            type=FieldType.CHOICE,
            choices=Role,
            description="What the person is to be.",
        ),
        FilterField(
            name="invitedById",
            attribute="invited_by",
            type=FieldType.ID,
            kind="User",
            description="Who invited the person.",
        ),
        FilterField(
            name="createdAt",
            attribute="created_at",
            type=FieldType.INSTANT,
            description="When the person was invited.",
        ),
        FilterField(
            name="expiresAt",
            attribute="expires_at",
            type=FieldType.INSTANT,
            description="When the link ends, or ended.",
        ),
        FilterField(
            name="acceptedAt",
            attribute="accepted_at",
            type=FieldType.INSTANT,
            description="When it was accepted.",
        ),
        FilterField(
            name="revokedAt",
            attribute="revoked_at",
            type=FieldType.INSTANT,
            description="When it was taken back.",
        ),
    ),
)


class InvitationNotValid(DomainError):
    """The link is unknown, used, taken back or replaced: which one is nobody's business."""

    code = "INVITATION_NOT_VALID"

    def __init__(self) -> None:
        super().__init__(
            "This invitation is not valid, or not any more; ask for a new one.", path=("token",)
        )


class InvitationExpired(DomainError):
    """The link was good, and its time is over."""

    code = "INVITATION_EXPIRED"

    def __init__(self) -> None:
        super().__init__("This invitation has expired; ask for a new one.", path=("token",))


class InvitationClosed(DomainError):
    """What was accepted or taken back cannot be sent again."""

    code = "INVITATION_CLOSED"

    def __init__(self, state: InvitationState) -> None:
        super().__init__(
            f"This invitation is {state.lower()}, so it stays as it is.", path=("invitation",)
        )


class SentJustNow(DomainError):
    """The letter has hardly left."""

    code = "SENT_JUST_NOW"

    def __init__(self, *path: str) -> None:
        super().__init__(
            "This invitation was sent less than a minute ago; give it time to arrive.", path=path
        )


def check_inviting(actor: Actor, role: Role, *, teams: bool) -> None:
    """Refuse an actor who may not invite, or not as this: only owners make owners."""
    actor.require(Permission.MANAGE_USERS)
    if teams:
        actor.require(Permission.MANAGE_TEAMS)
    if role is Role.OWNER and actor.role is not Role.OWNER:
        raise OwnersOnly


def check_acceptable(invitation: Invitation, *, at: datetime) -> None:
    """Refuse an invitation that brings nobody in (any more)."""
    state = invitation.state(at)
    if state is InvitationState.EXPIRED:
        raise InvitationExpired
    if state is not InvitationState.PENDING:
        raise InvitationNotValid


async def invite(
    work: Work,
    actor: Actor,
    *,
    email: str,
    name: str | None,
    role: Role,
    team_ids: Sequence[UUID],
    digest: str,
    life: timedelta,
) -> Invitation:
    """Keep an invitation of somebody who is not here yet and has none that is still good.

    Raises:
        AlreadyExists: if the address is that of a user, or of an invitation that is still good.
        SentJustNow: if a letter to the address left less than a minute ago.
    """
    check_inviting(actor, role, teams=bool(team_ids))
    if name is not None:
        name = require_text(name, name="The name", path=("name",))
    if await first(work, User, email=email):
        raise AlreadyExists("There is already a user with this e-mail address.", path=("email",))
    await _make_way(work, email)
    invitation = Invitation(
        id=new_id(),
        email=email,
        name=name,
        role=role,
        team_ids=await _existing_teams(work, team_ids),
        digest=digest,
        invited_by=actor.user_id,
        created_at=work.now,
        sent_at=work.now,
        expires_at=work.now + life,
    )
    await work.add(invitation)
    work.record(InvitationChanged(invitation_id=invitation.id, at=work.now))
    return invitation


async def resend_invitation(
    work: Work, actor: Actor, invitation_id: UUID, *, digest: str, life: timedelta
) -> Invitation:
    """Give an invitation a new link and a new time; the old link ends.

    Whoever sends it again stands for it from then on, because who did before may be gone.

    Raises:
        InvitationClosed: if it was accepted or taken back.
        SentJustNow: if the last letter left less than a minute ago.
    """
    actor.require(Permission.MANAGE_USERS)
    invitation = await work.get(Invitation, invitation_id, lock=True)
    check_inviting(actor, invitation.role, teams=bool(invitation.team_ids))
    state = invitation.state(work.now)
    if state in (InvitationState.ACCEPTED, InvitationState.REVOKED):
        raise InvitationClosed(state)
    if work.now < invitation.sent_at + RESEND_PAUSE:
        raise SentJustNow("invitation")
    sent = replace(
        invitation,
        digest=digest,
        invited_by=actor.user_id,
        sent_at=work.now,
        expires_at=work.now + life,
    )
    saved = await work.save(sent)
    work.record(InvitationChanged(invitation_id=invitation.id, at=work.now))
    return saved


async def revoke_invitation(work: Work, actor: Actor, invitation_id: UUID) -> Invitation:
    """Take an invitation back.  To do it again changes nothing; what was accepted stays so."""
    actor.require(Permission.MANAGE_USERS)
    invitation = await work.get(Invitation, invitation_id, lock=True)
    check_inviting(actor, invitation.role, teams=False)
    if invitation.accepted_at is not None:
        raise InvitationClosed(InvitationState.ACCEPTED)
    if invitation.revoked_at is not None:
        return invitation
    revoked = await work.save(replace(invitation, revoked_at=work.now))
    work.record(InvitationChanged(invitation_id=invitation.id, at=work.now))
    return revoked


async def require_acceptable(work: Work, invitation: Invitation) -> None:
    """Refuse an invitation that brings nobody in (any more), or whose sender's word is over.

    Else whoever is about to be removed could leave a door open behind.  A key has no standing of
    its own; what it may not do it could not have sent.
    """
    check_acceptable(invitation, at=work.now)
    if invitation.invited_by is None and invitation.role is not Role.OWNER:
        return
    inviter = await first(work, User, id=invitation.invited_by)
    actor = actor_of(inviter, work.tenant_id) if inviter else None
    if actor is None:
        raise InvitationNotValid
    try:
        check_inviting(actor, invitation.role, teams=bool(invitation.team_ids))
    except (OwnersOnly, PermissionDenied):
        raise InvitationNotValid from None


async def accept_invitation(
    work: Work, invitation_id: UUID, *, digest: str, account_id: UUID, user_id: UUID, name: str
) -> User:
    """Let the holder of a link in, by an account that is there already.

    Of two who do it at once one comes second, and finds it accepted.

    Raises:
        InvitationNotValid: if it was used, taken back or sent anew in the meantime, or if whoever
            sent it could not do so today.
        InvitationExpired: if its time is over.
    """
    invitation = await work.get(Invitation, invitation_id, lock=True)
    if invitation.digest != digest:
        raise InvitationNotValid
    await require_acceptable(work, invitation)
    user = User(
        id=user_id,
        account_id=account_id,
        email=invitation.email,
        name=accepted_name(invitation, name),
        role=invitation.role,
        created_at=work.now,
    )
    await work.add(user)
    await work.save(replace(invitation, accepted_at=work.now, user_id=user.id))
    for team_id in invitation.team_ids:
        await work.add(
            TeamMember(id=new_id(), team_id=team_id, user_id=user.id, created_at=work.now)
        )
        work.record(TeamChanged(team_id=team_id, at=work.now, by=user.id))
    work.record(UserChanged(user_id=user.id, at=work.now, by=user.id))
    work.record(InvitationChanged(invitation_id=invitation.id, at=work.now, by=user.id))
    return user


def accepted_name(invitation: Invitation, given: str | None) -> str:
    """Return what somebody wants to be called, or else what the invitation called them."""
    return require_text(given or invitation.name or "", name="The name", path=("name",))


async def _make_way(work: Work, email: str) -> None:
    """Close what has expired of an address, unless it has a letter that is good or just left.

    One that was taken back counts too: or by turns with that, an address could be buried in mail.
    """
    earlier = await work.find(Invitation, lock=True, email=email)
    for invitation in earlier:
        if invitation.state(work.now) is InvitationState.PENDING:
            raise AlreadyExists(
                "This address is invited already; send that invitation again.", path=("email",)
            )
    if any(work.now < invitation.sent_at + RESEND_PAUSE for invitation in earlier):
        raise SentJustNow("email")
    for invitation in earlier:
        if invitation.state(work.now) is InvitationState.EXPIRED:
            await work.save(replace(invitation, revoked_at=work.now))
            work.record(InvitationChanged(invitation_id=invitation.id, at=work.now))


async def _existing_teams(work: Work, team_ids: Sequence[UUID]) -> tuple[UUID, ...]:
    if len(team_ids) > MOST_TEAMS:
        raise Invalid(f"At most {MOST_TEAMS} teams at once.", path=("teams",))
    wanted = tuple(dict.fromkeys(team_ids))
    found = {team.id for team in await work.find(Team, id=wanted)} if wanted else set()
    for position, team_id in enumerate(team_ids):
        if team_id not in found:
            raise NotFound("team", path=("teams", position))
    return wanted
