"""The outside world: PostgreSQL, files, mail, other people's APIs."""

__version__ = "0.1.0"
