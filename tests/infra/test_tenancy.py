"""The catalogue of the migrated database, judged by the rules that keep tenants apart."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import asyncpg
import pytest

from domain.ids import new_id
from infra.settings import APP_ROLE, PLATFORM_ROLE
from infra.tables import (
    INSTALLATION,
    TABLES,
    audit_heads,
    feeds,
    idempotency_keys,
    metadata,
    outbox,
)
from tests.world import World

TENANT_TABLES = sorted(
    {table.name for table in (*TABLES.values(), outbox, feeds, idempotency_keys, audit_heads)}
)
# What belongs to the installation, and is closed to the application.
PLATFORM_TABLES = sorted(metadata.tables.keys() - set(TENANT_TABLES))
# The indexes that look across tenants: each finds whose something is, by the platform's role.
ACROSS_TENANTS = {
    "api_keys_lookup",
    "api_keys_previous_lookup",
    "boards_lookup",
    "idempotency_keys_oldest",
    "invitations_lookup",
    "tracking_sites_lookup",
    "sla_clocks_due",
}
POLICY = "(tenant_id = (current_setting('app.tenant_id'::text))::uuid)"
# What the platform's role may read of a tenant's tables, across tenants.
PLATFORM_COLUMNS = {
    "digest_subscriptions": {"tenant_id", "next_at"},
    "mentions": {"tenant_id", "letter_at"},
    "commitments": {"tenant_id", "measure"},
    "lead_gradings": {"tenant_id", "changes_at"},
    "prediction_models": {"tenant_id", "status"},
    "prediction_schedules": {"tenant_id", "next_at"},
    "scoring_models": {"tenant_id", "scoring_after"},
    "api_keys": {"tenant_id", "id", "digest", "previous_digest"},
    "attribution_models": {"tenant_id", "computing_after"},
    "boards": {"tenant_id", "id", "digest"},
    "campaigns": {"tenant_id", "adopting_after"},
    "content_assets": {"tenant_id", "matching_after"},
    "duplicate_candidates": {"tenant_id", "certain", "status"},
    "duplicate_rules": {"tenant_id", "checked_to"},
    "duplicate_scans": {"tenant_id", "status", "claimed_until"},
    "feeds": {"tenant_id", "last_number"},
    "idempotency_keys": {"tenant_id", "created_at"},
    "import_jobs": {"tenant_id", "status", "claimed_until", "upload_id"},
    "invitations": {"tenant_id", "id", "digest"},
    "outbox": {"tenant_id"},
    "personas": {"tenant_id", "assigning_after"},
    "sla_clocks": {"tenant_id", "next_at"},
    "tracking_sites": {"tenant_id", "id", "key"},
}


@pytest.fixture(scope="module")
async def owner(database_urls: Any) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_urls.owner)
    yield connection
    await connection.close()


@pytest.fixture
async def app(database_urls: Any) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the application's role, in no tenant."""
    connection = await asyncpg.connect(database_urls.app)
    yield connection
    await connection.close()


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_a_tenants_rows_are_shown_to_that_tenant_only(
    owner: asyncpg.Connection, table: str
) -> None:
    switches = await owner.fetchrow(
        "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = $1::regclass", table
    )
    policies = await owner.fetch(
        "SELECT permissive, roles::text[], cmd, qual, with_check FROM pg_policies"
        " WHERE schemaname = 'public' AND tablename = $1",
        table,
    )

    assert tuple(switches) == (True, True)
    assert [tuple(policy) for policy in policies] == [
        ("PERMISSIVE", ["public"], "ALL", POLICY, POLICY)
    ]


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_every_index_is_led_by_the_tenant(owner: asyncpg.Connection, table: str) -> None:
    rows = await owner.fetch(
        "SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " JOIN pg_attribute a ON a.attrelid = i.indexrelid AND a.attnum = 1"
        " WHERE i.indrelid = $1::regclass",
        table,
    )

    assert rows
    assert {name for name, first in rows if first != "tenant_id"} <= ACROSS_TENANTS


async def test_indexes_across_tenants_are_not_unique(owner: asyncpg.Connection) -> None:
    """A unique one would tell one tenant what another has."""
    rows = await owner.fetch(
        "SELECT c.relname, i.indisunique FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        " WHERE c.relname = ANY($1)",
        list(ACROSS_TENANTS),
    )
    assert dict(tuple(row) for row in rows) == dict.fromkeys(ACROSS_TENANTS, False)


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_every_key_carries_the_tenant(owner: asyncpg.Connection, table: str) -> None:
    """PostgreSQL checks foreign keys without looking at row-level security."""
    rows = await owner.fetch(
        "SELECT conname, contype, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = $1::regclass AND contype IN ('p', 'u', 'f', 'x')",
        table,
    )
    kinds = [kind.decode() if isinstance(kind, bytes) else kind for _, kind, _ in rows]

    assert kinds.count("p") == 1
    assert set(kinds) <= {"p", "f"}
    for _, _, definition in rows:
        columns = re.findall(r"\(tenant_id[,)]", definition)
        assert len(columns) == (2 if definition.startswith("FOREIGN KEY") else 1), definition
        assert "ON DELETE" not in definition, definition


async def test_there_are_no_sequences_triggers_views_or_enum_types(
    owner: asyncpg.Connection,
) -> None:
    found = await owner.fetch("""
        SELECT 'relation', relname::text FROM pg_class
        WHERE relnamespace IN ('public'::regnamespace, 'app'::regnamespace)
          AND relkind NOT IN ('r', 'i')
        UNION ALL SELECT 'trigger', tgname::text FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT 'enum', typname::text FROM pg_type
        WHERE typtype = 'e' AND typnamespace = 'public'::regnamespace
        UNION ALL SELECT 'function', oid::regprocedure::text FROM pg_proc
        WHERE pronamespace IN ('public'::regnamespace, 'app'::regnamespace)
    """)
    assert sorted(tuple(row) for row in found) == [
        ("function", "app.chain(bytea,bigint,bytea[])"),
        ("function", "app.enter(uuid)"),
        ("function", "app.sample(text)"),
    ]


async def test_one_function_runs_with_the_rights_of_its_owner_and_only_for_the_platform(
    owner: asyncpg.Connection,
) -> None:
    """It finds its tables by itself; whoever calls it only says after which to go on."""
    found = await owner.fetch(
        "SELECT p.oid::regprocedure::text AS name, proconfig, rolname FROM pg_proc p"
        " CROSS JOIN pg_roles r WHERE prosecdef AND r.rolname = ANY($1)"
        " AND has_function_privilege(r.rolname, p.oid, 'EXECUTE')"
        " AND pronamespace IN ('public'::regnamespace, 'app'::regnamespace)",
        [APP_ROLE, PLATFORM_ROLE],
    )
    assert [tuple(row) for row in found] == [
        ("app.sample(text)", ["search_path=pg_catalog, pg_temp"], PLATFORM_ROLE)
    ]


async def test_the_roles_own_nothing_and_only_the_platform_sees_past_the_wall(
    owner: asyncpg.Connection,
) -> None:
    roles = await owner.fetch(
        "SELECT rolname, rolcanlogin, rolbypassrls, rolinherit, rolsuper, rolcreatedb,"
        " rolcreaterole FROM pg_roles WHERE rolname = ANY($1) ORDER BY rolname",
        [APP_ROLE, PLATFORM_ROLE],
    )
    owned = await owner.fetchval(
        "SELECT count(*) FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid"
        " WHERE r.rolname = ANY($1) AND d.deptype = 'o'",
        [APP_ROLE, PLATFORM_ROLE],
    )
    belongs = await owner.fetchval(
        "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member"
        " WHERE r.rolname = ANY($1)",
        [APP_ROLE, PLATFORM_ROLE],
    )

    assert [tuple(role) for role in roles] == [
        (APP_ROLE, True, False, False, False, False, False),
        (PLATFORM_ROLE, True, True, False, False, False, False),
    ]
    assert (owned, belongs) == (0, 0)


@pytest.mark.parametrize("role", [APP_ROLE, PLATFORM_ROLE, "public"])
async def test_nobody_may_go_round_the_rows(owner: asyncpg.Connection, role: str) -> None:
    granted = await privileges(owner, role)

    assert not granted & {"TRUNCATE", "TRIGGER", "REFERENCES", "MAINTAIN"}


async def privileges(owner: asyncpg.Connection, role: str) -> set[str]:
    rows = await owner.fetch(
        "SELECT DISTINCT privilege_type FROM information_schema.table_privileges"
        " WHERE lower(grantee) = $1 AND table_schema IN ('public', 'app')",
        role,
    )
    return {row[0] for row in rows}


async def test_the_application_may_not_touch_the_installations_tables(
    app: asyncpg.Connection,
) -> None:
    for table in [*PLATFORM_TABLES, "alembic_version"]:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.fetch(f"SELECT * FROM {table}")


async def test_the_application_puts_letters_in_and_can_do_nothing_else_to_them(
    app: asyncpg.Connection,
) -> None:
    await app.execute(
        "INSERT INTO mails (id, sealed, created_at, due_at, expires_at, tries)"
        " VALUES ($1, '', now(), 'infinity', now(), 0)",
        new_id(),
    )
    for statement in (
        "SELECT id FROM mails",
        "UPDATE mails SET due_at = now()",
        "DELETE FROM mails",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(statement)


async def test_the_platform_reads_whose_something_is_and_nothing_of_it(
    owner: asyncpg.Connection,
) -> None:
    rows = await owner.fetch(
        "SELECT table_name, column_name, privilege_type FROM information_schema.column_privileges"
        " WHERE grantee = $1 AND table_name = ANY($2)",
        PLATFORM_ROLE,
        TENANT_TABLES,
    )
    found: dict[str, set[str]] = {}
    for table, column, privilege in rows:
        assert privilege == "SELECT", (table, column)
        found.setdefault(table, set()).add(column)
    assert found == PLATFORM_COLUMNS


async def test_nobody_may_make_anything_in_the_schema(app: asyncpg.Connection) -> None:
    for statement in (
        "CREATE TABLE public.mine (id int)",
        "CREATE FUNCTION app.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE leads DISABLE ROW LEVEL SECURITY",
        f"ALTER ROLE {APP_ROLE} BYPASSRLS",
        "TRUNCATE leads",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(statement)


@pytest.mark.parametrize("setting", ["unset", "empty"])
async def test_without_a_tenant_nothing_is_read_or_written(
    app: asyncpg.Connection, setting: str
) -> None:
    if setting == "empty":
        await app.execute("SET app.tenant_id = ''")
    for statement in (
        "SELECT count(*) FROM leads",
        "UPDATE teams SET name = 'x'",
        f"INSERT INTO feeds (tenant_id, last_number) VALUES ('{new_id()}', 1)",
    ):
        with pytest.raises((asyncpg.UndefinedObjectError, asyncpg.InvalidTextRepresentationError)):
            await app.execute(statement)


async def test_a_tenant_sees_and_changes_only_its_own_rows(
    world: World, other_world: World
) -> None:
    """By row-level security alone: no statement here names a tenant."""
    async with world.work() as work:
        connection = work.connection
        seen = {row[0] for row in await connection.fetch("SELECT tenant_id FROM teams")}
        changed = await connection.execute("UPDATE teams SET version = 1")
        deleted = await connection.execute(
            "DELETE FROM team_members WHERE tenant_id = $1", other_world.tenant.id
        )
    assert seen == {world.tenant.id}
    assert (changed, deleted) == ("UPDATE 2", "DELETE 0")


async def test_a_row_cannot_be_put_into_another_tenant(world: World, other_world: World) -> None:
    insert = "INSERT INTO feeds (tenant_id, last_number) VALUES ($1, 1)"
    move = "UPDATE teams SET tenant_id = $1"
    for statement in (insert, move):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await within(world, statement, other_world.tenant.id)
    async with other_world.work() as work:
        assert await work.connection.fetchval("SELECT count(*) FROM feeds") == 0
        assert await work.connection.fetchval("SELECT count(*) FROM teams") == 2


async def test_a_row_cannot_point_at_another_tenants(world: World, other_world: World) -> None:
    statement = """
        INSERT INTO team_members (tenant_id, id, team_id, user_id, created_at, available, capacity,
                                  version)
        VALUES ($1, $2, $3, $4, now(), true, 1, 1)
    """
    ids = (world.tenant.id, new_id(), other_world.sales.id, world.analyst.id)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await within(world, statement, *ids)


async def within(world: World, statement: str, *values: Any) -> None:
    """Run SQL inside a tenant, with the driver's own errors."""
    async with world.database.app.acquire() as connection:
        await connection.execute(f"BEGIN; SELECT app.enter('{world.tenant.id}')")
        try:
            await connection.execute(statement, *values)
        finally:
            await connection.execute("ROLLBACK")


async def test_a_tenant_cannot_be_left_by_entering_another_with_sql_in_its_name(
    app: asyncpg.Connection,
) -> None:
    with pytest.raises((asyncpg.DataError, asyncpg.InvalidTextRepresentationError)):
        await app.execute("SELECT app.enter('x''; DROP TABLE leads; --')")


def test_every_table_is_either_a_tenants_or_the_installations() -> None:
    known: Mapping[str, Sequence[str]] = {"tenant": TENANT_TABLES, "platform": PLATFORM_TABLES}
    assert set(PLATFORM_TABLES) == INSTALLATION
    assert sorted([*known["tenant"], *known["platform"]]) == sorted(metadata.tables)
