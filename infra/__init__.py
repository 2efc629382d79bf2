"""The outside world: PostgreSQL, files, mail, other people's APIs."""

__version__ = "0.2.0"
