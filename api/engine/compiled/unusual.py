"""The way back to graphql-core."""

from __future__ import annotations


class Unusual(Exception):
    """This operation, or a value met while running it, is left to graphql-core."""
