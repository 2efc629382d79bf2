"""Fixtures over a migrated database."""

from tests.fixtures import clock, database, nothing_else_due, other_world, session_database, world
from tests.passwords import passwords

__all__ = [
    "clock",
    "database",
    "nothing_else_due",
    "other_world",
    "passwords",
    "session_database",
    "world",
]
