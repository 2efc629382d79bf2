"""The PostgreSQL of the tests: the embedded one, or the server of DATABASE_URL.

Each worker has a database of its own, cloned from a template that is migrated once and kept until a
migration changes.  Tests share it: every row belongs to a tenant, so a test makes a tenant of its
own.  Advisory locks say which databases are in use, so that several runs can share one server and
what a killed run left behind is removed by the next.
"""

from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest
from hypothesis import HealthCheck, settings

from infra.embedded import EmbeddedPostgres
from infra.settings import APP_ROLE, PLATFORM_ROLE, role_password, role_url

ROOT = Path(__file__).parents[1]
PREFIX = "smarketing_test_"
# What a migrated database is made from.
SCHEMA_SOURCES = ("migrations/**/*.py", "infra/migrate.py", "infra/settings.py", "infra/tables*")

# A busy machine is not a failure, so nothing is timed; and what passed once passes again, so
# examples are drawn the same way each time, unless somebody goes looking for others.
settings.register_profile("same", deadline=None, derandomize=True, print_blob=True,
                          suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
settings.register_profile("explore", settings.get_profile("same"), derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


# Collecting makes a million objects that stay: looking for garbage among them takes a quarter of
# the time of all tests.
gc.set_threshold(10_000, 10, 10)


def pytest_collection_finish() -> None:
    """Look for garbage only in what the tests themselves make."""
    gc.collect()
    gc.freeze()


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """One database, as its owner, as the application and as the platform's relay and timers."""

    owner: str
    app: str
    platform: str

    @classmethod
    def of(cls, owner: str) -> DatabaseUrls:
        return cls(owner, role_url(owner, APP_ROLE), role_url(owner, PLATFORM_ROLE))


@pytest.fixture(scope="session")
def cluster() -> Iterator[str]:
    """Return the address of a server, as somebody who may create databases and roles."""
    given = os.environ.get("DATABASE_URL", "").strip()
    if given:
        yield given.replace("postgresql+asyncpg://", "postgresql://", 1)
        return
    with EmbeddedPostgres(ROOT / ".local" / "tests", durable=False) as server:
        yield server.url()


@pytest.fixture(scope="session")
async def database_urls(cluster: str, worker_id: str) -> AsyncIterator[DatabaseUrls]:
    """Return this worker's migrated database.  It is shared: make a tenant of your own."""
    template = await _migrated_template(cluster)
    async with _database(cluster, label=worker_id, template=template) as owner:
        yield DatabaseUrls.of(owner)


@pytest.fixture
async def empty_database(cluster: str) -> AsyncIterator[str]:
    """Return the owner's address of a new database with nothing in it, for this test only."""
    async with _database(cluster, label="empty", template="template0") as owner:
        yield owner


@pytest.fixture
async def fresh_database(cluster: str) -> AsyncIterator[DatabaseUrls]:
    """Return a database that was just migrated, for this test only."""
    template = await _migrated_template(cluster)
    async with _database(cluster, label="fresh", template=template) as owner:
        yield DatabaseUrls.of(owner)


@asynccontextmanager
async def _database(cluster: str, *, label: str, template: str) -> AsyncIterator[str]:
    name = f"{PREFIX}{label}_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(cluster)
    try:
        await _claim(admin, name)
        async with _one_at_a_time(admin):
            await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield _with_database(cluster, name)
        finally:
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


async def _migrated_template(cluster: str) -> str:
    name = f"{PREFIX}template_{_fingerprint()}"
    admin = await asyncpg.connect(cluster)
    try:
        async with _one_at_a_time(admin):
            await _remove_leftovers(admin, keep=name)
            if not await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
                await _make_template(admin, cluster, name)
    finally:
        await admin.close()
    return name


async def _make_template(admin: asyncpg.Connection, cluster: str, name: str) -> None:
    from infra.migrate import upgrade

    # Migrated under another name: what has the template's name is complete.
    draft = f"{name}_draft"
    await admin.execute(f"DROP DATABASE IF EXISTS {draft} WITH (FORCE)")
    await admin.execute(f"CREATE DATABASE {draft} TEMPLATE template0")
    await upgrade(
        _with_database(cluster, draft),
        app_password=role_password(cluster, APP_ROLE),
        platform_password=role_password(cluster, PLATFORM_ROLE),
    )
    await admin.execute(f"ALTER DATABASE {draft} RENAME TO {name}")


async def _remove_leftovers(admin: asyncpg.Connection, *, keep: str) -> None:
    names = await admin.fetch(
        "SELECT datname FROM pg_database WHERE starts_with(datname, $1) AND datname <> $2",
        PREFIX,
        keep,
    )
    for (name,) in names:
        if await admin.fetchval("SELECT pg_try_advisory_lock($1)", _key(name)):
            await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            await admin.execute("SELECT pg_advisory_unlock($1)", _key(name))


@asynccontextmanager
async def _one_at_a_time(admin: asyncpg.Connection) -> AsyncIterator[None]:
    await admin.execute("SELECT pg_advisory_lock($1)", _key(PREFIX))
    try:
        yield
    finally:
        await admin.execute("SELECT pg_advisory_unlock($1)", _key(PREFIX))


async def _claim(admin: asyncpg.Connection, name: str) -> None:
    """Mark a database as in use for as long as the connection lives."""
    await admin.execute("SELECT pg_advisory_lock($1)", _key(name))


def _key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)


def _fingerprint() -> str:
    paths = {path for pattern in SCHEMA_SOURCES for path in ROOT.glob(pattern)}
    digest = hashlib.sha256()
    for path in sorted(path for path in paths if path.is_file()):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
