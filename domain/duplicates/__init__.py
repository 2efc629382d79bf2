"""Finding leads that are one person: by keys that bring likely ones together, then by a score."""

from domain.duplicates.found import (
    CANDIDATE_FIELDS,
    CandidateStatus,
    DuplicateCandidate,
    DuplicateRules,
    Match,
    NotProposed,
    dismiss_candidate,
)
from domain.duplicates.prints import Key, LeadPrint, mailbox, print_of
from domain.duplicates.scoring import Evidence, Trait, score, sentence, weighed

__all__ = [
    "CANDIDATE_FIELDS",
    "CandidateStatus",
    "DuplicateCandidate",
    "DuplicateRules",
    "Evidence",
    "Key",
    "LeadPrint",
    "Match",
    "NotProposed",
    "Trait",
    "dismiss_candidate",
    "mailbox",
    "print_of",
    "score",
    "sentence",
    "weighed",
]
