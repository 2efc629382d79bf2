"""What can be filtered by: fields, their types and the comparators each type has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import TypeAlias

from domain import ids

_CAMEL_CASE = re.compile(r"[a-z][a-zA-Z0-9]*")
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")

Choices: TypeAlias = type[StrEnum]

# The kind of an id that may be of any kind: for lists, because a stored id does not tell its kind.
ANYTHING = "Node"

# Keys of the language itself, which no field may take.
CONNECTIVES = frozenset({"and", "or", "not"})


class FieldType(Enum):
    """What kind of value a field holds."""

    TEXT = auto()
    NUMBER = auto()
    INSTANT = auto()
    DAY = auto()
    FLAG = auto()
    ID = auto()
    CHOICE = auto()


class Comparator(StrEnum):
    """How a field is compared; the value is the key in the JSON form."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    IN = "in"
    NOT_IN = "notIn"
    CONTAINS = "contains"
    STARTS_WITH = "startsWith"
    ENDS_WITH = "endsWith"
    IS_NULL = "isNull"


LISTED = (Comparator.IN, Comparator.NOT_IN)
ORDERING = (Comparator.LT, Comparator.LTE, Comparator.GT, Comparator.GTE)
PARTIAL = (Comparator.CONTAINS, Comparator.STARTS_WITH, Comparator.ENDS_WITH)

_EQUALITY = (Comparator.EQ, Comparator.NE)
_UNORDERED = (*_EQUALITY, *LISTED, Comparator.IS_NULL)
_ORDERED = (*_EQUALITY, *ORDERING, *LISTED, Comparator.IS_NULL)

_COMPARATORS: Mapping[FieldType, tuple[Comparator, ...]] = {
    FieldType.TEXT: (*_EQUALITY, *LISTED, *PARTIAL, Comparator.IS_NULL),
    FieldType.NUMBER: _ORDERED,
    FieldType.INSTANT: _ORDERED,
    FieldType.DAY: _ORDERED,
    FieldType.FLAG: (Comparator.EQ, Comparator.IS_NULL),
    FieldType.ID: _UNORDERED,
    FieldType.CHOICE: _UNORDERED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterField:
    """One thing to filter by.

    `name` is the key clients use, `attribute` the entity's attribute and the table's column.
    A CHOICE names its enum, and may be `ordered`: its members then rank as they are declared.
    An ID names the `kind` of entity it points at, ANYTHING where it may be any.  `label` is what
    people call the field; left out, it is the name in separate words.
    """

    name: str
    attribute: str
    type: FieldType
    description: str
    choices: Choices | None = None
    ordered: bool = False
    kind: str | None = None
    label: str = ""

    def __post_init__(self) -> None:
        if not _CAMEL_CASE.fullmatch(self.name) or self.name in CONNECTIVES:
            raise ValueError(f"not a name for a field: {self.name!r}")
        if (self.choices is not None) != (self.type is FieldType.CHOICE):
            raise ValueError(f"{self.name}: a CHOICE, and nothing else, names its choices")
        if (self.kind is not None) != (self.type is FieldType.ID):
            raise ValueError(f"{self.name}: an ID, and nothing else, names its kind")
        if self.kind is not None and self.kind not in {ANYTHING, *ids.PREFIXES}:
            raise ValueError(f"{self.name}: there are no ids of kind {self.kind}")
        if self.ordered and self.type is not FieldType.CHOICE:
            raise ValueError(f"{self.name}: only a CHOICE is declared ordered")
        if not self.label:
            object.__setattr__(self, "label", _CAPITAL.sub(" ", self.name).lower())

    @property
    def comparators(self) -> tuple[Comparator, ...]:
        return _ORDERED if self.ordered else _COMPARATORS[self.type]


class FilterFields:
    """The fields that one kind of thing, such as a lead, can be filtered by."""

    def __init__(self, of: str, fields: Sequence[FilterField]) -> None:
        self.of = of
        self._fields = {field.name: field for field in fields}
        if len(self._fields) != len(fields):
            raise ValueError(f"two fields of a {of} have the same name")

    def __iter__(self) -> Iterator[FilterField]:
        return iter(self._fields.values())

    def get(self, name: str) -> FilterField | None:
        return self._fields.get(name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._fields)
