"""Fixtures over a migrated database."""

from tests.fixtures import clock, database, other_world, session_database, world

__all__ = ["clock", "database", "other_world", "session_database", "world"]
