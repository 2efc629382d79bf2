"""`idempotency`: what a key costs a mutation, which is then one transaction with its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count, islice

import orjson
import psutil

from bench.load import CONNECTIONS, Failed, a_server, answer, each
from bench.measuring import Cost, Meter, comparison
from bench.place import Place, a_place, seeding
from bench.report import Section
from bench.tenants import BenchTenant, a_database, a_tenant, copies, environment, numbered
from tests.agreements import add_mql

_UPDATE = """
mutation Update($input: LeadUpdateInput!) { leadUpdate(input: $input) {
  lead { id score version } userErrors { code message }
} }
"""
_UPSERT = """
mutation Upsert($input: LeadsUpsertInput!) { leadsUpsert(input: $input) {
  rows { outcome lead { id } userErrors { code } } userErrors { code message }
} }
"""
PLAIN = "leadUpdate"
WITH_KEY = ", under a key"
LEADS = 300


async def run(*, each_round: int = 300, rounds: int = 4) -> Section:
    """Change the same leads with a key and without, taking turns; the first round warms up."""
    async with a_place("idempotency") as place, a_database(place) as database:
        tenant = await a_tenant(database)
        await _seed(place, tenant)
        with a_server("api.app:from_environment", environment(place, tenant)) as server:
            costs = await _rounds(place, tenant, *server, each_round, rounds)
    return Section(
        "idempotency",
        "A key for a mutation",
        f"{each_round} mutations a round over HTTP on {CONNECTIONS} connections, every key used"
        f" once; median of {rounds} interleaved rounds.  Under a key the operation, its answer's"
        " reads included, is one transaction, in which the sealed answer is stored.",
        comparison(costs, PLAIN),
    )


async def _rounds(
    place: Place,
    tenant: BenchTenant,
    port: int,
    process: psutil.Process,
    each_round: int,
    rounds: int,
) -> dict[str, list[Cost]]:
    makes: dict[str, Callable[[int], bytes]] = {PLAIN: _update, "leadsUpsert of one": _upsert}
    costs: dict[str, list[Cost]] = {
        name: [] for plain in makes for name in (plain, plain + WITH_KEY)
    }
    changes = count()
    for number in range(rounds + 1):
        for name in costs:
            make, keyed = makes[name.removesuffix(WITH_KEY)], name.endswith(WITH_KEY)
            _require_done(await answer(port, make(next(changes)), tenant.headers))
            bodies: Iterator[bytes] = map(make, islice(changes, each_round))
            meter = Meter(process, place.postgres)
            cost = meter.cost(await each(port, bodies, tenant.headers, keyed=keyed))
            costs[name] += [cost] if number else []
    return costs


def _require_done(given: object) -> None:
    if b'"userErrors":[]' not in orjson.dumps(given):
        raise Failed(str(given))


def _update(number: int) -> bytes:
    change = {"lead": {"email": _email(number)}, "firstName": f"Ada {number}"}
    return orjson.dumps({"query": _UPDATE, "variables": {"input": change}})


def _upsert(number: int) -> bytes:
    row = {"email": _email(number), "firstName": f"Ada {number}"}
    return orjson.dumps({"query": _UPSERT, "variables": {"input": {"rows": [row]}}})


def _email(number: int) -> str:
    return f"lead{1 + number % LEADS}@bench.example"


async def _seed(place: Place, tenant: BenchTenant) -> None:
    lead = await add_mql(tenant.world)
    async with seeding(place) as connection:
        changes = {"id": numbered(1), "email": "'lead' || i || '@bench.example'"}
        await copies(connection, "leads", lead.id, LEADS, changes)
