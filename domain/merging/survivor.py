"""What the one lead says that several become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from functools import reduce
from uuid import UUID

from domain.consent import stricter
from domain.customers import Customer, CustomerStatus
from domain.leads import Lead
from domain.merging.believing import ORIGIN, attribute_of
from domain.stages import Stage

# Said together or not at all: half of one lead's with half of another's would be true of nobody.
_ORIGIN = tuple(attribute_of(fact) for fact in ORIGIN)
_WISH = ("do_not_contact", "do_not_contact_at", "do_not_contact_reason")
# What changes together, and is given back together or not at all.
TOGETHER = (_ORIGIN, _WISH, ("stage", "stage_entered_at"))
CUSTOMER_TOGETHER = (("status", "status_entered_at"),)
# What follows from elsewhere.
_DERIVED = frozenset(
    {
        *("id", "version", "derived", "stage", "stage_entered_at"),
        *("created_at", "updated_at", "persona_id", "owner_id"),
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
    field.  Whoever was seen first says when the person was first seen.  No score is a blank.  Who
    forbids to be contacted forbids it to all, since the first time.  With sales, the owner is whose
    lead had come furthest.
    """
    said = {name: getattr(reduce(stricter, losers, winner), name) for name in _WISH}
    for names in (_ORIGIN, *_alone()):
        teller = next((lead for lead in (winner, *losers) if _says(lead, names)), winner)
        teller = tellers.get(names[0], teller)
        said |= {name: getattr(teller, name) for name in names}
    return replace(
        winner,
        **said,
        stage=stage,
        stage_entered_at=stage_entered_at,
        owner_id=_owner((winner, *losers)),
        created_at=min(lead.created_at for lead in (winner, *losers)),
        updated_at=at,
    )


def remaining(kept: Customer, gone: Customer) -> Customer:
    """Return the customer that goes on of two that are one: a customer since the earlier time.

    Who has left as one and stays as the other has not left; and what somebody said of how things
    stand is more than that something was bought.  Of what is said of both, the later counts.
    """
    latest = max(kept, gone, key=_tells)
    return replace(
        kept,
        bought_at=min(kept.bought_at, gone.bought_at),
        status=latest.status,
        status_entered_at=latest.status_entered_at,
        company_id=kept.company_id or gone.company_id,
    )


def _tells(customer: Customer) -> tuple[object, ...]:
    stays = customer.status is not CustomerStatus.CHURNED
    return stays, customer.status is not CustomerStatus.ACTIVE, customer.status_entered_at


def _owner(leads: Sequence[Lead]) -> UUID | None:
    """Return the owner of what several leads become: the first's, unless sales works another."""
    owned = [lead for lead in leads if lead.owner_id is not None]
    furthest = max(lead.stage.rank for lead in leads)
    if furthest >= Stage.SAL.rank:
        owned.sort(key=lambda lead: lead.stage.rank < furthest)
    return owned[0].owner_id if owned else None


def _alone() -> list[tuple[str]]:
    return [(f.name,) for f in fields(Lead) if f.name not in {*_ORIGIN, *_WISH, *_DERIVED}]


def _says(lead: Lead, names: Sequence[str]) -> bool:
    return any(getattr(lead, name) for name in names)
