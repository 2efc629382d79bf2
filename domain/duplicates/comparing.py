"""Comparing leads with all others that are worth it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from domain.duplicates.found import DuplicateCandidate, DuplicateRules, Match, keep_found
from domain.duplicates.prints import LeadPrint, print_of
from domain.events import LeadCreated, LeadsMerged, LeadUnmerged, LeadUpdated
from domain.identity import Actor, Permission
from domain.leads import Company, Lead
from domain.ports import Question, Work, by_id, first

# Leads that one transaction compares.
BATCH = 200
_CHANGES = (LeadCreated, LeadUpdated, LeadsMerged, LeadUnmerged)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepPrints(Question[None]):
    """Store prints in place of those there are."""

    prints: tuple[LeadPrint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches(Question[Sequence[Match]]):
    """What leads share a key with, and how far they agree; with `elder`, only those before them."""

    lead_ids: tuple[UUID, ...]
    elder: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """The leads of the next changes in the log, and how far it was read."""

    lead_ids: frozenset[UUID]
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesAfter(Question[Changes]):
    """The leads that events of some kinds tell of, in the log's order."""

    kinds: tuple[str, ...]
    after: int
    limit: int


async def rules_of(work: Work) -> DuplicateRules:
    """Return the tenant's rules, the usual ones where it has none."""
    found = await first(work, DuplicateRules, id=work.tenant_id)
    return found or DuplicateRules(id=work.tenant_id)


async def read_rules(work: Work, actor: Actor) -> DuplicateRules:
    """Return from which score on leads are merged, and proposed."""
    actor.require(Permission.VIEW)
    return await rules_of(work)


async def compare(work: Work, rules: DuplicateRules, leads: Sequence[Lead], *, elder: bool) -> int:
    """Compare leads with all others, or only with the elder; return how many pairs are new."""
    if not leads:
        return 0
    wanted = {lead.company_id for lead in leads if lead.company_id}
    companies = by_id(await work.find(Company, id=tuple(wanted))) if wanted else {}
    prints = tuple(
        print_of(lead, companies[lead.company_id] if lead.company_id else None) for lead in leads
    )
    await work.ask(KeepPrints(prints=prints))
    ids = tuple(lead.id for lead in leads)
    matches = await work.ask(Matches(lead_ids=ids, elder=elder))
    known = {(c.lead_id, c.other_id): c for c in await work.find(DuplicateCandidate, lead_id=ids)}
    if not elder:
        others = await work.find(DuplicateCandidate, other_id=ids)
        known |= {(c.lead_id, c.other_id): c for c in others}
    return await keep_found(work, rules, matches, known)


async def compare_changed(work: Work, actor: Actor) -> bool:
    """Compare the next leads that have come or changed since; say whether there are more.

    Only a tenant that has rules is watched: it gets them with its first scan.
    """
    actor.require(Permission.MERGE_LEADS)
    rules = await first(work, DuplicateRules, lock=True, id=work.tenant_id)
    if rules is None:
        return False
    kinds = tuple(kind.__name__ for kind in _CHANGES)
    changes = await work.ask(ChangesAfter(kinds=kinds, after=rules.checked_to, limit=BATCH))
    if changes.until == rules.checked_to:
        return False
    leads = await work.find(Lead, id=tuple(changes.lead_ids)) if changes.lead_ids else ()
    await compare(work, rules, leads, elder=False)
    await work.save(replace(rules, checked_to=changes.until))
    return bool(changes.lead_ids)
