"""Rows of a file become what campaigns cost."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from domain.campaigns import CostDetails, CostOutcome, campaign_code, upsert_costs
from domain.fact_import.naming import name_by, said_print
from domain.identity import Actor
from domain.import_results import ImportedRow
from domain.imports import ImportedFact
from domain.lead_intake import UpsertOutcome
from domain.ports import Work

_SAID = ("campaign", "on", "amount", "currency", "note")
_OUTCOMES = {
    CostOutcome.CREATED: UpsertOutcome.CREATED,
    CostOutcome.UPDATED: UpsertOutcome.UPDATED,
    CostOutcome.UNCHANGED: UpsertOutcome.UNCHANGED,
    CostOutcome.REFUSED: UpsertOutcome.REFUSED,
}


def cost_print(fact: ImportedFact) -> str:
    """Return what a row says of a cost, in few letters: the same for rows that say the same."""
    said: dict[str, Any] = dict(fact.values)
    said["campaign"] = campaign_code(said.get("campaign", ""))
    said["amount"] = f"{said.get('amount', Decimal(0)).normalize():f}"
    return said_print(*(said.get(name) for name in _SAID))


async def take_costs(
    work: Work, actor: Actor, facts: Sequence[ImportedFact]
) -> Sequence[ImportedRow]:
    """Record costs; one whose external id is known is corrected, not recorded twice.

    A row without one is known by what it says, and by how many rows of its file said that before:
    the same file again records nothing, and two rows that are alike are two costs.
    """
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
        external_id=said("external_id") or name_by(cost_print(fact), fact.twins),
    )
