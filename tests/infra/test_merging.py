"""The table of what becomes of a lead's things, held against the catalogue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import fields
from typing import Any

import asyncpg
import pytest

from domain.leads import Lead
from domain.merging import RULES, Goes, Moves, OneEach, OneStory
from infra.settings import APP_ROLE
from infra.tables import TABLES

KINDS = {table.name: kind for kind, table in TABLES.items()}
# Unique by the lead, and settled before anything moves: of two open hand-offs one is ended.
SETTLED = {"handoffs_open"}
_POINTERS = """
SELECT c.relname::text, a.attname::text FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[2]
WHERE k.contype = 'f' AND k.confrelid = 'leads'::regclass
"""
_UNIQUE = """
SELECT i.indexrelid::regclass::text FROM pg_index i
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
WHERE i.indisunique AND i.indrelid = $1::regclass AND a.attname = 'lead_id'
"""


@pytest.fixture(scope="module")
async def owner(database_urls: Any) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_urls.owner)
    yield connection
    await connection.close()


async def test_whatever_points_at_a_lead_has_a_rule(owner: asyncpg.Connection) -> None:
    pointing = {(name, column) for name, column in await owner.fetch(_POINTERS)}
    named = {
        (table.name, "lead_id")
        for kind, table in TABLES.items()
        if "lead_id" in {field.name for field in fields(kind)}
    }
    ruled = {
        (TABLES[kind].name, column)
        for kind, rule in RULES.items()
        for column in (rule.columns if isinstance(rule, Goes) else ("lead_id",))
    }

    assert pointing | named == ruled
    assert Lead not in RULES


@pytest.mark.parametrize("kind", RULES, ids=[kind.__name__ for kind in RULES])
async def test_what_a_rule_does_may_be_done(owner: asyncpg.Connection, kind: type) -> None:
    table, rule = TABLES[kind].name, RULES[kind]
    moves, takes = isinstance(rule, Moves | OneEach), not isinstance(rule, Moves)

    if moves:
        assert "id" in TABLES[kind].c
        allowed = "SELECT has_column_privilege($1, $2, 'lead_id', 'UPDATE')"
        assert await owner.fetchval(allowed, APP_ROLE, table)
    if takes:
        assert await owner.fetchval("SELECT has_table_privilege($1, $2, 'DELETE')", APP_ROLE, table)


@pytest.mark.parametrize(
    "kind", [k for k, rule in RULES.items() if isinstance(rule, Moves)], ids=lambda k: k.__name__
)
async def test_what_just_moves_can_be_there_twice(owner: asyncpg.Connection, kind: type) -> None:
    unique = {row[0] for row in await owner.fetch(_UNIQUE, TABLES[kind].name)}

    assert unique <= SETTLED


async def test_what_points_at_what_is_taken_away_is_told_of(owner: asyncpg.Connection) -> None:
    """Or taking a double away would be refused, or leave something pointing at nothing."""
    for kind, rule in RULES.items():
        if not isinstance(rule, OneEach | Goes | OneStory):
            continue
        pointing = await owner.fetch(
            "SELECT c.relname::text FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
            " WHERE k.contype = 'f' AND k.confrelid = $1::regclass",
            TABLES[kind].name,
        )
        told = {TABLES[k].name for k, _ in rule.pointers} if isinstance(rule, OneEach) else set()
        assert {row[0] for row in pointing} == told
