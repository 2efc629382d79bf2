"""Rows of a file become opportunities, opened and closed when they were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.identity import Actor
from domain.import_results import ImportedRow
from domain.imports import ImportedFact
from domain.lead_details import UNSAID
from domain.opportunities import (
    OpportunityDetails,
    OpportunityRow,
    OpportunityStatus,
    upsert_opportunities,
)
from domain.ports import Work


async def take_opportunities(
    work: Work, actor: Actor, facts: Sequence[ImportedFact]
) -> Sequence[ImportedRow]:
    """Open, change and close opportunities, told by their external id."""
    rows = await upsert_opportunities(work, actor, [_row(fact) for fact in facts], as_history=True)
    return [
        ImportedRow(fact, row.outcome, row.refusals) for fact, row in zip(facts, rows, strict=True)
    ]


def _row(fact: ImportedFact) -> OpportunityRow:
    """Return what a row says.  A blank field says nothing, and what is there stays."""

    def said(name: str) -> Any:
        return fact.values.get(name, UNSAID)

    known: Any = fact.values.get
    status = known("status")
    return OpportunityRow(
        details=OpportunityDetails(
            name=said("name"),
            amount=said("amount"),
            # What a mapping says of every row is no news where there is no amount.
            currency=said("currency") if "amount" in fact.values else UNSAID,
            expected_close_on=said("expected_close_on"),
            external_id=known("external_id"),
            opened_at=known("opened_at"),
        ),
        lead=known("lead_external_id") or known("lead_email"),
        stage=known("stage"),
        status=OpportunityStatus(status) if status else None,
        closed_at=known("closed_at"),
        lost_reason=known("lost_reason"),
        owner_email=known("owner_email"),
        is_dated=True,
    )
