"""What went wrong, in one line for the person at the keyboard."""

from __future__ import annotations

FAILED, WRONG_USE = 1, 2


class CommandFailed(Exception):
    """The command cannot do what it was asked to."""


def explained(error: Exception) -> tuple[str, int] | None:
    """Return the line and the exit code for an error, or None if it is a bug of ours."""
    if isinstance(error, CommandFailed):
        return str(error), FAILED
    from infra.settings import WrongSetting

    if isinstance(error, WrongSetting):
        return str(error), WRONG_USE
    # Whoever raised one of these has loaded it; loading them all takes a second.
    import asyncpg

    from domain.errors import DomainError
    from infra.database import CONNECTION_LOST
    from infra.embedded import EmbeddedPostgresError
    from infra.key_file import WrongStep
    from infra.serving import CannotListen

    if isinstance(error, DomainError):
        return error.message, FAILED
    if isinstance(error, CannotListen | EmbeddedPostgresError | WrongStep):
        return str(error), FAILED
    if isinstance(error, CONNECTION_LOST):
        cause = error.__cause__ or error
        return f"The database cannot be reached: {str(cause) or type(cause).__name__}", FAILED
    if isinstance(error, asyncpg.PostgresError):
        return f"The database refuses: {error}", FAILED
    return None
