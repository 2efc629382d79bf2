"""Keeping what a person wishes: consents recorded, contact forbidden and allowed again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from domain.consent import (
    LONGEST_REASON,
    Consent,
    ConsentPurpose,
    ConsentStatus,
    LegalBasis,
    check_basis,
    not_to_contact,
)
from domain.errors import DomainError
from domain.events import ConsentRecorded, DoNotContactLifted, DoNotContactSet, LeadUpdated
from domain.handoff import Handoff
from domain.identity import Actor, Permission
from domain.ids import new_id
from domain.lead_details import past
from domain.lead_intake import resolve_lead
from domain.leads import Lead, LeadKey
from domain.ports import Work
from domain.sla import keeping
from domain.values import limited_text, require_text

LONGEST_WORDING = 10_000


class NotForbidden(DomainError):
    """The person may be contacted already."""

    code = "NOT_DO_NOT_CONTACT"


async def record_consent(
    work: Work,
    actor: Actor,
    key: LeadKey,
    *,
    purpose: ConsentPurpose,
    status: ConsentStatus,
    basis: LegalBasis,
    source: str,
    occurred_at: datetime | None = None,
    wording: str | None = None,
) -> Consent:
    """Keep what a person wishes about one purpose, from an instant on."""
    actor.require(Permission.EDIT_LEADS)
    check_basis(status, basis)
    source = require_text(source, name="The source", path=("source",))
    wording = limited_text(
        (wording or "").strip(), name="The wording", path=("wording",), longest=LONGEST_WORDING
    )
    at = work.now if occurred_at is None else past(occurred_at, work.now, path=("occurredAt",))
    lead = await resolve_lead(work, key, lock=True)
    consent = await work.add(
        Consent(
            id=new_id(),
            lead_id=lead.id,
            purpose=purpose,
            status=status,
            basis=basis,
            source=source,
            occurred_at=at,
            recorded_at=work.now,
            recorded_by=actor.user_id,
            wording=wording or None,
        )
    )
    work.record(ConsentRecorded(at=at, lead_id=lead.id, consent_id=consent.id))
    return consent


async def set_do_not_contact(
    work: Work, actor: Actor, key: LeadKey, *, reason: str, at: datetime | None = None
) -> Lead:
    """Let nobody contact a person any more.

    What sales still owes the lead ends with the reason, neither kept nor broken: nobody is to be
    late for having done what the person wished.
    """
    actor.require(Permission.EDIT_LEADS)
    reason = require_text(reason, name="The reason", path=("reason",), longest=LONGEST_REASON)
    at = work.now if at is None else past(at, work.now, path=("occurredAt",))
    lead = await resolve_lead(work, key, lock=True)
    told = not_to_contact(lead, reason=reason, at=at)
    if told == lead:
        return lead
    lead = await work.save(replace(told, updated_at=work.now))
    handoffs = await work.find(Handoff, lead_id=lead.id)
    # From when the person wished it so: what was late since then was late for a good reason.
    ended_at = lead.do_not_contact_at or at
    await keeping.given_back(work, handoffs, at=ended_at, reason=reason)
    work.record(LeadUpdated(at=work.now, lead_id=lead.id))
    work.record(DoNotContactSet(at=at, lead_id=lead.id))
    return lead


async def lift_do_not_contact(work: Work, actor: Actor, key: LeadKey) -> Lead:
    """Let a person be contacted again.  What ended meanwhile does not begin anew."""
    actor.require(Permission.EDIT_LEADS)
    lead = await resolve_lead(work, key, lock=True)
    if not lead.do_not_contact:
        raise NotForbidden("This person may be contacted already.", path=("lead",))
    lead = await work.save(
        replace(
            lead,
            do_not_contact=False,
            do_not_contact_at=None,
            do_not_contact_reason=None,
            updated_at=work.now,
        )
    )
    work.record(LeadUpdated(at=work.now, lead_id=lead.id))
    work.record(DoNotContactLifted(at=work.now, lead_id=lead.id))
    return lead
