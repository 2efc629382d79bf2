"""Reads of what campaigns are worth: the figures, and the rows that add up to them."""

from infra.queries.performance.figures import evidence, evidence_count, rows

__all__ = ["evidence", "evidence_count", "rows"]
