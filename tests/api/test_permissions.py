"""No root field ships without a permission, and none does anything without it."""

from dataclasses import replace

import orjson
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    OperationType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from api.context import Context
from api.engine import GraphQLRequest, OperationFailed
from api.errors import NEEDS, PUBLIC, SIGNED_IN
from api.schema import schema
from domain.identity import ROLE_PERMISSIONS, Permission, Role
from tests.world import ENGINE

SCHEMA = schema()._schema
ROOTS = {
    "query": SCHEMA.query_type,
    "mutation": SCHEMA.mutation_type,
    "subscription": SCHEMA.subscription_type,
}
# What somebody needs who is not in yet; the holder of a link shows it.
FOR_ANYBODY = {
    "installationSetUp",
    "invitationAccept",
    "invitationPreview",
    "passwordReset",
    "passwordResetRequest",
    "sessionRefresh",
    "signIn",
}
FIELDS = [(kind, name) for kind, root in ROOTS.items() for name in root.fields]

EXAMPLES = {
    "ID": "lead_" + "0" * 32,
    "String": "text",
    "Int": 1,
    "Float": 1.5,
    "Boolean": True,
    "Date": "2026-03-01",
    "DateTime": "2026-03-01T00:00:00Z",
    "Decimal": "1",
    "Duration": "PT1H",
    "EmailAddress": "ann@acme.example",
    "TimeZone": "UTC",
    "Currency": "EUR",
    "CountryCode": "IE",
    "URL": "https://acme.example/",
    "JSON": {},
}


def example(kind):
    """Return the least value that an input type takes."""
    if isinstance(kind, GraphQLNonNull):
        return example(kind.of_type)
    if isinstance(kind, GraphQLList):
        return [example(kind.of_type)]
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        if kind.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].is_one_of:
            name, field = next(iter(kind.fields.items()))
            return {name: example(field.type)}
        required = {n: f for n, f in kind.fields.items() if is_required_input_field(f)}
        return {name: example(field.type) for name, field in required.items()}
    return EXAMPLES[kind.name]


def operation(kind, name):
    """Return the shortest document that asks for a root field, and its variables."""
    field = ROOTS[kind].fields[name]
    given = {n: a for n, a in field.args.items() if is_required_argument(a)}
    declared = ", ".join(f"${n}: {a.type}" for n, a in given.items())
    passed = ", ".join(f"{n}: ${n}" for n in given)
    selection = "" if is_leaf_type(get_named_type(field.type)) else "{ __typename }"
    document = " ".join(
        (
            f"{kind}({declared})" if declared else kind,
            "{",
            f"{name}({passed})" if passed else name,
            selection,
            "}",
        )
    )
    return document, {n: example(a.type) for n, a in given.items()}


async def codes(kind, name, world, actor):
    """Return the codes of the errors that somebody is answered with at the top level."""
    document, variables = operation(kind, name)
    request = GraphQLRequest(query=document, variables=variables)
    context = Context(world.services, actor, "test")
    planned = await ENGINE().plan(request)
    if planned.kind is not OperationType.SUBSCRIPTION:
        answer = orjson.loads((await ENGINE().run(planned, context)).body)
        return [error["extensions"]["code"] for error in answer.get("errors", ())]
    stream = ENGINE().subscribe(planned, context)
    try:
        await anext(stream)
    except OperationFailed as failure:
        return [failure.code]
    finally:
        await stream.aclose()
    return []


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_every_root_field_says_what_it_needs(kind, name):
    public = [PUBLIC] if name in FOR_ANYBODY else []
    assert NEEDS[name] in (*Permission, SIGNED_IN, *public)


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, name in FIELDS if NEEDS[name] != PUBLIC]
)
async def test_nobody_gets_anywhere_without_signing_in(kind, name, world):
    assert await codes(kind, name, world, None) == ["UNAUTHENTICATED"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (kind, name)
        for kind, name in FIELDS
        if NEEDS[name] not in (*ROLE_PERMISSIONS[Role.ANALYST], PUBLIC, SIGNED_IN)
    ],
)
async def test_an_analyst_does_nothing_but_look_on(kind, name, world):
    assert await codes(kind, name, world, world.actor(world.analyst)) == ["FORBIDDEN"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind, name in FIELDS if isinstance(NEEDS[name], Permission)],
)
async def test_every_other_permission_together_is_not_the_one_it_needs(kind, name, world):
    lacking = frozenset(Permission) - {NEEDS[name]}
    actor = replace(world.actor(), permissions=lacking)

    assert await codes(kind, name, world, actor) == ["FORBIDDEN"]


def test_a_mutation_needs_more_than_to_look_on():
    looking = {Permission.VIEW, Permission.VIEW_BOARD}

    assert {name for name in ROOTS["mutation"].fields if NEEDS[name] in looking} == set()
