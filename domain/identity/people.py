"""Users: who works here, and as what."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.errors import AlreadyExists, DomainError
from domain.events import UserChanged
from domain.filters import FieldType, FilterField, FilterFields
from domain.identity.policy import ROLE_PERMISSIONS, Actor, Permission, Role
from domain.identity.sessions import SessionEnd, close_sessions
from domain.ports import Work, first
from domain.values import require_text


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person's membership of one tenant.  The sign-in behind it is an account.

    `left_at` is when it ended, for as long as it is ended.  `mention_letters` says whether they
    want a letter when somebody calls them in a thread.
    """

    id: UUID
    account_id: UUID
    email: str
    name: str
    role: Role
    created_at: datetime
    active: bool = True
    left_at: datetime | None = None
    mention_letters: bool = True
    version: int = 1


USER_FIELDS = FilterFields(
    "user",
    (
        FilterField(
            name="email",
            attribute="email",
            type=FieldType.TEXT,
            description="The e-mail address, in small letters.",
        ),
        FilterField(
            name="name", attribute="name", type=FieldType.TEXT, description="What people call them."
        ),
        FilterField(
            name="role",
            attribute="role",
            type=FieldType.CHOICE,
            choices=Role,
            description="Their part in the tenant.",
        ),
        FilterField(
            name="active",
            attribute="active",
            type=FieldType.FLAG,
            description="Whether they may still sign in.",
        ),
        FilterField(
            name="createdAt",
            attribute="created_at",
            type=FieldType.INSTANT,
            description="When they were added.",
        ),
    ),
)


class OwnersOnly(DomainError):
    """Nobody but an owner makes or unmakes owners."""

    code = "OWNERS_ONLY"

    def __init__(self) -> None:
        super().__init__("Only an owner can make somebody an owner, or end it.", path=("role",))


class LastOwner(DomainError):
    """A tenant without an owner could never get one again."""

    code = "LAST_OWNER"

    def __init__(self, user: User) -> None:
        super().__init__(
            f"{user.name} is the last active owner; make somebody else an owner first.",
            path=("user",),
        )


def actor_of(user: User, tenant_id: UUID) -> Actor | None:
    """Return a user as the one who asks; nobody, once he or she has been made inactive."""
    if not user.active:
        return None
    return Actor(
        tenant_id=tenant_id,
        user_id=user.id,
        permissions=ROLE_PERMISSIONS[user.role],
        name=user.name,
        role=user.role,
    )


def is_owner(user: User) -> bool:
    """Say whether somebody can act as an owner now."""
    return user.active and user.role is Role.OWNER


def check_role_change(actor: Actor, before: User | None, after: User) -> None:
    """Refuse to let anybody but an owner touch who is an owner, active or not."""
    touched = before is None or (before.role, before.active) != (after.role, after.active)
    concerned = Role.OWNER in (after.role, before.role if before else after.role)
    if touched and concerned and actor.role is not Role.OWNER:
        raise OwnersOnly


async def check_addition(work: Work, actor: Actor, *, email: str, name: str, role: Role) -> str:
    """Return the trimmed name of somebody who can be added, or say why not.

    Asked before an account is made for them, which no refusal could undo.
    """
    actor.require(Permission.MANAGE_USERS)
    if role is Role.OWNER and actor.role is not Role.OWNER:
        raise OwnersOnly
    trimmed = require_text(name, name="The name", path=("name",))
    if await first(work, User, email=email):
        raise AlreadyExists("There is already a user with this e-mail address.", path=("email",))
    return trimmed


async def add_user(
    work: Work,
    actor: Actor,
    *,
    user_id: UUID,
    account_id: UUID,
    email: str,
    name: str,
    role: Role,
) -> User:
    """Let a person in, by an account that is there already."""
    trimmed = await check_addition(work, actor, email=email, name=name, role=role)
    user = User(
        id=user_id,
        account_id=account_id,
        email=email,
        name=trimmed,
        role=role,
        created_at=work.now,
    )
    await work.add(user)
    work.record(UserChanged(user_id=user.id, at=work.now))
    return user


async def update_user(
    work: Work,
    actor: Actor,
    user_id: UUID,
    *,
    name: str | None = None,
    role: Role | None = None,
    active: bool | None = None,
) -> User:
    """Change somebody's name or role, or end or renew their membership; None leaves it as it is.

    With the membership its sessions end, and do not come back when it is renewed.

    Raises:
        OwnersOnly: if an owner is made or unmade by anybody else.
        LastOwner: if no active owner would be left.
    """
    actor.require(Permission.MANAGE_USERS)
    # All owners are locked first and by everybody, so that two who leave at once see each other.
    owners = await work.find(User, lock=True, role=Role.OWNER, active=True)
    user = await work.get(User, user_id, lock=True)
    changed = replace(
        user,
        name=user.name if name is None else require_text(name, name="The name", path=("name",)),
        role=role or user.role,
        active=user.active if active is None else active,
    )
    if changed.active is not user.active:
        changed = replace(changed, left_at=None if changed.active else work.now)
    check_role_change(actor, user, changed)
    if is_owner(user) and not is_owner(changed) and len(owners) == 1:
        raise LastOwner(user)
    if changed == user:
        return user
    saved = await work.save(changed)
    work.record(UserChanged(user_id=user.id, at=work.now))
    if user.active and not changed.active:
        await close_sessions(work, user_id=user.id, because=SessionEnd.MEMBERSHIP_ENDED)
    return saved


async def end_sessions_of(work: Work, actor: Actor, user_id: UUID) -> User:
    """Sign a user of the tenant out on every device."""
    actor.require(Permission.MANAGE_USERS)
    user = await work.get(User, user_id)
    await close_sessions(work, user_id=user.id, because=SessionEnd.ENDED_BY_ADMIN)
    return user
