"""Rows of a file become companies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.company_rows import CompanyRow, upsert_companies
from domain.identity import Actor
from domain.import_results import ImportedRow
from domain.imports import ImportedFact
from domain.ports import Work


async def take_companies(
    work: Work, actor: Actor, facts: Sequence[ImportedFact]
) -> Sequence[ImportedRow]:
    """Store companies, told by domain or by name."""
    rows = await upsert_companies(work, actor, [_row(fact) for fact in facts])
    return [
        ImportedRow(fact, row.outcome, row.refusals) for fact, row in zip(facts, rows, strict=True)
    ]


def _row(fact: ImportedFact) -> CompanyRow:
    said: Any = fact.values.get
    return CompanyRow(said("name"), said("domain"))
