"""Rows of a file become touches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.identity import Actor
from domain.import_results import ImportedRow
from domain.imports import ImportedFact
from domain.lead_intake import UpsertOutcome
from domain.leads import Agency
from domain.ports import Work
from domain.touch_intake import TouchDetails, TouchOutcome, Utm, record_touches
from domain.touches import Channel, TouchKind

_OUTCOMES = {
    TouchOutcome.CREATED: UpsertOutcome.CREATED,
    TouchOutcome.DUPLICATE: UpsertOutcome.UNCHANGED,
    TouchOutcome.REFUSED: UpsertOutcome.REFUSED,
}
_UTM = ("source", "medium", "campaign", "content", "term")


async def take_touches(
    work: Work, actor: Actor, facts: Sequence[ImportedFact]
) -> Sequence[ImportedRow]:
    """Store touches; one whose external id is known is not taken twice."""
    rows = await record_touches(work, actor, [_details(fact) for fact in facts])
    return [
        ImportedRow(fact, _OUTCOMES[row.outcome], row.refusals)
        for fact, row in zip(facts, rows, strict=True)
    ]


def _details(fact: ImportedFact) -> TouchDetails:
    said: Any = fact.values.get
    channel, agency = said("channel"), said("agency")
    return TouchDetails(
        kind=TouchKind(said("kind")),
        lead=said("lead_external_id") or said("lead_email"),
        visitor=said("visitor"),
        agency=Agency(agency) if agency else Agency.HUMAN,
        channel=Channel(channel) if channel else None,
        occurred_at=said("occurred_at"),
        campaign=said("campaign"),
        asset=said("asset_url"),
        utm=Utm(**{name: said(f"utm_{name}") for name in _UTM}),
        url=said("url"),
        referrer=said("referrer"),
        external=said("external_id"),
    )
