"""Who stands behind a token, a key or a board's link, as of a second ago at most."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic
from typing import Any, TypeAlias
from uuid import UUID

from domain.identity import (
    Actor,
    ApiKey,
    Board,
    Permission,
    Role,
    Session,
    User,
    actor_of,
    actor_of_board,
    actor_of_key,
    honours,
)
from domain.ports import Work
from domain.tracking import TrackingSite, actor_of_site
from infra.database import Database
from infra.secrets import API_KEY, BOARD_LINK, SITE_KEY, digest_of

LIFE_SECONDS = 1.0
_MOST_KEPT = 20_000

# Keys and links tell their tenant only through their digest, so the platform looks it up.
_LOOK_UP: Mapping[type, str] = {
    ApiKey: (
        "SELECT tenant_id, id FROM api_keys WHERE digest = $1"
        " UNION ALL SELECT tenant_id, id FROM api_keys WHERE previous_digest = $1"
    ),
    Board: "SELECT tenant_id, id FROM boards WHERE digest = $1",
    # A site's key is public, and is what it is looked up by.
    TrackingSite: "SELECT tenant_id, id FROM tracking_sites WHERE key = $1",
}


@dataclass(frozen=True, slots=True)
class Bearer:
    """The user, key or board of a tenant that credentials name, and by which of its credentials.

    That is a user's session, or the digest of a secret: a key has two for a while.
    """

    tenant_id: UUID
    kind: type
    id: UUID
    by: UUID | str

    @classmethod
    def user(cls, tenant_id: UUID, user_id: UUID, session_id: UUID) -> Bearer:
        return cls(tenant_id, User, user_id, session_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a bearer may do, when we last looked."""

    actor: Actor
    account_id: UUID | None = None
    expires_at: datetime | None = None
    """When these credentials end, if it is known already."""
    origins: frozenset[str] = frozenset()
    """Of which origins the pages may use these credentials; a site's alone are used by pages."""
    read_at: float

    @property
    def grants(self) -> tuple[Role | None, frozenset[Permission]]:
        """Return what open sessions were let in for."""
        return self.actor.role, self.actor.permissions


Standings: TypeAlias = Mapping[Bearer, Standing]


class Bearers:
    """Reads bearers, all that are asked for in one turn of the loop at once, and keeps them."""

    def __init__(self, database: Database, *, life_seconds: float = LIFE_SECONDS) -> None:
        self._database = database
        self._life = life_seconds
        self._kept: dict[UUID, dict[Bearer, Standing]] = {}
        # What each tenant is about to be asked, and the task that will.
        self._waiting: dict[UUID, tuple[set[Bearer], asyncio.Task[Standings]]] = {}
        self._places: dict[tuple[type, str], Bearer] = {}
        # Whoever signs out here is signed out here by the time that he is told so.
        database.on_commit.add(lambda tenant_id: self.forget((tenant_id,)))

    async def of_api_key(self, text: str) -> Bearer | None:
        """Return the key behind a secret, revoked or not; None if there is none."""
        return await self._behind(ApiKey, digest_of(text, prefix=API_KEY))

    async def of_board(self, text: str) -> Bearer | None:
        """Return the board behind a link's token, revoked or not; None if there is none."""
        return await self._behind(Board, digest_of(text, prefix=BOARD_LINK))

    async def of_site(self, text: str) -> Bearer | None:
        """Return the web site behind a public key, revoked or not; None if there is none."""
        known = digest_of(text, prefix=SITE_KEY) is not None
        return await self._behind(TrackingSite, text if known else None)

    async def standing(self, bearer: Bearer, *, since: float | None = None) -> Standing | None:
        """Return what a bearer may do now; None if it may do nothing any more.

        `since` asks for what was read at or after that moment of the monotonic clock.
        """
        kept = self._kept.get(bearer.tenant_id, {}).get(bearer)
        oldest = monotonic() - self._life if since is None else since
        if kept is not None and kept.read_at >= oldest:
            return kept
        return (await self._read(bearer)).get(bearer)

    def forget(self, tenants: Collection[UUID] | None, /) -> None:
        """Drop what is known of some tenants, or, with None, of all: something happened there."""
        if tenants is None:
            self._kept.clear()
        for tenant_id in tenants or ():
            self._kept.pop(tenant_id, None)

    async def _behind(self, kind: type, digest: str | None) -> Bearer | None:
        if digest is None:
            return None
        found = self._places.get((kind, digest))
        if found is None:
            row = await self._database.platform.fetchrow(_LOOK_UP[kind], digest)
            if row is None:
                return None
            if len(self._places) >= _MOST_KEPT:
                self._places.clear()
            # A digest never changes its key, so this is never out of date.
            place = Bearer(row["tenant_id"], kind, row["id"], digest)
            found = self._places[kind, digest] = place
        return found

    async def _read(self, bearer: Bearer) -> Standings:
        """Read a bearer together with all others of its tenant that are asked for now."""
        tenant_id = bearer.tenant_id
        if tenant_id not in self._waiting:
            bearers: set[Bearer] = set()
            task = asyncio.create_task(self._read_all(tenant_id, bearers), name="bearers")
            # Should all who ask have gone by then, nobody minds that it failed.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._waiting[tenant_id] = bearers, task
        bearers, task = self._waiting[tenant_id]
        bearers.add(bearer)
        # Shielded, because a request that is cancelled must not take the others' answer along.
        return await asyncio.shield(task)

    async def _read_all(self, tenant_id: UUID, bearers: set[Bearer]) -> Standings:
        await asyncio.sleep(0)
        del self._waiting[tenant_id]
        # What is forgotten meanwhile is kept by nobody: it may have been read before it changed.
        kept = self._place(tenant_id)
        read_at, found = monotonic(), dict[Bearer, Standing]()
        async with self._database.work(tenant_id, read_only=True) as work:
            look = _Look(work.now, read_at, await _known(work, bearers))
        for bearer in bearers:
            if (standing := look.at(bearer)) is not None:
                found[bearer] = standing
        kept.update(found)
        return found

    def _place(self, tenant_id: UUID) -> dict[Bearer, Standing]:
        """Return where to keep what is read of a tenant, until the tenant is forgotten."""
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        kept = self._kept.setdefault(tenant_id, {})
        if len(kept) >= _MOST_KEPT:
            kept.clear()
        return kept


async def _known(work: Work, bearers: Collection[Bearer]) -> Mapping[tuple[type, UUID], Any]:
    """Return what bearers name, with one statement for each kind."""
    wanted: dict[type, set[UUID]] = {}
    for bearer in bearers:
        wanted.setdefault(bearer.kind, set()).add(bearer.id)
        if isinstance(bearer.by, UUID):
            wanted.setdefault(Session, set()).add(bearer.by)
    known: dict[tuple[type, UUID], Any] = {}
    for kind, ids in wanted.items():
        entities: Sequence[Any] = await work.find(kind, id=tuple(ids))
        known |= {(kind, entity.id): entity for entity in entities}
    return known


@dataclass(frozen=True, slots=True)
class _Look:
    """What was read of some bearers, and when."""

    now: datetime
    read_at: float
    known: Mapping[tuple[type, UUID], Any]

    def at(self, bearer: Bearer) -> Standing | None:
        """Return what a bearer may do; None if it, or what it came by, is no more."""
        entity = self.known.get((bearer.kind, bearer.id))
        if isinstance(entity, User):
            return self._user(bearer, entity)
        if isinstance(entity, ApiKey):
            return self._key(bearer, entity)
        if isinstance(entity, Board):
            return self._standing(actor_of_board(entity, bearer.tenant_id))
        if isinstance(entity, TrackingSite):
            actor = actor_of_site(entity, bearer.tenant_id)
            return self._standing(actor, origins=frozenset(entity.origins))
        return None

    def _user(self, bearer: Bearer, user: User) -> Standing | None:
        session = isinstance(bearer.by, UUID) and self.known.get((Session, bearer.by))
        if not session or session.user_id != user.id or not session.is_open(self.now):
            return None
        actor = actor_of(user, bearer.tenant_id)
        signed_in = actor and replace(actor, session_id=session.id)
        return self._standing(signed_in, account_id=user.account_id)

    def _key(self, bearer: Bearer, key: ApiKey) -> Standing | None:
        if not honours(key, str(bearer.by), at=self.now):
            return None
        ends_at = None if bearer.by == key.digest else key.previous_expires_at
        return self._standing(actor_of_key(key, bearer.tenant_id), expires_at=ends_at)

    def _standing(self, actor: Actor | None, **more: Any) -> Standing | None:
        return None if actor is None else Standing(actor=actor, read_at=self.read_at, **more)
