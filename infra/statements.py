"""The texts of statements, made once for each shape."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import asyncpg as dialect_module

from infra.rows import columns_of, names_of, per_kind, table_of, values_of
from infra.tables import TABLES, audit_heads, feeds, outbox

E = TypeVar("E")

_DIALECT = dialect_module.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped

# A batch is named by the database's clock at its writing, then by chance.  Of two transactions that
# wait for each other the first has written before the second goes on, so its batch comes first,
# whatever the clocks of the two machines say.
INSERT_OUTBOX = """
INSERT INTO outbox
  (tenant_id, batch, position, id, kind, at, recorded_at, by, payload, traceparent)
SELECT $1, (
  SELECT (
    lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000000)::bigint), 16, '0')
    || right(replace($2::uuid::text, '-', ''), 16)
  )::uuid
), e.position, e.id, e.kind, e.at, $7, e.by, e.payload::jsonb, $10
FROM unnest($3::bigint[], $4::uuid[], $5::text[], $6::timestamptz[], $8::uuid[], $9::text[])
  AS e(position, id, kind, at, by, payload)
"""


def spoken(kind: type) -> str:
    """Return what a person calls a kind of entity: `SlaClock` is a clock, `ApiKey` an API key."""
    names = {"SlaClock": "clock", "ApiKey": "API key", "Sla": "SLA", "Handoff": "hand-off"}
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", kind.__name__).lower()
    return names.get(kind.__name__, words)


def rows_of(kind: type) -> sa.Select[Any]:
    """Return the statement that selects all entities of a kind, for queries to narrow down."""
    return sa.select(*columns_of(kind))


_MOST_KEPT = 2000
_MOST_LONG_KEPT = 16
"""Of the statements with long filters: each takes a megabyte, and anybody can make up more."""
_TENANT_TABLES = {*TABLES.values(), outbox, feeds, audit_heads}

_compiled_statements: dict[Any, Any] = {}
# By the shape of a SELECT: its text, and for every parameter the place of its value among the
# statement's own, or OURS.  None for the few whose values cannot be placed.
_selected: dict[Any, tuple[str, tuple[int, ...]] | None] = {}
_selected_long: dict[Any, tuple[str, tuple[int, ...]] | None] = {}
_OURS = -1


def of_tenant(statement: Any, tenant_id: UUID, *, long: bool = False) -> tuple[str, list[Any]]:
    """Return a statement restricted to a tenant, in every table it reads or changes.

    Gives its text and its values in order.  Texts are kept by the shape of the statement, so that
    a SELECT that was met before is neither searched for its tables nor compiled again.  Fewer of
    those that are `long`.
    """
    key = statement._generate_cache_key() if isinstance(statement, sa.Select) else None
    if key is None:
        return compiled(_restricted(statement, sa.literal(tenant_id)))
    kept, most = (_selected_long, _MOST_LONG_KEPT) if long else (_selected, _MOST_KEPT)
    try:
        made = kept[key.key]
    except KeyError:
        if len(kept) >= most:
            kept.clear()
        made = kept[key.key] = _placed(statement, key.bindparams)
    if made is None:
        return compiled(_restricted(statement, sa.literal(tenant_id)))
    text, places = made
    given = [parameter.effective_value for parameter in key.bindparams]
    return text, [tenant_id if place == _OURS else given[place] for place in places]


def _placed(
    statement: Any, parameters: Sequence[sa.BindParameter[Any]]
) -> tuple[str, tuple[int, ...]] | None:
    """Return a restricted statement's text and where the value of each parameter comes from."""
    ours = sa.bindparam("tenant", type_=sa.Uuid())
    made = _restricted(statement, ours).compile(dialect=_DIALECT)
    place_of = {id(parameter): place for place, parameter in enumerate(parameters)}
    place_of[id(ours)] = _OURS
    binds = [made.binds[name] for name in made.positiontup or ()]
    if any(id(bind) not in place_of or bind.expanding for bind in binds):
        return None
    return str(made), tuple(place_of[id(bind)] for bind in binds)


def _restricted(statement: Any, tenant: Any) -> Any:
    if isinstance(statement, sa.Select):
        sources = {t for part in statement.get_final_froms() for t in tables_in(part)}
    else:
        sources = {statement.table}
    for table in sources & _TENANT_TABLES:
        statement = statement.where(table.c.tenant_id == tenant)
    return statement


def compiled(statement: Any) -> tuple[str, list[Any]]:
    """Return a statement's text and its values in order.  Texts are kept, by the shape."""
    if len(_compiled_statements) > _MOST_KEPT:
        _compiled_statements.clear()
    made, extracted, params, _ = statement._compile_w_cache(
        _DIALECT, compiled_cache=_compiled_statements, column_keys=[]
    )
    values = made.construct_params(params or {}, extracted_parameters=extracted, escape_names=False)
    return str(made), [values[name] for name in made.positiontup or ()]


def text_of(statement: Any) -> str:
    """Return the text of a statement whose parameters are numbered as they stand in it."""
    return str(statement.compile(dialect=_DIALECT))


def tables_in(clause: Any) -> set[sa.Table]:
    """Return the tables a FROM names itself, alone or joined.  A subquery answers for its own."""
    if isinstance(clause, sa.Join):
        return tables_in(clause.left) | tables_in(clause.right)
    return {clause} if isinstance(clause, sa.Table) else set()


def shape_of(value: object) -> str:
    if value is None:
        return "null"
    return "any" if isinstance(value, list | tuple | set | frozenset) else "one"


def select_text(
    kind: type[Any], names: tuple[str, ...], shapes: tuple[str, ...], lock: bool
) -> str:
    """Return the statement that finds entities by fields: one value, any of several, or null."""
    key: tuple[Any, ...] = (kind, names, shapes, lock)
    if key not in _selects:
        _selects[key] = _select(kind, names, shapes, lock)
    return _selects[key]


_selects: dict[tuple[Any, ...], str] = {}


def _select(kind: type[Any], names: tuple[str, ...], shapes: tuple[str, ...], lock: bool) -> str:
    table = table_of(kind)
    statement = rows_of(kind).where(table.c.tenant_id == sa.bindparam("tenant"))
    for name, shape in zip(names, shapes or ("one",) * len(names), strict=True):
        column = table.c[name]
        if shape == "null":
            statement = statement.where(column.is_(None))
        elif shape == "any":
            array = sa.bindparam(name, type_=sa.ARRAY(column.type))
            statement = statement.where(column == sa.any_(array))
        else:
            statement = statement.where(column == sa.bindparam(name, type_=column.type))
    if "id" in table.c and (names != ("id",) or "any" in shapes):
        statement = statement.order_by(table.c.id)
    if lock:
        # Not FOR UPDATE: rows that refer to this one may still be added meanwhile.
        statement = statement.with_for_update(key_share=True)
    return str(statement.compile(dialect=_DIALECT))


@per_kind
def insert_text(kind: type) -> str:
    table = table_of(kind)
    names = ["tenant_id", *names_of(kind)]
    return str(table.insert().compile(dialect=_DIALECT, column_keys=names))


@per_kind
def update_text(kind: type) -> str:
    """`$1` is the tenant, `$2` the version read, then every column in order."""
    names = names_of(kind)
    sets = ", ".join(
        f'"{name}" = "{name}" + 1' if name == "version" else f'"{name}" = ${position}'
        for position, name in enumerate(names, start=3)
        if name != "id"
    )
    place = 3 + names.index("id")
    spare = 3 + names.index("version")
    return (
        f'UPDATE {table_of(kind).name} SET {sets} WHERE tenant_id = $1 AND "id" = ${place}'
        f" AND version = $2 AND ${spare}::bigint IS NOT NULL"
    )


def arrays_of(kind: type, members: Sequence[object]) -> list[list[Any]]:
    """Return each column's values as one array, JSON as text."""
    columns = zip(*(values_of(member) for member in members), strict=True)
    parts = _json_positions(kind)
    return [
        [None if v is None else orjson.dumps(v).decode() for v in column]
        if position in parts
        else list(column)
        for position, column in enumerate(columns)
    ]


@per_kind
def _json_positions(kind: type) -> frozenset[int]:
    return frozenset(
        position
        for position, column in enumerate(columns_of(kind))
        if isinstance(column.type, sa.JSON)
    )


def cast_of(column: sa.Column[Any]) -> str:
    """Return the type by which a column's values are handed over."""
    return "text" if isinstance(column.type, sa.JSON) else column.type.compile(dialect=_DIALECT)


@per_kind
def insert_many_text(kind: type) -> str:
    columns = columns_of(kind)
    into = ", ".join(f'"{column.name}"' for column in columns)
    values = ", ".join(
        f'e."{c.name}"::jsonb' if isinstance(c.type, sa.JSON) else f'e."{c.name}"' for c in columns
    )
    arrays = ", ".join(f"${n}::{cast_of(c)}[]" for n, c in enumerate(columns, start=2))
    return (
        f"INSERT INTO {table_of(kind).name} (tenant_id, {into})"
        f" SELECT $1, {values} FROM unnest({arrays}) AS e({into})"
    )


@per_kind
def update_many_text(kind: type) -> str:
    columns = columns_of(kind)
    into = ", ".join(f'"{column.name}"' for column in columns)
    arrays = ", ".join(f"${n}::{cast_of(c)}[]" for n, c in enumerate(columns, start=2))
    sets = ", ".join(
        '"version" = t."version" + 1'
        if c.name == "version"
        else f'"{c.name}" = e."{c.name}"{"::jsonb" if isinstance(c.type, sa.JSON) else ""}'
        for c in columns
        if c.name != "id"
    )
    return (
        f"UPDATE {table_of(kind).name} t SET {sets} FROM unnest({arrays}) AS e({into})"
        f" WHERE t.tenant_id = $1 AND t.id = e.id AND t.version = e.version"
    )


@per_kind
def tally_columns(tally: type) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of a tally's key and of its counters."""
    columns = columns_of(tally)
    counters = tuple(c.name for c in columns if isinstance(c.type, sa.BigInteger))
    return tuple(c.name for c in columns if c.name not in counters), counters


@per_kind
def count_text(tally: type) -> str:
    table = table_of(tally)
    keys, counters = tally_columns(tally)
    names = ", ".join(f'"{name}"' for name in (*keys, *counters))
    arrays = ", ".join(
        f"${n}::{cast_of(table.c[name])}[]" for n, name in enumerate((*keys, *counters), start=2)
    )
    sums = ", ".join(f'"{name}" = {table.name}."{name}" + excluded."{name}"' for name in counters)
    key = ", ".join(f'"{name}"' for name in ("tenant_id", *keys))
    return (
        f"INSERT INTO {table.name} (tenant_id, {names}) SELECT $1, e.* FROM unnest({arrays})"
        f" AS e({names}) ON CONFLICT ({key}) DO UPDATE SET {sums}"
    )
