"""`status`: how an agreement stands, with few and with many leads in the tenant."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import orjson

from bench.load import CONNECTIONS, Failed, a_server, answer, requests
from bench.measuring import Cost, Meter, comparison, median
from bench.place import Place, a_place, seeding
from bench.report import Section
from bench.tenants import (
    BenchTenant,
    a_database,
    a_tenant,
    copies,
    environment,
    hand_off_one,
    numbered,
)
from domain.ids import public
from infra.database import Database

DOCUMENT = """
query Status($sla: ID!) { slaStatus(sla: $sla) {
  asOf status workingDays workingDaysElapsed alignmentIndex
  sides { side status }
  commitments { status target attained expected gap projected probability open dueSoon breached
    metShare handedOff accepted explain { formula inputs { name value } } }
} }
"""
FEW, MANY = 10_000, 1_000_000
OPEN_HANDOFFS = 40
# One lead in ten was handed off in the period of the agreement, and answered in time.
HANDED_OFF = 10


async def run(*, few: int = FEW, many: int = MANY, rounds: int = 7, seconds: int = 2) -> Section:
    """Read the status of two agreements of two tenants in one database, taking turns."""
    sizes = {f"{leads:,} leads": leads for leads in (few, many)}
    async with a_place("status") as place, a_database(place) as database:
        tenants = {}
        for number, (name, leads) in enumerate(sizes.items()):
            tenants[name] = await a_tenant(database)
            await _seed(place, database, tenants[name], leads, space=10 * number)
        costs = await _rounds(place, tenants, rounds, seconds)
    first, last = (median(c.server_ms + c.postgres_ms for c in costs[name]) for name in sizes)
    return Section(
        "status",
        "How an agreement stands, by the number of leads",
        f"`slaStatus` of an agreement of five commitments over HTTP on {CONNECTIONS} connections;"
        f" median of {rounds} interleaved rounds of {seconds} s.  One lead in {HANDED_OFF} was"
        f" handed off and answered in the period, with three clocks each; {OPEN_HANDOFFS} hand-offs"
        f" are open in both tenants.  With a hundred times the leads a read takes"
        f" **{last / first:.2f} ×** the time (at most 1.3 × is allowed).",
        comparison(costs, next(iter(sizes))),
    )


async def _rounds(
    place: Place, tenants: dict[str, BenchTenant], rounds: int, seconds: int
) -> dict[str, list[Cost]]:
    costs: dict[str, list[Cost]] = {name: [] for name in tenants}
    somebody = next(iter(tenants.values()))
    with a_server("api.app:from_environment", environment(place, somebody)) as (port, process):
        bodies = {name: _body(tenant) for name, tenant in tenants.items()}
        for name, tenant in tenants.items():
            given = await answer(port, bodies[name], tenant.headers)
            if "errors" in given or given["data"]["slaStatus"]["commitments"][0]["handedOff"] < 2:
                raise Failed(str(given))
            await requests(port, bodies[name], tenant.headers, seconds=1)
        for _ in range(rounds):
            for name, tenant in tenants.items():
                meter = Meter(process, place.postgres)
                done = await requests(port, bodies[name], tenant.headers, seconds=seconds)
                costs[name].append(meter.cost(done))
    return costs


def _body(tenant: BenchTenant) -> bytes:
    return orjson.dumps({"query": DOCUMENT, "variables": {"sla": public("Sla", tenant.sla.id)}})


async def _seed(
    place: Place, database: Database, tenant: BenchTenant, leads: int, *, space: int
) -> None:
    handed_off = leads // HANDED_OFF
    one = await hand_off_one(database, tenant, accepted=True)
    waiting = await hand_off_one(database, tenant)
    async with seeding(place) as connection:
        lead, handoff = numbered(space + 1), numbered(space + 2)
        await copies(
            connection,
            "leads",
            one.lead_id,
            leads,
            {"id": lead, "email": f"'lead{space}.' || i || '@bench.example'"},
        )
        earlier = "- (i % 15) * interval '1 day'"
        linked = {"lead_id": lead, "id": handoff}
        past = {"handed_off_at": f"t.handed_off_at {earlier}"}
        await copies(connection, "handoffs", one.id, handed_off, {**linked, **past})
        for place_of_clock, clock_id in enumerate(one.clock_ids):
            await copies(
                connection,
                "sla_clocks",
                clock_id,
                handed_off,
                {
                    "id": numbered(space + 4 + place_of_clock),
                    "lead_id": lead,
                    "handoff_id": handoff,
                    "started_at": f"t.started_at {earlier}",
                    "due_at": f"t.due_at {earlier}",
                    "ended_at": f"t.ended_at {earlier}",
                },
            )
        await _open_ones(connection, waiting.id, waiting.clock_ids, space, first=handed_off + 1)
        await _recount(connection, tenant.id)


async def _open_ones(
    connection: asyncpg.Connection, handoff_id: UUID, clock_ids: list[UUID], space: int, first: int
) -> None:
    linked = {"lead_id": numbered(space + 1), "id": numbered(space + 3)}
    await copies(connection, "handoffs", handoff_id, OPEN_HANDOFFS, linked, first=first)
    for place_of_clock, clock_id in enumerate(clock_ids):
        changes = {
            "id": numbered(space + 4 + place_of_clock),
            "lead_id": numbered(space + 1),
            "handoff_id": numbered(space + 3),
        }
        await copies(connection, "sla_clocks", clock_id, OPEN_HANDOFFS, changes, first=first)


async def _recount(connection: asyncpg.Connection, tenant_id: UUID) -> None:
    """Make the tallies say what the copies add up to."""
    await connection.execute(
        """
        DELETE FROM sla_tallies WHERE tenant_id = $1
        """,
        tenant_id,
    )
    await connection.execute(_TALLIES, tenant_id, timeout=300)


_TALLIES = """
INSERT INTO sla_tallies (tenant_id, commitment_id, "on", delivered, clawed_back, handed_off,
                         accepted, rejected, opened, met, met_late, breached, excused)
SELECT $1, c.id, (h.handed_off_at AT TIME ZONE 'UTC')::date,
       CASE c.kind WHEN 'DELIVERY' THEN count(*) ELSE 0 END, 0,
       CASE c.kind WHEN 'DELIVERY' THEN count(*) ELSE 0 END,
       CASE c.kind WHEN 'DELIVERY' THEN count(*) FILTER (WHERE h.status = 'ACCEPTED') ELSE 0 END,
       0,
       CASE c.kind WHEN 'DELIVERY' THEN 0 ELSE count(*) END,
       CASE c.kind WHEN 'DELIVERY' THEN 0
            ELSE count(*) FILTER (WHERE h.status = 'ACCEPTED') END, 0, 0, 0
FROM handoffs h JOIN commitments c ON c.tenant_id = h.tenant_id AND c.sla_id = h.sla_id
WHERE h.tenant_id = $1 GROUP BY c.id, c.kind, 3
"""
