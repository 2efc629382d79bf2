"""Filters in SQL: real PostgreSQL selects exactly the rows that the rule in Python lets through."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import asyncpg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects.postgresql import asyncpg as dialect

from domain.filters import (
    All,
    AnyOf,
    Comparator,
    Compare,
    FieldType,
    FilterFields,
    Not,
    describe,
    explain,
    matches,
    normal_form,
    parse,
    to_json,
)
from infra.filters import where
from tests.domain.filters.fields import Stage, a_field


class Source(StrEnum):
    PAID = "paid_search"
    ORGANIC = "organic"
    DIRECT = "direct"


FIELDS = FilterFields(
    "lead",
    [
        a_field("title", "title", FieldType.TEXT),
        a_field("campaign", "campaign", FieldType.TEXT),
        a_field("score", "score", FieldType.NUMBER),
        a_field("visits", "visits", FieldType.NUMBER),
        a_field("value", "value", FieldType.NUMBER),
        a_field("createdAt", "created_at", FieldType.INSTANT),
        a_field("closeOn", "close_on", FieldType.DAY),
        a_field("subscribed", "subscribed", FieldType.FLAG),
        a_field("owner", "owner_id", FieldType.ID, kind="User"),
        a_field("stage", "stage", FieldType.CHOICE, choices=Stage, ordered=True),
        a_field("originSource", "origin_source", FieldType.CHOICE, choices=Source),
    ],
)

leads = sa.Table(
    "filtered_leads",
    sa.MetaData(),
    sa.Column("title", sa.Text),
    sa.Column("campaign", sa.String(200)),
    sa.Column("score", sa.Integer),
    sa.Column("visits", sa.BigInteger),
    sa.Column("value", sa.Numeric),
    sa.Column("created_at", sa.DateTime(timezone=True)),
    sa.Column("close_on", sa.Date),
    sa.Column("subscribed", sa.Boolean),
    sa.Column("owner_id", sa.Uuid),
    sa.Column("stage", sa.Text),
    sa.Column("origin_source", sa.Text),
    sa.Column("row", sa.Integer, nullable=False),
    prefixes=["TEMPORARY"],
)

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)

# What goes wrong where SQL and Python part: wildcards, escapes, letters whose case depends on the
# locale, accents in one character or in two, characters beyond 16 bits, spaces at the end.
TEXTS = [
    *("a", "A", "aB", "Ab%", "a_b", "a\\b", "\\", "%", "_", "a%b_c\\", "'; --", '"', "$1", ":x"),
    *("é", "É", "e\u0301", "ß", "SS", "ss", "İ", "i", "I", "ı", "K", "\u212a", "k", "ǅ", "Σ", "ς"),
    *("😀", "a😀b", "\uffff", "\u00a0", "a ", " a", "a\n", "\t", "", "NULL", "paid_search"),
]
NUMBERS = [
    *(0, 1, -1, 49, 50, 51, 2**31 - 1, 2**31, -(2**31), 2**63 - 1, -(2**63), 2**53 + 1),
    *(Decimal("0.1"), Decimal("50.5"), Decimal("-0.5"), Decimal("49.999999999999999999")),
    *(Decimal("9" * 38), Decimal("1e-38"), Decimal(2**63), Decimal("9007199254740993.5")),
]
INSTANTS = [
    *(NOON, NOON + TICK, NOON - TICK, NOON + timedelta(days=1), NOON - timedelta(hours=12)),
    *(datetime(1, 1, 1, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)),
    *(datetime.max.replace(tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)),
]
DAYS = [date(2026, 3, 29), date(2026, 3, 30), date(2024, 2, 29), date.min, date.max]
OWNERS = [UUID(int=n) for n in (0, 1, 2**127, 2**128 - 1)]
POOLS = {
    "title": TEXTS,
    "campaign": TEXTS,
    "score": [n for n in NUMBERS if isinstance(n, int) and -(2**31) <= n < 2**31],
    "visits": [n for n in NUMBERS if isinstance(n, int)],
    "value": [Decimal(n) for n in NUMBERS],
    "created_at": INSTANTS,
    "close_on": DAYS,
    "subscribed": [True, False],
    "owner_id": OWNERS,
    "stage": list(Stage),
    "origin_source": list(Source),
}
# What a filter may ask for: a whole number's column can be asked for a fraction, and out of range.
ASKED = POOLS | {
    name: [int(n) if n == int(n) and -(2**63) <= n < 2**63 else n for n in NUMBERS]
    for name in ("score", "visits", "value")
}


def some_rows(count):
    chance = random.Random(7)
    return [
        {
            name: None if chance.random() < 0.15 else chance.choice(pool)
            for name, pool in POOLS.items()
        }
        for _ in range(count)
    ]


# Every value of a pool is in some row, and one row has no value at all.
ROWS = [
    *({name: pool[n % len(pool)] for name, pool in POOLS.items()} for n in range(len(TEXTS))),
    dict.fromkeys(POOLS),
    *some_rows(300),
]

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4)
part_of_a_text = st.builds(
    lambda whole, start, length: whole[start : start + length],
    st.sampled_from(TEXTS),
    st.integers(0, 4),
    st.integers(1, 3),
)
decimals = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**18), max_value=10**18, places=6
)
MORE = {
    FieldType.TEXT: text | part_of_a_text | part_of_a_text.map(str.swapcase),
    FieldType.NUMBER: st.integers(-(2**63), 2**63 - 1) | st.integers(-60, 60) | decimals,
    FieldType.INSTANT: st.datetimes(timezones=st.just(UTC)),
    FieldType.DAY: st.dates(),
    FieldType.ID: st.uuids(),
}
PARTIAL = (Comparator.CONTAINS, Comparator.STARTS_WITH, Comparator.ENDS_WITH)


@st.composite
def comparisons(draw):
    field = draw(st.sampled_from(list(FIELDS)))
    op = draw(st.sampled_from(field.comparators))
    pool = st.sampled_from(ASKED[field.attribute])
    value = st.one_of(pool, pool, MORE.get(field.type, pool))
    if op is Comparator.IS_NULL:
        return Compare(field, op, draw(st.booleans()))
    if op in (Comparator.IN, Comparator.NOT_IN):
        return Compare(field, op, tuple(draw(st.lists(value, max_size=4))))
    return Compare(field, op, draw(value.filter(bool) if op in PARTIAL else value))


# As code may build them, so with needless nesting too.
filters = st.recursive(
    comparisons() | st.just(All(())),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(All, st.lists(inner, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple)),
    ),
    max_leaves=5,
)
rows = st.fixed_dictionaries(
    {
        name: st.none() | st.sampled_from(pool) | (text if pool is TEXTS else st.nothing())
        for name, pool in POOLS.items()
    }
)


class Database:
    """One connection, and a loop to use it from tests that are not coroutines."""

    def __init__(self, url):
        self.runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self.connection = self.runner.run(asyncpg.connect(url))
        self.run(str(sa.schema.CreateTable(leads).compile(dialect=dialect.dialect())))
        self.insert(ROWS, at=0)

    def run(self, statement, *values):
        return self.runner.run(self.connection.fetch(statement, *values))

    def insert(self, added, *, at):
        records = [(*map(row.get, POOLS), at + n) for n, row in enumerate(added)]
        copy = self.connection.copy_records_to_table(
            leads.name, records=records, columns=[*POOLS, "row"]
        )
        self.runner.run(copy)

    def selected(self, criterion):
        """Return the numbers of the rows that a filter selects."""
        statement = sa.select(leads.c.row).where(where(criterion, leads.c))
        return {record["row"] for record in self.run(*compiled(statement))}

    def close(self):
        self.runner.run(self.connection.close())
        self.runner.close()


def compiled(statement):
    """Return a statement's text and values as the program sends them."""
    made = statement.compile(dialect=dialect.dialect())
    return str(made), *(made.params[name] for name in made.positiontup)


@pytest.fixture(scope="module")
def database(cluster):
    database = Database(cluster)
    yield database
    database.close()


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(criterion=filters, added=st.lists(rows, min_size=1, max_size=3))
def test_sql_selects_the_rows_that_match_in_python(database, criterion, added):
    database.run("BEGIN")
    try:
        database.insert(added, at=len(ROWS))
        selected = database.selected(criterion)
        refused = database.selected(Not(criterion))
    finally:
        database.run("ROLLBACK")

    numbered = list(enumerate([*ROWS, *added]))
    assert selected == {n for n, row in numbered if matches(criterion, row)}
    assert refused == {n for n, _ in numbered} - selected


@settings(max_examples=300, deadline=None)
@given(criterion=filters, row=st.sampled_from(ROWS))
def test_every_form_of_a_filter_means_the_same(criterion, row):
    read = parse(to_json(criterion), FIELDS)

    assert parse(to_json(read), FIELDS) == read
    assert matches(read, row) is matches(criterion, row)
    assert matches(normal_form(criterion), row) is matches(criterion, row)
    assert explain(criterion, row).matched is matches(criterion, row)
    assert explain(Not(criterion), row).matched is not matches(criterion, row)
    assert describe(read) == describe(parse(to_json(read), FIELDS))


@pytest.mark.parametrize("op", PARTIAL)
def test_text_in_text_is_found_alike_for_every_pair(database, op):
    for part in filter(None, TEXTS):
        criterion = Compare(FIELDS.get("title"), op, part)
        expected = {n for n, row in enumerate(ROWS) if matches(criterion, row)}
        assert database.selected(criterion) == expected, part


@pytest.mark.parametrize(
    ("json", "sql", "values"),
    [
        ({}, "true", []),
        ({"not": {}}, "true IS NOT true", []),
        ({"title": {"eq": "x"}}, "title = $1::VARCHAR", ["x"]),
        ({"title": {"ne": "x"}}, "title IS DISTINCT FROM $1::VARCHAR", ["x"]),
        ({"title": {"in": ["x", "y"]}}, "title = ANY ($1::TEXT[])", [["x", "y"]]),
        ({"title": {"in": []}}, "false", []),
        (
            {"title": {"notIn": ["x"]}},
            "(title = ANY ($1::TEXT[])) IS NOT true",
            [["x"]],
        ),
        (
            {"title": {"contains": "X%"}},
            'strpos(lower(title COLLATE "C"), $1::VARCHAR) > $2::INTEGER',
            ["x%", 0],
        ),
        (
            {"title": {"startsWith": "É"}},
            'starts_with(lower(title COLLATE "C"), $1::VARCHAR)',
            ["É"],
        ),
        (
            {"title": {"endsWith": "Xy"}},
            'right(lower(title COLLATE "C"), $1::INTEGER) = $2::VARCHAR',
            [2, "xy"],
        ),
        ({"title": {"isNull": True}}, "title IS NULL", []),
        ({"title": {"isNull": False}}, "title IS NOT NULL", []),
        ({"not": {"title": {"isNull": True}}}, "title IS NOT NULL", []),
        (
            {"score": {"gte": 50, "lt": "50.5"}},
            "score >= $1::BIGINT AND score < $2::NUMERIC",
            [50, Decimal("50.5")],
        ),
        (
            {"score": {"gt": 1, "lte": 2}},
            "score > $1::BIGINT AND score <= $2::BIGINT",
            [1, 2],
        ),
        ({"score": {"in": [1, 2]}}, "score = ANY ($1::BIGINT[])", [[1, 2]]),
        (
            {"score": {"in": [1, "2.5"]}},
            "score = ANY ($1::NUMERIC[])",
            [[1, Decimal("2.5")]],
        ),
        (
            {"createdAt": {"lt": "2026-03-29T12:00:00Z"}},
            "created_at < $1::TIMESTAMP WITH TIME ZONE",
            [NOON],
        ),
        ({"closeOn": {"eq": "2026-03-29"}}, "close_on = $1::DATE", [date(2026, 3, 29)]),
        ({"subscribed": {"eq": True}}, "subscribed = $1::BOOLEAN", [True]),
        ({"owner": {"eq": f"user_{UUID(int=1).hex}"}}, "owner_id = $1::UUID", [UUID(int=1)]),
        ({"stage": {"eq": "MQL"}}, "stage = $1::VARCHAR", ["MQL"]),
        ({"stage": {"gte": "SAL"}}, "stage = ANY ($1::TEXT[])", [["SAL", "SQL"]]),
        ({"stage": {"lte": "MQL"}}, "stage = ANY ($1::TEXT[])", [["LEAD", "MQL"]]),
        ({"stage": {"lt": "LEAD"}}, "false", []),
        ({"not": {"score": {"lt": 5}}}, "(score < $1::BIGINT) IS NOT true", [5]),
        (
            {"not": {"or": [{"score": {"ne": 5}}, {"stage": {"notIn": ["SAL"]}}]}},
            "score = $1::BIGINT AND stage = ANY ($2::TEXT[])",
            [5, ["SAL"]],
        ),
        (
            {"score": {"eq": 5}, "or": [{"title": {"eq": "x"}}, {"title": {"eq": "y"}}]},
            "score = $1::BIGINT AND (title = $2::VARCHAR OR title = $3::VARCHAR)",
            [5, "x", "y"],
        ),
    ],
)
def test_a_condition_is_as_plain_as_it_can_be(json, sql, values):
    columns = {name: sa.column(name, column.type) for name, column in leads.c.items()}
    condition = where(parse(json, FIELDS), columns)

    statement, *bound = compiled(sa.select(sa.literal_column("1")).where(condition))

    assert statement.replace("SELECT 1 \nWHERE ", "") == sql
    # Their representations too: the driver is given plain text, never our enums.
    assert (bound, repr(bound)) == (values, repr(values))


@pytest.mark.parametrize(
    ("json", "index"),
    [
        ({"title": {"eq": "x"}}, "title"),
        ({"title": {"in": ["x", "y"]}}, "title"),
        ({"score": {"gte": 50, "lt": 60}}, "score"),
        ({"score": {"in": [50, 51]}}, "score"),
        ({"value": {"eq": 50}}, "value"),
        ({"value": {"in": [50, 51]}}, "value"),
        ({"createdAt": {"lt": "2026-03-29T12:00:00Z"}}, "created_at"),
        ({"stage": {"gte": "SQL"}}, "stage"),
        ({"owner": {"isNull": True}}, "owner_id"),
        ({"not": {"score": {"ne": 50}}}, "score"),
    ],
)
def test_a_comparison_at_the_top_is_served_by_an_index(database, json, index):
    statement, *values = compiled(sa.select(leads.c.row).where(where(parse(json, FIELDS), leads.c)))
    database.run("BEGIN")
    try:
        database.run(f"CREATE INDEX served ON {leads.name} ({index})")
        database.run("SET LOCAL enable_seqscan = off")
        plan = "\n".join(row[0] for row in database.run(f"EXPLAIN {statement}", *values))
    finally:
        database.run("ROLLBACK")

    assert "served" in plan
    assert "Index Cond" in plan
    assert "Filter:" not in plan
