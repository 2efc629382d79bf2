"""Walking over the schema: every argument of every root field, with values that make sense.

What is sensible for a field follows from its type, and from the tables of `meanings` where the type
does not say enough.  A field that nothing there fits fails by name, so a new one is never passed
by.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from api.schema import schema
from domain.filters import Comparator
from tests.api.meanings import EXAMPLES, KINDS, MEANT, MORE, VALUES
from tests.api.scene import Scene
from tests.passwords import PASSWORD

SCHEMA = schema()._schema
ROOTS = {
    "query": SCHEMA.query_type,
    "mutation": SCHEMA.mutation_type,
    "subscription": SCHEMA.subscription_type,
}
Path = tuple[str | int, ...]
FILTERS = {"filter", "criterion", "segment"}
COMPARATORS = {comparator.value for comparator in Comparator}
_ID = re.compile(r"[a-z]+_[0-9a-f]{32}")
_count = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a root field's arguments that takes one value."""

    root: str
    field: str
    path: Path
    type: str
    place: str

    def __str__(self) -> str:
        return f"{self.field}({'.'.join(map(str, self.path))})"

    @property
    def kind(self) -> str | None:
        """The kind of thing whose id goes here; None where any does."""
        if self.field in ("node", "nodes"):
            return None
        known = KINDS.get(f"{self.field}.{self.name}") or KINDS.get(self.name)
        return known or self.name[0].upper() + self.name[1:]

    @property
    def name(self) -> str:
        """What it is of the thing asked for, or the root field where it is the thing itself."""
        names = [part for part in self.path if isinstance(part, str)]
        while names and names[-1] in {"id", *COMPARATORS}:
            names.pop()
        return (names[-1] if names else self.field).removesuffix("Id")

    @property
    def is_in_filter(self) -> bool:
        return not FILTERS.isdisjoint(self.path)


@dataclass(frozen=True, slots=True)
class Call:
    """A root field, and all that can be put into it."""

    root: str
    name: str

    def __str__(self) -> str:
        return f"{self.root} {self.name}"

    @property
    def field(self) -> Any:
        return ROOTS[self.root].fields[self.name]

    def slots(self) -> Iterator[Slot]:
        """Return the places of all scalars and enums, those of each input type once."""
        for name, argument in self.field.args.items():
            for path, leaf, place in _leaves(argument.type, (name,), (), name):
                yield Slot(self.root, self.name, path, leaf, place)

    def variables(self, scene: Scene, forced: Mapping[Path, Any] | None = None) -> dict[str, Any]:
        """Return arguments that are right, except for what is forced on them."""
        builder = _Builder(self.name, scene, forced or {})
        return {
            name: builder.value(argument.type, (name,), f"{self.name}.{name}")
            for name, argument in self.field.args.items()
            if is_required_argument(argument)
            or builder.goes_through((name,))
            or f"{self.name}.{name}" in VALUES
        }

    def document(self, variables: Mapping[str, Any]) -> str:
        """Return a document that asks for the field and for most of what it gives."""
        arguments = {name: self.field.args[name].type for name in variables}
        declared = ", ".join(f"${name}: {type}" for name, type in arguments.items())
        passed = ", ".join(f"{name}: ${name}" for name in arguments)
        return (
            f"{self.root}{f'({declared})' if declared else ''} {{"
            f" {self.name}{f'({passed})' if passed else ''}"
            f" {selection(self.field.type, 1 if _is_list(self.field.type) else 2)} }}"
        )


@dataclass(slots=True)
class _Builder:
    field: str
    scene: Scene
    forced: Mapping[Path, Any]

    def goes_through(self, path: Path) -> bool:
        return any(forced[: len(path)] == path for forced in self.forced)

    def value(self, type: Any, path: Path, place: str) -> Any:
        if path in self.forced:
            return self.forced[path]
        if place in VALUES and not self.goes_through(path):
            return self.scene.names.get(str(VALUES[place]), VALUES[place])
        type = get_nullable_type(type)
        if isinstance(type, GraphQLList):
            return [self.value(type.of_type, (*path, 0), place), *MORE.get(place, ())]
        if isinstance(type, GraphQLInputObjectType):
            return self._input(type, path)
        return self._leaf(type, path, place)

    def _input(self, type: GraphQLInputObjectType, path: Path) -> dict[str, Any]:
        through = [name for name in type.fields if self.goes_through((*path, name))]
        if not through and type.name in VALUES:
            return dict(VALUES[type.name])
        wanted = [name for name, field in type.fields.items() if is_required_input_field(field)]
        wanted += [name for name in type.fields if f"{type.name}.{name}" in VALUES]
        if is_one_of(type):
            wanted = through or [next(iter(type.fields))]
        return {
            name: self.value(type.fields[name].type, (*path, name), f"{type.name}.{name}")
            for name in dict.fromkeys((*wanted, *through))
        }

    def _leaf(self, type: GraphQLNamedType, path: Path, place: str) -> Any:
        if isinstance(type, GraphQLEnumType):
            return next(iter(type.values))
        match type.name:
            case "ID":
                slot = Slot("", self.field, path, "ID", place)
                kind = slot.kind or "Lead"
                return self.scene.of(kind, self.field, slot.name, MEANT)
            case "EmailAddress":
                return f"text{next(_count)}@example.com"
            case "String" if str(path[-1]).lower().endswith("password"):
                return PASSWORD
            case "String":
                return f"Text {next(_count)}"
        return EXAMPLES[type.name]


def is_one_of(type: GraphQLInputObjectType) -> bool:
    """Say whether exactly one of an input's fields is to be given."""
    return bool(type.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].is_one_of)


def _is_list(type: Any) -> bool:
    return isinstance(get_nullable_type(type), GraphQLList)


def _leaves(
    type: Any, path: Path, seen: tuple[str, ...], place: str
) -> Iterator[tuple[Path, str, str]]:
    type = get_nullable_type(type)
    if isinstance(type, GraphQLList):
        yield from _leaves(type.of_type, (*path, 0), seen, place)
    elif isinstance(type, GraphQLScalarType | GraphQLEnumType):
        yield path, type.name, place
    elif type.name not in seen:
        for name, field in type.fields.items():
            inner = _leaves(field.type, (*path, name), (*seen, type.name), f"{type.name}.{name}")
            yield from inner


def selection(type: Any, depth: int = 2) -> str:
    """Return a selection of all leaves, and of what stands near."""
    named = get_named_type(type)
    if is_leaf_type(named):
        return ""
    if is_abstract_type(named):
        return _ABSTRACT[named.name]
    parts = [_selected(name, field, depth) for name, field in named.fields.items()]
    return f"{{ __typename {' '.join(filter(None, parts))} }}"


def _selected(name: str, field: Any, depth: int) -> str | None:
    named = get_named_type(field.type)
    if is_leaf_type(named):
        return None if any(map(is_required_argument, field.args.values())) else name
    if is_abstract_type(named):
        # Of any node further in only the id, or there would be too many aliases.
        return f"{name} {_ABSTRACT[named.name] if named.name != 'Node' else '{ __typename id }'}"
    if depth == 0 or not isinstance(named, GraphQLObjectType):
        return None
    paged = "(first: 3)" if "first" in field.args else ""
    return f"{name}{paged} {selection(named, depth - 1)}"


def _a_leaf(type: GraphQLObjectType) -> str:
    """Return a leaf, under a name that no other type gives to anything else."""
    names = [
        n for n, f in type.fields.items() if is_leaf_type(get_named_type(f.type)) and not f.args
    ]
    return " ".join(f"{type.name}_{name}: {name}" for name in names[1:2])


_ANY_NODE = " ".join(
    f"... on {type.name} {{ {_a_leaf(type)} }}"
    for type in SCHEMA.get_possible_types(SCHEMA.type_map["Node"])
)
_ABSTRACT = {
    "Node": f"{{ __typename id {_ANY_NODE} }}",
    "UserError": "{ __typename code message path elementIndex"
    " ... on DuplicateCompanyError { existingCompany: existing { id name } }"
    " ... on DuplicateLeadError { existing { id email } }"
    " ... on AlreadyMergedError { into { id email } }"
    " ... on StaleLeadError { current { id email } }"
    " ... on TooManyAttemptsError { retryAfter } }",
}


def masked(answer: str) -> str:
    """Return an answer with its ids, and texts that are never the same twice, numbered."""
    seen: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        return seen.setdefault(found[0], f"#{len(seen)}")

    return re.sub(r"[Tt]ext ?\d+", number, _ID.sub(number, answer))


def deeper(levels: int) -> dict[str, Any]:
    """Return a filter of so many levels."""
    filter: dict[str, Any] = {"score": {"gte": "1"}}
    for _ in range(levels):
        filter = {"not": filter}
    return filter


# Where there is a tenant, as in a scene, there is nothing to set up: see test_first_run.py.
ONCE = {"installationSetUp"}
# What these do to an account is the installation's, so a rehearsal does not take it back.
OF_ACCOUNTS = {"passwordChange", "passwordReset", "sessionRefresh", "signIn"}
CALLS = [Call(root, name) for root, type in ROOTS.items() for name in type.fields]
SLOTS = [(call, slot) for call in CALLS for slot in call.slots()]


def distinct(slots: Iterable[Slot]) -> list[Slot]:
    """Return the places of each field of an input, within each call, only where it is met first.

    Comparisons are read by one parser whatever is compared, so they are kept once in a list's
    filter, once in a criterion that is tried and once in one that is stored.
    """
    seen: dict[Any, Slot] = {}
    for slot in slots:
        whose = (slot.root, "filter" in slot.path) if "Comparison." in slot.place else slot.field
        seen.setdefault((whose, slot.place), slot)
    return list(seen.values())
