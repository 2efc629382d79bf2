"""Who may do what: tenants, users, teams, roles, and the keys of machines and boards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.errors import PermissionDenied
from domain.stages import Side


class Permission(StrEnum):
    """One thing that somebody may or may not do."""

    VIEW = "VIEW"
    VIEW_BOARD = "VIEW_BOARD"
    EDIT_LEADS = "EDIT_LEADS"
    HAND_OFF_LEADS = "HAND_OFF_LEADS"
    ACCEPT_LEADS = "ACCEPT_LEADS"
    REASSIGN_LEADS = "REASSIGN_LEADS"
    WAIVE_CLOCKS = "WAIVE_CLOCKS"
    DEFINE_STAGES = "DEFINE_STAGES"
    EDIT_PERSONAS = "EDIT_PERSONAS"
    ACKNOWLEDGE_PERSONAS = "ACKNOWLEDGE_PERSONAS"
    SIGN_AGREEMENTS = "SIGN_AGREEMENTS"
    SET_GOALS = "SET_GOALS"
    EDIT_CALENDARS = "EDIT_CALENDARS"
    IMPORT_LEADS = "IMPORT_LEADS"
    MANAGE_TEAMS = "MANAGE_TEAMS"
    MANAGE_USERS = "MANAGE_USERS"
    MANAGE_KEYS = "MANAGE_KEYS"
    MANAGE_BOARDS = "MANAGE_BOARDS"


class Role(StrEnum):
    """A user's part in the tenant."""

    OWNER = "OWNER"
    ADMIN = "ADMIN"
    MANAGER = "MANAGER"
    MEMBER = "MEMBER"
    ANALYST = "ANALYST"


P = Permission

_ANALYST = frozenset({P.VIEW, P.ACKNOWLEDGE_PERSONAS})
_MEMBER = _ANALYST | {P.EDIT_LEADS, P.HAND_OFF_LEADS, P.ACCEPT_LEADS}
_MANAGER = _MEMBER | {
    P.REASSIGN_LEADS,
    P.WAIVE_CLOCKS,
    P.DEFINE_STAGES,
    P.EDIT_PERSONAS,
    P.SIGN_AGREEMENTS,
    P.SET_GOALS,
    P.IMPORT_LEADS,
    P.MANAGE_BOARDS,
}
_ADMIN = _MANAGER | {P.EDIT_CALENDARS, P.MANAGE_TEAMS, P.MANAGE_USERS, P.MANAGE_KEYS}

# The policy.  An owner differs from an admin in that nobody but an owner makes or unmakes owners
# (see `may_change_role`), and that the last one cannot go.
ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.OWNER: _ADMIN,
    Role.ADMIN: _ADMIN,
    Role.MANAGER: _MANAGER,
    Role.MEMBER: _MEMBER,
    Role.ANALYST: _ANALYST,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asks: a user, an API key, a board on a wall, or the system itself (no `user_id`)."""

    tenant_id: UUID
    user_id: UUID | None
    permissions: frozenset[Permission]
    name: str = ""
    role: Role | None = None
    board_id: UUID | None = None
    api_key_id: UUID | None = None

    def require(self, permission: Permission) -> None:
        """Refuse an actor who lacks a permission."""
        if permission not in self.permissions:
            raise PermissionDenied(f"This needs the permission {permission}, which you lack.")

    def require_user(self) -> UUID:
        """Return the user who asks; a signature or a lead's owner must be a person."""
        if self.user_id is None:
            raise PermissionDenied("This can only be done by a signed-in user, not by a key.")
        return self.user_id


def system(tenant_id: UUID) -> Actor:
    """Return the actor of what happens by itself: sweeps, imports run by the command line."""
    return Actor(
        tenant_id=tenant_id, user_id=None, permissions=frozenset(Permission), name="system"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A company that uses the installation."""

    id: UUID
    slug: str
    name: str
    time_zone: str
    currency: str
    created_at: datetime
    placement: str = "default"
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person's membership of one tenant.  The sign-in behind it is an account."""

    id: UUID
    account_id: UUID
    email: str
    name: str
    role: Role
    created_at: datetime
    active: bool = True
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """People who keep one side's promises, on one calendar."""

    id: UUID
    name: str
    side: Side
    created_at: datetime
    calendar_id: UUID | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamMember:
    """A user's place in a team.  `capacity` is how many undecided hand-offs he or she can hold."""

    id: UUID
    team_id: UUID
    user_id: UUID
    created_at: datetime
    available: bool = True
    capacity: int = 50
    last_routed_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A machine's key.  Only the digest of its secret is kept."""

    id: UUID
    name: str
    role: Role
    digest: str
    created_by: UUID | None
    created_at: datetime
    revoked_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A live board on a wall: read-only, without personal data, revocable."""

    id: UUID
    name: str
    digest: str
    created_by: UUID | None
    created_at: datetime
    sales_team_id: UUID | None = None
    revoked_at: datetime | None = None
    version: int = 1
