"""The policy: what may be done, the roles, and who asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.errors import PermissionDenied


class Permission(StrEnum):
    """One thing that somebody may or may not do."""

    VIEW = "VIEW"
    VIEW_BOARD = "VIEW_BOARD"
    EDIT_LEADS = "EDIT_LEADS"
    HAND_OFF_LEADS = "HAND_OFF_LEADS"
    ACCEPT_LEADS = "ACCEPT_LEADS"
    EDIT_OPPORTUNITIES = "EDIT_OPPORTUNITIES"
    EDIT_CUSTOMERS = "EDIT_CUSTOMERS"
    REASSIGN_LEADS = "REASSIGN_LEADS"
    DISCUSS = "DISCUSS"
    WAIVE_CLOCKS = "WAIVE_CLOCKS"
    DEFINE_STAGES = "DEFINE_STAGES"
    EDIT_SCORING = "EDIT_SCORING"
    EDIT_PERSONAS = "EDIT_PERSONAS"
    EDIT_CONTENT = "EDIT_CONTENT"
    ACKNOWLEDGE_PERSONAS = "ACKNOWLEDGE_PERSONAS"
    SIGN_AGREEMENTS = "SIGN_AGREEMENTS"
    SET_GOALS = "SET_GOALS"
    MANAGE_PIPELINE = "MANAGE_PIPELINE"
    SET_EXCHANGE_RATES = "SET_EXCHANGE_RATES"
    EDIT_CAMPAIGNS = "EDIT_CAMPAIGNS"
    DEFINE_ATTRIBUTION = "DEFINE_ATTRIBUTION"
    EDIT_CALENDARS = "EDIT_CALENDARS"
    IMPORT_LEADS = "IMPORT_LEADS"
    MERGE_LEADS = "MERGE_LEADS"
    MANAGE_TENANT = "MANAGE_TENANT"
    MANAGE_TEAMS = "MANAGE_TEAMS"
    MANAGE_USERS = "MANAGE_USERS"
    MANAGE_KEYS = "MANAGE_KEYS"
    MANAGE_BOARDS = "MANAGE_BOARDS"
    MANAGE_SITES = "MANAGE_SITES"
    SEND_BEACONS = "SEND_BEACONS"
    VIEW_AUDIT_LOG = "VIEW_AUDIT_LOG"


class Role(StrEnum):
    """A user's part in the tenant."""

    OWNER = "OWNER"
    ADMIN = "ADMIN"
    MANAGER = "MANAGER"
    MEMBER = "MEMBER"
    ANALYST = "ANALYST"


P = Permission

_ANALYST = frozenset({P.VIEW, P.VIEW_BOARD, P.ACKNOWLEDGE_PERSONAS})
_MEMBER = _ANALYST | {
    P.EDIT_LEADS,
    P.HAND_OFF_LEADS,
    P.ACCEPT_LEADS,
    P.DISCUSS,
    P.EDIT_CAMPAIGNS,
    P.EDIT_CONTENT,
    P.SEND_BEACONS,
    P.EDIT_OPPORTUNITIES,
    P.EDIT_CUSTOMERS,
}
_MANAGER = _MEMBER | {
    P.REASSIGN_LEADS,
    P.WAIVE_CLOCKS,
    P.DEFINE_STAGES,
    P.EDIT_SCORING,
    P.EDIT_PERSONAS,
    P.SIGN_AGREEMENTS,
    P.SET_GOALS,
    P.MANAGE_PIPELINE,
    P.SET_EXCHANGE_RATES,
    P.DEFINE_ATTRIBUTION,
    P.IMPORT_LEADS,
    P.MERGE_LEADS,
    P.MANAGE_BOARDS,
    P.MANAGE_SITES,
}
_ADMIN = _MANAGER | {
    P.EDIT_CALENDARS,
    P.MANAGE_TENANT,
    P.MANAGE_TEAMS,
    P.MANAGE_USERS,
    P.MANAGE_KEYS,
    P.VIEW_AUDIT_LOG,
}

# The policy.  An owner differs from an admin in that nobody but an owner makes or unmakes owners
# (see `people.check_role_change`), and that the last one cannot go.
ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.OWNER: _ADMIN,
    Role.ADMIN: _ADMIN,
    Role.MANAGER: _MANAGER,
    Role.MEMBER: _MEMBER,
    Role.ANALYST: _ANALYST,
}

# Whoever can read a board's address can read the board, and nothing else.
BOARD_PERMISSIONS = frozenset({P.VIEW_BOARD})

# Whoever reads a web page finds the key of its site: it can only say what a visitor does there.
SITE_PERMISSIONS = frozenset({P.SEND_BEACONS})


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
    session_id: UUID | None = None

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
