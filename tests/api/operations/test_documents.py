"""The documented operations as they are written down."""

from __future__ import annotations

import pytest
from graphql import OperationDefinitionNode, parse, validate
from graphql.execution import get_variable_values

from api.operations import FOLDER, GROUPS, DocumentedOperation
from api.schema import schema
from tests.api.operations.front_end import OPERATIONS

SCHEMA = schema()._schema


def definition_of(operation: DocumentedOperation) -> OperationDefinitionNode:
    (found,) = (
        node
        for node in parse(operation.document).definitions
        if isinstance(node, OperationDefinitionNode)
    )
    return found


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_documented_operation_says_what_it_does(operation: DocumentedOperation) -> None:
    definition = definition_of(operation)
    assert operation.group in GROUPS
    assert operation.title
    assert definition.name is not None
    assert definition.operation.value == operation.kind
    # The file is called like the operation.
    assert "".join(word.capitalize() for word in operation.name.split("-")) == definition.name.value


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_documented_operation_and_its_example_fit_the_schema(
    operation: DocumentedOperation,
) -> None:
    assert validate(SCHEMA, parse(operation.document)) == []
    definitions = definition_of(operation).variable_definitions or ()
    assert set(operation.variables) <= {each.variable.name.value for each in definitions}
    outcome = get_variable_values(SCHEMA, definitions, operation.variables)
    assert not isinstance(outcome, list), outcome


def test_every_file_is_an_operation_and_no_name_is_taken_twice() -> None:
    assert {path.stem for path in FOLDER.iterdir() if path.suffix == ".graphql"} == set(OPERATIONS)
    names = [
        node.name.value
        for operation in OPERATIONS.values()
        for node in parse(operation.document).definitions
        if getattr(node, "name", None)
    ]
    assert len(names) == len(set(names))
