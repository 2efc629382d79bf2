"""Tenants to measure: small worlds made by the domain, then copied row by row in the database."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

from bench.place import Place
from domain.handoff_flow import accept_lead, hand_off
from domain.identity import ApiKey, Role
from domain.ids import new_id
from domain.lead_intake import log_activity
from domain.leads import ActivityKind
from domain.sla.agreement import Sla
from domain.sla.clocks import SlaClock
from domain.values import PeriodKind
from infra.database import Database
from infra.secrets import API_KEY, new_secret
from tests.agreements import a_sla, add_mql, sign
from tests.world import World, make_world

SECRET = "bench-bench-bench-bench-bench-bench-bench"  # noqa: S105  # of a database that is thrown away


@dataclass(frozen=True, slots=True)
class BenchTenant:
    """A tenant with its agreement, and the headers by which the owner's machine is let in."""

    world: World
    sla: Sla
    headers: Mapping[str, str]

    @property
    def id(self) -> UUID:
        return self.world.tenant.id


@asynccontextmanager
async def a_database(
    place: Place, *, clock: dict[str, datetime] | None = None
) -> AsyncIterator[Database]:
    """Open a database, under a clock of its own if one is given."""
    now = (lambda: clock["now"]) if clock else None
    database = await Database.connect(place.app, place.platform, size=8, clock=now)
    try:
        yield database
    finally:
        await database.close()


async def a_tenant(database: Database, clock: dict[str, datetime] | None = None) -> BenchTenant:
    """Store a tenant with a signed agreement of forty days, of which half have passed."""
    world = await make_world(database, clock or {"now": datetime.now(UTC)})
    today = world.now.date()
    period = (today - timedelta(days=20), today + timedelta(days=20))
    sla = await sign(world, sla=a_sla(world, period=period, period_kind=PeriodKind.CUSTOM))
    secret = new_secret(API_KEY)
    key = ApiKey(
        id=new_id(),
        name="bench",
        role=Role.OWNER,
        digest=secret.digest,
        created_by=world.owner.id,
        created_at=world.now,
    )
    async with database.work(world.tenant.id) as work:
        await work.add(key)
    headers = {"Authorization": f"Bearer {secret.text}", "Content-Type": "application/json"}
    return BenchTenant(world, sla, headers)


@dataclass(frozen=True, slots=True)
class HandedOff:
    """A hand-off to copy."""

    id: UUID
    lead_id: UUID
    clock_ids: list[UUID]


async def hand_off_one(
    database: Database, tenant: BenchTenant, *, accepted: bool = False
) -> HandedOff:
    """Hand one lead off to the representative, who may keep every promise about it at once."""
    world = tenant.world
    lead = await add_mql(world)
    async with database.work(tenant.id) as work:
        handoff = await hand_off(work, world.actor(), lead.id, owner_id=world.rep.id)
    if accepted:
        async with database.work(tenant.id) as work:
            rep = world.actor(world.rep)
            await log_activity(work, rep, lead.id, kind=ActivityKind.CALL, answered=True)
            await accept_lead(work, rep, lead.id)
    async with database.work(tenant.id) as work:
        clocks = await work.find(SlaClock, handoff_id=handoff.id)
    if any((clock.ended_at is not None) is not accepted for clock in clocks):
        raise RuntimeError(f"the clocks are not as they were meant to be: {clocks}")
    return HandedOff(handoff.id, lead.id, [clock.id for clock in clocks])


def environment(place: Place, tenant: BenchTenant, **more: str) -> dict[str, str]:
    """Return what a server is told."""
    return {
        "PATH": "",
        **({"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}),
        "DATABASE_URL": place.owner,
        "APP_DATABASE_URL": place.app,
        "PLATFORM_DATABASE_URL": place.platform,
        "SMARKETING_SECRET": SECRET,
        "BENCH_TENANT": str(tenant.id),
        "LOG_LEVEL": "warning",
        "LOG_FORMAT": "json",
        **more,
    }


def numbered(space: int, number: str = "i") -> str:
    """Return SQL for the id of a copy: copies of the same number belong together."""
    return f"encode(int8send({space}) || int8send({number}), 'hex')::uuid"


async def copies(
    connection: asyncpg.Connection,
    table: str,
    id: UUID,
    count: int,
    changes: Mapping[str, str],
    *,
    first: int = 1,
) -> None:
    """Copy a row, so that there is one for each `i` from `first` on; `changes` are SQL over `i`."""
    names = await connection.fetch(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_name = $1 AND table_schema = 'public' ORDER BY ordinal_position",
        table,
    )
    columns = [row[0] for row in names]
    values = [changes.get(name, f't."{name}"') for name in columns]
    into = ", ".join(f'"{name}"' for name in columns)
    statement = (
        f"INSERT INTO {table} ({into}) SELECT {', '.join(values)}"
        f" FROM {table} t, generate_series($2::bigint, $3::bigint) AS i WHERE t.id = $1"
    )
    await connection.execute(statement, id, first, first + count - 1, timeout=600)
