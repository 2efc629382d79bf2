"""`touches`: touches told to the use case and to the API, beside COPY and a bare insert."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import psutil

from bench.load import Failed
from bench.measuring import Cost, Meter, median, table
from bench.place import Place, a_place
from bench.report import Section
from bench.tenants import BenchTenant, a_database, a_tenant
from domain.campaigns import Campaign, CampaignKind
from domain.content import AssetKind, ContentAsset
from domain.ids import new_id
from domain.leads import Agency, ExternalId
from domain.touch_intake import MOST_AT_ONCE, TouchDetails, TouchOutcome, record_touches
from domain.touches import Channel, Touch, TouchKind
from infra.database import Database
from tests.agreements import an_mql

PEOPLE, ASSETS, CAMPAIGNS = 1_000, 50, 10
COPY, BARE, USE_CASE, API = "COPY", "bare insert", "use case", "API"
_RECORD = """mutation($rows: [TouchRowInput!]!) { touchesRecord(input: {rows: $rows}) {
  rows { outcome } userErrors { code } } }"""


@dataclass(frozen=True, slots=True)
class _Bench:
    """A tenant with people, assets and campaigns, and where touches are put."""

    database: Database
    owner: asyncpg.Connection
    tenant: BenchTenant
    people: list[UUID]
    campaigns: list[UUID]
    assets: list[UUID]


Attempt = Callable[[_Bench, int, int], Awaitable[None]]


async def run(*, rows: int = 5_000, rounds: int = 3) -> Section:
    """Store the same number of touches in four ways, taking turns; the first round warms up."""
    attempts: dict[str, Attempt] = {COPY: _copied, BARE: _bare, USE_CASE: _told, API: _asked}
    costs: dict[str, list[Cost]] = {name: [] for name in attempts}
    async with a_place("touches") as place, a_database(place) as database:
        bench = await _prepared(place, database)
        for number in range(rounds + 1):
            for name, attempt in attempts.items():
                meter = Meter(psutil.Process(), place.postgres)
                await attempt(bench, number, rows)
                costs[name] += [meter.cost(rows)] if number else []
        await bench.owner.close()
    return Section(
        "touches",
        "Taking touches",
        f"{rows:,} touches in requests of {MOST_AT_ONCE}, in process; median of {rounds}"
        " interleaved rounds.  A touch told names a lead by its address or a visitor by its"
        f" token, of {PEOPLE:,} each, its link carries a campaign and leads to an asset, and its"
        " external name is looked for; all of it is checked row by row, and leads and visitors are"
        " locked meanwhile.  A bare insert stores ready rows with arrays (`INSERT … SELECT"
        " unnest`) in the same requests under row-level security; COPY, which that refuses, puts"
        " them in as the owner in one go.  All have the same table, indexes and foreign keys.",
        table([_row(name, each, costs) for name, each in costs.items()]),
    )


def _row(name: str, rounds: list[Cost], costs: dict[str, list[Cost]]) -> dict[str, str]:
    rate = median(cost.rate for cost in rounds)
    return {
        "": name,
        "touches/s": f"{rate:,.0f}",
        **{
            f"time, × {other}": f"{median(cost.rate for cost in costs[other]) / rate:.1f}"
            for other in (COPY, BARE)
        },
        "Python CPU ms a touch": f"{median(cost.server_ms for cost in rounds):.3f}",
        "PostgreSQL CPU ms a touch": f"{median(cost.postgres_ms for cost in rounds):.3f}",
    }


async def _prepared(place: Place, database: Database) -> _Bench:
    tenant = await a_tenant(database)
    made: dict[str, Any] = {"created_at": tenant.world.now}
    leads = [an_mql(tenant.world.now, email=_email(n)) for n in range(PEOPLE)]
    campaigns = [
        Campaign(id=new_id(), name=f"c{n}", kind=CampaignKind.EMAIL, code=f"c{n}", **made)
        for n in range(CAMPAIGNS)
    ]
    assets = [
        ContentAsset(id=new_id(), title=f"{n}", kind=AssetKind.PAGE, url=_page(n), **made)
        for n in range(ASSETS)
    ]
    async with database.work(tenant.id) as work:
        await work.add_all([*leads, *campaigns, *assets])
    owner = await asyncpg.connect(place.owner)
    people, efforts, pages = ([each.id for each in some] for some in (leads, campaigns, assets))
    return _Bench(database, owner, tenant, people, efforts, pages)


async def _copied(bench: _Bench, number: int, rows: int) -> None:
    names = [field.name for field in fields(Touch)]
    await bench.owner.copy_records_to_table(
        "touches",
        columns=["tenant_id", *names],
        records=[
            (bench.tenant.id, *(getattr(touch, name) for name in names))
            for touch in _ready(bench, COPY, number, range(rows))
        ],
    )


async def _bare(bench: _Bench, number: int, rows: int) -> None:
    for start in range(0, rows, MOST_AT_ONCE):
        some = range(start, min(start + MOST_AT_ONCE, rows))
        async with bench.database.work(bench.tenant.id) as work:
            await work.add_all(_ready(bench, BARE, number, some))


async def _told(bench: _Bench, number: int, rows: int) -> None:
    actor = bench.tenant.world.actor()
    for start in range(0, rows, MOST_AT_ONCE):
        some = range(start, min(start + MOST_AT_ONCE, rows))
        async with bench.database.work(bench.tenant.id) as work:
            told = [_details(bench, number, n) for n in some]
            done = await record_touches(work, actor, told)
        _check({row.outcome for row in done})


async def _asked(bench: _Bench, number: int, rows: int) -> None:
    for start in range(0, rows, MOST_AT_ONCE):
        some = range(start, min(start + MOST_AT_ONCE, rows))
        asked = {"rows": [_input(bench, number, n) for n in some]}
        data = await bench.tenant.world.data(_RECORD, asked)
        _check({row["outcome"] for row in data["touchesRecord"]["rows"]})


def _check(outcomes: set[str]) -> None:
    if outcomes != {TouchOutcome.CREATED}:
        raise Failed(f"not all touches were stored: {outcomes}")


def _ready(bench: _Bench, way: str, number: int, some: range) -> list[Touch]:
    at = bench.tenant.world.now
    return [
        Touch(
            id=new_id(),
            kind=TouchKind.PAGE_VIEW,
            channel=Channel.EMAIL,
            agency=Agency.HUMAN,
            occurred_at=at - timedelta(seconds=n),
            recorded_at=at,
            lead_id=bench.people[n % PEOPLE],
            campaign_id=bench.campaigns[n % CAMPAIGNS],
            asset_id=bench.assets[n % ASSETS],
            utm_source="news",
            utm_medium="email",
            utm_campaign=f"c{n % CAMPAIGNS}",
            url=_page(n),
            external_source=way,
            external_value=f"{number}-{n}",
        )
        for n in some
    ]


def _details(bench: _Bench, number: int, n: int) -> TouchDetails:
    return TouchDetails(
        kind=TouchKind.PAGE_VIEW,
        lead=_email(n) if n % 2 else None,
        visitor=None if n % 2 else _token(n),
        occurred_at=bench.tenant.world.now - timedelta(seconds=n),
        url=_link(n),
        external=ExternalId("told", f"{number}-{n}"),
    )


def _input(bench: _Bench, number: int, n: int) -> dict[str, Any]:
    whose = {"lead": {"email": _email(n)}} if n % 2 else {"visitor": _token(n)}
    at = bench.tenant.world.now - timedelta(seconds=n)
    return {
        "kind": "PAGE_VIEW",
        **whose,
        "occurredAt": at.isoformat().replace("+00:00", "Z"),
        "url": _link(n),
        "externalId": {"source": "asked", "value": f"{number}-{n}"},
    }


def _email(n: int) -> str:
    return f"person{n % PEOPLE}@bench.example"


def _token(n: int) -> str:
    return f"visitor-{n % PEOPLE:032}"


def _page(n: int) -> str:
    return f"https://acme.example/{n % ASSETS}"


def _link(n: int) -> str:
    campaign = f"utm_source=news&utm_medium=email&utm_campaign=c{n % CAMPAIGNS}"
    return f"http://acme.example/{n % ASSETS}/?{campaign}#top"
