"""Writing a lead with its company, names, persona and stages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from domain.drafts import Draft
from domain.events import LeadCreated, LeadUpdated
from domain.goals.counting import count_metric
from domain.goals.targets import Metric
from domain.identity import Actor
from domain.ids import new_id
from domain.lead_details import UNSAID, LeadDetails, NamedCompany, described
from domain.lead_intake.known import Known, company_key
from domain.lead_intake.observing import believed, provenance_of, trust_of
from domain.leads import Company, ExternalId, Lead, LeadExternalId
from domain.lifecycle import StageEntry, definitions_in_force, promote
from domain.personas import persona_for
from domain.provenance import LeadProvenance
from domain.scoring import scored_draft
from domain.stages import Stage

# Parents first, and unique values always in the same order.
WRITING_ORDER: Mapping[type, Callable[[Any], Any]] = {
    Company: lambda company: (company.domain or "", company.normal_name),
    Lead: lambda lead: lead.email or "",
    LeadExternalId: lambda name: (name.source, name.value),
    LeadProvenance: lambda provenance: (),
}


async def store_new(
    draft: Draft, actor: Actor, details: LeadDetails, known: Known, *, judge: bool
) -> Lead:
    seen_at = details.created_at or draft.now
    blank = Lead(
        id=new_id(),
        stage=Stage.VISITOR,
        stage_entered_at=seen_at,
        created_at=seen_at,
        updated_at=draft.now,
    )
    lead = await _told(draft, blank, details, known)
    lead = replace(lead, persona_id=await persona_for(draft, lead))
    lead = await scored_draft(draft, lead)
    await _make_way(draft, lead, known)
    await draft.add(lead)
    await _name(draft, lead, details.external_ids)
    await _write_down(draft, provenance_of(blank, details, actor, draft.now), known)
    definition = (await definitions_in_force(draft, seen_at)).get(Stage.VISITOR)
    await draft.add(
        StageEntry(
            id=new_id(),
            lead_id=lead.id,
            stage=Stage.VISITOR,
            previous=None,
            entered_at=seen_at,
            recorded_at=draft.now,
            definition_id=definition.id if definition else None,
            by=actor.user_id,
        )
    )
    draft.record(LeadCreated(at=seen_at, lead_id=lead.id))
    await count_metric(draft, Metric.LEADS_CREATED, at=seen_at)
    if judge:
        lead = await promote(draft, actor, lead, at=seen_at)
    if judge and seen_at < draft.now:
        lead = await promote(draft, actor, lead, at=draft.now)
    known.keep(lead, details.external_ids)
    return lead


async def store_changes(
    draft: Draft,
    actor: Actor,
    lead: Lead,
    details: LeadDetails,
    known: Known,
    *,
    judge: bool,
) -> tuple[Lead, bool]:
    """Return the lead as it is now, and whether that is another than before.

    What is said by somebody who is believed less than whoever said it before changes nothing; it
    is only written down.
    """
    before = known.provenance.get(lead.id)
    details, facts = believed(lead, details, actor, before, await trust_of(draft))
    if facts != (before.facts if before else ()):
        await _write_down(
            draft, replace(before or LeadProvenance(id=lead.id, facts=()), facts=facts), known
        )
    names = [name for name in details.external_ids if name not in known.names]
    told = await _told(draft, lead, details, known)
    if told == lead and not names:
        return lead, False
    told = replace(told, persona_id=await persona_for(draft, told), updated_at=draft.now)
    told = await scored_draft(draft, told)
    await _make_way(draft, told, known)
    was, lead = lead, await draft.save(told)
    await _name(draft, lead, names)
    draft.record(LeadUpdated(at=draft.now, lead_id=lead.id))
    if judge:
        lead = await promote(draft, actor, lead, at=draft.now, was=was)
    known.keep(lead, names)
    return lead, True


async def _told(draft: Draft, lead: Lead, details: LeadDetails, known: Known) -> Lead:
    """Return a lead with everything that was said of it."""
    told = known.origins.belonging(described(lead, details), details)
    named = details.company
    if named is UNSAID:
        if details.employer is None or told.company_id is not None:
            return told
        named = NamedCompany(domain=details.employer)
    return replace(told, company_id=await _company(draft, named, known))


async def _write_down(draft: Draft, provenance: LeadProvenance | None, known: Known) -> None:
    """Keep where a lead's facts come from."""
    if provenance is None:
        return
    write = draft.save if provenance.id in known.provenance else draft.add
    known.provenance[provenance.id] = await write(provenance)


async def _company(draft: Draft, named: NamedCompany | None, known: Known) -> UUID | None:
    """Return the company that is meant, made if there is none yet."""
    if named is None:
        return None
    key = company_key(named)
    if key not in known.companies:
        company = Company(
            id=new_id(),
            name=named.name or named.domain or "",
            domain=named.domain,
            created_at=draft.now,
        )
        known.companies[key] = (await draft.add(company)).id
        by_name = NamedCompany(name=company.normal_name)
        known.companies.setdefault(by_name, company.id)
    return known.companies[key]


async def _make_way(draft: Draft, lead: Lead, known: Known) -> None:
    """Write that an address was given up before another lead takes it: it can be on one only."""
    if lead.email in known.released:
        await draft.flush()
        known.released.clear()


async def _name(draft: Draft, lead: Lead, names: Iterable[ExternalId]) -> None:
    for name in names:
        await draft.add(
            LeadExternalId(
                id=new_id(),
                lead_id=lead.id,
                source=name.source,
                value=name.value,
                created_at=draft.now,
            )
        )
