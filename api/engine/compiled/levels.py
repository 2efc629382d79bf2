"""What a compiled operation is made of: levels of columns.

A level is one selection set, run once for all objects that stand at that place of the answer.  A
column is one of its fields: a source that gets a value for every object, and a completion that
turns all the values into what is answered.  Whatever does not go the ordinary way raises; then the
whole operation is run again by graphql-core, which knows what to say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from graphql import FieldNode, GraphQLField, GraphQLObjectType
from graphql.execution.values import get_argument_values
from graphql.pyutils import Path

from api.engine.compiled.declared import LoadMany
from api.engine.compiled.leaves import Convert
from api.engine.compiled.unusual import Unusual
from api.engine.events import OperationExecutor

Step = Callable[[OperationExecutor, Sequence[Any]], Awaitable[Sequence[Any]]]
"""From a value for each object to a value for each object."""


MANY = 500
"""Objects of a level above which others get their turn after each column."""


@dataclass(slots=True)
class Column:
    """One field of a selection set."""

    key: str
    source: Step
    complete: Step

    async def values(self, executor: OperationExecutor, objects: Sequence[Any]) -> Sequence[Any]:
        return await self.complete(executor, await self.source(executor, objects))


@dataclass(slots=True)
class Level:
    """One selection set over objects of one type."""

    type: GraphQLObjectType
    columns: tuple[Column, ...]
    row: Callable[..., dict[str, Any]]

    async def rows(
        self, executor: OperationExecutor, objects: Sequence[Any]
    ) -> list[dict[str, Any]]:
        """Return what is answered for each object.

        One column after the other, so that all their reads can share one transaction.
        """
        is_type_of = self.type.is_type_of
        no_info: Any = None  # None of the predicates looks at it.
        if is_type_of and not all(is_type_of(each, no_info) for each in objects):
            raise Unusual
        if not self.columns:
            return [{} for _ in objects]
        columns = []
        for column in self.columns:
            columns.append(await column.values(executor, objects))
            if len(objects) > MANY:
                await asyncio.sleep(0)  # a column of thousands takes milliseconds: others first
        if any(len(column) != len(objects) for column in columns):
            raise Unusual
        return list(map(self.row, *columns))


def row_of(keys: Sequence[str]) -> Callable[..., dict[str, Any]]:
    """Return the function that makes a row of its values, in the order of the keys.

    Written out as one display, which takes a third of the time of `dict(zip(…))`; rows are what
    most of an answer consists of.
    """
    names = ", ".join(f"v{place}" for place in range(len(keys)))
    entries = ", ".join(f"{key!r}: v{place}" for place, key in enumerate(keys))
    made: Callable[..., dict[str, Any]] = eval(f"lambda {names}: {{{entries}}}")  # noqa: S307  # keys are GraphQL names, quoted
    return made


# Sources


def attribute(name: str) -> Step:
    """Read an attribute off every object."""
    read = attrgetter(name)

    async def source(executor: OperationExecutor, objects: Sequence[Any]) -> Sequence[Any]:
        return list(map(read, objects))

    return source


def constant(value: Any) -> Step:
    """Give every object the same value."""

    async def source(executor: OperationExecutor, objects: Sequence[Any]) -> Sequence[Any]:
        return [value] * len(objects)

    return source


def computed(function: Callable[[Any], Any]) -> Step:
    """Call a function of nothing but the object."""

    async def source(executor: OperationExecutor, objects: Sequence[Any]) -> Sequence[Any]:
        return list(map(function, objects))

    return source


@dataclass(slots=True)
class Place:
    """Where a field stands in an operation."""

    definition: GraphQLField
    parent: GraphQLObjectType
    nodes: list[FieldNode]
    path: Path

    def arguments(self, executor: OperationExecutor) -> dict[str, Any]:
        """Return the values of the field's arguments."""
        node = self.nodes[0]
        if not (self.definition.args or node.arguments):
            return {}
        return get_argument_values(self.definition, node, executor.variable_values)


def loaded(load_many: LoadMany, place: Place) -> Step:
    """Load the values of all objects at once."""

    async def source(executor: OperationExecutor, objects: Sequence[Any]) -> Sequence[Any]:
        if not objects:
            return ()
        arguments: Mapping[str, Any] = place.arguments(executor)
        return await load_many(executor.context_value, objects, arguments)

    return source


def resolved(place: Place) -> Step:
    """Call the resolver for every object, as graphql-core would."""

    async def source(executor: OperationExecutor, objects: Sequence[Any]) -> Sequence[Any]:
        if not objects:
            return ()
        info = executor.build_resolve_info(place.definition, place.nodes, place.parent, place.path)
        resolve = place.definition.resolve or executor.field_resolver
        arguments = place.arguments(executor)
        values = [resolve(each, info, **arguments) for each in objects]
        return await _settled(executor, values)

    return source


async def _settled(executor: OperationExecutor, values: list[Any]) -> list[Any]:
    """Wait for the values that are still to come; for all of them, even when one fails."""
    waiting = [place for place, value in enumerate(values) if executor.is_awaitable(value)]
    if len(waiting) == 1:
        values[waiting[0]] = await values[waiting[0]]
    elif waiting:
        awaited = await asyncio.gather(*(values[p] for p in waiting), return_exceptions=True)
        for place, value in zip(waiting, awaited, strict=True):
            if isinstance(value, BaseException):
                raise value
            values[place] = value
    return values


# Completions


def leaves(convert: Convert) -> Step:
    """Complete a column of scalars or enums."""

    async def complete(executor: OperationExecutor, values: Sequence[Any]) -> Sequence[Any]:
        return convert(values)

    return complete


def required(inner: Step) -> Step:
    """Complete a column that must not have nulls."""

    async def complete(executor: OperationExecutor, values: Sequence[Any]) -> Sequence[Any]:
        if None in values:
            raise Unusual
        return await inner(executor, values)

    return complete


def items(inner: Step) -> Step:
    """Complete a column of lists: the items of all lists together, then each list its share."""

    async def complete(executor: OperationExecutor, values: Sequence[Any]) -> Sequence[Any]:
        if not {list, tuple, type(None)}.issuperset(map(type, values)):
            raise Unusual
        all_items = [item for value in values if value is not None for item in value]
        done = list(await inner(executor, all_items)) if all_items else []
        lists: list[Any] = []
        start = 0
        for value in values:
            end = start + (0 if value is None else len(value))
            lists.append(None if value is None else done[start:end])
            start = end
        return lists

    return complete


def objects(level: Level) -> Step:
    """Complete a column of objects, each of them once however often it stands there."""

    async def complete(executor: OperationExecutor, values: Sequence[Any]) -> Sequence[Any]:
        distinct = {id(value): value for value in values if value is not None}
        if not distinct:
            return [None] * len(values)
        rows = await level.rows(executor, list(distinct.values()))
        if len(distinct) == len(values):
            return rows
        row_of = dict(zip(distinct, rows, strict=True))
        return [None if value is None else row_of[id(value)] for value in values]

    return complete
