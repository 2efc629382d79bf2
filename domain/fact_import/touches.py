"""Rows of a file become touches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from domain.campaigns import campaign_code
from domain.fact_import.naming import name_by, said_print
from domain.identity import Actor
from domain.import_results import ImportedRow
from domain.imports import ImportedFact
from domain.lead_intake import UpsertOutcome
from domain.leads import Agency, ExternalId
from domain.ports import Work
from domain.touch_intake import TouchDetails, TouchOutcome, Utm, record_touches
from domain.touches import Channel, TouchKind

_OUTCOMES = {
    TouchOutcome.CREATED: UpsertOutcome.CREATED,
    TouchOutcome.DUPLICATE: UpsertOutcome.UNCHANGED,
    TouchOutcome.REFUSED: UpsertOutcome.REFUSED,
}
_UTM = ("source", "medium", "campaign", "content", "term")
_PLAIN = ("kind", "visitor", "channel", "asset_url", "url", "referrer")
_SAID = (*_PLAIN, *(f"utm_{name}" for name in _UTM))


def touch_print(fact: ImportedFact) -> str:
    """Return what a row says of a touch, in few letters: the same for rows that say the same."""
    said: dict[str, Any] = dict(fact.values)
    at: datetime = said["occurred_at"]
    lead: ExternalId | None = said.get("lead_external_id")
    email: str | None = said.get("lead_email")
    return said_print(
        at.astimezone(UTC).isoformat(),
        said.get("agency") or Agency.HUMAN,
        campaign_code(said.get("campaign", "")),
        # An address beside a name is not asked for.
        *(("", email and email.lower()) if lead is None else (lead.source.lower(), lead.value)),
        *(said.get(name) for name in _SAID),
    )


async def take_touches(
    work: Work, actor: Actor, facts: Sequence[ImportedFact]
) -> Sequence[ImportedRow]:
    """Store touches; one whose external id is known is not taken twice.

    A row without one is known by what it says, and by how many rows of its file said that before.
    """
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
        external=said("external_id") or name_by(touch_print(fact), fact.twins),
    )
