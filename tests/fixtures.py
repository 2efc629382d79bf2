"""Fixtures that need a migrated database.  Each conftest that wants them imports them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.database import Database
from infra.sweeper import Sweeper
from tests.midnight import enough_of_today
from tests.world import NOON, World, make_world


@pytest.fixture(scope="session")
async def session_database(database_urls: Any) -> AsyncIterator[Database]:
    """The worker's database, opened once; who uses it waits, however busy the machine is."""
    database = await Database.connect(
        database_urls.app, database_urls.platform, size=8, statement_seconds=60, wait_seconds=60
    )
    assert database.pulse
    # Nobody takes this database away; and a beat that is late must not renew what tests hold.
    await database.pulse.stop()
    yield database
    await database.close()


@pytest.fixture
def clock() -> dict[str, datetime]:
    """What time it is, for the database too: `clock["now"]`."""
    return {"now": NOON}


@pytest.fixture
def database(session_database: Database, clock: dict[str, datetime]) -> Database:
    """The same pools under this test's clock."""
    return Database(session_database.app, session_database.platform, clock=lambda: clock["now"])


@pytest.fixture
async def world(database: Database, clock: dict[str, datetime]) -> World:
    """A fresh tenant."""
    return await make_world(database, clock)


@pytest.fixture
async def other_world(database: Database, clock: dict[str, datetime]) -> World:
    """Another tenant, which must see nothing of the first."""
    return await make_world(database, clock)


@pytest.fixture
async def today(session_database: Database) -> World:
    """A fresh tenant that lives now, as the service does."""
    clock = {"now": await enough_of_today()}
    return await make_world(Database(session_database.app, session_database.platform), clock)


@pytest.fixture
async def nothing_else_due(session_database: Database) -> None:
    """Tell whatever other tests have left to come due in their tenants of this database."""
    long_after = datetime(2100, 1, 1, tzinfo=UTC)
    later = Database(session_database.app, session_database.platform, clock=lambda: long_after)
    await Sweeper(later).sweep()
