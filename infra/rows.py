"""The only row mapper in the program: database records to entities and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import wraps
from typing import Any, TypeVar, get_type_hints
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from infra.tables import TABLES, plain_type

E = TypeVar("E")
V = TypeVar("V")

_AS_THEY_ARE = {UUID, str, bool, int, Decimal, datetime, date, bytes}


def per_kind(make: Callable[[type[Any]], V]) -> Callable[[type[Any]], V]:
    """Remember what a function makes of each kind of entity."""
    known: dict[type[Any], V] = {}

    @wraps(make)
    def of(kind: type[Any]) -> V:
        if kind not in known:
            known[kind] = make(kind)
        return known[kind]

    return of


def table_of(kind: type) -> sa.Table:
    """Return the table that stores a kind of entity."""
    return TABLES[kind]


@per_kind
def names_of(kind: type) -> tuple[str, ...]:
    """Return the names of an entity's fields, in the order of its columns."""
    return tuple(field.name for field in fields(kind))


@per_kind
def columns_of(kind: type) -> tuple[sa.Column[Any], ...]:
    """Return an entity's columns, in the order of its fields and without the tenant."""
    table = table_of(kind)
    return tuple(table.c[name] for name in names_of(kind))


@per_kind
def reader_of(kind: type[Any]) -> Callable[[Sequence[Any]], Any]:
    """Return the function that makes an entity from a record of `columns_of` it.

    Written out as one call with a keyword for each field, because this runs for every row of
    every answer and a loop over converters costs three times as much.
    """
    hints = get_type_hints(kind)
    scope: dict[str, Any] = {"kind": kind}
    arguments = []
    for position, name in enumerate(names_of(kind)):
        hint, nullable = plain_type(hints[name])
        value = f"row[{position}]"
        if hint not in _AS_THEY_ARE:
            scope[f"read_{name}"] = _converter(hint)
            call = f"read_{name}({value})"
            value = f"None if {value} is None else {call}" if nullable else call
        arguments.append(f"{name}={value}")
    source = f"lambda row: kind({', '.join(arguments)})"
    reader: Callable[[Sequence[Any]], Any] = eval(source, scope)  # noqa: S307  # names of our fields only
    return reader


def _converter(hint: Any) -> Callable[[Any], Any]:
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return {member.value: member for member in hint}.__getitem__
    return lambda value: msgspec.convert(value, hint, strict=False)


@per_kind
def _has_parts(kind: type) -> frozenset[str]:
    """Return the names of the fields that are stored as jsonb."""
    return frozenset(column.name for column in columns_of(kind) if isinstance(column.type, JSONB))


def values_of(entity: object) -> tuple[Any, ...]:
    """Return an entity's values as the driver takes them, in the order of `columns_of`."""
    kind = type(entity)
    parts = _has_parts(kind)
    return tuple(
        plain(getattr(entity, name)) if name in parts else getattr(entity, name)
        for name in names_of(kind)
    )


def plain(value: Any) -> Any:
    """Return a value with parts as JSON can hold it (decimals, ids and instants as text)."""
    return None if value is None else msgspec.to_builtins(value)


def restored(kind: type[E], payload: Mapping[str, Any]) -> E:
    """Return the value that `plain` took apart."""
    return msgspec.convert(payload, kind, strict=False)
