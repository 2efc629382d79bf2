import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse
from hypothesis import given
from hypothesis import strategies as st

from api.engine.limits import MANY, Survey
from tests.api.engine.world import schema


def measured(text, **variables):
    document = parse(text)
    fragments = {
        definition.name.value: definition
        for definition in document.definitions
        if isinstance(definition, FragmentDefinitionNode)
    }
    survey = Survey(schema._schema, fragments, 25, variables)
    [operation] = [
        definition
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
    ]
    return survey.operation(operation), survey


def cost(text, **variables):
    reach, survey = measured(text, **variables)
    return reach.cost(survey.page)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ hello }", 0),  # scalars are free
        ("{ lead { name } }", 1),
        ("{ lead { owner { name } } }", 2),
        ("{ lead { friends { name } } }", 1 + 25),  # a list that does not say is a page
        ("{ lead { friends { owner { name } } } }", 1 + 25 * 2),
        ("{ lead { friends { friends { name } } } }", 1 + 25 * (1 + 25)),
        ("{ leads { nodes { name } } }", 1 + 25),
        ("{ leads(first: 10) { nodes { name } } }", 1 + 10),
        ("{ leads(first: 10) { pageInfo { hasNextPage } nodes { name } } }", 1 + 1 + 10),
        ("{ leads(first: 10) { nodes { leads(first: 3) { nodes { name } } } } }", 1 + 10 * 5),
        ("{ leads(first: 10) { nodes { friends { name } } } }", 1 + 10 * 26),
        ("{ leads(first: 0) { nodes { name } } }", 1),
        ("{ leads(first: -5) { nodes { name } } }", 1),
        ("{ leads(first: 99999999999999999999) { nodes { name } } }", MANY),
        ("{ a: lead { name } b: lead { name } }", 2),
        ("{ ...F ...F } fragment F on Query { lead { name } }", 2),
        ("{ leads(first: 9) { ...F } } fragment F on LeadConnection { nodes { name } }", 1 + 9),
        ("{ ... { lead { ... on Lead { owner { name } } } } }", 2),
        ("{ unknown { lead } }", 0),  # validation refuses it
        ('{ leads(first: "x") { nodes { name } } }', 1 + 25),
    ],
)
def test_cost_is_one_an_object_and_a_list_times_its_page(query, expected):
    assert cost(query) == expected


def test_a_page_may_come_as_a_variable():
    query = "query ($n: Int) { leads(first: $n) { nodes { name } } }"

    assert [cost(query), cost(query, n=3), cost(query, n=-1)] == [26, 4, 1]
    assert measured(query)[1].page_variables == {"n"}


@pytest.mark.parametrize(
    ("query", "depth"),
    [
        ("{ hello }", 1),
        ("{ lead { owner { name } } }", 3),
        ("{ lead { ... { ...F } } } fragment F on Lead { owner { name } }", 3),
        ("{ __schema { types { ofType { ofType { ofType { name } } } } } }", 1),
    ],
)
def test_depth_counts_fields_and_not_fragments_or_introspection(query, depth):
    assert measured(query)[0].depth == depth


def test_aliases_and_directives_count_as_often_as_they_are_spread():
    reach, _ = measured(
        "query @a { ...F @b ...F } fragment F on Query @c { x: hello @d y: hello hello hello }"
    )

    assert (reach.aliases, reach.directives, reach.repeats) == (4, 1 + 1 + 2 * 2, 2)


def test_inline_fragments_do_not_hide_repetition():
    assert measured("{ hello ... { hello ... { hello } } ... { hello } }")[0].repeats == 4


def test_a_fragment_bomb_is_measured_at_once():
    bomb = "{ ...f0 }" + "".join(
        f"fragment f{n} on Query {{ x: hello lead {{ name }} ...f{n + 1} ...f{n + 1} }}"
        for n in range(100)
    )
    reach, _ = measured(bomb + "fragment f100 on Query { hello }")

    assert (reach.aliases, reach.cost(25)) == (MANY, MANY)


def test_a_cycle_is_left_to_validation():
    assert cost("{ ...a } fragment a on Query { lead { name } ...b } fragment b on Query { ...a }")


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 5))
def test_a_fragment_costs_what_its_text_in_its_place_would(first, inner, nesting):
    text = f"name leads(first: {inner}) {{ nodes {{ friends {{ name }} }} }}"
    fragments = "".join(
        f"fragment F{number} on Lead {{ ...F{number + 1} }} " for number in range(nesting)
    )
    written = f"{{ leads(first: {first}) {{ nodes {{ {text} }} }} }}"
    spread = f"{{ leads(first: {first}) {{ nodes {{ ...F0 }} }} }} {fragments}"

    assert cost(f"{spread} fragment F{nesting} on Lead {{ {text} }}") == cost(written)
