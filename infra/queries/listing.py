"""Pages of any kind of entity, by keyset."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, get_type_hints, overload
from uuid import UUID

import sqlalchemy as sa
from typing_extensions import override

from domain.filters import comparisons
from domain.paging import (
    BadPage,
    Count,
    Listing,
    ListingsOf,
    Narrowing,
    Order,
    Page,
    PageRequest,
    write_cursor,
)
from infra.database import PostgresWork, rows_of
from infra.filters import where
from infra.queries import answers
from infra.rows import per_kind, reader_of, table_of
from infra.statements import of_tenant, text_of
from infra.tables import plain_type

SHORT = 10
"""Comparisons up to which a filter is put into SQL on the event loop: three milliseconds."""
MANY = 500
"""Rows after which others get their turn."""
# One at a time, so that a flood of long filters takes at most its share of one core.
_LONG = ThreadPoolExecutor(1, "filters")


Narrow = Callable[[PostgresWork, Any], sa.ColumnElement[bool]]
_NARROWS: dict[type, Narrow] = {}


def narrows(kind: type[Narrowing]) -> Callable[[Narrow], Narrow]:
    """Declare the function that gives the condition of a kind of narrowing.

    A table it reads besides the list's own is its own to restrict to the tenant.
    """

    def declare(function: Narrow) -> Narrow:
        _NARROWS[kind] = function
        return function

    return declare


@answers(Listing)
async def page(work: PostgresWork, listing: Listing[Any]) -> Page[Any]:
    """Return one page in the listing's order, by the index that leads with its columns.

    One row more than asked for is read, to learn whether there is a next page.  The first page of
    everything, which is what lists are mostly asked for, has its text kept.
    """
    whole = listing.filter is None and listing.only is None and not listing.equals
    if whole and listing.page.cursor is None:
        kind: Any = listing.kind
        text = _first_page(kind, listing.order, listing.page.backward)
        rows = await work.connection.fetch(text, work.tenant_id, listing.page.size + 1)
        return _page(list(map(reader_of(listing.kind), rows)), listing)

    def selected() -> sa.Select[Any]:
        statement = _restricted(rows_of(listing.kind), listing, work)
        statement = _from_cursor(statement, listing).limit(listing.page.size + 1)
        return _ordered(statement, listing)

    text, values = await _worded(work, listing, selected)
    rows = await work.connection.fetch(text, *values)
    return _page(list(map(reader_of(listing.kind), rows)), listing)


@lru_cache(512)
def _first_page(kind: Any, order: tuple[Order, ...], backward: bool) -> str:
    """Return the text that reads the first page: `$1` is the tenant, `$2` the number of rows."""
    listing: Listing[Any] = Listing(kind=kind, order=order, page=PageRequest(backward=backward))
    tenant = sa.bindparam("tenant", type_=sa.Uuid())
    statement = rows_of(kind).where(table_of(kind).c.tenant_id == tenant)
    return text_of(_ordered(statement, listing).limit(sa.bindparam("size", type_=sa.BigInteger())))


@answers(Count)
async def count(work: PostgresWork, question: Count) -> int:
    """Return how many rows there are on all pages."""
    listing = question.listing

    def counted() -> sa.Select[Any]:
        statement = sa.select(sa.func.count()).select_from(table_of(listing.kind))
        return _restricted(statement, listing, work)

    text, values = await _worded(work, listing, counted)
    total: int = await work.connection.fetchval(text, *values)
    return total


async def _worded(
    work: PostgresWork, listing: Listing[Any], select: Callable[[], sa.Select[Any]]
) -> tuple[str, list[Any]]:
    """Return a statement's text and values; made in a thread where the filter is long.

    A long one takes tens of milliseconds, and one operation may ask for many lists; nobody else
    shall wait for them.
    """
    if listing.filter is None or comparisons(listing.filter) <= SHORT:
        return of_tenant(select(), work.tenant_id)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_LONG, lambda: of_tenant(select(), work.tenant_id, long=True))


@answers(ListingsOf)
async def pages(work: PostgresWork, question: ListingsOf) -> Mapping[Any, Page[Any]]:
    """Return the same page for each parent, in one statement that numbers each parent's rows."""
    listing, table = question.listing, table_of(question.listing.kind)
    parent = table.c[question.by]
    keys = _keys(listing)
    order = [_sort(table, order, listing.page.backward) for order in keys]
    number = sa.func.row_number().over(partition_by=parent, order_by=order).label("row_place")
    inner = _from_cursor(_restricted(rows_of(listing.kind), listing, work), listing)
    inner = inner.add_columns(number).where(
        parent == sa.any_(sa.literal(list(question.parents), sa.ARRAY(parent.type))),
        table.c.tenant_id == work.tenant_id,
    )
    numbered = inner.subquery()
    outer = sa.select(numbered).where(numbered.c.row_place <= listing.page.size + 1)
    rows = await work.rows(outer.order_by(numbered.c[question.by], numbered.c.row_place))
    read, found = reader_of(listing.kind), dict[Any, list[Any]]()
    for place, row in enumerate(rows, start=1):
        if place % MANY == 0:
            await asyncio.sleep(0)  # a thousand rows take ten milliseconds: others first
        entity = read(row)
        found.setdefault(getattr(entity, question.by), []).append(entity)
    return {
        key: _page(
            found.get(key, []), replace(listing, equals={**listing.equals, question.by: key})
        )
        for key in question.parents
    }


def _restricted(
    statement: sa.Select[Any], listing: Listing[Any], work: PostgresWork
) -> sa.Select[Any]:
    table = table_of(listing.kind)
    for name, value in listing.equals.items():
        column = table.c[name]
        if value is None:
            statement = statement.where(column.is_(None))
        elif isinstance(value, tuple):
            array = sa.literal(list(value), sa.ARRAY(column.type))
            statement = statement.where(column == sa.any_(array))
        else:
            statement = statement.where(column == value)
    if listing.filter is not None:
        statement = statement.where(where(listing.filter, table.c))
    if listing.only is not None:
        statement = statement.where(_NARROWS[type(listing.only)](work, listing.only))
    return statement


def _keys(listing: Listing[Any]) -> tuple[Order, ...]:
    """Return the order, completed so that no two rows tie."""
    descending = bool(listing.order) and listing.order[0].descending
    return (*listing.order, Order("id", descending))


def _sort(table: sa.Table, order: Order, backward: bool) -> sa.ColumnElement[Any]:
    column = table.c[order.field]
    descending = order.descending is not backward
    sort = column.desc() if descending else column.asc()
    if not column.nullable:
        return sort
    # PostgreSQL's own place for nulls is last when ascending, first when descending.
    first = order.nulls_first is not backward
    if first == descending:
        return sort
    return sort.nulls_first() if first else sort.nulls_last()


def _ordered(statement: sa.Select[Any], listing: Listing[Any]) -> sa.Select[Any]:
    table = table_of(listing.kind)
    return statement.order_by(*(_sort(table, o, listing.page.backward) for o in _keys(listing)))


def _from_cursor(statement: sa.Select[Any], listing: Listing[Any]) -> sa.Select[Any]:
    if listing.page.cursor is None:
        return statement
    keys = _keys(listing)
    values = _cursor_values(listing, keys)
    table = table_of(listing.kind)
    alternatives = []
    same: list[sa.ColumnElement[bool]] = []
    for order, value in zip(keys, values, strict=True):
        column = table.c[order.field]
        beyond = _beyond(column, order, value, listing.page.backward)
        if beyond is not None:
            alternatives.append(sa.and_(*same, beyond))
        same.append(column.is_(None) if value is None else column == value)
    statement = statement.where(sa.or_(sa.false(), *alternatives))
    bound = _bound(table.c[keys[0].field], keys[0], values[0], listing.page.backward)
    return statement if bound is None else statement.where(bound)


def _bound(
    column: sa.Column[Any], order: Order, value: Any, backward: bool
) -> sa.ColumnElement[bool] | None:
    """Return what the alternatives have in common, which lets an index begin at the cursor.

    By the alternatives alone it would read all pages before.
    """
    if value is None or (column.nullable and order.nulls_first is backward):
        return None
    bound: sa.ColumnElement[bool]
    bound = column <= value if order.descending is not backward else column >= value
    return bound


def _beyond(
    column: sa.Column[Any], order: Order, value: Any, backward: bool
) -> sa.ColumnElement[bool] | None:
    """Return the condition for what comes after a value in one column, nothing if nothing can."""
    nulls_after = order.nulls_first is backward
    if value is None:
        return None if nulls_after else column.is_not(None)
    further = column < value if order.descending is not backward else column > value
    return sa.or_(further, column.is_(None)) if column.nullable and nulls_after else further


def _cursor_values(listing: Listing[Any], keys: Sequence[Order]) -> list[Any]:
    """Return a cursor's values as the columns hold them.

    Raises:
        BadPage: if the cursor belongs to a list in another order.
    """
    name = "before" if listing.page.backward else "after"
    cursor = listing.page.cursor or ()
    mismatch = BadPage(f"`{name}` is a cursor of a list in another order.", path=(name,))
    if len(cursor) != len(keys):
        raise mismatch
    hints = _hints(listing.kind)
    try:
        return [_restored(v, hints[key.field]) for key, v in zip(keys, cursor, strict=True)]
    except (ValueError, TypeError, InvalidOperation, OverflowError):
        raise mismatch from None


@per_kind
def _hints(kind: type) -> Mapping[str, tuple[Any, bool]]:
    return {name: plain_type(hint) for name, hint in get_type_hints(kind).items()}


def _restored(value: Any, hint: tuple[Any, bool]) -> Any:
    kind, nullable = hint
    if value is None:
        if not nullable:
            raise TypeError("null where none can be")
        return None
    if kind is datetime:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError("no zone")
        return instant
    if kind is date:
        return date.fromisoformat(value)
    if kind in (UUID, Decimal):
        return kind(str(value))
    if kind in (int, bool):
        if type(value) is not kind or abs(value) >= 2**63:
            raise TypeError("not of the column's type")
        return value
    if not isinstance(value, str) or "\x00" in value:
        raise TypeError("not text")
    return str(kind(value))


def _page(rows: Sequence[Any], listing: Listing[Any]) -> Page[Any]:
    size, backward = listing.page.size, listing.page.backward
    more, entities = len(rows) > size, list(rows[:size])
    if backward:
        entities.reverse()
    inside = listing.page.cursor is not None
    return Page(
        nodes=entities,
        cursors=_Cursors(entities, listing),
        has_next_page=inside if backward else more,
        has_previous_page=more if backward else inside,
        listing=listing,
    )


class _Cursors(Sequence[str]):
    """The cursors of a page's rows, each written when it is looked at: most never are."""

    def __init__(self, entities: Sequence[Any], listing: Listing[Any]) -> None:
        self._entities = entities
        self._listing = listing

    @override
    def __len__(self) -> int:
        return len(self._entities)

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...

    @override
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        if isinstance(place, slice):
            return _Cursors(self._entities[place], self._listing)
        return write_cursor(_plain_keys(self._entities[place], self._listing))


def _plain_keys(entity: Any, listing: Listing[Any]) -> list[Any]:
    values = [getattr(entity, key.field) for key in _keys(listing)]
    return [_plain(value) for value in values]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value if isinstance(value, int | None) else str(value)
