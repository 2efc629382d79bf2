"""Where each fact of a lead comes from, and which of several sources is believed."""

from domain.provenance.facts import (
    MOST_CANDIDATES,
    FactRecord,
    LeadFact,
    LeadProvenance,
    Observation,
    Source,
    combined,
    first_told,
    settled,
)
from domain.provenance.trust import (
    DEFAULT_RANKS,
    DEFAULT_STALE_AFTER,
    LONGEST_STALE_DAYS,
    MOST_RANKS,
    BadRanks,
    Fact,
    SourceKind,
    StaleAfter,
    Trust,
    checked_ranks,
    checked_stale_after,
)

__all__ = [
    "DEFAULT_RANKS",
    "DEFAULT_STALE_AFTER",
    "LONGEST_STALE_DAYS",
    "MOST_CANDIDATES",
    "MOST_RANKS",
    "BadRanks",
    "Fact",
    "FactRecord",
    "LeadFact",
    "LeadProvenance",
    "Observation",
    "Source",
    "SourceKind",
    "StaleAfter",
    "Trust",
    "checked_ranks",
    "checked_stale_after",
    "combined",
    "first_told",
    "settled",
]
