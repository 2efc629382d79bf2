"""Where a benchmark runs: a database of its own on an embedded server, removed afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
import psutil

from infra.embedded import EmbeddedPostgres
from infra.migrate import upgrade
from infra.settings import APP_ROLE, PLATFORM_ROLE, role_password, role_url

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".local" / "bench"


@dataclass(frozen=True, slots=True)
class Place:
    """A migrated database, by the address of each role, and the server's processes."""

    owner: str
    app: str
    platform: str
    data: Path

    def postgres(self) -> list[psutil.Process]:
        """Every process of the database server."""
        postmaster = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
        return [postmaster, *postmaster.children(recursive=True)]


@asynccontextmanager
async def a_place(name: str) -> AsyncIterator[Place]:
    """Make a database, migrate it, and drop it at the end."""
    with EmbeddedPostgres(FOLDER) as server:
        admin = await asyncpg.connect(server.url())
        database = f"bench_{name}_{uuid4().hex[:8]}"
        await admin.execute(f"CREATE DATABASE {database}")
        try:
            owner = server.url(database)
            await upgrade(
                owner,
                app_password=role_password(owner, APP_ROLE),
                platform_password=role_password(owner, PLATFORM_ROLE),
            )
            yield Place(
                owner,
                role_url(owner, APP_ROLE),
                role_url(owner, PLATFORM_ROLE),
                Path(await admin.fetchval("SHOW data_directory")),
            )
        finally:
            await admin.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
            await admin.close()


@asynccontextmanager
async def seeding(place: Place) -> AsyncIterator[asyncpg.Connection]:
    """Connect as somebody whom neither policies nor foreign keys hold up, and analyse afterwards.

    Foreign keys are checked row by row, which would take most of a benchmark's time; what is
    seeded here refers only to what is there.
    """
    connection = await asyncpg.connect(
        place.owner, server_settings={"session_replication_role": "replica", "jit": "off"}
    )
    try:
        yield connection
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
