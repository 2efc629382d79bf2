"""Work that waits in several tenants: in rounds, in which one's trouble is no other's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias
from uuid import UUID

import structlog

from infra.database import Unavailable

log = structlog.get_logger(__name__)

# Does the next of a tenant's work, and says whether there may be more.
Step: TypeAlias = Callable[[UUID], Awaitable[bool]]


async def in_rounds(tenants: Iterable[UUID], step: Step, *, work: str) -> None:
    """Do a step of each tenant's work, and again until none has more, so that none waits long."""
    waiting = list(tenants)
    while waiting:
        waiting = [each for each in waiting if await tried(step, each, work=work)]


async def tried(step: Step, tenant_id: UUID, *, work: str) -> bool:
    """Do a step of a tenant's work; whatever is wrong with it, the others' is done.

    Raises:
        Unavailable: if the database is; that is wrong with nobody in particular.
    """
    try:
        return await step(tenant_id)
    except Unavailable:
        raise
    except Exception as error:  # one bad tenant must not stop all others
        log.exception(
            "step.failed", work=work, tenant_id=str(tenant_id), error=type(error).__name__
        )
        return False
