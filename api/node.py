"""Anything by its id, as the Relay server specification has it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import strawberry

from api.context import Info
from api.errors import query
from api.views import VIEWS, Node
from domain import ids
from domain.attribution.performance import EvidenceRow, Figures
from domain.audit import AuditEntry
from domain.errors import Invalid
from domain.identity import ApiKey, Board, Invitation, Permission, Session
from domain.leaks import Leak
from domain.personas import Photo
from domain.uploads import ImportJob, ImportRowError, Upload

MOST_NODES = 100

# What is reached in another way: photos by signed addresses, uploads while they are under way, and
# what is stored nowhere (leaks, figures and the rows behind them) by its list.
_EXCLUDED = frozenset({EvidenceRow, Figures, Leak, Photo, Upload})

# What needs more than VIEW, here as in its own list.
_NEEDS: Mapping[type, Permission] = {
    ApiKey: Permission.MANAGE_KEYS,
    Board: Permission.MANAGE_BOARDS,
    AuditEntry: Permission.VIEW_AUDIT_LOG,
    Invitation: Permission.MANAGE_USERS,
    ImportJob: Permission.IMPORT_LEADS,
    ImportRowError: Permission.IMPORT_LEADS,
}


class TooManyIds(Invalid):
    """More ids than one request may ask for."""

    code = "BAD_USER_INPUT"

    def __init__(self) -> None:
        super().__init__(f"Ask for at most {MOST_NODES} nodes at once.", path=("ids",))


@strawberry.type
class Queries:
    @query(
        "Anything by its id; null if there is no such thing, or you may not see it.",
        shows=Node | None,
    )
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> Any:
        return await load_node(info, *ids.parse(id))

    @query(
        "Things by their ids, in the same order; null where there is no such thing.",
        shows=list[Node | None],
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[
            list[strawberry.ID], strawberry.argument(description="Their ids, at most 100.")
        ],
    ) -> Any:
        return await _load_all(info, ids)


async def _load_all(info: Info, texts: list[strawberry.ID]) -> Any:
    if len(texts) > MOST_NODES:
        raise TooManyIds
    # All are parsed before any is loaded, so that a bad one is refused and not half answered.
    wanted = [ids.parse(text) for text in texts]
    return await asyncio.gather(*(load_node(info, kind, key) for kind, key in wanted))


async def load_node(info: Info, kind: str, key: UUID) -> Any:
    entity = _nodes().get(kind)
    if entity is None or _NEEDS.get(entity, Permission.VIEW) not in info.context.actor.permissions:
        return None
    found = await info.context.load(entity, key)
    # Where and with what somebody signs in is nobody else's business.
    foreign = isinstance(found, Session) and found.user_id != info.context.actor.user_id
    return None if foreign else found


async def node_of(info: Info, kind: str, key: UUID | None) -> Any:
    """Return the thing that a field points at, if it does."""
    return None if key is None else await load_node(info, kind, key)


def _nodes() -> Mapping[str, type]:
    """Return the entities that have a view and an id of their own, by their kind."""
    return {
        entity.__name__: entity
        for entity in VIEWS
        if entity.__name__ in ids.PREFIXES and entity not in _EXCLUDED
    }
