from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from infra.tables import TABLES, metadata, plain_type
from migrations.tenancy import STATISTICS

_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attnum
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  AND a.attnum > 0 AND NOT a.attisdropped
"""
# Alembic's own.
_NOT_OURS = {"alembic_version"}


@pytest.mark.parametrize(
    ("entity", "table"), TABLES.items(), ids=[table.name for table in TABLES.values()]
)
def test_columns_are_fields(entity: type, table: sa.Table) -> None:
    assert is_dataclass(entity)
    assert ["tenant_id", *(f.name for f in fields(entity))] == [c.name for c in table.c]


@pytest.mark.parametrize("entity", TABLES, ids=[entity.__name__ for entity in TABLES])
def test_entities_are_frozen_and_carry_no_tenant(entity: Any) -> None:
    assert entity.__dataclass_params__.frozen
    assert "__slots__" in vars(entity)
    assert all(field.kw_only for field in fields(entity))
    assert "tenant_id" not in {field.name for field in fields(entity)}


@pytest.fixture(scope="module")
async def migrated(database_urls: Any) -> Mapping[str, Mapping[str, tuple[str, bool]]]:
    """Return the migrated columns: their type and whether they take no null, by table."""
    connection = await asyncpg.connect(database_urls.owner)
    rows = await connection.fetch(_COLUMNS)
    await connection.close()
    found: dict[str, dict[str, tuple[str, bool]]] = {}
    for table, column, kind, required, _ in rows:
        found.setdefault(table, {})[column] = (kind, required)
    return found


@pytest.mark.parametrize("name", sorted(metadata.tables))
def test_a_table_is_migrated_as_the_code_knows_it(
    name: str, migrated: Mapping[str, Mapping[str, tuple[str, bool]]]
) -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
    known = {
        column.name: (_spelled(column.type.compile(dialect)), not column.nullable)
        for column in metadata.tables[name].c
    }
    assert migrated[name] == known


def test_there_are_no_tables_that_the_code_does_not_know(migrated: Mapping[str, Any]) -> None:
    assert migrated.keys() - metadata.tables.keys() == _NOT_OURS


@pytest.mark.parametrize("entity", TABLES, ids=[entity.__name__ for entity in TABLES])
def test_money_and_shares_are_never_floats(entity: type) -> None:
    kinds = {plain_type(hint)[0] for hint in get_type_hints(entity).values()}
    assert float not in kinds


async def test_the_planner_learns_of_a_new_tenant_beside_big_ones(
    database_urls: Any, migrated: Mapping[str, Any]
) -> None:
    connection = await asyncpg.connect(database_urls.owner)
    rows = await connection.fetch(
        "SELECT relname, reloptions FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    )
    await connection.close()
    options = [f"{name}={value}" for name, value in STATISTICS.items()]
    tenants = {name: options for name, columns in migrated.items() if "tenant_id" in columns}
    assert {row[0]: row[1] for row in rows if row[0] in tenants} == tenants


def _spelled(kind: str) -> str:
    """Return a type as PostgreSQL's catalogue spells it."""
    words = {"TIMESTAMP WITH TIME ZONE": "timestamp with time zone", "BYTEA": "bytea"}
    return words.get(kind, kind.lower())
