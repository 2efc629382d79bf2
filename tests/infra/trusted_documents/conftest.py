from tests.fixtures import clock, database, session_database

__all__ = ["clock", "database", "session_database"]
