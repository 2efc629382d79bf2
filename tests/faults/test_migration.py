"""The schema changes under load: the old code goes on, and hardly waits."""

from __future__ import annotations

import asyncio
from time import monotonic

import asyncpg
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from domain.leads import Lead
from tests.api.sites import a_site, key_of
from tests.faults.places import OwnPostgres
from tests.faults.writers import account_for, writing
from tests.world import World


def widen(connection: sa.Connection) -> None:
    """Add a column to the table that is written, as a migration does."""
    operations = Operations(MigrationContext.configure(connection))
    operations.execute("SET LOCAL lock_timeout = '3s'")
    operations.add_column("leads", sa.Column("shoe_size", sa.Integer, nullable=True))
    connection.commit()


def narrow(connection: sa.Connection) -> None:
    connection.execute(sa.text("ALTER TABLE leads DROP COLUMN shoe_size"))
    connection.commit()


async def migrated(postgres: OwnPostgres, step: object) -> None:
    url = sa.make_url(postgres.urls.owner).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, poolclass=sa.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(step)  # type: ignore[arg-type]  # a function of a connection
    await engine.dispose()


async def test_old_code_goes_on_over_a_newer_schema_and_hardly_waits(
    postgres: OwnPostgres, tenant: World
) -> None:
    async with a_site(postgres.urls) as site:
        async with writing(site.url, await key_of(site, tenant)) as ledger:
            at = monotonic()
            await migrated(postgres, widen)
            await ledger.more(20)
            await migrated(postgres, narrow)
            await ledger.more(20)
            assert ledger.gap(since=at) < ledger.bound(1)
            assert ledger.answers == []
        await account_for(tenant, ledger)


async def test_a_migration_that_cannot_have_its_lock_lets_the_others_go_on(
    postgres: OwnPostgres, tenant: World
) -> None:
    """Who waits for a lock makes all who come later wait, so it must not wait for long."""
    async with a_site(postgres.urls) as site:
        async with writing(site.url, await key_of(site, tenant)) as ledger:
            async with tenant.work() as work:
                await work.find(Lead)
                migrating = asyncio.create_task(migrated(postgres, widen))
                (refused,) = await asyncio.gather(migrating, return_exceptions=True)
            await ledger.more(8)
        assert isinstance(refused, sa.exc.DBAPIError)
        assert isinstance(refused.orig.__cause__, asyncpg.LockNotAvailableError)  # type: ignore[union-attr]  # there is one
        await account_for(tenant, ledger)
