"""What became of the rows of a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.errors import DomainError, Refusals
from domain.imports import Imported
from domain.lead_intake import UpsertOutcome


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """What became of one row."""

    row: Imported
    outcome: UpsertOutcome
    refusals: tuple[DomainError, ...] = ()


def refusal_text(refusals: Sequence[DomainError]) -> str:
    """Return why a row was refused, in full."""
    each = [r for refusal in refusals for r in _single(refusal)]
    return " ".join(dict.fromkeys(refusal.message for refusal in each))


def _single(refusal: DomainError) -> Sequence[DomainError]:
    return refusal.refusals if isinstance(refusal, Refusals) else (refusal,)
