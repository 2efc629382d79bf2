"""`list`: 50 leads with owner and company, beside stock Strawberry and beside rows by hand."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import orjson

from bench.load import CONNECTIONS, Failed, a_server, answer, requests
from bench.measuring import Cost, Meter, comparison
from bench.place import Place, a_place, seeding
from bench.report import Section
from bench.servers import DOCUMENT
from bench.tenants import BenchTenant, a_database, a_tenant, copies, environment, numbered
from domain.identity import User
from domain.ids import new_id
from domain.leads import Company, Lead
from domain.stages import Stage

OURS = "ours"
SERVERS = {
    OURS: "api.app:from_environment",
    "ours, by graphql-core": "bench.servers:ours_on_graphql_core",
    "stock Strawberry": "bench.servers:stock",
    "rows → JSON by hand": "bench.servers:by_hand",
}
USERS = 20


async def run(*, leads: int = 10_000, rounds: int = 5, seconds: int = 3) -> Section:
    """Compare four servers on the same data, in rounds that take turns."""
    async with a_place("list") as place, a_database(place) as database:
        tenant = await a_tenant(database)
        await _seed(place, tenant, leads)
        costs = await _rounds(place, tenant, rounds, seconds)
    return Section(
        "list",
        "A list: 50 leads with owner and company",
        f"About 700 fields, the newest 50 of {leads:,} leads, over HTTP on {CONNECTIONS}"
        f" connections; median of {rounds} interleaved rounds of {seconds} s.  Every server"
        " reads the same rows in a transaction of the tenant under row-level security, and all"
        " four answers were compared before anything was measured.",
        comparison(costs, OURS),
    )


async def _rounds(
    place: Place, tenant: BenchTenant, rounds: int, seconds: int
) -> dict[str, list[Cost]]:
    body = orjson.dumps({"query": DOCUMENT})
    costs: dict[str, list[Cost]] = {name: [] for name in SERVERS}
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(a_server(factory, environment(place, tenant)))
            for name, factory in SERVERS.items()
        }
        answers = [await answer(port, body, tenant.headers) for port, _ in servers.values()]
        _require_same(answers)
        for port, _ in servers.values():
            await requests(port, body, tenant.headers, seconds=min(1, seconds))
        for _ in range(rounds):
            for name, (port, process) in servers.items():
                meter = Meter(process, place.postgres)
                done = await requests(port, body, tenant.headers, seconds=seconds)
                costs[name].append(meter.cost(done))
    return costs


def _require_same(answers: Sequence[Any]) -> None:
    data = [given.get("data") for given in answers]
    if data[0] is None or any(other != data[0] for other in data):
        raise Failed(f"the servers do not give the same answer: {[str(d)[-200:] for d in answers]}")


async def _seed(place: Place, tenant: BenchTenant, leads: int) -> None:
    world = tenant.world
    company = Company(id=new_id(), name="Company 0", created_at=world.now, domain="c0.example")
    user: User = replace(world.rep, id=new_id(), account_id=new_id(), email="u0@bench.example")
    lead = Lead(
        id=new_id(),
        stage=Stage.MQL,
        stage_entered_at=world.now,
        created_at=world.now,
        updated_at=world.now,
        email="lead0@bench.example",
        first_name="Ada",
        last_name="Lovelace",
        origin_source="organic search",
        company_id=company.id,
        owner_id=user.id,
        score=55,
    )
    async with world.work() as work:
        await work.add_all([company, user, lead])
    async with seeding(place) as connection:
        await copies(
            connection,
            "users",
            user.id,
            USERS,
            {
                "id": numbered(1),
                "account_id": numbered(1),
                "email": "'user' || i || '@bench.example'",
                "name": "'Person ' || i",
            },
        )
        await copies(
            connection,
            "companies",
            company.id,
            leads,
            {
                "id": numbered(2),
                "name": "'Company ' || i",
                "domain": "'c' || i || '.example'",
            },
        )
        await copies(
            connection,
            "leads",
            lead.id,
            leads,
            {
                "id": numbered(3),
                "email": "'lead' || i || '@bench.example'",
                "owner_id": numbered(1, f"1 + i % {USERS}"),
                "company_id": numbered(2),
                "created_at": "t.created_at + i * interval '1 millisecond'",
                "score": "i % 100",
            },
        )
