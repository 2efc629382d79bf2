from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from infra.migrate import downgrade, upgrade
from infra.settings import APP_ROLE, PLATFORM_ROLE, role_password, role_url
from infra.tables import metadata

# Everything about the schema that a migration may change, as text.
_PICTURE = """
SELECT 'column', c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
       || ' ' || a.attnotnull
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'app'))
  AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r'
UNION ALL SELECT 'constraint', conrelid::regclass || ' ' || conname || ' ' ||
       pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
UNION ALL SELECT 'index', indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'policy', tablename || ' ' || policyname || ' ' || qual || ' ' || with_check
FROM pg_policies
UNION ALL SELECT 'rls', relname || ' ' || relrowsecurity || ' ' || relforcerowsecurity
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
UNION ALL SELECT 'grant', table_name || '.' || column_name || ' ' || grantee || ' ' ||
       privilege_type
FROM information_schema.column_privileges WHERE table_schema = 'public'
UNION ALL SELECT 'function', oid::regprocedure || ' ' || md5(prosrc) || ' ' || proacl::text
FROM pg_proc WHERE pronamespace IN (SELECT oid FROM pg_namespace WHERE nspname = 'app')
UNION ALL SELECT 'schema', nspname || ' ' || nspacl::text FROM pg_namespace WHERE nspname = 'app'
"""


async def picture(url: str) -> set[tuple[str, str]]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(_PICTURE)
    await connection.close()
    return {(kind, text) for kind, text in rows if "alembic_version" not in text}


async def migrated(url: str, **options: Any) -> None:
    """Migrate without changing the roles' passwords, which the whole server shares."""
    passwords = {
        "app_password": role_password(url, APP_ROLE),
        "platform_password": role_password(url, PLATFORM_ROLE),
    }
    await upgrade(url, **passwords, **options)


async def test_up_down_and_up_again_gives_the_same_schema(empty_database: str) -> None:
    bare = await picture(empty_database)
    await migrated(empty_database)
    first = await picture(empty_database)
    await downgrade(empty_database)
    undone = await picture(empty_database)
    await migrated(empty_database)

    assert len(first) > 500
    assert undone == bare
    assert await picture(empty_database) == first


async def test_every_single_step_can_be_undone_and_done_again(empty_database: str) -> None:
    from alembic.script import ScriptDirectory

    from infra.migrate import _config

    script = ScriptDirectory.from_config(_config(None))  # type: ignore[arg-type]  # only read
    steps = [revision.revision for revision in reversed(list(script.walk_revisions()))]
    assert len(steps) >= 7
    for before, step in zip(["base", *steps], steps, strict=False):
        unchanged = await picture(empty_database)
        await migrated(empty_database, revision=step)
        done = await picture(empty_database)
        await downgrade(empty_database, revision=before)
        assert await picture(empty_database) == unchanged, step
        await migrated(empty_database, revision=step)
        assert await picture(empty_database) == done, step


async def test_migrating_twice_changes_nothing(empty_database: str) -> None:
    await migrated(empty_database)
    once = await picture(empty_database)

    await migrated(empty_database)

    assert await picture(empty_database) == once


async def test_of_two_who_migrate_at_once_one_waits_for_the_other(empty_database: str) -> None:
    await asyncio.gather(*(migrated(empty_database) for _ in range(3)))

    connection = await asyncpg.connect(empty_database)
    tables = await connection.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> $1",
        "alembic_version",
    )
    await connection.close()
    assert {row[0] for row in tables} == metadata.tables.keys()


async def test_both_roles_can_sign_in_afterwards(empty_database: str) -> None:
    await migrated(empty_database)
    for role in (APP_ROLE, PLATFORM_ROLE):
        connection = await asyncpg.connect(role_url(empty_database, role))
        assert await connection.fetchval("SELECT current_user") == role
        await connection.close()


@pytest.mark.parametrize("password", ["a:b'c\\d", "x" * 200, "ü€"])
async def test_any_password_is_set_as_it_is(empty_database: str, password: str) -> None:
    """Under another role's name, because the roles are shared by all databases of the server."""
    import sqlalchemy as sa
    from sqlalchemy.ext.asyncio import create_async_engine

    from infra.migrate import _make_role

    role = f"smarketing_test_{abs(hash(password)) % 10**8}"
    url = sa.make_url(empty_database).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, poolclass=sa.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(_make_role, role, "NOBYPASSRLS", password)
        made = await connection.scalar(
            sa.text("SELECT rolpassword IS NOT NULL FROM pg_authid WHERE rolname = :r"), {"r": role}
        )
        await connection.rollback()
    await engine.dispose()
    assert made
