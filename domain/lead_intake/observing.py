"""Which of what is said of a lead is believed, and what is written down of where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Any

from domain.identity import Actor, Tenant
from domain.lead_details import UNSAID, LeadDetails, NamedCompany
from domain.leads import Lead
from domain.ports import Work
from domain.provenance import (
    Fact,
    FactRecord,
    LeadProvenance,
    Source,
    SourceKind,
    Trust,
    first_told,
    settled,
)

# What is said of each fact, in their order, read at once because every row of a file is read so.
_said_of_facts = attrgetter(*(fact.attribute for fact in Fact))


def source_of(actor: Actor, told: Source | str | None) -> Source:
    """Return who says something: whoever is named, else the user or the key that asks.

    A name that is a kind's (`crm`, `form`, `enrichment`) is of that kind; any other is a system's.
    Nobody but a user speaks as one.
    """
    if isinstance(told, Source):
        return told
    is_user = actor.user_id is not None
    if told is None:
        told = SourceKind.USER.word if is_user else actor.name or SourceKind.INTEGRATION.word
    name = told.strip().lower()
    kinds = {kind.word: kind for kind in SourceKind if is_user or kind is not SourceKind.USER}
    return Source(name, kinds.get(name, SourceKind.INTEGRATION))


async def trust_of(work: Work) -> Trust:
    """Return how far the tenant trusts whom, now."""
    tenant = await work.get(Tenant, work.tenant_id)
    return Trust.of(tenant.source_ranks, tenant.stale_after, now=work.now)


def provenance_of(
    lead: Lead, details: LeadDetails, actor: Actor, now: datetime
) -> LeadProvenance | None:
    """Return what is written of a new lead's facts; nothing, if nothing was said of any."""
    source = source_of(actor, details.source)
    facts = first_told(_values(details, lead), source, details.observed_at or now)
    return LeadProvenance(id=lead.id, facts=facts) if facts else None


def believed(
    lead: Lead,
    details: LeadDetails,
    actor: Actor,
    known: LeadProvenance | None,
    trust: Trust,
) -> tuple[LeadDetails, tuple[FactRecord, ...]]:
    """Return what is to be changed about a lead, and what is written of its facts then."""
    values, before = _values(details, lead), known.facts if known else ()
    source, at = source_of(actor, details.source), details.observed_at or trust.now
    taken, after = settled(before, values, source, at, trust)
    doubted: dict[str, Any] = {fact.attribute: UNSAID for fact in values if fact not in taken}
    if Fact.COMPANY.attribute in doubted:
        doubted["employer"] = None
    return replace(details, **doubted), after


def _values(details: LeadDetails, lead: Lead) -> Mapping[Fact, str | None]:
    """Return what is said of each fact, the company by its domain, else its name."""
    said: dict[Fact, Any] = dict(zip(Fact, _said_of_facts(details), strict=True))
    if isinstance(details.company, NamedCompany):
        said[Fact.COMPANY] = details.company.domain or details.company.name
    elif details.company is UNSAID and details.employer is not None and lead.company_id is None:
        said[Fact.COMPANY] = details.employer
    return {fact: value for fact, value in said.items() if value is not UNSAID}
