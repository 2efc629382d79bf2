"""Keys of machines and links to wall boards: secrets shown once, revocable, never for people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.errors import DomainError, Invalid, NotFound
from domain.events import ApiKeyCreated, ApiKeyRevoked, ApiKeyRotated, BoardCreated, BoardRevoked
from domain.identity.policy import (
    BOARD_PERMISSIONS,
    ROLE_PERMISSIONS,
    Actor,
    Permission,
    Role,
)
from domain.identity.teams import Team
from domain.ids import new_id
from domain.ports import Work
from domain.stages import Side
from domain.values import require_text

# How long the secret before a rotation may go on working: long enough to reach every machine.
OVERLAP, LONGEST_OVERLAP = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A machine's key.  Only the digest of its secret is kept.

    After a rotation the secret before works too, for a while.
    """

    id: UUID
    name: str
    role: Role
    digest: str
    created_by: UUID | None
    created_at: datetime
    revoked_at: datetime | None = None
    rotated_at: datetime | None = None
    previous_digest: str | None = None
    previous_expires_at: datetime | None = None
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


class KeyRevoked(DomainError):
    """A key that was ended for good."""

    code = "KEY_REVOKED"

    def __init__(self, key: ApiKey) -> None:
        super().__init__(f"The key {key.name} is revoked; make another.", path=("apiKey",))


def honours(key: ApiKey, digest: str, *, at: datetime) -> bool:
    """Say whether a secret opens the key: its own, and for a while the one before."""
    if digest == key.digest:
        return True
    expires_at = key.previous_expires_at
    return digest == key.previous_digest and expires_at is not None and at < expires_at


def actor_of_key(key: ApiKey, tenant_id: UUID) -> Actor | None:
    """Return a machine as the one who asks; nobody, once its key is revoked."""
    if key.revoked_at is not None:
        return None
    return Actor(
        tenant_id=tenant_id,
        user_id=None,
        permissions=ROLE_PERMISSIONS[key.role],
        name=key.name,
        role=key.role,
        api_key_id=key.id,
    )


def actor_of_board(board: Board, tenant_id: UUID) -> Actor | None:
    """Return a board as the one who asks; nobody, once its link is revoked."""
    if board.revoked_at is not None:
        return None
    return Actor(
        tenant_id=tenant_id,
        user_id=None,
        permissions=BOARD_PERMISSIONS,
        name=board.name,
        board_id=board.id,
    )


async def create_api_key(work: Work, actor: Actor, *, name: str, role: Role, digest: str) -> ApiKey:
    """Keep the digest of a new key.

    A person must ask, or a leaked key could make another that outlives its own revocation.  And
    no machine is an owner, because owners decide who the owners are.
    """
    actor.require(Permission.MANAGE_KEYS)
    created_by = actor.require_user()
    if role is Role.OWNER:
        raise Invalid("A key can be at most an ADMIN; owners are people.", path=("role",))
    key = ApiKey(
        id=new_id(),
        name=require_text(name, name="The name", path=("name",)),
        role=role,
        digest=digest,
        created_by=created_by,
        created_at=work.now,
    )
    await work.add(key)
    work.record(ApiKeyCreated(api_key_id=key.id, at=work.now))
    return key


async def rotate_api_key(
    work: Work, actor: Actor, key_id: UUID, *, digest: str, overlap: timedelta
) -> ApiKey:
    """Give a key another secret; the one until now works on for the overlap, any older one ends.

    A person must ask, for the reason that one must to make a key.
    """
    actor.require(Permission.MANAGE_KEYS)
    actor.require_user()
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Invalid("The overlap must be from nothing to seven days.", path=("overlap",))
    key = await work.get(ApiKey, key_id, lock=True)
    if key.revoked_at is not None:
        raise KeyRevoked(key)
    rotated = await work.save(
        replace(
            key,
            digest=digest,
            rotated_at=work.now,
            previous_digest=key.digest,
            previous_expires_at=work.now + overlap,
        )
    )
    work.record(ApiKeyRotated(api_key_id=key.id, at=work.now))
    return rotated


async def revoke_api_key(work: Work, actor: Actor, key_id: UUID) -> ApiKey:
    """End a key for good.  To revoke it again changes nothing."""
    actor.require(Permission.MANAGE_KEYS)
    key = await work.get(ApiKey, key_id, lock=True)
    if key.revoked_at is not None:
        return key
    revoked = await work.save(replace(key, revoked_at=work.now))
    work.record(ApiKeyRevoked(api_key_id=key.id, at=work.now))
    return revoked


async def create_board(
    work: Work, actor: Actor, *, name: str, digest: str, sales_team_id: UUID | None = None
) -> Board:
    """Keep the digest of a new board's link, for all sales teams or for one."""
    actor.require(Permission.MANAGE_BOARDS)
    board = Board(
        id=new_id(),
        name=require_text(name, name="The name", path=("name",)),
        digest=digest,
        created_by=actor.user_id,
        created_at=work.now,
        sales_team_id=await _sales_team(work, sales_team_id),
    )
    await work.add(board)
    work.record(BoardCreated(board_id=board.id, at=work.now))
    return board


async def revoke_board(work: Work, actor: Actor, board_id: UUID) -> Board:
    """End a board's link for good.  To revoke it again changes nothing."""
    actor.require(Permission.MANAGE_BOARDS)
    board = await work.get(Board, board_id, lock=True)
    if board.revoked_at is not None:
        return board
    revoked = await work.save(replace(board, revoked_at=work.now))
    work.record(BoardRevoked(board_id=board.id, at=work.now))
    return revoked


async def _sales_team(work: Work, team_id: UUID | None) -> UUID | None:
    if team_id is None:
        return None
    try:
        team = await work.get(Team, team_id)
    except NotFound as error:
        raise NotFound("team", path=("salesTeam",)) from error
    if team.side is not Side.SALES:
        raise Invalid(f"{team.name} is not a sales team.", path=("salesTeam",))
    return team.id
