"""From the JSON form, which anybody may have written, to a filter that can be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TypeAlias

from domain.errors import Invalid
from domain.filters.fields import CONNECTIVES, LISTED, Comparator, FilterField, FilterFields
from domain.filters.tree import Compare, Filter, Not, Scalar, all_of, any_of
from domain.filters.values import LONGEST_TEXT, read_value

DEEPEST = 10
MOST_COMPARISONS = 200
LONGEST_LIST = 1000

__all__ = [
    "DEEPEST",
    "LONGEST_LIST",
    "LONGEST_TEXT",
    "MOST_COMPARISONS",
    "BadCriterion",
    "parse",
]

Path: TypeAlias = tuple[str | int, ...]


class BadCriterion(Invalid):
    """A filter that cannot be understood; the path leads to the part at fault."""

    code = "BAD_CRITERION"


def parse(
    json: object, fields: FilterFields, *, path: Path = (), allow_empty: bool = True
) -> Filter:
    """Return the filter that a JSON form says.

    Where GraphQL has read its scalars already, they may stand in it as Python values: aware
    datetimes, days, Decimals and enum members.

    Args:
        json: Objects, lists and scalars as any JSON reader gives them.
        fields: What may be filtered by.
        path: Where in the request the filter stands; put before the path of a refusal.
        allow_empty: Whether `{}`, at the top or inside, may stand for "everything".

    Raises:
        BadCriterion: at the first part that is wrong, or where there are more than DEEPEST levels
            of objects, MOST_COMPARISONS comparisons (an empty object counts as one) or
            LONGEST_LIST values in a list.
    """
    return _Reader(fields, allow_empty).read(json, path, depth=1)


@dataclass(slots=True)
class _Reader:
    fields: FilterFields
    allow_empty: bool
    comparisons: int = field(default=0, init=False)

    def read(self, json: object, path: Path, *, depth: int) -> Filter:
        if depth > DEEPEST:
            raise BadCriterion(f"A filter may be at most {DEEPEST} levels deep.", path=path)
        form = _object(json, path, holding="fields and 'and', 'or', 'not'")
        if not form:
            return self._everything(path)
        # `and` comes last, as `to_json` writes it.
        keys = sorted(form, key=lambda key: key == "and")
        return all_of(
            part for key in keys for part in self._entry(key, form[key], (*path, key), depth)
        )

    def _everything(self, path: Path) -> Filter:
        if not self.allow_empty:
            raise BadCriterion("An empty criterion says nothing: name a field.", path=path)
        self._count(path)
        return all_of(())

    def _entry(self, key: str, json: object, path: Path, depth: int) -> Iterator[Filter]:
        match key:
            case "and":
                yield all_of(self._parts(json, path, depth))
            case "or":
                yield any_of(self._parts(json, path, depth))
            case "not":
                yield Not(self.read(json, path, depth=depth + 1))
            case _:
                yield from self._comparisons(self._field(key, path), json, path)

    def _parts(self, json: object, path: Path, depth: int) -> Iterator[Filter]:
        parts = _list(json, path)
        if not parts:
            raise BadCriterion("The list is empty: it needs at least one filter.", path=path)
        for position, part in enumerate(parts):
            yield self.read(part, (*path, position), depth=depth + 1)

    def _field(self, name: str, path: Path) -> FilterField:
        found = self.fields.get(name)
        if found is None:
            hint = _did_you_mean(name, [*self.fields.names, *CONNECTIVES])
            raise BadCriterion(f"A {self.fields.of} has no field {name[:80]!r}{hint}.", path=path)
        return found

    def _comparisons(self, field: FilterField, json: object, path: Path) -> Iterator[Compare]:
        form = _object(json, path, holding=f"comparators such as '{field.comparators[0]}'")
        if not form:
            allowed = ", ".join(field.comparators)
            raise BadCriterion(f"{field.name} is not compared: expected {allowed}.", path=path)
        for key, value in form.items():
            here = (*path, key)
            self._count(here)
            op = _comparator(field, key, here)
            yield Compare(field, op, _value(field, op, value, here))

    def _count(self, path: Path) -> None:
        self.comparisons += 1
        if self.comparisons > MOST_COMPARISONS:
            raise BadCriterion(
                f"A filter may make at most {MOST_COMPARISONS} comparisons.", path=path
            )


def _object(json: object, path: Path, *, holding: str) -> Mapping[str, object]:
    if not isinstance(json, Mapping):
        raise BadCriterion(f"Expected an object of {holding}, got {_kind(json)}.", path=path)
    for key in json:
        if not isinstance(key, str):
            raise BadCriterion(f"Expected names for keys, got {_kind(key)}.", path=path)
    return json


def _list(json: object, path: Path) -> list[object] | tuple[object, ...]:
    if not isinstance(json, list | tuple):
        raise BadCriterion(f"Expected a list, got {_kind(json)}.", path=path)
    return json


def _comparator(field: FilterField, key: str, path: Path) -> Comparator:
    for op in field.comparators:
        if key == op.value:
            return op
    allowed = ", ".join(field.comparators)
    raise BadCriterion(
        f"{field.name} cannot be compared by {key[:80]!r}: expected {allowed}.", path=path
    )


def _value(
    field: FilterField, op: Comparator, json: object, path: Path
) -> Scalar | tuple[Scalar, ...]:
    if op is Comparator.IS_NULL:
        if not isinstance(json, bool):
            raise BadCriterion(f"Expected true or false, got {_kind(json)}.", path=path)
        return json
    if op not in LISTED:
        return _scalar(field, op, json, path)
    values = _list(json, path)
    if len(values) > LONGEST_LIST:
        raise BadCriterion(f"A list may hold at most {LONGEST_LIST} values.", path=path)
    return tuple(
        _scalar(field, op, value, (*path, position)) for position, value in enumerate(values)
    )


def _scalar(field: FilterField, op: Comparator, json: object, path: Path) -> Scalar:
    if json is None:
        raise BadCriterion("Nothing compares with null: use isNull.", path=path)
    try:
        return read_value(field, op, json)
    except Invalid as refusal:
        raise BadCriterion(refusal.message, path=path) from None


def _did_you_mean(name: str, known: list[str]) -> str:
    close = get_close_matches(name[:80], known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _kind(json: object) -> str:
    """Name what was found, never showing it: it may be long, or nobody's business."""
    match json:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "text"
        case Mapping():
            return "an object"
        case list() | tuple():
            return "a list"
        case _:
            return "a number" if isinstance(json, int | float) else type(json).__name__
