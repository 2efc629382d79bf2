"""`hostile`: how long an innocent request waits beside documents that are meant to harm."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from time import perf_counter
from uuid import UUID

import asyncpg

from bench.load import a_connection, a_server
from bench.measuring import percentile, table
from bench.place import a_place, seeding
from bench.report import Section
from bench.tenants import BenchTenant, a_database, a_tenant, copies, environment, numbered
from domain.ids import public
from tests.agreements import add_mql

SERVER = "api.app:from_environment"
LEADS = 5_000
ATTACKERS = 4
ALLOWED_MS = 250
INNOCENT = b'{"query": "{ viewer { tenant { name } } leads(first: 5) { nodes { id email } } }"}'
_LEAD = "id email firstName score owner { name } company { name }"
_FIELDS = ("email", "firstName", "lastName", "jobTitle", "country")


def _body(query: str, **more: object) -> bytes:
    return json.dumps({"query": query, **more}).encode()


def _tokens(n: int) -> bytes:
    return _body(f"query Q{n} {{" + " a" * 45_000 + "}")


def _just_within(n: int) -> bytes:
    names = " ".join(f"f{i}: id" for i in range(100))
    spread = " ".join(f"... on Lead {{ {names} }}" for _ in range(3))
    return _body(f"query Q{n} {{ leads(first: 1) {{ nodes {{ {spread} }} }} }}")


def _aliases(n: int) -> bytes:
    return _body(f"query Q{n} {{" + " ".join(f"a{i}: __typename" for i in range(450)) + "}")


def _fragments(n: int) -> bytes:
    bombs = "".join(
        f" fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} ...F{i + 1} }}" for i in range(60)
    )
    return _body(f"query Q{n} {{ ...F0 }}{bombs} fragment F60 on Query {{ __typename }}")


def _overlapping(n: int) -> bytes:
    lists = " ".join("leads(first: 1) { totalCount }" for _ in range(38))
    return _body(f"query Q{n} {{ {lists} }}")


def _deep_variables(n: int) -> bytes:
    deep: object = {"score": {"gt": n}}
    for _ in range(900):
        deep = {"not": deep}
    query = "query($f: LeadFilter) { leads(first: 1, filter: $f) { totalCount } }"
    return _body(query, variables={"f": deep})


def _huge_lists(n: int, values: int = 30_000) -> bytes:
    query = "query($f: LeadFilter) { leads(first: 1, filter: $f) { totalCount } }"
    emails = [f"{n}-{i}@example.com" for i in range(values)]
    return _body(query, variables={"f": {"email": {"in": emails}}})


def _megabyte(n: int) -> bytes:
    return _body(f"query Q{n} {{ __typename }}", extensions={"x": "y" * 1_000_000})


def _introspection(n: int) -> bytes:
    inner = "name fields { name args { name type { name kind ofType { name } } } type { name } }"
    return _body(f"query Q{n} {{ a: __schema {{ types {{ {inner} }} }} }}")


def _introspections(n: int) -> bytes:
    inner = "name fields { name type { name fields { name type { name } } } }"
    parts = " ".join(f"a{i}: __schema {{ types {{ {inner} }} }}" for i in range(4))
    return _body(f"query Q{n} {{ {parts} }}")


def _filters(n: int, lists: int = 40) -> bytes:
    """Some lists by the same filter, which is long and has a shape of its own."""
    bits = [_FIELDS[(n >> i) % len(_FIELDS)] for i in range(190)]
    filter = {"or": [{field: {"contains": f"x{i}"}} for i, field in enumerate(bits)]}
    asked = " ".join(f"l{i}: leads(first: 1, filter: $f) {{ totalCount }}" for i in range(lists))
    return _body(f"query($f: LeadFilter) {{ {asked} }}", variables={"f": filter})


def _costly(n: int) -> bytes:
    inner = _LEAD
    lists = " ".join(f"l{i}: leads(first: 100) {{ nodes {{ {inner} }} }}" for i in range(15))
    return _body(f"query Q{n} {{ {lists} }}")


def _largest(n: int) -> bytes:
    """As many as may be asked for, in one level of the answer."""
    inner = "nodes { ... on Company { leads(first: 98) { nodes { id email firstName score } } } }"
    return _body(f"query Q{n} {{ companies(first: 48) {{ {inner} }} }}")


def _uncompiled(n: int) -> bytes:
    """The same by an interface, which graphql-core executes field by field."""
    ids = [public("Company", UUID(int=(2 << 64) + i)) for i in range(1, 49)]
    inner = "... on Company { leads(first: 98) { nodes { id email firstName score } } }"
    query = f"query Q{n}($ids: [ID!]!) {{ nodes(ids: $ids) {{ {inner} }} }}"
    return _body(query, variables={"ids": ids})


ATTACKS: Mapping[str, Callable[[int], bytes]] = {
    "45,000 tokens": _tokens,
    "2,000 tokens, all valid": _just_within,
    "450 aliases": _aliases,
    "fragments spread 3^60 times": _fragments,
    "38 overlapping lists": _overlapping,
    "variables 900 deep": _deep_variables,
    "5,000 values in a filter": partial(_huge_lists, values=5_000),
    "bodies of 1 MB": _megabyte,
    "introspection": _introspection,
    "introspection, four times": _introspections,
    "40 lists by 190 comparisons": _filters,
    "12 lists by 190 comparisons": partial(_filters, lists=12),
    "30,000 values in a filter": _huge_lists,
    "lists of 1,500 leads": _costly,
    "4,700 leads in one level": _largest,
    "4,700 leads by an interface": _uncompiled,
}


async def run(
    *, seconds: float = 5, leads: int = LEADS, attacks: Sequence[str] = tuple(ATTACKS)
) -> Section:
    """Measure an innocent tenant alone, then beside each kind of attack by another."""
    async with a_place("hostile") as place, a_database(place) as database:
        innocent, attacker = await a_tenant(database), await a_tenant(database)
        model = await add_mql(attacker.world)
        async with seeding(place) as connection:
            await crowd(connection, attacker.id, model.id, leads)
        unbounded = {"COST_PER_TENANT": "0", "COST_PER_BEARER": "0"}
        with a_server(SERVER, environment(place, innocent, **unbounded)) as (port, _):
            await _latencies(port, innocent, seconds=1)
            waits = {"nobody": await _latencies(port, innocent, seconds=seconds)}
            answered = {"nobody": 0}
            for name in attacks:
                waits[name], answered[name] = await _beside(
                    port, innocent, attacker, ATTACKS[name], seconds
                )
    return Section(
        "hostile",
        "An innocent request beside hostile documents",
        f"One connection of one tenant reads its name and five leads, again and again, on one"
        f" process, while {ATTACKERS} connections of another tenant send what is meant to harm,"
        f" each document new, for {seconds:g} s each.  Buckets of cost are off: these are the"
        f" limits of documents and the turns of the event loop alone.  At most {ALLOWED_MS} ms are"
        f" allowed.",
        _figures(waits, answered, seconds),
    )


async def crowd(connection: asyncpg.Connection, tenant_id: UUID, lead_id: UUID, leads: int) -> None:
    """Copy a lead, a hundred for each of the companies that are made for them."""
    await connection.execute(
        "INSERT INTO companies (tenant_id, id, name, normal_name, created_at, version)"
        f" SELECT $1, {numbered(2)}, 'Company ' || i, 'company ' || i, now(), 1"
        " FROM generate_series(1, $2) AS i",
        tenant_id,
        leads // 100,
    )
    changes = {
        "id": numbered(1),
        "email": "'l' || i || '@example.com'",
        "company_id": numbered(2, "(i + 99) / 100"),
    }
    await copies(connection, "leads", lead_id, leads, changes)


async def _beside(
    port: int,
    innocent: BenchTenant,
    attacker: BenchTenant,
    attack: Callable[[int], bytes],
    seconds: float,
) -> tuple[list[float], int]:
    done: Iterator[int] = count()
    numbers: Iterator[int] = count(int(perf_counter() * 1000))
    bodies = [attack(next(numbers)) for _ in range(200)]

    async def send() -> None:
        while True:
            async with a_connection(port, attacker.headers, picky=False) as ask:
                # What is refused unread costs the connection.
                with suppress(ConnectionError, asyncio.IncompleteReadError):
                    while True:
                        await ask(bodies[next(done) % len(bodies)])

    attackers = [asyncio.create_task(send()) for _ in range(ATTACKERS)]
    waits = await _latencies(port, innocent, seconds=seconds)
    for task in attackers:
        if task.done():
            task.result()  # it could not even attack
        task.cancel()
    await asyncio.gather(*attackers, return_exceptions=True)
    return waits, next(done) - ATTACKERS


async def _latencies(port: int, tenant: BenchTenant, *, seconds: float) -> list[float]:
    """Return the milliseconds of each request that one connection sent in some seconds."""
    waits = []
    async with a_connection(port, tenant.headers) as ask:
        ends = perf_counter() + seconds
        while (began := perf_counter()) < ends:
            await ask(INNOCENT)
            waits.append(1000 * (perf_counter() - began))
            await asyncio.sleep(0.005)
    return waits


def _figures(waits: Mapping[str, list[float]], answered: Mapping[str, int], seconds: float) -> str:
    idle = percentile(waits["nobody"], 0.99)
    return table(
        [
            {
                "beside": name,
                "hostile requests/s": f"{answered[name] / seconds:,.0f}",
                "innocent p50 ms": f"{percentile(each, 0.5):.1f}",
                "p99 ms": f"{percentile(each, 0.99):.1f}",
                "max ms": f"{max(each):.1f}",
                "p99, × alone": f"{percentile(each, 0.99) / idle:.1f}",
            }
            for name, each in waits.items()
        ]
    )
