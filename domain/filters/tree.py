"""A filter as a tree of comparisons, and the way back to its JSON form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from domain import ids
from domain.filters.fields import CONNECTIVES, LISTED, ORDERING, Comparator, FieldType, FilterField

Scalar: TypeAlias = str | int | Decimal | datetime | date | bool | UUID | StrEnum


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds.  Without parts it holds always."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple[Filter, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("an empty choice never holds: write Not(All(()))")


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Filter


@dataclass(frozen=True, slots=True)
class Compare:
    """A field compared with a value: a tuple for `in` and `notIn`, a bool for `isNull`."""

    field: FilterField
    op: Comparator
    value: Scalar | tuple[Scalar, ...]

    def __post_init__(self) -> None:
        if self.op not in self.field.comparators:
            raise ValueError(f"{self.field.name} has no comparator {self.op}")
        if isinstance(self.value, tuple) != (self.op in LISTED):
            raise ValueError(f"{self.op} of {self.field.name} cannot take {self.value!r}")

    @property
    def ranked(self) -> tuple[StrEnum, ...] | None:
        """The choices that a comparison by rank lets through; None for any other comparison."""
        choices = self.field.choices
        if choices is None or self.op not in ORDERING:
            return None
        members = tuple(choices)
        rank = members.index(choices(str(self.value)))
        match self.op:
            case Comparator.LT:
                return members[:rank]
            case Comparator.LTE:
                return members[: rank + 1]
            case Comparator.GT:
                return members[rank + 1 :]
            case _:
                return members[rank:]


Filter: TypeAlias = All | AnyOf | Not | Compare


def comparisons(filter: Filter) -> int:
    """Return how many comparisons a filter makes at most."""
    match filter:
        case All(parts) | AnyOf(parts):
            return sum(comparisons(part) for part in parts)
        case Not(part):
            return comparisons(part)
        case Compare():
            return 1


def all_of(parts: Iterable[Filter]) -> Filter:
    """Return a filter for "every part", without needless nesting."""
    flat: list[Filter] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, All) else (part,))
    return flat[0] if len(flat) == 1 else All(tuple(flat))


def any_of(parts: Iterable[Filter]) -> Filter:
    """Return a filter for "at least one part", without needless nesting."""
    flat: list[Filter] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, AnyOf) else (part,))
    return flat[0] if len(flat) == 1 else AnyOf(tuple(flat))


def normal_form(filter: Filter) -> Filter:
    """Return the same filter with every `not` pushed down to a comparison or gone.

    What is left below a Not is a comparison whose opposite no comparator says (not less than 50
    includes "missing"), or the filter that always holds.
    """
    match filter:
        case All(parts):
            return all_of(map(normal_form, parts))
        case AnyOf(parts):
            return any_of(map(normal_form, parts))
        case Not(part):
            return _opposite(part)
        case Compare():
            return filter


_OPPOSITES = {
    Comparator.EQ: Comparator.NE,
    Comparator.NE: Comparator.EQ,
    Comparator.IN: Comparator.NOT_IN,
    Comparator.NOT_IN: Comparator.IN,
}


def _opposite(filter: Filter) -> Filter:
    match filter:
        case All(()):
            return Not(filter)
        case All(parts):
            return any_of(map(_opposite, parts))
        case AnyOf(parts):
            return all_of(map(_opposite, parts))
        case Not(part):
            return normal_form(part)
        case Compare(field, Comparator.IS_NULL, value):
            return Compare(field, Comparator.IS_NULL, not value)
        case Compare(field, Comparator.EQ, _) if field.type is FieldType.FLAG:
            return Not(filter)
        case Compare() if filter.op in _OPPOSITES:
            return replace(filter, op=_OPPOSITES[filter.op])
        case Compare():
            return Not(filter)


def to_json(filter: Filter) -> dict[str, object]:
    """Return the JSON form; parsing it gives back any filter that was parsed, part for part.

    Decimals become strings, instants RFC 3339 in UTC, ids public ids.  The order of keys carries
    the order of the parts and nothing else, so a store that sorts keys does no harm.
    """
    match filter:
        case All(parts):
            return _object(parts)
        case AnyOf(parts):
            return {"or": [to_json(part) for part in parts]}
        case Not(part):
            return {"not": to_json(part)}
        case Compare(field, op, value):
            return {field.name: {op.value: _value_json(field, value)}}


def _object(parts: Sequence[Filter]) -> dict[str, object]:
    """Put parts into one object until a key is taken; the rest goes into its `and`.

    The first parts stay outside, as parsing reads `and` last: so no round trip adds depth.
    """
    merged: dict[str, object] = {}
    for position, part in enumerate(parts):
        if not _merge(merged, to_json(part)):
            return merged | {"and": [to_json(rest) for rest in parts[position:]]}
    return merged


def _merge(merged: dict[str, object], form: dict[str, object]) -> bool:
    """Add a part's JSON form, unless that would lose or reorder a comparison."""
    if "and" in form:
        return False
    if merged.keys().isdisjoint(form):
        merged.update(form)
        return True
    if len(form) > 1:
        return False
    [(name, added)] = form.items()
    present = merged[name]
    if name in CONNECTIVES or name != next(reversed(merged)):
        return False
    if not (
        isinstance(present, dict) and isinstance(added, dict) and present.keys().isdisjoint(added)
    ):
        return False
    present.update(added)
    return True


def _value_json(field: FilterField, value: Scalar | tuple[Scalar, ...]) -> object:
    match value:
        case tuple():
            return [_value_json(field, each) for each in value]
        case UUID():
            if field.kind is None:
                raise ValueError(f"{field.name} holds no ids")
            return ids.public(field.kind, value)
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case StrEnum():
            return value.value
        case _:
            return value
