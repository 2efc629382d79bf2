"""`performance`: what campaigns are worth, on a million touches, beside an analyst's SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal

import asyncpg
import psutil

from bench.load import Failed
from bench.measuring import Cost, Meter, median, table
from bench.place import a_place, seeding
from bench.report import Section
from bench.tenants import BenchTenant, a_database, a_tenant, copies, numbered
from domain.attribution import BUILT_IN_MODELS, BuiltInModel, StoreBuiltIns
from domain.attribution.performance import (
    Performance,
    PerformanceBasis,
    PerformanceDimension,
    performance,
    scope_of,
)
from domain.campaigns import CampaignCost
from domain.closed_loop import LoopWindow, closed_loop
from domain.content import AssetKind, ContentAsset
from domain.exchange import ExchangeRate
from domain.ids import new_id
from domain.values import Period
from infra.database import Database
from tests.journeys import DAY, a_campaign, a_lead, a_stage, a_touch

TOUCHES, LEADS, DEALS = 1_000_000, 100_000, 20_000
CAMPAIGNS, ASSETS, PERSONAS, WEEKS = 40, 60, 8, 104
_QUARTER, _EVER = 90, 730
_CLOSE, _COHORT = PerformanceBasis.CLOSE, PerformanceBasis.COHORT

# What is asked for: by what rows are told apart, on which basis, for how many days.
REPORTS = {
    "campaigns, a quarter by close": (PerformanceDimension.CAMPAIGN, _CLOSE, _QUARTER),
    "campaigns, a quarter's cohort": (PerformanceDimension.CAMPAIGN, _COHORT, _QUARTER),
    "campaigns, two years by close": (PerformanceDimension.CAMPAIGN, _CLOSE, _EVER),
    "channels, a quarter by close": (PerformanceDimension.CHANNEL, _CLOSE, _QUARTER),
    "origins, a quarter by close": (PerformanceDimension.ORIGIN, _CLOSE, _QUARTER),
    "contents, a quarter by close": (PerformanceDimension.CONTENT, _CLOSE, _QUARTER),
    "personas, a quarter by close": (PerformanceDimension.PERSONA, _CLOSE, _QUARTER),
}
LOOP = "the closed-loop page, 90 days"
Answer = Mapping[str | None, Sequence[int]]
_TICK = 0.01


async def run(
    *, touches: int = TOUCHES, leads: int = LEADS, deals: int = DEALS, rounds: int = 5
) -> Section:
    """Read the figures, and those of campaigns both ways, taking turns, and compare them."""
    ours: dict[str, list[Cost]] = {name: [] for name in (*REPORTS, LOOP)}
    hand: dict[str, list[Cost]] = {name: [] for name in REPORTS if name.startswith("campaigns")}
    async with a_place("performance") as place, a_database(place) as database:
        tenant = await a_tenant(database)
        async with seeding(place) as connection:
            await _seed(connection, tenant, touches, leads, deals)
        for name in [*REPORTS] * rounds:
            meter = Meter(psutil.Process(), place.postgres)
            found = await _ours(database, tenant, name)
            ours[name].append(meter.cost(1))
            if name in hand:
                meter = Meter(psutil.Process(), place.postgres)
                told = await _by_hand(database, tenant, name)
                hand[name].append(meter.cost(1))
                _compare(name, found, told)
        for _ in range(rounds):
            meter = Meter(psutil.Process(), place.postgres)
            await _loop(database, tenant)
            ours[LOOP].append(meter.cost(1))
    return Section(
        "performance",
        f"What campaigns are worth, on {touches:,} touches",
        f"Cost, touches, leads, stages, pipeline, won and influenced of {CAMPAIGNS} campaigns, and"
        f" of channels, origins, {ASSETS} contents and personas, of {touches:,} touches of"
        f" {leads:,} leads with {deals:,} deals in two years, one in ten in dollars; beside SQL"
        " written by hand for campaigns (answers are compared).  One process of PostgreSQL, in a"
        " transaction of the tenant under row-level security.  Processor seconds of this process"
        f" and of PostgreSQL together; median of {rounds} interleaved rounds.",
        _figures(ours, hand),
    )


def _figures(ours: Mapping[str, Sequence[Cost]], hand: Mapping[str, Sequence[Cost]]) -> str:
    def seconds(costs: Sequence[Cost]) -> float:
        return max(_TICK, median(cost.server + cost.postgres for cost in costs))

    rows = []
    for name, costs in ours.items():
        other = seconds(hand[name]) if name in hand else None
        rows.append(
            {
                "report": name,
                "ours, CPU s": f"{seconds(costs):.2f}",
                "by hand, CPU s": "–" if other is None else f"{other:.2f}",
                "ours, × by hand": "–" if other is None else f"{seconds(costs) / other:.2f}",
                "ours, s waited": f"{median(cost.seconds for cost in costs):.2f}",
            }
        )
    return table(rows)


async def _ours(database: Database, tenant: BenchTenant, name: str) -> Performance:
    dimension, basis, days = REPORTS[name]
    actor = tenant.world.actor()
    async with database.work(tenant.id, read_only=True) as work:
        await work.connection.execute(_ALONE)
        scope = await scope_of(
            work,
            actor,
            dimension,
            model=BuiltInModel.LINEAR,
            basis=basis,
            period=_period(tenant, days),
        )
        return await performance(work, actor, scope)


async def _loop(database: Database, tenant: BenchTenant) -> None:
    async with database.work(tenant.id, read_only=True) as work:
        await work.connection.execute(_ALONE)
        await closed_loop(work, tenant.world.actor(), LoopWindow.LAST_90_DAYS)


# Of the helpers that PostgreSQL may start nobody could say what they used.
_ALONE = "SET LOCAL max_parallel_workers_per_gather = 0"


def _period(tenant: BenchTenant, days: int) -> Period:
    end = tenant.world.now.date() + timedelta(days=1)
    return Period(end - timedelta(days=days), end)


async def _by_hand(database: Database, tenant: BenchTenant, name: str) -> Answer:
    _, basis, days = REPORTS[name]
    period = _period(tenant, days)
    text = _CAMPAIGNS_BY_CLOSE if basis is _CLOSE else _CAMPAIGNS_BY_COHORT
    linear = next(each.id for each in BUILT_IN_MODELS if each.built_in is BuiltInModel.LINEAR)
    async with database.work(tenant.id, read_only=True) as work:
        await work.connection.execute(_ALONE)
        rows = await work.connection.fetch(text, tenant.id, period.first, period.end, linear)
    return {row[0] and str(row[0]): [int(value or 0) for value in row[1:]] for row in rows}


def _compare(name: str, found: Performance, told: Answer) -> None:
    """Compare numbers exactly, and money to a cent a deal: by hand nobody splits remainders."""
    for row in found.rows:
        numbers = [row.touches, row.leads, row.mqls, row.accepted, row.sqls]
        money = [row.cost_minor or 0, row.pipeline_minor, row.won_minor, row.influenced_minor]
        counted, summed = told[row.key][:5], told[row.key][5:]
        apart = [abs(ours - theirs) for ours, theirs in zip(money, summed, strict=True)]
        if numbers != counted or max(apart) > DEALS:
            raise Failed(f"{name}: {numbers} {money} by us, {told[row.key]} by hand")


# As somebody would write it who knows the tables.  $1 tenant, $2 first day, $3 end, $4 model.
_DEALS = """
won AS (
  SELECT o.id, CASE o.currency WHEN 'EUR' THEN 1 ELSE (
    SELECT rate FROM exchange_rates r WHERE r.tenant_id = $1 AND r.currency = o.currency
      AND r.to_currency = 'EUR' AND r.starts_on <= o.closed_at::date
    ORDER BY r.starts_on DESC LIMIT 1) END AS rate, o.amount_minor
  FROM opportunities o {deal_leads} WHERE o.tenant_id = $1 AND o.status = 'WON' AND {won_when}
),
open AS (
  SELECT o.id, CASE o.currency WHEN 'EUR' THEN 1 ELSE (
    SELECT rate FROM exchange_rates r WHERE r.tenant_id = $1 AND r.currency = o.currency
      AND r.to_currency = 'EUR' AND r.starts_on <= current_date
    ORDER BY r.starts_on DESC LIMIT 1) END AS rate, o.amount_minor
  FROM opportunities o {deal_leads} WHERE o.tenant_id = $1 AND o.status = 'OPEN' AND {open_when}
),
f(campaign_id, touches, leads, mqls, accepted, sqls, cost, pipeline, won, influenced) AS (
  SELECT t.campaign_id, count(*), 0, 0, 0, 0, 0, 0, 0, 0 FROM touches t {touch_leads}
  WHERE t.tenant_id = $1 AND t.agency = 'HUMAN' AND {touch_when} GROUP BY 1
  UNION ALL SELECT l.campaign_id, 0, count(*), 0, 0, 0, 0, 0, 0, 0 FROM leads l
  WHERE l.tenant_id = $1 AND l.created_at >= $2 AND l.created_at < $3 GROUP BY 1
  UNION ALL SELECT l.campaign_id, 0, 0,
    count(*) FILTER (WHERE {mql_when}), count(*) FILTER (WHERE {sal_when}),
    count(*) FILTER (WHERE {sql_when}), 0, 0, 0, 0
  FROM leads l JOIN (
    SELECT e.lead_id, min(e.entered_at) AS mql_at,
      min(e.entered_at) FILTER (WHERE e.stage IN ('SAL', 'SQL')) AS sal_at,
      min(e.entered_at) FILTER (WHERE e.stage = 'SQL') AS sql_at
    FROM stage_entries e
    WHERE e.tenant_id = $1 AND e.stage IN ('MQL', 'SAL', 'SQL') GROUP BY 1) e ON e.lead_id = l.id
  WHERE l.tenant_id = $1 AND {lead_when} GROUP BY 1
  UNION ALL SELECT c.campaign_id, 0, 0, 0, 0, 0, sum(c.amount_minor), 0, 0, 0
  FROM campaign_costs c WHERE c.tenant_id = $1 AND c."on" >= $2 AND c."on" < $3 GROUP BY 1
  UNION ALL SELECT c.campaign_id, 0, 0, 0, 0, 0, 0,
    sum(CASE WHEN c.touch_id IS NULL THEN o.amount_minor ELSE c.amount_minor END * o.rate), 0, 0
  FROM open o LEFT JOIN attribution_credits c
    ON c.tenant_id = $1 AND c.model_id = $4 AND c.opportunity_id = o.id GROUP BY 1
  UNION ALL SELECT c.campaign_id, 0, 0, 0, 0, 0, 0, 0,
    sum(CASE WHEN c.touch_id IS NULL THEN o.amount_minor ELSE c.amount_minor END * o.rate), 0
  FROM won o LEFT JOIN attribution_credits c
    ON c.tenant_id = $1 AND c.model_id = $4 AND c.opportunity_id = o.id GROUP BY 1
  UNION ALL SELECT d.campaign_id, 0, 0, 0, 0, 0, 0, 0, 0, sum(d.amount)
  FROM (SELECT DISTINCT c.campaign_id, o.id, o.amount_minor * o.rate AS amount
        FROM won o JOIN attribution_credits c
          ON c.tenant_id = $1 AND c.model_id = $4 AND c.opportunity_id = o.id) d GROUP BY 1
)
SELECT campaign_id, sum(touches), sum(leads), sum(mqls), sum(accepted), sum(sqls), sum(cost),
  sum(pipeline), sum(won), sum(influenced)
FROM f GROUP BY 1
"""
_OF_LEADS = "JOIN leads l ON l.tenant_id = {0}.tenant_id AND l.id = {0}.lead_id"
_COHORT_WHEN = "l.created_at >= $2 AND l.created_at < $3"
_CAMPAIGNS_BY_CLOSE = "WITH " + _DEALS.format(
    deal_leads="",
    touch_leads="",
    won_when="o.closed_at >= $2 AND o.closed_at < $3",
    open_when="o.opened_at >= $2 AND o.opened_at < $3",
    touch_when="t.occurred_at >= $2 AND t.occurred_at < $3",
    lead_when="true",
    mql_when="e.mql_at >= $2 AND e.mql_at < $3",
    sal_when="e.sal_at >= $2 AND e.sal_at < $3",
    sql_when="e.sql_at >= $2 AND e.sql_at < $3",
)
_CAMPAIGNS_BY_COHORT = "WITH " + _DEALS.format(
    deal_leads=_OF_LEADS.format("o"),
    touch_leads=_OF_LEADS.format("t"),
    **dict.fromkeys(("won_when", "open_when", "touch_when", "lead_when"), _COHORT_WHEN),
    mql_when="e.mql_at IS NOT NULL",
    sal_when="e.sal_at IS NOT NULL",
    sql_when="e.sql_at IS NOT NULL",
)


async def _seed(
    connection: asyncpg.Connection, tenant: BenchTenant, touches: int, leads: int, deals: int
) -> None:
    """Store one of each, by the domain, and copy it as chance has it."""
    world, now = tenant.world, tenant.world.now
    stage, campaign = a_stage(now), a_campaign(now - 800 * DAY, "campaign-0")
    asset = ContentAsset(id=new_id(), title="Guide", kind=AssetKind.ARTICLE, created_at=now)
    lead = a_lead(now)
    touch = a_touch(now, lead_id=lead.id)
    cost = CampaignCost(id=new_id(), campaign_id=campaign.id, on=now.date(), amount_minor=50_000,
                        currency="EUR", recorded_at=now)  # fmt: skip
    async with world.work() as work:
        await work.add_all([stage, campaign, asset, lead, touch, cost, *_rates(tenant)])
        await work.ask(StoreBuiltIns())
    named = {"id": numbered(1), "code": "'campaign-' || i"}
    await copies(connection, "campaigns", campaign.id, CAMPAIGNS, named)
    paged = {"id": numbered(2), "url": "'https://bench.example/' || i"}
    await copies(connection, "content_assets", asset.id, ASSETS, paged)
    spent = {
        "id": numbered(3),
        "campaign_id": numbered(1, f"(1 + i % {CAMPAIGNS})"),
        "on": f't."on" - ((i / {CAMPAIGNS}) * 7)::int',
    }
    await copies(connection, "campaign_costs", cost.id, CAMPAIGNS * WEEKS, spent)
    came = {
        "id": numbered(4),
        "created_at": f"t.created_at - ({leads} - i) * interval '{_EVER} days' / {leads}",
        "origin_source": f"(ARRAY['paid', 'organic', 'fair', 'social'])[1 + {_chance('i', 1, 4)}]",
        "campaign_id": f"CASE WHEN {_chance('i', 2, 3)} > 0 THEN {_one(1, 'i', CAMPAIGNS)} END",
        "persona_id": f"CASE WHEN {_chance('i', 4, 3)} > 0 THEN {_one(5, 'i', PERSONAS)} END",
    }
    await copies(connection, "leads", lead.id, leads, came)
    await connection.execute(_TOUCHES, touch.id, leads, touches // leads, timeout=600)
    await connection.execute(_ENTRIES, tenant.id, leads, timeout=600)
    await connection.execute(_DEALS_OF, tenant.id, stage.id, deals, leads // deals, timeout=600)
    await connection.execute("ANALYZE touches, opportunities")
    single = [model.anchors[:1] != () and not model.rest_share for model in BUILT_IN_MODELS]
    models = [model.id for model in BUILT_IN_MODELS]
    await connection.execute(_CREDITS, tenant.id, models, single, timeout=900)


def _rates(tenant: BenchTenant) -> list[ExchangeRate]:
    return [
        ExchangeRate(
            id=new_id(),
            currency="USD",
            to_currency="EUR",
            starts_on=(tenant.world.now - 30 * month * DAY).date(),
            rate=Decimal("0.9") + month / Decimal(1000),
            recorded_at=tenant.world.now,
        )
        for month in range(30)
    ]


def _chance(of: str, salt: int, below: int) -> str:
    """Return SQL for a number below another, the same for the same `of` and salt."""
    return f"(abs(hashint8({of} + {salt})) % {below})"


def _one(space: int, of: str, count: int) -> str:
    """Return SQL for the id of one of so many copies."""
    return numbered(space, f"(1 + {_chance(of, space, count)})")


_NTH = "(i * 16 + n)"
_TOUCHES = f"""
INSERT INTO touches (tenant_id, id, kind, channel, agency, occurred_at, recorded_at, lead_id,
  campaign_id, asset_id, version)
SELECT t.tenant_id, {numbered(6, _NTH)}, t.kind,
  (ARRAY['DIRECT', 'ORGANIC_SEARCH', 'PAID_SEARCH', 'SOCIAL', 'EMAIL', 'REFERRAL'])
    [1 + {_chance(_NTH, 6, 6)}],
  CASE WHEN {_chance(_NTH, 7, 10)} = 0 THEN 'AUTOMATIC' ELSE 'HUMAN' END,
  l.created_at + (n - 1) * interval '3 days', l.created_at + (n - 1) * interval '3 days', l.id,
  CASE WHEN {_chance(_NTH, 8, 2)} = 0 THEN {_one(1, _NTH, CAMPAIGNS)} END,
  CASE WHEN {_chance(_NTH, 10, 2)} = 0 THEN {_one(2, _NTH, ASSETS)} END, 1
FROM touches t, generate_series(1, $2::bigint) i
  JOIN leads l ON l.id = {numbered(4)}, generate_series(0, $3::bigint - 1) n
WHERE t.id = $1
"""
_ENTRIES = f"""
INSERT INTO stage_entries (tenant_id, id, lead_id, stage, previous, entered_at, recorded_at)
SELECT l.tenant_id, gen_random_uuid(), l.id, s.stage, NULL,
  l.created_at + s.place * interval '5 days' AS entered_at, l.created_at
FROM generate_series(1, $2::bigint) i JOIN leads l ON l.id = {numbered(4)}
  JOIN (VALUES (0, 'LEAD', 100), (1, 'MQL', 50), (2, 'SAL', 35), (3, 'SQL', 25))
    s(place, stage, share) ON {_chance("i", 12, 100)} < s.share
      -- One lead in five was never a SAL.
      AND (s.stage <> 'SAL' OR {_chance("i", 16, 5)} > 0)
WHERE l.tenant_id = $1 ORDER BY entered_at
"""
_DEALS_OF = f"""
INSERT INTO opportunities (tenant_id, id, name, lead_id, stage_id, opened_at, stage_entered_at,
  recorded_at, updated_at, amount_minor, currency, status, closed_at, version)
SELECT $1, {numbered(7)}, 'Deal', l.id, $2, l.created_at + interval '10 days', l.created_at,
  l.created_at, l.created_at, 100000 + {_chance("i", 14, 900000)},
  CASE WHEN {_chance("i", 15, 10)} = 0 THEN 'USD' ELSE 'EUR' END, s.status,
  CASE WHEN s.status <> 'OPEN' THEN l.created_at + interval '20 days' END, 1
FROM generate_series(1, $3::bigint) i JOIN leads l ON l.id = {numbered(4, "(i * $4::bigint)")},
  LATERAL (SELECT (ARRAY['OPEN', 'WON', 'LOST', 'WON'])[1 + {_chance("i", 13, 4)}] AS status) s
"""
# Evenly by every model but those of one touch: that is as much to read, and soon written.
_CREDITS = """
INSERT INTO attribution_credits (tenant_id, model_id, opportunity_id, touch_id, channel, share,
  campaign_id, asset_id, amount_minor, currency)
SELECT $1, m.id, w.deal, w.touch, w.channel,
  CASE WHEN m.single THEN 1 WHEN w.place > 1 THEN trunc(1.0 / w.steps, 12)
    ELSE 1 - (w.steps - 1) * trunc(1.0 / w.steps, 12) END,
  w.campaign_id, w.asset_id,
  CASE WHEN m.single THEN w.amount_minor WHEN w.place > 1 THEN w.amount_minor / w.steps
    ELSE w.amount_minor - (w.steps - 1) * (w.amount_minor / w.steps) END,
  w.currency
FROM (
  SELECT o.id AS deal, o.amount_minor, o.currency, t.id AS touch, t.channel, t.campaign_id,
    t.asset_id, row_number() OVER (PARTITION BY o.id ORDER BY t.occurred_at, t.id) AS place,
    count(*) OVER (PARTITION BY o.id) AS steps
  FROM opportunities o JOIN touches t ON t.tenant_id = o.tenant_id AND t.lead_id = o.lead_id
    AND t.agency = 'HUMAN' AND t.occurred_at <= coalesce(o.closed_at, 'infinity')
  WHERE o.tenant_id = $1 AND o.status <> 'LOST') w
  JOIN unnest($2::uuid[], $3::bool[]) m(id, single) ON NOT m.single OR w.place = 1
ORDER BY m.id, w.deal
"""
