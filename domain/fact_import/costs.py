"""Rows of a file become what campaigns cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.campaigns import CostDetails, CostOutcome, upsert_costs
from domain.identity import Actor
from domain.import_results import ImportedRow
from domain.imports import ImportedFact
from domain.lead_intake import UpsertOutcome
from domain.ports import Work

_OUTCOMES = {
    CostOutcome.CREATED: UpsertOutcome.CREATED,
    CostOutcome.UPDATED: UpsertOutcome.UPDATED,
    CostOutcome.UNCHANGED: UpsertOutcome.UNCHANGED,
    CostOutcome.REFUSED: UpsertOutcome.REFUSED,
}


async def take_costs(
    work: Work, actor: Actor, facts: Sequence[ImportedFact]
) -> Sequence[ImportedRow]:
    """Record costs; one whose external id is known is corrected, not recorded twice."""
    rows = await upsert_costs(work, actor, [_details(fact) for fact in facts])
    return [
        ImportedRow(fact, _OUTCOMES[row.outcome], row.refusals)
        for fact, row in zip(facts, rows, strict=True)
    ]


def _details(fact: ImportedFact) -> CostDetails:
    said: Any = fact.values.get
    return CostDetails(
        campaign=said("campaign"),
        on=said("on"),
        amount=said("amount"),
        currency=said("currency"),
        note=said("note"),
        external_id=said("external_id"),
    )
