"""Bringing leads together that may be one person, and comparing them."""

# What asks is answered by whoever declares it: the imports are the declaration.
from infra.queries.duplicates import blocks, scans

__all__ = ["blocks", "scans"]
