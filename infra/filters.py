"""The filter language in SQL; domain/filters says what it means, a property test that both agree.

SQL's "unknown" never leaves a filter: above a comparison there is only AND and OR, for which a
WHERE takes unknown and false alike, and what stands under NOT is made true or false first.  So a
comparison needs no COALESCE, and a btree index on its column serves it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol, TypeAlias
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from domain.filters import (
    All,
    AnyOf,
    Comparator,
    Compare,
    Filter,
    Not,
    Scalar,
    fold_case,
    normal_form,
)

Condition: TypeAlias = sa.ColumnElement[bool]


class Columns(Protocol):
    """Columns by attribute: a mapping, or the `c` of a table."""

    def __getitem__(self, attribute: str, /) -> sa.ColumnElement[Any]: ...


def where(filter: Filter, columns: Columns) -> Condition:
    """Return the condition that selects the rows for which `domain.filters.matches` holds.

    Every value is a bind parameter of its own type, a list is one array, so that the statement's
    text depends on the filter's shape only.  A choice's column holds the members' values as text.
    """
    return _where(normal_form(filter), columns)


def _where(filter: Filter, columns: Columns) -> Condition:
    match filter:
        case All(parts):
            return sa.and_(sa.true(), *(_where(part, columns) for part in parts))
        case AnyOf(parts):
            return sa.or_(*(_where(part, columns) for part in parts))
        case Not(part):
            return _is_not_true(_where(part, columns))
        case Compare():
            return _compare(filter, columns[filter.field.attribute])


def _compare(compare: Compare, column: sa.ColumnElement[Any]) -> Condition:
    value = compare.value
    if compare.op is Comparator.IS_NULL:
        return column.is_(None) if value else column.is_not(None)
    if compare.ranked is not None:
        return _in(column, compare.ranked)
    if isinstance(value, tuple):
        listed = _in(column, value)
        return listed if compare.op is Comparator.IN else _is_not_true(listed)
    if compare.op in _FOLDED:
        # In the collation "C" lower() changes A-Z only, whatever the database's locale is.
        folded = sa.func.lower(sa.collate(column, "C"))
        return _FOLDED[compare.op](folded, fold_case(str(value)))
    return _PLAIN[compare.op](column, _bind(value))


def _in(column: sa.ColumnElement[Any], values: tuple[Scalar, ...]) -> Condition:
    return column == sa.any_(_array(values)) if values else sa.false()


def _is_not_true(condition: Condition) -> Condition:
    return condition.is_not(sa.true())


def _starts_with(column: sa.ColumnElement[Any], text: str) -> Condition:
    return sa.func.starts_with(column, _bind(text), type_=sa.Boolean())


def _ends_with(column: sa.ColumnElement[Any], text: str) -> Condition:
    return sa.func.right(column, sa.literal(len(text), sa.Integer())) == _bind(text)


def _contains(column: sa.ColumnElement[Any], text: str) -> Condition:
    return sa.func.strpos(column, _bind(text), type_=sa.Integer()) > sa.literal(0, sa.Integer())


# None of these knows a wildcard or an escape character, as LIKE does.
_FOLDED: Mapping[Comparator, Callable[[sa.ColumnElement[Any], str], Condition]] = {
    Comparator.CONTAINS: _contains,
    Comparator.STARTS_WITH: _starts_with,
    Comparator.ENDS_WITH: _ends_with,
}

_PLAIN: Mapping[Comparator, Callable[[sa.ColumnElement[Any], Any], Condition]] = {
    Comparator.EQ: lambda column, value: column == value,
    Comparator.NE: lambda column, value: column.is_distinct_from(value),
    Comparator.LT: lambda column, value: column < value,
    Comparator.LTE: lambda column, value: column <= value,
    Comparator.GT: lambda column, value: column > value,
    Comparator.GTE: lambda column, value: column >= value,
}


def _bind(value: Scalar) -> sa.BindParameter[Any]:
    return sa.literal(_stored(value), _type_of(value))


def _array(values: tuple[Scalar, ...]) -> sa.BindParameter[Any]:
    """Return one array parameter; a fraction among whole numbers makes all of them NUMERIC."""
    types = [_type_of(value) for value in values]
    item = next((type_ for type_ in types if isinstance(type_, sa.Numeric)), types[0])
    return sa.literal([_stored(value) for value in values], postgresql.ARRAY(item))


def _stored(value: Scalar) -> object:
    return value.value if isinstance(value, StrEnum) else value


def _type_of(value: Scalar) -> sa.types.TypeEngine[Any]:
    match value:
        case str():
            return sa.Text()
        case bool():
            return sa.Boolean()
        case int():
            return sa.BigInteger()
        case Decimal():
            return sa.Numeric()
        case datetime():
            return sa.DateTime(timezone=True)
        case date():
            return sa.Date()
        case UUID():
            return sa.Uuid()
