"""Writing as somebody, and reading what the log says of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from domain.audit import AuditEntry, Cause
from domain.identity import Team
from infra.database import PostgresWork
from tests.world import World

PLACE = Cause.over(request_id="r1", ip_address="192.0.2.7", user_agent="curl/8")


def writing(
    world: World, *, action: str = "teamUpdate", **changes: Any
) -> AbstractAsyncContextManager[PostgresWork]:
    """Open a transaction of the owner, as a request does."""
    actor = world.actor()
    cause = replace(PLACE.doing(action).by(actor), **changes)
    return world.database.work(world.tenant.id, by=actor.user_id, cause=cause)


async def rename(world: World, team: Team, name: str, **changes: Any) -> None:
    """Give a team another name, whatever it is called now."""
    async with writing(world, **changes) as work:
        found = await work.get(Team, team.id, lock=True)
        await work.save(replace(found, name=name))


async def rename_often(world: World, times: int) -> None:
    """Fill the log, by one transaction after the other."""
    for number in range(times):
        await rename(world, world.sales, f"Sales {number}")


async def entries(world: World, *, action: str | None = None) -> Sequence[AuditEntry]:
    """Return what the log says, in its order; without what founding the world said."""
    async with world.database.work(world.tenant.id, read_only=True) as work:
        found = sorted(await work.find(AuditEntry), key=lambda entry: entry.number)
    wanted = [e for e in found if e.action != "system" or action == "system"]
    return [e for e in wanted if action is None or e.action == action]


async def changes(world: World, *, action: str | None = None) -> list[Any]:
    """Return effect, subject and differences of each entry."""
    return [
        (
            entry.effect.value,
            entry.subject_kind,
            {each.field: (each.before, each.after) for each in entry.changes},
        )
        for entry in await entries(world, action=action)
    ]


async def together(*tasks: Any) -> None:
    """Run all at once, to the end."""
    await asyncio.gather(*tasks)
