"""Work that waits in several tenants: a batch of each in turn, and one's trouble is no other's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias
from uuid import UUID

import structlog

from infra.database import Unavailable

log = structlog.get_logger(__name__)

# Does the next of a tenant's work, and says whether there may be more.
Turn: TypeAlias = Callable[[UUID], Awaitable[bool]]


async def in_turn(tenants: Iterable[UUID], turn: Turn, *, work: str) -> None:
    """Give each tenant its turn until none has more to do, so that none waits long for another."""
    waiting = list(tenants)
    while waiting:
        waiting = [each for each in waiting if await tried(turn, each, work=work)]


async def tried(turn: Turn, tenant_id: UUID, *, work: str) -> bool:
    """Give a tenant its turn; whatever is wrong with it, the others get theirs.

    Raises:
        Unavailable: if the database is; that is wrong with nobody in particular.
    """
    try:
        return await turn(tenant_id)
    except Unavailable:
        raise
    except Exception as error:  # one bad tenant must not stop all others
        log.exception(
            "turn.failed", work=work, tenant_id=str(tenant_id), error=type(error).__name__
        )
        return False
