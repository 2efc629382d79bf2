"""How much a document may ask for, measured before it is validated.

One pass over a document gives depth, aliases, directives and cost.  Every fragment is measured
once, however often it is spread, so a fragment bomb costs what its text costs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_list_type,
    is_non_null_type,
)

MANY = 10**9
"""Costs and counts saturate here: beyond it the exact number tells nobody anything."""

PAGE_ARGUMENTS = ("first", "last")

INTROSPECTIVE_ITEMS = {"args": 2, "interfaces": 1, "possibleTypes": 3}
"""How many items the lists of introspection are taken to have, where it is not about ten."""
INTROSPECTIVE_SHARE = 80
"""How many objects of introspection cost as much as one of the database's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most a document may ask for.  A limit is the largest number still allowed."""

    characters: int = 100_000
    tokens: int = 2_000
    depth: int = 15
    aliases: int = 100
    directives: int = 100
    repeats: int = 40
    """How often one selection set may name the same response key.

    The check that overlapping fields can be merged compares them pairwise.
    """
    cost: int = 5_000
    """About a quarter of a second of execution, in many turns."""
    mutation: int = 10
    """What a mutation costs beside its answer."""
    values: int = 200
    """Objects, lists and values of a query's variables that cost nothing."""
    page: int = 25
    """Items a list is taken to have when the document does not say."""
    errors: int = 20
    """Validation errors reported for one document."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What a selection reaches.  Cost is `fixed + items * page`, because the page may come later.

    The lists of a connection (`nodes`, `edges`) hold as many items as the connection was asked
    for, which its selection set does not know; so it says what one item costs.
    """

    depth: int = 0
    aliases: int = 0
    directives: int = 0
    repeats: int = 0
    fixed: int = 0
    items: int = 0
    introspects: bool = False
    """Whether it asks for the whole schema."""
    filled: int = 0
    """Fields whose arguments variables fill, but for those that only say how many."""

    def __add__(self, other: Reach) -> Reach:
        return Reach(
            max(self.depth, other.depth),
            min(MANY, self.aliases + other.aliases),
            min(MANY, self.directives + other.directives),
            max(self.repeats, other.repeats),
            min(MANY, self.fixed + other.fixed),
            min(MANY, self.items + other.items),
            self.introspects or other.introspects,
            min(MANY, self.filled + other.filled),
        )

    def cost(self, page: int) -> int:
        """Return the cost of one such object: 1 for each object, `page` times 1 for each list."""
        return min(MANY, self.fixed + page * self.items)


NOTHING = Reach()


@dataclass(slots=True)
class Survey:
    """Measures the operations of one document, sharing what it learns of the fragments."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    page: int
    variables: Mapping[str, Any] = field(default_factory=dict)
    mutation: int = 10
    page_variables: set[str] = field(default_factory=set)
    """Variables met that decide how long a list is."""
    _measured: dict[str, Reach] = field(default_factory=dict)
    _open: set[str] = field(default_factory=set)

    def operation(self, operation: OperationDefinitionNode) -> Reach:
        """Measure an operation.  Raises `RecursionError` when fragments nest absurdly deep."""
        root = self.schema.get_root_type(operation.operation)
        own = Reach(directives=len(operation.directives or ()))
        return own + self._selections(operation.selection_set, root)

    def _selections(
        self,
        selection_set: SelectionSetNode,
        parent: GraphQLNamedType | None,
        *,
        inline: bool = False,
    ) -> Reach:
        reach = NOTHING if inline else Reach(repeats=_repeats(selection_set))
        for selection in selection_set.selections:
            own = Reach(directives=len(selection.directives or ()))
            match selection:
                case FieldNode():
                    inner = self._field(selection, parent)
                case InlineFragmentNode():
                    condition = selection.type_condition
                    inner = self._selections(
                        selection.selection_set,
                        self.schema.get_type(condition.name.value) if condition else parent,
                        inline=True,
                    )
                case FragmentSpreadNode():
                    inner = self._fragment(selection.name.value)
                case _:
                    inner = NOTHING
            reach = reach + own + inner
        return reach

    def _fragment(self, name: str) -> Reach:
        known = self._measured.get(name)
        if known is not None:
            return known
        definition = self.fragments.get(name)
        if definition is None or name in self._open:
            return NOTHING  # unknown or cyclic: validation says so
        self._open.add(name)
        parent = self.schema.get_type(definition.type_condition.name.value)
        reach = Reach(directives=len(definition.directives or ()))
        reach += self._selections(definition.selection_set, parent)
        self._open.discard(name)
        self._measured[name] = reach
        return reach

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None) -> Reach:
        definition = self._definition(node, parent)
        named = get_named_type(definition.type) if definition else None
        child = self._selections(node.selection_set, named) if node.selection_set else NOTHING
        introspective = parent is not None and parent.name.startswith("__")
        fixed, items = self._cost(node, definition, child, introspective=introspective)
        if parent is not None and parent is self.schema.mutation_type:
            fixed = min(MANY, fixed + self.mutation)
        if node.name.value in ("__schema", "__type"):
            fixed = 1 + fixed // INTROSPECTIVE_SHARE
        return Reach(
            # The chain of `ofType` in every tool's introspection query is deeper than any real
            # query; its lists have a validation rule of their own.
            child.depth + (0 if introspective else 1),
            min(MANY, child.aliases + (node.alias is not None)),
            child.directives,
            child.repeats,
            fixed,
            items,
            child.introspects or node.name.value == "__schema",
            min(MANY, child.filled + _is_filled(node)),
        )

    def _definition(self, node: FieldNode, parent: GraphQLNamedType | None) -> GraphQLField | None:
        if parent is None or not is_composite_type(parent):
            return None
        return self.schema.get_field(parent, node.name.value)

    def _cost(
        self,
        node: FieldNode,
        definition: GraphQLField | None,
        child: Reach,
        *,
        introspective: bool,
    ) -> tuple[int, int]:
        """Return what a field costs: always, and for each item of the page it stands in."""
        if definition is None or not is_composite_type(get_named_type(definition.type)):
            return child.cost(self.page), 0
        sized = self._page(node, definition)
        if sized is None:
            sized = _declared(definition)
        is_list = is_list_type(
            definition.type.of_type if is_non_null_type(definition.type) else definition.type
        )
        if not is_list:
            return min(MANY, 1 + child.cost(self.page if sized is None else sized)), 0
        one = min(MANY, 1 + child.cost(self.page))
        if introspective:
            return min(MANY, one * self._introspected(node.name.value)), 0
        if sized is None:
            return 0, one
        return min(MANY, sized * one), 0

    def _introspected(self, name: str) -> int:
        return len(self.schema.type_map) if name == "types" else INTROSPECTIVE_ITEMS.get(name, 10)

    def _page(self, node: FieldNode, definition: GraphQLField) -> int | None:
        """Return how many items the field is asked for, or None where it cannot be asked."""
        if not any(name in definition.args for name in PAGE_ARGUMENTS):
            return None
        for argument in node.arguments or ():
            if argument.name.value not in PAGE_ARGUMENTS:
                continue
            match argument.value:
                case IntValueNode(value=digits):
                    return _items(digits)
                case VariableNode(name=name):
                    self.page_variables.add(name.value)
                    value = self.variables.get(name.value)
                    if isinstance(value, int):
                        return min(MANY, max(0, value))
                case _:
                    pass  # null, or a wrong type, which validation refuses
        return self.page


def _is_filled(node: FieldNode) -> bool:
    """Say whether variables can make the arguments of a field large."""
    return any(
        isinstance(argument.value, VariableNode | ObjectValueNode | ListValueNode)
        and argument.name.value not in PAGE_ARGUMENTS
        for argument in node.arguments or ()
    )


def _declared(definition: GraphQLField) -> int | None:
    """Return how many items a list can have at most, where its field's metadata says so."""
    declared = definition.extensions.get("strawberry-definition")
    most = getattr(declared, "metadata", {}).get("most")
    return most if isinstance(most, int) else None


def _items(digits: str) -> int:
    """Read a page size.  Python refuses, and we need not know, numbers of thousands of digits."""
    return MANY if len(digits) > 9 else max(0, int(digits))


def _repeats(selection_set: SelectionSetNode) -> int:
    """Count the most frequent response key of a selection set, inline fragments included.

    Spreads are not: the check for overlaps compares each pair of fragments only once.
    """
    keys: Counter[str] = Counter()
    waiting = [selection_set]
    while waiting:
        for selection in waiting.pop().selections:
            match selection:
                case FieldNode():
                    keys[(selection.alias or selection.name).value] += 1
                case InlineFragmentNode():
                    waiting.append(selection.selection_set)
                case _:
                    pass
    return max(keys.values(), default=0)


def defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    """Return the integer defaults of an operation's variables, the only ones that size a page."""
    return {
        definition.variable.name.value: _items(definition.default_value.value)
        for definition in operation.variable_definitions or ()
        if isinstance(definition.default_value, IntValueNode)
    }


def excesses(reach: Reach, limits: Limits) -> Iterable[str]:
    """Name every limit of shape that an operation goes over."""
    for what, asked, allowed in (
        ("levels of fields", reach.depth, limits.depth),
        ("aliases", reach.aliases, limits.aliases),
        ("directives", reach.directives, limits.directives),
        ("selections of one field in one place", reach.repeats, limits.repeats),
    ):
        if asked > allowed:
            yield f"The document has too many {what}: at most {allowed} are allowed."
