from tests.fixtures import clock, database, session_database, world

__all__ = ["clock", "database", "session_database", "world"]
