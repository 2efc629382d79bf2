"""Fixtures over a migrated database."""

from tests.fixtures import clock, database, other_world, session_database, today, world
from tests.passwords import passwords

__all__ = ["clock", "database", "other_world", "passwords", "session_database", "today", "world"]
