"""`attribution`: one more touch of a lead with a deal, with few and with many touches around."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from uuid import UUID

import asyncpg
import psutil

from bench.measuring import cpu_of, median, table
from bench.place import Place, a_place, seeding
from bench.report import Section
from bench.tenants import BenchTenant, a_database, a_tenant, copies, numbered
from domain.attribution import BUILT_IN_MODELS, reattribute
from domain.touch_intake import TouchDetails, record_touch
from domain.touches import TouchKind
from infra.database import Database
from tests.journeys import DAY, a_campaign, a_deal, a_lead, a_stage, a_touch

FEW, MANY = 10_000, 1_000_000
# Every lead has so many touches, and one in so many has a deal.
TOUCHES, DEALS = 10, 5
ALLOWED = 1.3
_LEAST = 0.01
# Where the ids of each tenant's copies begin; leads with a deal have a number that DEALS divides.
_SPACES = (1, 11)


@dataclass(frozen=True, slots=True)
class _Turn:
    """What one round took, each touch: milliseconds of the clock and of processors."""

    wall: float
    python: float
    postgres: float

    @property
    def cpu(self) -> float:
        return self.python + self.postgres


async def run(
    *, few: int = FEW, many: int = MANY, rounds: int = 9, touches_a_round: int = 20
) -> Section:
    """Attribute new touches of leads of two tenants in one database, taking turns."""
    sizes = {f"{touches:,} touches": touches for touches in (few, many)}
    async with a_place("attribution") as place, a_database(place) as database:
        tenants = {}
        for (name, touches), space in zip(sizes.items(), _SPACES, strict=True):
            tenants[name] = await a_tenant(database)
            await _seed(place, database, tenants[name], touches, space=space)
        turns: dict[str, list[_Turn]] = {name: [] for name in sizes}
        for number in range(rounds + 1):
            for name, space in zip(tenants, _SPACES, strict=True):
                deals = range(1, sizes[name] // TOUCHES // DEALS + 1)
                # Far apart, and each once: in no round has a lead more touches than in another.
                chosen = deals[:: len(deals) // (touches_a_round * (rounds + 1))]
                first = number * touches_a_round
                leads = [
                    _copy_of(space, deal * DEALS)
                    for deal in chosen[first : first + touches_a_round]
                ]
                turn = await _turn(place, database, tenants[name], leads)
                if number:  # the first one warms up
                    turns[name].append(turn)
    return _section(sizes, turns, rounds, touches_a_round)


def _section(
    sizes: dict[str, int], turns: dict[str, list[_Turn]], rounds: int, touches_a_round: int
) -> Section:
    # Of few touches less may be used than the system counts.
    first, last = (max(_LEAST, median(turn.cpu for turn in turns[name])) for name in sizes)
    rows = [
        {
            "tenant": name,
            "ms a touch": f"{median(turn.wall for turn in of):.2f}",
            "Python CPU ms": f"{median(turn.python for turn in of):.2f}",
            "PostgreSQL CPU ms": f"{median(turn.postgres for turn in of):.2f}",
            f"CPU, × {next(iter(sizes))}": f"{median(turn.cpu for turn in of) / first:.2f}",
        }
        for name, of in turns.items()
    ]
    return Section(
        "attribution",
        "Attributing one new touch, by the number of touches",
        f"A touch of a lead with {TOUCHES} touches and a deal is recorded by the ordinary use case,"
        f" which credits the deal anew under all {len(BUILT_IN_MODELS)} models, in one"
        " transaction, in process; median of"
        f" {rounds} interleaved rounds of {touches_a_round} touches, each of another lead.  One"
        f" lead in {DEALS} has a deal.  With {sizes[list(sizes)[-1]] // sizes[next(iter(sizes))]}"
        f" times the touches one takes **{last / first:.2f} ×** the time (at most {ALLOWED} × is"
        " allowed).",
        table(rows),
    )


async def _turn(
    place: Place, database: Database, tenant: BenchTenant, lead_ids: Sequence[UUID]
) -> _Turn:
    me, servers, actor = psutil.Process(), place.postgres(), tenant.world.actor()
    before = cpu_of(me), sum(map(cpu_of, servers))
    began = perf_counter()
    for lead_id in lead_ids:
        async with database.work(tenant.id) as work:
            await record_touch(work, actor, TouchDetails(kind=TouchKind.FORM, lead=lead_id))
    ended = perf_counter()
    each = 1000 / len(lead_ids)
    return _Turn(
        wall=(ended - began) * each,
        python=(cpu_of(me) - before[0]) * each,
        postgres=(sum(map(cpu_of, servers)) - before[1]) * each,
    )


def _copy_of(space: int, number: int) -> UUID:
    return UUID(int=space << 64 | number)


async def _seed(
    place: Place, database: Database, tenant: BenchTenant, touches: int, *, space: int
) -> None:
    """Store one lead with touches and a deal, by the domain, and copy it."""
    now = tenant.world.now
    stage, campaign = a_stage(now), a_campaign(now, "spring")
    lead = a_lead(now - 90 * DAY, campaign_id=campaign.id)
    touched = [
        a_touch(now - (10 + n) * DAY, lead_id=lead.id, campaign_id=campaign.id)
        for n in range(TOUCHES)
    ]
    deal = a_deal(now - 9 * DAY, lead=lead, stage=stage)
    async with database.work(tenant.id) as work:
        await work.add_all([stage, campaign, lead, *touched, deal])
        await reattribute(work, [lead.id])
    async with seeding(place) as connection:
        leads = touches // TOUCHES
        await copies(connection, "leads", lead.id, leads, {"id": numbered(space)})
        for n, touch in enumerate(touched):
            linked = {"id": numbered(space + 1 + n * 1000), "lead_id": numbered(space)}
            await copies(connection, "touches", touch.id, leads, linked)
        await _deals(connection, deal.id, leads // DEALS, space)
        await _credits(connection, tenant.id, deal.id, [touch.id for touch in touched], space)


async def _deals(connection: asyncpg.Connection, deal_id: UUID, deals: int, space: int) -> None:
    lead = numbered(space, f"(i * {DEALS})")
    await copies(
        connection, "opportunities", deal_id, deals, {"id": numbered(space + 2), "lead_id": lead}
    )


async def _credits(
    connection: asyncpg.Connection,
    tenant_id: UUID,
    deal_id: UUID,
    touch_ids: list[UUID],
    space: int,
) -> None:
    """Give each copy of the deal the credits of the first, on its own touches."""
    for n, touch_id in enumerate(touch_ids):
        touch = numbered(space + 1 + n * 1000, f"(d.number * {DEALS})")
        await connection.execute(
            "INSERT INTO attribution_credits (tenant_id, model_id, opportunity_id, touch_id,"
            " channel, share, campaign_id, asset_id, amount_minor, currency)"
            f" SELECT c.tenant_id, c.model_id, d.id, {touch}, c.channel, c.share, c.campaign_id,"
            " c.asset_id, c.amount_minor, c.currency"
            " FROM attribution_credits c, (SELECT id,"
            " row_number() OVER (ORDER BY id) AS number FROM opportunities"
            " WHERE tenant_id = $1 AND id <> $2) d"
            " WHERE c.tenant_id = $1 AND c.opportunity_id = $2 AND c.touch_id = $3",
            tenant_id,
            deal_id,
            touch_id,
            timeout=600,
        )
