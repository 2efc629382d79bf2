"""Bringing a database to the newest schema, and making the roles that use it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.ext.asyncio import create_async_engine

from infra.settings import APP_ROLE, PLATFORM_ROLE

# Any number that nothing else locks: one migration at a time.
_LOCK = 5_173_920_044


async def upgrade(
    owner_url: str,
    *,
    app_password: str | None = None,
    platform_password: str | None = None,
    revision: str = "head",
) -> None:
    """Make the roles and run every step that is missing.

    The roles own nothing.  The application's cannot bypass row-level security; the platform's
    can, and is granted next to nothing.
    """

    def run(connection: sa.Connection) -> None:
        connection.execute(sa.text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        try:
            _make_role(connection, APP_ROLE, "NOBYPASSRLS", app_password)
            _make_role(connection, PLATFORM_ROLE, "BYPASSRLS", platform_password)
            grant = f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}, {PLATFORM_ROLE}"
            connection.execute(sa.text(grant))
            connection.commit()
            command.upgrade(_config(connection), revision)
            connection.commit()
        finally:
            connection.rollback()
            connection.execute(sa.text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
            connection.commit()

    await _over(owner_url, run)


async def downgrade(owner_url: str, *, revision: str = "base") -> None:
    """Undo steps."""

    def run(connection: sa.Connection) -> None:
        command.downgrade(_config(connection), revision)
        connection.commit()

    await _over(owner_url, run)


def _make_role(connection: sa.Connection, role: str, bypass: str, password: str | None) -> None:
    """Make a role that may sign in and owns nothing, or set an existing one right."""
    exists = connection.scalar(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :r"), {"r": role})
    if not exists:
        connection.execute(sa.text(f"CREATE ROLE {role} LOGIN NOINHERIT {bypass}"))
    if password is not None:
        quoted = connection.scalar(sa.text("SELECT quote_literal(:p)"), {"p": password})
        connection.execute(sa.text(f"ALTER ROLE {role} PASSWORD {_literal(quoted)}"))


def _literal(quoted: Any) -> str:
    """Keep SQLAlchemy from reading a colon in a quoted literal as a parameter."""
    return re.sub(r":", r"\\:", str(quoted))


async def _over(owner_url: str, run: Any) -> None:
    url = sa.make_url(owner_url).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, poolclass=sa.NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
