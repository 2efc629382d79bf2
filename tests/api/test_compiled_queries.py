"""Compiled queries give what graphql-core gives, which is the oracle here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any

import orjson
from graphql import (
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_required_argument,
)

from api.engine import Engine, GraphQLRequest, Limits
from api.schema import kinds, schema
from domain.ids import new_id, public
from domain.leads import Activity, ActivityKind, Agency, Company, LeadExternalId
from tests.agreements import a_sla, an_mql, sign
from tests.world import World

LARGE = Limits(cost=10**9, tokens=100_000, aliases=10_000, directives=10_000, depth=30)


def engines(core: GraphQLSchema, **options: Any) -> tuple[Engine, Engine]:
    """Return an engine that compiles, and one that leaves everything to graphql-core."""
    return Engine(core, LARGE, **options), Engine(core, LARGE, compiled=False, **options)


async def both(
    fast: Engine, core: Engine, query: str, variables: dict[str, Any], context: Any
) -> tuple[Any, Any]:
    request = GraphQLRequest(query=query, variables=variables)
    answers = [await engine.execute(request, context()) for engine in (fast, core)]
    return orjson.loads(answers[0].body), orjson.loads(answers[1].body)


# Documents made by chance over the whole schema


class Documents:
    """Writes documents that are valid: aliases, fragments, conditions, pages and all."""

    def __init__(self, core: GraphQLSchema, chance: Random) -> None:
        self.core = core
        self.chance = chance
        self.fragments: list[str] = []

    def document(self) -> str:
        query = self.core.query_type
        assert query is not None
        names = [name for name, field in query.fields.items() if self._is_askable(field)]
        chosen = self.chance.sample(names, self.chance.choice((1, 1, 1, 2, 3)))
        body = " ".join(self._field(name, query.fields[name], 4) for name in chosen)
        head = "query Q($yes: Boolean! = true, $no: Boolean! = false, $n: Int = 3)"
        return "\n".join([f"{head} {{ {body} {self._used} }}", *self.fragments])

    _used = "a: __typename @skip(if: $no) b: __typename @include(if: $yes) c: leads(first: $n) {"
    _used += " totalCount }"

    def _is_askable(self, field: GraphQLField) -> bool:
        return not any(is_required_argument(argument) for argument in field.args.values())

    def _field(self, name: str, field: GraphQLField, depth: int) -> str:
        alias = f"x{self.chance.randrange(10**6)}: " if self.chance.random() < 0.2 else ""
        arguments = ""
        if "first" in field.args and self.chance.random() < 0.7:
            arguments = f"(first: {self.chance.choice(('1', '2', '50', '$n'))})"
        elif "last" in field.args and self.chance.random() < 0.3:
            arguments = "(last: 2)"
        named = get_named_type(field.type)
        inner = "" if is_leaf_type(named) else f" {self._selection(named, depth - 1)}"
        return f"{alias}{name}{arguments}{self._condition()}{inner}"

    def _condition(self) -> str:
        options = ("@skip(if: $no)", "@skip(if: $yes)", "@include(if: $yes)", "@include(if: $no)")
        return f" {self.chance.choice(options)}" if self.chance.random() < 0.08 else ""

    def _selection(self, parent: GraphQLNamedType, depth: int) -> str:
        parts = ["__typename"] if self.chance.random() < 0.3 else []
        if is_abstract_type(parent):
            return "{ __typename }"
        assert isinstance(parent, GraphQLObjectType)
        for name, field in parent.fields.items():
            leaf = is_leaf_type(get_named_type(field.type))
            wanted = self.chance.random() < (0.5 if leaf else 0.35)
            if wanted and (leaf or depth > 0) and self._is_askable(field):
                parts.append(self._wrapped(parent, self._field(name, field, depth)))
        return f"{{ {' '.join(parts) or '__typename'} }}"

    def _wrapped(self, parent: GraphQLObjectType, field: str) -> str:
        roll = self.chance.random()
        if roll < 0.08:
            return f"... on {parent.name}{self._condition()} {{ {field} }}"
        if roll < 0.14:
            return f"...{self._condition()} {{ {field} {field} }}"
        if roll < 0.2:
            name = f"F{len(self.fragments)}"
            self.fragments.append("")
            place = len(self.fragments) - 1
            self.fragments[place] = f"fragment {name} on {parent.name} {{ {field} }}"
            return f"...{name}{self._condition()}"
        return field


async def furnish(world: World) -> None:
    """Fill a tenant with something of everything that lists can show."""
    company = Company(id=new_id(), name="Acme", created_at=world.now, domain=None)
    leads = [
        an_mql(
            world.now,
            number,
            company_id=company.id if number % 2 else None,
            owner_id=(world.rep.id, world.other_rep.id, None)[number % 3],
            score=number,
            country=None if number % 2 else "IE",
        )
        for number in range(5)
    ]
    touched = Activity(
        id=new_id(),
        lead_id=leads[0].id,
        kind=ActivityKind.CALL,
        agency=Agency.HUMAN,
        answered=True,
        user_id=world.rep.id,
        occurred_at=world.now.replace(microsecond=123_000),
        recorded_at=world.now,
    )
    known = LeadExternalId(
        id=new_id(), lead_id=leads[1].id, source="hubspot", value="1", created_at=world.now
    )
    await sign(world, sla=a_sla(world))
    async with world.work() as work:
        await work.add_all([company, *leads, touched, known])
    for lead in leads[:3]:
        answer = await world.data(
            "mutation($i: LeadHandOffInput!) { leadHandOff(input: $i) { userErrors { code } } }",
            {"i": {"lead": {"id": public("Lead", lead.id)}}},
        )
        assert answer == {"leadHandOff": {"userErrors": []}}
    world.wait(hours=3, minutes=20)


async def test_whatever_is_asked_the_answer_is_graphql_cores(world: World) -> None:
    await furnish(world)
    core = schema()._schema
    fast, oracle = engines(core, kinds=kinds())
    chance, compared, failed = Random(20260310), 0, 0

    for _ in range(250):
        query = Documents(core, chance).document()
        ours, expected = await both(fast, oracle, query, {}, world.context)
        assert ours == expected, query
        compared += "errors" not in expected
        failed += "errors" in expected

    # Else the documents would test nothing, or the oracle would have answered for itself.
    assert compared > 200
    assert fast.fallen_back <= failed


async def test_each_way_the_conditions_fall_out_has_its_own_plan(world: World) -> None:
    fast, oracle = engines(schema()._schema, kinds=kinds())
    query = "query($w: Boolean!) { leads { totalCount @include(if: $w) nodes @skip(if: $w) {id} } }"

    for value in (True, False, True):
        ours, expected = await both(fast, oracle, query, {"w": value}, world.context)
        assert ours == expected
        assert set(ours["data"]["leads"]) == ({"totalCount"} if value else {"nodes"})
    assert fast.fallen_back == 0


async def test_a_list_with_its_relations_is_read_in_one_transaction(world: World) -> None:
    await furnish(world)
    fast, _ = engines(schema()._schema, kinds=kinds())
    begun = Counting(world.database)
    context = replace(world.context(), services=Services(begun, world.services))
    query = "{ leads { nodes { email owner { name } company { name } } totalCount } }"

    answer = await fast.execute(GraphQLRequest(query=query), context)

    assert (len(answer.data["leads"]["nodes"]), begun.transactions) == (5, 1)


@dataclass
class Counting:
    """A database that counts its transactions."""

    database: Any
    transactions: int = 0

    def work(self, *args: Any, **options: Any) -> Any:
        self.transactions += 1
        return self.database.work(*args, **options)


@dataclass
class Services:
    database: Any
    services: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.services, name)
