"""Who stands behind a token, an API key or a board's link, as of a second ago at most."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg

from domain.identity import (
    Actor,
    ApiKey,
    Board,
    Permission,
    Role,
    User,
    actor_of,
    actor_of_board,
    actor_of_key,
)
from infra.database import Database
from infra.secrets import API_KEY, BOARD_LINK, digest_of

LIFE_SECONDS = 1.0
_MOST_KEPT = 20_000
UNREACHABLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)

# Keys and links tell their tenant only through their digest, so the platform looks it up.
_LOOK_UP: Mapping[type, str] = {
    ApiKey: "SELECT tenant_id, id FROM api_keys WHERE digest = $1",
    Board: "SELECT tenant_id, id FROM boards WHERE digest = $1",
}
_ACTOR: Mapping[type, Callable[[Any, UUID], Actor | None]] = {
    User: actor_of,
    ApiKey: actor_of_key,
    Board: actor_of_board,
}


@dataclass(frozen=True, slots=True)
class Bearer:
    """The user, key or board of a tenant that credentials name."""

    tenant_id: UUID
    kind: type
    id: UUID

    @classmethod
    def user(cls, tenant_id: UUID, user_id: UUID) -> Bearer:
        return cls(tenant_id, User, user_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a bearer may do, when we last looked."""

    actor: Actor
    account_id: UUID | None
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

    async def of_api_key(self, text: str) -> Bearer | None:
        """Return the key behind a secret, revoked or not; None if there is none."""
        return await self._behind(ApiKey, digest_of(text, prefix=API_KEY))

    async def of_board(self, text: str) -> Bearer | None:
        """Return the board behind a link's token, revoked or not; None if there is none."""
        return await self._behind(Board, digest_of(text, prefix=BOARD_LINK))

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
            found = self._places[kind, digest] = Bearer(row["tenant_id"], kind, row["id"])
        return found

    async def _read(self, bearer: Bearer) -> Standings:
        """Read a bearer together with all others of its tenant that are asked for now."""
        tenant_id = bearer.tenant_id
        if tenant_id not in self._waiting:
            bearers: set[Bearer] = set()
            task = asyncio.create_task(self._read_all(tenant_id, bearers), name="bearers")
            self._waiting[tenant_id] = bearers, task
        bearers, task = self._waiting[tenant_id]
        bearers.add(bearer)
        # Shielded, because a request that is cancelled must not take the others' answer along.
        return await asyncio.shield(task)

    async def _read_all(self, tenant_id: UUID, bearers: set[Bearer]) -> Standings:
        await asyncio.sleep(0)
        del self._waiting[tenant_id]
        read_at, found = monotonic(), dict[Bearer, Standing]()
        async with self._database.work(tenant_id, read_only=True) as work:
            for kind in {bearer.kind for bearer in bearers}:
                wanted = [bearer.id for bearer in bearers if bearer.kind is kind]
                entities: Sequence[Any] = await work.find(kind, id=wanted)
                found.update(_standings(tenant_id, entities, read_at))
        self._keep(tenant_id, found)
        return found

    def _keep(self, tenant_id: UUID, found: Standings) -> None:
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        kept = self._kept.setdefault(tenant_id, {})
        if len(kept) >= _MOST_KEPT:
            kept.clear()
        kept.update(found)


def _standings(
    tenant_id: UUID, entities: Sequence[Any], read_at: float
) -> Iterator[tuple[Bearer, Standing]]:
    for entity in entities:
        kind = type(entity)
        actor = _ACTOR[kind](entity, tenant_id)
        if actor is not None:
            account_id = entity.account_id if kind is User else None
            yield (
                Bearer(tenant_id, kind, entity.id),
                Standing(actor=actor, account_id=account_id, read_at=read_at),
            )
