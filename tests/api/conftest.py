"""Fixtures over a migrated database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from infra.database import Database
from infra.passwords import Passwords
from tests.api.scene import Scene, make_scene
from tests.fixtures import clock, database, other_world, session_database, today, world
from tests.passwords import QUICK, passwords
from tests.world import NOON

__all__ = ["clock", "database", "other_world", "passwords", "session_database", "today", "world"]


@pytest.fixture(scope="module")
async def scene(session_database: Database) -> AsyncIterator[Scene]:
    """One tenant for all tests of a file: they rehearse, so none finds what another did."""
    async with _a_scene(session_database) as scene:
        yield scene


@pytest.fixture
async def own_scene(session_database: Database) -> AsyncIterator[Scene]:
    """A tenant for one test, of what a rehearsal does not take back."""
    async with _a_scene(session_database) as scene:
        yield scene


@asynccontextmanager
async def _a_scene(over: Database) -> AsyncIterator[Scene]:
    passwords, clock = Passwords(QUICK), {"now": NOON}
    database = Database(over.app, over.platform, clock=lambda: clock["now"])
    yield await make_scene(database, clock, passwords)
    passwords.close()
