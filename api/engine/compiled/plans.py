"""Operations compiled once: what is asked for, as levels of columns."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLObjectType,
    GraphQLOutputType,
    VariableNode,
    Visitor,
    VisitorAction,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    located_error,
    visit,
)
from graphql.execution.collect_fields import CollectedFields, FieldDetailsList, collect_fields
from graphql.pyutils import Path
from strawberry.types.field import StrawberryField

from api.engine.compiled.declared import load_many_of
from api.engine.compiled.leaves import converter_of
from api.engine.compiled.levels import (
    Column,
    Level,
    Place,
    Step,
    attribute,
    computed,
    constant,
    items,
    leaves,
    loaded,
    objects,
    required,
    resolved,
    row_of,
)
from api.engine.compiled.unusual import Unusual
from api.engine.events import OperationExecutor

_MOST_VARIANTS = 16


@dataclass(slots=True)
class Plan:
    """A query, compiled.  Its root fields run one after the other."""

    root: Level
    nodes: tuple[list[FieldNode], ...]
    required: tuple[bool, ...]

    async def run(self, executor: OperationExecutor) -> ExecutionResult:
        """Execute the query.

        A single root field whose resolver refuses is answered here, because that is ordinary.

        Raises:
            Exception: if graphql-core has to do it instead.
        """
        if len(self.root.columns) != 1:
            [data] = await self.root.rows(executor, [executor.root_value])
            return ExecutionResult(data, None)
        column = self.root.columns[0]
        try:
            values = await column.source(executor, [executor.root_value])
        except Exception as error:  # noqa: BLE001  # whatever it is, it is part of the answer
            refusal = located_error(error, self.nodes[0], [column.key])
            return ExecutionResult(None if self.required[0] else {column.key: None}, [refusal])
        [value] = await column.complete(executor, values)
        return ExecutionResult({column.key: value}, None)


@dataclass(slots=True)
class Plans:
    """The plans of one operation: one for each way its `@skip` and `@include` can fall out."""

    _conditions: tuple[str, ...] | None = None
    _plans: dict[tuple[Any, ...], Plan | None] = field(default_factory=dict)

    def plan(self, executor: OperationExecutor, document: DocumentNode) -> Plan | None:
        """Return the plan to run, None if graphql-core is to execute the operation."""
        if self._conditions is None:
            self._conditions = conditions_of(document)
        given = executor.variable_values.coerced
        key = tuple(given.get(name) for name in self._conditions)
        if key not in self._plans:
            if len(self._plans) >= _MOST_VARIANTS:
                self._plans.clear()
            self._plans[key] = compiled(executor)
        return self._plans[key]


def conditions_of(document: DocumentNode) -> tuple[str, ...]:
    """Return the names of the variables that decide what is part of the answer."""
    names: set[str] = set()

    class Conditions(Visitor):
        def enter_directive(self, node: DirectiveNode, *_: Any) -> VisitorAction:
            values = (argument.value for argument in node.arguments or ())
            names.update(value.name.value for value in values if isinstance(value, VariableNode))
            return None

    visit(document, Conditions())
    return tuple(sorted(names))


def compiled(executor: OperationExecutor) -> Plan | None:
    """Return an operation's plan, None if it has parts that are not declared."""
    try:
        return _Compiler(executor).plan()
    except Unusual:
        return None


class _Compiler:
    """Compiles the operation of one executor, with the values its variables have there."""

    def __init__(self, executor: OperationExecutor) -> None:
        self._executor = executor
        self._schema = executor.schema

    def plan(self) -> Plan:
        executor, query = self._executor, self._schema.query_type
        if query is None:
            raise Unusual
        collected = collect_fields(
            executor.schema,
            executor.fragments,
            executor.variable_values,
            query,
            executor.operation,
        )
        root = self._level(query, collected, None)
        groups = collected.grouped_field_set.values()
        return Plan(
            root=root,
            nodes=tuple([details.node for details in group] for group in groups),
            required=tuple(self._is_required(query, group) for group in groups),
        )

    def _is_required(self, parent: GraphQLObjectType, group: FieldDetailsList) -> bool:
        definition = self._schema.get_field(parent, group[0].node.name.value)
        return definition is not None and is_non_null_type(definition.type)

    def _level(
        self, parent: GraphQLObjectType, collected: CollectedFields, path: Path | None
    ) -> Level:
        if collected.new_defer_usages:
            raise Unusual
        columns = tuple(
            self._column(parent, key, group, Path(path, key, parent.name))
            for key, group in collected.grouped_field_set.items()
        )
        return Level(parent, columns, row_of([column.key for column in columns]))

    def _column(
        self, parent: GraphQLObjectType, key: str, group: FieldDetailsList, path: Path
    ) -> Column:
        name = group[0].node.name.value
        if name == "__typename":
            return Column(key, constant(parent.name), _unchanged)
        definition = self._schema.get_field(parent, name)
        if definition is None or name.startswith("__") or group[0].fragment_variable_values:
            raise Unusual
        place = Place(definition, parent, [details.node for details in group], path)
        return Column(key, _source(place), self._completion(definition.type, group, path))

    def _completion(self, type_: GraphQLOutputType, group: FieldDetailsList, path: Path) -> Step:
        if is_non_null_type(type_):
            return required(self._completion(type_.of_type, group, path))
        if is_list_type(type_):
            return items(self._completion(type_.of_type, group, path))
        if is_leaf_type(type_):
            return leaves(converter_of(type_))
        if is_object_type(type_):
            collected = self._executor.collect_subfields(type_, group)
            return objects(self._level(type_, collected, path))
        raise Unusual  # an interface or a union


def _source(place: Place) -> Step:
    """Return the best way to get a field's values."""
    declared = place.definition.extensions.get("strawberry-definition")
    if not isinstance(declared, StrawberryField) or declared.extensions:
        return resolved(place)
    resolver = declared.base_resolver
    if resolver is None:
        return attribute(declared.python_name)
    function: Any = resolver.wrapped_func
    load_many = load_many_of(function)
    if load_many is not None:
        return loaded(load_many, place)
    parameters = tuple(inspect.signature(function).parameters)
    parent = resolver.parent_parameter
    if parent is not None and parameters == (parent.name,) and not resolver.is_async:
        return computed(function)
    return resolved(place)


async def _unchanged(executor: OperationExecutor, values: Sequence[Any]) -> Sequence[Any]:
    return values
