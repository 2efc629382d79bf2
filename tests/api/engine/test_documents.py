import asyncio
import gc

import pytest
from graphql import OperationType, get_introspection_query, parse

from api.engine.documents import Documents, Recent, without_tokens
from api.engine.limits import Limits
from api.engine.masking import OperationFailed
from tests.api.engine.world import schema


@pytest.fixture
def documents():
    documents = Documents(schema._schema, Limits())
    yield documents
    documents.close()


async def refused(documents, text):
    with pytest.raises(OperationFailed) as failure:
        await documents.prepare(text)
    return failure.value


async def test_a_document_is_made_ready_once(documents):
    first = await documents.prepare("query A { hello } query B { lead { name } }")

    assert await documents.prepare("query A { hello } query B { lead { name } }") is first
    assert {name: (one.kind, one.cost({})) for name, one in first.operations.items()} == {
        "A": (OperationType.QUERY, 0),
        "B": (OperationType.QUERY, 1),
    }


async def test_a_bad_document_is_judged_once(documents):
    first = await refused(documents, "{ nothing }")
    second = await refused(documents, "{ nothing }")

    assert second.errors[0] is first.errors[0]
    assert first.errors == (
        {
            "message": "Cannot query field 'nothing' on type 'Query'.",
            "locations": [{"line": 1, "column": 3}],
            "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"},
        },
    )


async def test_the_usual_introspection_is_within_the_limits(documents):
    query = get_introspection_query(specified_by_url=True, input_value_deprecation=True)

    assert list((await documents.prepare(query)).operations) == ["IntrospectionQuery"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{" + " hello" * 2001 + "}", "GRAPHQL_PARSE_FAILED"),
        (" " * 100_001, "GRAPHQL_PARSE_FAILED"),
        ("{ lead" * 5000 + "}" * 5000, "GRAPHQL_PARSE_FAILED"),
        ("fragment f on Query { hello }", "GRAPHQL_VALIDATION_FAILED"),
        ("type A { b: Int }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...f } fragment f on Query { ...f }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ lead " + "{ friends " * 15 + "{ name }" + " }" * 15 + "}", "GRAPHQL_VALIDATION_FAILED"),
        ("{" + " ".join(f"a{n}: hello" for n in range(101)) + "}", "GRAPHQL_VALIDATION_FAILED"),
        ("{" + " hello @include(if: true)" * 39 + " hello" * 2 + "}", "GRAPHQL_VALIDATION_FAILED"),
        ("{ leads(first: 5000) { nodes { name } } }", "COST_LIMIT_EXCEEDED"),
        ("{ lead { friends { friends { friends { name } } } } }", "COST_LIMIT_EXCEEDED"),
        (
            "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ("{ hello @defer }", "GRAPHQL_VALIDATION_FAILED"),
    ],
    ids=range(15),
)
async def test_what_goes_over_a_limit_is_refused_under_its_code(documents, text, code):
    assert {error["extensions"]["code"] for error in (await refused(documents, text)).errors} == {
        code
    }


async def test_a_refusal_by_cost_says_both_numbers(documents):
    [error] = (await refused(documents, "{ leads(first: 5000) { nodes { name } } }")).errors

    assert error["extensions"] == {
        "code": "COST_LIMIT_EXCEEDED",
        "cost": {"requested": 5001, "limit": 5000},
    }


async def test_cost_by_variables_is_found_when_they_are_known(documents):
    prepared = await documents.prepare(
        "query ($n: Int = 7, $x: String) { leads(first: $n) { nodes { name } } hello(name: $x) }"
    )
    operation = prepared.operation(None)

    assert [operation.cost(given) for given in ({}, {"n": 3}, {"n": None}, {"x": "a"})] == [
        8,
        4,
        26,
        8,
    ]


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("query A { hello } query B { hello }", None, "Say in operationName which"),
        ("query A { hello }", "B", "no operation named 'B'"),
        ("{ hello }", "", "no operation named ''"),
    ],
)
async def test_an_operation_must_be_named_where_it_matters(documents, text, name, message):
    prepared = await documents.prepare(text)

    with pytest.raises(OperationFailed, match=message) as failure:
        prepared.operation(name)
    assert failure.value.code == "BAD_USER_INPUT"


async def test_the_field_of_a_subscription_is_found_through_fragments(documents):
    prepared = await documents.prepare(
        "subscription { ... { ...F } } fragment F on Subscription { now: board { headline } }"
    )

    assert prepared.operation(None).root_field == "board"


HOSTILE = {
    "repeated": "{" + " hello" * 1990 + "}",
    "repeated with children": "{" + " lead { name }" * 480 + "}",
    "repeated in fragments": "{"
    + "".join(f"...f{n} " for n in range(140))
    + "}"
    + "".join(f"fragment f{n} on Query {{ lead {{ name }} }} " for n in range(140)),
    "bomb": "{ ...f0 }"
    + "".join(
        f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} ...f{n + 1} }}" for n in range(99)
    )
    + "fragment f99 on Query { hello }",
    "chain": "{ ...f0 }"
    + "".join(f"fragment f{n} on Query {{ ...f{n + 1} }}" for n in range(240))
    + "fragment f240 on Query { hello }",
    "deep": "{ lead" * 5000 + "}" * 5000,
    "wide": "{" + " ".join(f"typo{n}" for n in range(1900)) + "}",
    "operations": "".join(f"query q{n} {{ ...F }} " for n in range(200))
    + "fragment F on Query {"
    + " ".join(f"a{n}: hello" for n in range(99))
    + "}",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_others_are_served_while_a_hostile_document_is_judged(documents, text):
    await documents.prepare("{ hello }")
    judging = asyncio.create_task(documents.prepare(text))
    turns = 0
    while not judging.done():
        assert (await documents.prepare("{ hello }")).operations
        await asyncio.sleep(0)
        turns += 1

    await asyncio.gather(judging, return_exceptions=True)
    assert turns > 1


async def test_a_large_document_asked_for_twice_at_once_is_judged_once(documents):
    text = "{" + " ".join(f"a{number}: hello" for number in range(100)) + " " * 2000 + "}"
    first, second = await asyncio.gather(documents.prepare(text), documents.prepare(text))

    assert first is second


def test_the_oldest_goes_first_by_count_and_by_size():
    recent = Recent[int](count=3, size=100)
    for number in range(4):
        recent.put(str(number), number, 10)
    assert [recent.get(str(number)) for number in range(4)] == [None, 1, 2, 3]

    recent.get("1")
    recent.put("big", 9, 85)
    assert [recent.get(key) for key in ("1", "2", "3", "big")] == [1, None, None, 9]

    recent.put("too big", 9, 101)
    assert (recent.get("too big"), len(recent), recent.held) == (None, 2, 95)

    recent.put("big", 8, 1)
    assert (recent.get("big"), recent.held) == (8, 11)


@pytest.mark.parametrize(
    ("text", "static"),
    [
        ("{ __schema { queryType { name } } }", True),
        ('{ __typename t: __type(name: "Lead") { name } }', True),
        ("{ ... { ...F } } fragment F on Query { __schema { queryType { name } } }", True),
        ("{ __schema { queryType { name } } hello }", False),
        ("{ ...F ...F } fragment F on Query { __typename hello }", False),
        ("mutation { __typename }", False),
        ("{ hello }", False),
    ],
)
async def test_a_query_of_nothing_but_the_schema_is_known_as_one(documents, text, static):
    assert (await documents.prepare(text)).operation(None).static is static


def test_a_document_without_its_tokens_leaves_no_garbage():
    gc.collect()
    document = without_tokens(
        parse("query Q($a: Int) { lead(a: $a) { ...F } } fragment F on L { b }")
    )
    assert (document.loc.start, document.loc.end) == (0, 63)
    gc.disable()
    try:
        del document
        assert gc.collect() == 0
    finally:
        gc.enable()
