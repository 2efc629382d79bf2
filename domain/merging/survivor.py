"""What the one lead says that several become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from functools import reduce
from typing import Any

from domain.consent import stricter
from domain.customers import Customer
from domain.leads import Lead
from domain.merging.believing import ORIGIN, attribute_of
from domain.stages import Stage

# Said together or not at all: half of one lead's with half of another's would be true of nobody.
# Whoever forbids to be contacted forbids it to all, since the first of them did.
_TOGETHER = (
    tuple(attribute_of(fact) for fact in ORIGIN),
    ("do_not_contact", "do_not_contact_at", "do_not_contact_reason"),
)
# What follows from elsewhere.
_DERIVED = frozenset(
    {
        *("id", "version", "derived", "stage", "stage_entered_at"),
        *("created_at", "updated_at", "persona_id"),
    }
)


def survivor(
    winner: Lead,
    losers: Sequence[Lead],
    *,
    stage: Stage,
    stage_entered_at: datetime,
    at: datetime,
    tellers: Mapping[str, Lead],
) -> Lead:
    """Return the lead that goes on: what the winner says, its blanks filled from the losers.

    The losers fill in their order; `tellers` are those who are believed rather than the winner, by
    field.  Whoever was seen first says when the person was first seen.  No score is a blank.
    """
    said: dict[str, Any] = {}
    for names in (*_TOGETHER, *_alone()):
        teller = next((lead for lead in (winner, *losers) if _says(lead, names)), winner)
        teller = tellers.get(names[0], teller)
        said |= {name: getattr(teller, name) for name in names}
    lead = replace(
        winner,
        **said,
        stage=stage,
        stage_entered_at=stage_entered_at,
        created_at=min(lead.created_at for lead in (winner, *losers)),
        updated_at=at,
    )
    return reduce(stricter, losers, lead)


def remaining(kept: Customer, gone: Customer) -> Customer:
    """Return the customer that goes on of two that are one: a customer since the earlier time."""
    return replace(kept, bought_at=min(kept.bought_at, gone.bought_at))


def _alone() -> list[tuple[str]]:
    together = {name for names in _TOGETHER for name in names}
    return [(f.name,) for f in fields(Lead) if f.name not in together | _DERIVED]


def _says(lead: Lead, names: Sequence[str]) -> bool:
    return any(getattr(lead, name) for name in names)
