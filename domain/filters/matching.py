"""Whether a filter matches the values in hand; infra/filters.py asks the same of the database."""

from __future__ import annotations

import operator
import string
from collections.abc import Callable, Mapping
from typing import Any

from domain.filters.fields import PARTIAL, Comparator, FilterField
from domain.filters.tree import All, AnyOf, Compare, Filter, Not

# Only A-Z: what else has an upper case depends on the version of Unicode and on the database.
_FOLDING = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)

_TRUE_OF_MISSING = (Comparator.NE, Comparator.NOT_IN)

_TESTS: Mapping[Comparator, Callable[[Any, Any], bool]] = {
    Comparator.EQ: operator.eq,
    Comparator.NE: operator.ne,
    Comparator.IN: lambda actual, listed: actual in listed,
    Comparator.NOT_IN: lambda actual, listed: actual not in listed,
    Comparator.LT: operator.lt,
    Comparator.LTE: operator.le,
    Comparator.GT: operator.gt,
    Comparator.GTE: operator.ge,
    Comparator.CONTAINS: operator.contains,
    Comparator.STARTS_WITH: str.startswith,
    Comparator.ENDS_WITH: str.endswith,
}


def fold_case(text: str) -> str:
    """Return a text with A-Z made a-z, and every other character as it is."""
    return text.translate(_FOLDING)


def matches(filter: Filter, values: object) -> bool:
    """Say whether a thing, or a mapping by attribute, passes a filter."""
    match filter:
        case All(parts):
            return all(matches(part, values) for part in parts)
        case AnyOf(parts):
            return any(matches(part, values) for part in parts)
        case Not(part):
            return not matches(part, values)
        case Compare():
            return holds(filter, value_of(filter.field, values))


def value_of(field: FilterField, values: object) -> object:
    """Return a field's value, None when it is missing, from a thing or a mapping by attribute."""
    if isinstance(values, Mapping):
        return values[field.attribute]
    return getattr(values, field.attribute)


def holds(compare: Compare, actual: object) -> bool:
    """Say whether one comparison holds for a value; see the package for missing ones."""
    op, wanted = compare.op, compare.value
    if op is Comparator.IS_NULL:
        return (actual is None) is wanted
    if actual is None:
        return op in _TRUE_OF_MISSING
    if (ranked := compare.ranked) is not None:
        return actual in ranked
    if op in PARTIAL:
        return _TESTS[op](fold_case(str(actual)), fold_case(str(wanted)))
    return _TESTS[op](actual, wanted)
