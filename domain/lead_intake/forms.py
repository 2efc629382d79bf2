"""One lead at a time: created and updated by a form or an integration."""

from __future__ import annotations

from collections.abc import Sequence

from domain.drafts import Draft
from domain.errors import DomainError
from domain.identity import Actor, Permission
from domain.lead_details import LeadDetails, checked
from domain.lead_intake.keys import resolve_lead
from domain.lead_intake.known import name_owners, read_known
from domain.lead_intake.normalising import with_domains, with_phones
from domain.lead_intake.storing import WRITING_ORDER, store_changes, store_new
from domain.leads import Lead, LeadKey, StaleLead
from domain.ports import Work


async def create_lead(
    work: Work, actor: Actor, details: LeadDetails, *, judge: bool = True
) -> Lead:
    """Store a new lead and let it enter the stages whose criteria it meets.

    It is judged by what was in force when it was first seen, then by what is in force now.  With
    `judge` off it stays a VISITOR, for an import that says itself when each stage was entered.

    Raises:
        DuplicateLead: if there is one with this e-mail address or external id.
    """
    actor.require(Permission.EDIT_LEADS)
    details = await _ready(work, details)
    known = await read_known(work, [details])
    details = _unrefused(await with_phones(work, [details], known))
    known.refuse_taken(details, by=None)
    known.refuse_owner(actor, details, of=None)
    draft = Draft(work, order=WRITING_ORDER)
    lead = await store_new(draft, actor, details, known, judge=judge)
    await draft.flush()
    return lead


async def update_lead(
    work: Work, actor: Actor, key: LeadKey, details: LeadDetails, *, version: int | None = None
) -> Lead:
    """Change what is known of a lead; what is not said stays.

    Raises:
        StaleLead: if `version` is given and no longer the lead's edition.
        DuplicateLead: if the e-mail address or an external id belongs to another lead.
    """
    actor.require(Permission.EDIT_LEADS)
    lead = await resolve_lead(work, key, lock=True)
    if version is not None and version != lead.edition:
        raise StaleLead(lead)
    details = await _ready(work, details)
    known = await read_known(work, [details], also=lead)
    details = _unrefused(await with_phones(work, [details], known, of=lead))
    known.refuse_taken(details, by=lead)
    known.refuse_owner(actor, details, of=lead)
    draft = Draft(work, order=WRITING_ORDER)
    lead, _ = await store_changes(draft, actor, lead, details, known, judge=True)
    await draft.flush()
    return lead


async def _ready(work: Work, details: LeadDetails) -> LeadDetails:
    """Return details as they are kept, their owner told by id."""
    rows = await name_owners(work, [checked(details, now=work.now)])
    return _unrefused(await with_domains(work, rows))


def _unrefused(rows: Sequence[LeadDetails | DomainError]) -> LeadDetails:
    """Return the only row, or refuse it."""
    [row] = rows
    if isinstance(row, DomainError):
        raise row
    return row
