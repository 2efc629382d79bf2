"""`handoff`: what it costs to hand a lead off over the API, beside a plain change of a lead."""

from __future__ import annotations

from collections.abc import Callable, Iterator

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
_HAND_OFF = """
mutation HandOff($input: LeadHandOffInput!) { leadHandOff(input: $input) {
  handoff { id status dueAt owner { id } } userErrors { code message }
} }
"""
PLAIN, HAND_OFF = "leadUpdate", "leadHandOff"


async def run(*, each_round: int = 300, rounds: int = 4) -> Section:
    """Change and hand off the same number of leads, taking turns; the first round warms up."""
    async with a_place("handoff") as place, a_database(place) as database:
        tenant = await a_tenant(database)
        await _seed(place, tenant, each_round * (rounds + 1))
        with a_server("api.app:from_environment", environment(place, tenant)) as server:
            costs = await _rounds(place, tenant, *server, each_round, rounds)
    return Section(
        "handoff",
        "Handing a lead off over the API",
        f"{each_round} mutations a round over HTTP on {CONNECTIONS} connections, each in a"
        f" transaction of its own; median of {rounds} interleaved rounds.  A hand-off checks the"
        " lead and the teams, finds whose turn it is, starts three clocks, credits marketing,"
        " counts tallies and writes its events.  All hand-offs between the same two teams take"
        " turns, because they share one rotation.",
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
    makes: dict[str, Callable[[int], bytes]] = {PLAIN: _update, HAND_OFF: _hand_off}
    costs: dict[str, list[Cost]] = {name: [] for name in makes}
    for number in range(rounds + 1):
        first = 1 + number * each_round
        for name, make in makes.items():
            bodies: Iterator[bytes] = map(make, range(first, first + each_round))
            _require_done(await answer(port, next(bodies), tenant.headers))
            meter = Meter(process, place.postgres)
            cost = meter.cost(await each(port, bodies, tenant.headers))
            costs[name] += [cost] if number else []
    return costs


def _require_done(given: object) -> None:
    if b'"userErrors":[]' not in orjson.dumps(given):
        raise Failed(str(given))


def _update(number: int) -> bytes:
    change = {"lead": _ref(number), "score": number % 100, "firstName": "Ada"}
    return orjson.dumps({"query": _UPDATE, "variables": {"input": change}})


def _hand_off(number: int) -> bytes:
    return orjson.dumps({"query": _HAND_OFF, "variables": {"input": {"lead": _ref(number)}}})


def _ref(number: int) -> dict[str, str]:
    return {"email": f"lead{number}@bench.example"}


async def _seed(place: Place, tenant: BenchTenant, leads: int) -> None:
    lead = await add_mql(tenant.world)
    async with seeding(place) as connection:
        changes = {"id": numbered(1), "email": "'lead' || i || '@bench.example'"}
        await copies(connection, "leads", lead.id, leads, changes)
        await connection.execute("UPDATE team_members SET capacity = 10000")
