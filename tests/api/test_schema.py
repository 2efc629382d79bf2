"""The conventions that make the schema look the same everywhere, as far as a machine can tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    build_schema,
    get_named_type,
    is_introspection_type,
    is_list_type,
    is_non_null_type,
    is_specified_scalar_type,
)
from strawberry.utils.str_converters import to_camel_case

from api.views import VIEWS, fields_of
from domain import ids
from infra.cli.schema import FILE, sdl
from infra.tables import TABLES

# As it is published, which is what clients see.
SCHEMA: Any = build_schema(sdl())
TYPES: dict[str, GraphQLNamedType] = {
    name: type
    for name, type in SCHEMA.type_map.items()
    if not is_introspection_type(type) and not is_specified_scalar_type(type)
}
OBJECTS = [t for t in TYPES.values() if isinstance(t, GraphQLObjectType | GraphQLInterfaceType)]
INPUTS = [t for t in TYPES.values() if isinstance(t, GraphQLInputObjectType)]
ENUMS = [t for t in TYPES.values() if isinstance(t, GraphQLEnumType)]
SCALARS = [t for t in TYPES.values() if isinstance(t, GraphQLScalarType)]
CONNECTIONS = [t for t in OBJECTS if t.name.endswith("Connection")]
MUTATIONS: dict[str, Any] = SCHEMA.mutation_type.fields

# What a mutation may begin with besides the name of a type.
NOUNS = {
    *("board", "import", "installation", "opportunitie", "password", "pipeline", "revenue"),
    "touches",
}
# It begins with what everybody calls it.
VERB_FIRST = {"signIn", "signOut", "signOutEverywhere"}
# It needs to be told nothing.
WITHOUT_INPUT = {
    *("digestSubscriptionEnd", "duplicateScanStart", "signOut", "signOutEverywhere"),
}
# Instants and days that say no more than when, and the ends of a span between two instants.
BARE_INSTANTS = {"at", "asOf", "from", "since", "to", "until"}
BARE_DAYS = {"on"}
# What lists are narrowed by where no filter can say it: what is read off the clock or off who asks,
# and what is nowhere stored.
NARROWING = {
    *("awaiting", "feedback", "olderThan", "overdue", "unread"),
    *("kinds", "stages", "teams"),
}


def described() -> Iterator[tuple[str, str | None]]:
    """Return everything that has to be described, by its coordinate."""
    for name, type in TYPES.items():
        yield name, type.description
        for member, value in getattr(type, "values", {}).items():
            yield f"{name}.{member}", value.description
    for path, element in elements():
        yield path, element.description


def elements() -> Iterator[tuple[str, Any]]:
    """Return every field, argument and field of an input, by its coordinate."""
    for type in (*OBJECTS, *INPUTS):
        for name, field in type.fields.items():
            yield f"{type.name}.{name}", field
            for argument, it in getattr(field, "args", {}).items():
                yield f"{type.name}.{name}({argument}:)", it


def last(path: str) -> str:
    """Return the name that a coordinate ends with."""
    return re.split(r"[.(]", path.removesuffix(":)"))[-1]


def named(type: Any) -> str:
    name: str = get_named_type(type).name
    return name


def given(*kinds: str) -> list[str]:
    """Return the coordinates of what is of some types, but for comparisons and root fields."""
    return [
        path
        for path, element in elements()
        if named(element.type) in kinds
        and "Comparison." not in path
        and not re.fullmatch(r"(Query|Mutation|Subscription)\.\w+", path)
    ]


def test_the_file_of_the_schema_is_current():
    assert FILE.read_text(encoding="utf-8") == sdl(), "run `smarketing schema export`"


def test_everything_is_described_in_sentences():
    assert [path for path, text in described() if not text or not text.endswith(".")] == []
    assert [path for path, text in described() if text and text[0].islower()] == []


def test_descriptions_fit_on_a_screen():
    assert [path for path, text in described() if text and len(text) > 300] == []


def test_names_are_written_as_graphql_writes_them():
    assert [
        path for path, _ in elements() if not re.fullmatch("[a-z][a-zA-Z0-9]*", last(path))
    ] == []
    assert [name for name in TYPES if not re.fullmatch("[A-Z][a-zA-Z0-9]*", name)] == []
    members = [f"{enum.name}.{member}" for enum in ENUMS for member in enum.values]
    assert [member for member in members if not re.fullmatch("[A-Z][A-Z0-9_]*", last(member))] == []


def test_a_type_says_by_its_name_whether_it_is_given_or_answered():
    given_as = re.compile(r"(Input|Ref|Filter|Comparison|Order)$")
    assert [type.name for type in INPUTS if not given_as.search(type.name)] == []
    answered = {type.name for type in OBJECTS if type.name.endswith("Input")}
    assert answered == set()


def test_instants_end_in_at_and_days_in_on():
    instants, days = given("DateTime"), given("Date")
    assert [p for p in instants if not p.endswith("At") and last(p) not in BARE_INSTANTS] == []
    assert [p for p in days if not last(p).endswith("On") and last(p) not in BARE_DAYS] == []

    at = [path for path, _ in elements() if last(path).endswith("At") or last(path) == "at"]
    assert set(at) <= {*instants, *given("DateTimeComparison")}
    on = [path for path, _ in elements() if last(path).endswith("On") or last(path) == "on"]
    assert set(on) <= {*days, *given("DateComparison")}


def test_shares_are_decimals_and_called_shares_or_rates():
    shares = {path for path, _ in elements() if re.search("(Share|Rate)$", last(path))}
    shares -= {"ExchangeRateSetPayload.exchangeRate"}  # a thing, and no share
    assert shares <= set(given("Decimal"))

    said = {
        path for path, element in elements() if re.match("(The|Which) share", element.description)
    }
    decimals = said & set(given("Decimal"))
    assert [path for path in decimals if not re.search("(Share|Rate|share|rate)$", path)] == []


def test_there_is_no_number_that_rounds():
    assert [path for path, element in elements() if named(element.type) == "Float"] == []


def test_lists_hold_no_nulls():
    """But for `nodes`, where the Relay specification puts null for what is not there."""
    holding = [path for path, element in elements() if has_null_items(element.type)]
    assert holding == ["Query.nodes"]


def has_null_items(type: Any) -> bool:
    while isinstance(type, GraphQLNonNull):
        type = type.of_type
    return is_list_type(type) and not is_non_null_type(type.of_type)


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_a_mutation_is_noun_first(name: str):
    if name in VERB_FIRST:
        return
    nouns = {type[0].lower() + type[1:] for type in TYPES} | NOUNS
    nouns |= {f"{noun}s" for noun in nouns}
    heads = [name[:at] for at in range(1, len(name)) if name[at].isupper()]
    assert [head for head in heads if head in nouns], name


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_a_mutation_takes_one_input_and_answers_with_a_payload_of_its_own(name: str):
    field, title = MUTATIONS[name], name[0].upper() + name[1:]

    arguments = {argument: str(it.type) for argument, it in field.args.items()}
    assert arguments == ({} if name in WITHOUT_INPUT else {"input": f"{title}Input!"})

    # Null beside an error, so that one failure takes no other mutation's answer away.
    assert str(field.type) == f"{title}Payload"
    payload = dict(field.type.fields)
    assert str(payload.pop("userErrors").type) == "[UserError!]!"
    [thing] = payload.values()
    assert not is_non_null_type(thing.type)


def test_the_payloads_and_inputs_of_mutations_are_for_nothing_else():
    titles = {name[0].upper() + name[1:] for name in MUTATIONS}
    inside = {
        named(element.type) for path, element in elements() if not path.startswith("Mutation.")
    }
    assert {f"{title}{part}" for title in titles for part in ("Input", "Payload")} & inside == set()
    assert {t for t in TYPES if t.endswith("Payload")} == {f"{title}Payload" for title in titles}


@pytest.mark.parametrize("connection", CONNECTIONS, ids=str)
def test_a_connection_is_paged_as_relay_says(connection: GraphQLObjectType):
    node = connection.name.removesuffix("Connection")
    assert {name: str(field.type) for name, field in connection.fields.items()} == {
        "nodes": f"[{node}!]!",
        "edges": f"[{node}Edge!]!",
        "pageInfo": "PageInfo!",
        "totalCount": "Int!",
    }
    edge: Any = TYPES[f"{node}Edge"]
    assert {name: str(field.type) for name, field in edge.fields.items()} == {
        "cursor": "String!",
        "node": f"{node}!",
    }

    places = [field for _, field in elements() if named(field.type) == connection.name]
    assert places
    for field in places:
        arguments = {name: str(it.type) for name, it in field.args.items()}
        relay = {"first": "Int", "after": "String", "last": "Int", "before": "String"}
        assert relay.items() <= arguments.items()
        assert set(arguments) - set(relay) <= {"filter", "orderBy", "stage", *NARROWING}
        assert str(field.type) == f"{connection.name}!"


def test_lists_are_filtered_and_ordered_the_same_way_everywhere():
    for path, element in elements():
        kind = named(element.type)
        if kind.endswith("Order"):
            assert path.endswith("(orderBy:)"), path
            assert str(element.type) == f"[{kind}!]"
        if path.endswith("(filter:)"):
            assert str(element.type) == kind, path
            assert kind.endswith("Filter"), path


def test_an_id_of_another_thing_is_an_object_in_answers_and_its_name_in_inputs():
    """`owner`, never `ownerId`: but for filters, which compare the id itself."""
    ids_named = [path for path, element in elements() if named(element.type) == "ID"]
    assert [path for path in ids_named if last(path).endswith("Id")] == []
    answered = {type.name for type in OBJECTS}
    plain = [p for p in ids_named if p.split(".")[0] in answered and "(" not in p]
    assert {last(path) for path in plain} == {"id"}


def test_refs_take_exactly_one_way_of_telling_the_thing():
    for type in INPUTS:
        if type.name.endswith("Ref"):
            assert type.is_one_of
            assert str(type.fields["id"].type) == "ID"
            assert not any(is_non_null_type(field.type) for field in type.fields.values())


def test_own_scalars_say_where_they_are_specified():
    unspecified = {scalar.name for scalar in SCALARS if not scalar.specified_by_url}
    assert unspecified == {"Decimal"}


def relations() -> Iterator[tuple[str, str]]:
    """Return the table and column behind every relation of something stored that is never null."""
    for entity, view in VIEWS.items():
        if entity.__name__ not in ids.PREFIXES or entity not in TABLES:
            continue
        for field in fields_of(view):
            relation = field.metadata.get("relation")
            shown: Any = TYPES[view.__strawberry_definition__.name]
            if relation and is_non_null_type(shown.fields[to_camel_case(field.python_name)].type):
                yield TABLES[entity].name, relation.keywords["by"]


async def test_a_relation_that_is_never_null_rests_on_a_foreign_key(database_urls: Any):
    connection = await asyncpg.connect(database_urls.owner)
    try:
        rows = await connection.fetch(
            "SELECT conrelid::regclass::text, pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE contype = 'f'"
        )
    finally:
        await connection.close()
    found = ((table, re.match(r"FOREIGN KEY \(tenant_id, (\w+)\)", key)) for table, key in rows)
    keys = {(table, key[1]) for table, key in found if key}
    wanted = set(relations())

    # A calendar and its versions point at each other, and only one of them can come first.
    assert wanted - keys == {("calendars", "current_id")}
    assert len(wanted) > 20
