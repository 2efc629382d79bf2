"""`funnel`: the funnel report on a million leads, beside the SQL that an analyst would write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import psutil

from bench.load import Failed
from bench.measuring import Cost, Meter, median, table
from bench.place import Place, a_place, seeding
from bench.report import Section
from bench.tenants import BenchTenant, a_database, a_tenant, copies, numbered
from domain.funnel import FunnelDimension, FunnelReport, FunnelTerms, read_funnel
from domain.ids import new_id
from domain.leads import Lead
from domain.stages import Stage
from infra.database import Database

LEADS = 1_000_000
SOURCES = ("paid_search", "organic", "referral", "social", "email", "fair", "partner")
# Per 1,000 leads, how many come so far; and the days a lead takes from one stage to the next.
REACHED = {
    Stage.VISITOR: 1000,
    Stage.LEAD: 700,
    Stage.MQL: 350,
    Stage.SAL: 250,
    Stage.SQL: 150,
    Stage.OPPORTUNITY: 90,
    Stage.CUSTOMER: 30,
}

# What is asked of both: how leads are told apart, and from how many days ago on.
REPORTS = {
    "all leads": ("NULL::text", None, None),
    "by source": ("l.origin_source", FunnelDimension.ORIGIN_SOURCE, None),
    "by source, of the last 30 days": ("l.origin_source", FunnelDimension.ORIGIN_SOURCE, 30),
}
# No processor time is told more exactly.
_TICK = 0.01
Answer = Mapping[str | None, tuple[Any, ...]]


async def run(*, leads: int = LEADS, rounds: int = 5) -> Section:
    """Read the same figures both ways, taking turns, and compare every answer."""
    costs: dict[str, dict[str, list[Cost]]] = {name: {} for name in REPORTS}
    async with a_place("funnel") as place, a_database(place) as database:
        tenant = await a_tenant(database)
        entries = await _seed(place, tenant, leads)
        for name in [*REPORTS] * rounds:
            answers = {}
            for side, read in (("ours", _ours), ("by hand", _by_hand)):
                meter = Meter(psutil.Process(), place.postgres)
                answers[side] = await read(database, tenant, name)
                costs[name].setdefault(side, []).append(meter.cost(1))
            if answers["ours"] != answers["by hand"]:
                raise Failed(f"{name}: {answers}")
    return Section(
        "funnel",
        f"The funnel of {leads:,} leads",
        f"Six stages with conversions and the median and 90th percentile of the time in each, of"
        f" {leads:,} leads with {entries:,} stage entries, beside SQL written by hand that"
        " gives the same numbers (every answer is compared); both in a transaction of the tenant"
        " under row-level security.  Processor seconds of this process and of PostgreSQL"
        f" together; median of {rounds} interleaved rounds.",
        _figures(costs),
    )


def _figures(costs: Mapping[str, Mapping[str, Sequence[Cost]]]) -> str:
    rows = []
    for name, sides in costs.items():
        ours, hand = (
            max(_TICK, median(cost.server + cost.postgres for cost in sides[side]))
            for side in ("ours", "by hand")
        )
        rows.append(
            {
                "report": name,
                "ours, CPU s": f"{ours:.2f}",
                "by hand, CPU s": f"{hand:.2f}",
                "ours, × by hand": f"{ours / hand:.2f}",
                "ours, s waited": f"{median(cost.seconds for cost in sides['ours']):.2f}",
            }
        )
    return table(rows)


async def _ours(database: Database, tenant: BenchTenant, name: str) -> Answer:
    _, dimension, days = REPORTS[name]
    today = tenant.world.now.date()
    first_on = today - timedelta(days=days) if days else None
    terms = FunnelTerms(dimension=dimension, first_on=first_on)
    async with database.work(tenant.id, read_only=True) as work:
        return _told(await read_funnel(work, terms))


def _told(report: FunnelReport) -> Answer:
    """Return the report's figures as the hand-written statement gives them."""
    return {
        None if group.key is None else str(group.key): (
            *(stage.reached for stage in group.stages),
            *((s.time.p50, s.time.p90) for s in group.stages if s.time),
        )
        for group in report.groups
    }


async def _by_hand(database: Database, tenant: BenchTenant, name: str) -> Answer:
    by, _, days = REPORTS[name]
    today = tenant.world.now.date()
    since = "" if days is None else f"AND l.created_at >= '{today - timedelta(days=days)}'"
    async with database.work(tenant.id, read_only=True) as work:
        rows = await work.connection.fetch(_BY_HAND.format(by=by, since=since), tenant.id)
    return {
        row[0]: (*row[1:7], *(tuple(map(_whole, spread)) for spread in row[7:] if spread))
        for row in rows
    }


def _whole(time: timedelta) -> timedelta:
    return timedelta(seconds=round(time.total_seconds()))


# As somebody would write it who knows the tables, for these six stages.
_BY_HAND = """
WITH journeys AS (
  SELECT l.id, {by} AS source,
    min(e.entered_at) FILTER (WHERE e.stage = 'LEAD') AS was_lead,
    min(e.entered_at) FILTER (WHERE e.stage = 'MQL') AS was_mql,
    min(e.entered_at) FILTER (WHERE e.stage = 'SAL') AS was_sal,
    min(e.entered_at) FILTER (WHERE e.stage = 'SQL') AS was_sql,
    min(e.entered_at) FILTER (WHERE e.stage = 'OPPORTUNITY') AS was_opportunity,
    min(e.entered_at) FILTER (WHERE e.stage NOT IN ('VISITOR', 'PROSPECT')) AS lead_at,
    min(e.entered_at) FILTER (WHERE e.stage NOT IN ('VISITOR', 'PROSPECT', 'LEAD')) AS mql_at,
    min(e.entered_at) FILTER (
      WHERE e.stage IN ('SAL', 'SQL', 'OPPORTUNITY', 'CUSTOMER', 'ADVOCATE')) AS sal_at,
    min(e.entered_at) FILTER (
      WHERE e.stage IN ('SQL', 'OPPORTUNITY', 'CUSTOMER', 'ADVOCATE')) AS sql_at,
    min(e.entered_at) FILTER (
      WHERE e.stage IN ('OPPORTUNITY', 'CUSTOMER', 'ADVOCATE')) AS opportunity_at,
    min(e.entered_at) FILTER (WHERE e.stage IN ('CUSTOMER', 'ADVOCATE')) AS customer_at
  FROM leads l LEFT JOIN stage_entries e ON e.tenant_id = l.tenant_id AND e.lead_id = l.id
  WHERE l.tenant_id = $1 {since}
  GROUP BY l.id, {by}
)
SELECT source, count(lead_at), count(mql_at), count(sal_at), count(sql_at), count(opportunity_at),
  count(customer_at),
  percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY mql_at - was_lead)
    FILTER (WHERE mql_at >= was_lead),
  percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY sal_at - was_mql)
    FILTER (WHERE sal_at >= was_mql),
  percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY sql_at - was_sal)
    FILTER (WHERE sql_at >= was_sal),
  percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY opportunity_at - was_sql)
    FILTER (WHERE opportunity_at >= was_sql),
  percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY customer_at - was_opportunity)
    FILTER (WHERE customer_at >= was_opportunity)
FROM journeys GROUP BY source
"""


async def _seed(place: Place, tenant: BenchTenant, leads: int) -> int:
    world = tenant.world
    first = Lead(
        id=new_id(),
        stage=Stage.VISITOR,
        stage_entered_at=world.now,
        created_at=world.now,
        updated_at=world.now,
        email="lead0@bench.example",
        owner_id=world.rep.id,
    )
    async with world.work() as work:
        await work.add(first)
    async with seeding(place) as connection:
        sources = ", ".join(f"'{source}'" for source in SOURCES)
        await copies(
            connection,
            "leads",
            first.id,
            leads,
            {
                "id": numbered(3),
                "email": "'lead' || i || '@bench.example'",
                "created_at": f"t.created_at - ({leads} - i) * interval '730 days' / {leads}",
                "origin_source": f"(ARRAY[{sources}])[1 + abs(hashint8(i)) % {len(SOURCES)}]",
                "origin_campaign": "'campaign-' || abs(hashint8(i + 7)) % 40",
                "stage": _furthest(),
            },
        )
        await connection.execute(_ENTRIES, tenant.id, timeout=900)
        return int(
            await connection.fetchval(
                "SELECT count(*) FROM stage_entries WHERE tenant_id = $1", tenant.id
            )
        )


def _furthest() -> str:
    cases = " ".join(
        f"WHEN abs(hashint8(i + 13)) % 1000 < {per_mille} THEN '{stage}'"
        for stage, per_mille in reversed(REACHED.items())
    )
    return f"CASE {cases} END"


_STAGES = ", ".join(f"({place}, '{stage}')" for place, stage in enumerate(REACHED))
# A lead enters a stage every so many hours until it stays where it is; every twentieth of those
# who came as far as MQL was sent back once, and came again.
_ENTRIES = f"""
INSERT INTO stage_entries (tenant_id, id, lead_id, stage, previous, entered_at, recorded_at)
WITH stages(place, stage) AS (VALUES {_STAGES}),
     again(place, stage) AS (VALUES (2.3, 'LEAD'), (2.6, 'MQL'))
SELECT $1, gen_random_uuid(), e.id, e.stage, NULL, e.at, e.at FROM (
  SELECT l.id, s.stage,
         l.created_at + s.place * (1 + abs(uuid_hash(l.id)) % 97) * interval '7 hours' AS at
  FROM leads l JOIN stages f ON f.stage = l.stage JOIN stages s ON s.place <= f.place
  WHERE l.tenant_id = $1
  UNION ALL
  SELECT l.id, again.stage,
         l.created_at + again.place * (1 + abs(uuid_hash(l.id)) % 97) * interval '7 hours'
  FROM leads l CROSS JOIN again
  WHERE l.tenant_id = $1 AND uuid_hash(l.id) % 20 = 0
    AND l.stage NOT IN ('VISITOR', 'LEAD')
) e ORDER BY e.at
"""
