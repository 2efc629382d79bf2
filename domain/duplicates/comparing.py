"""Comparing leads with all others that are worth it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from domain.duplicates.found import DuplicateCandidate, DuplicateRules, Match, Pair, keep_found
from domain.duplicates.prints import Key, LeadPrint, print_of
from domain.duplicates.scoring import bits_needed
from domain.events import LeadCreated, LeadsMerged, LeadUnmerged, LeadUpdated
from domain.identity import Actor, Permission
from domain.leads import Company, Lead
from domain.ports import Question, Work, by_id, first

# Changed leads that one transaction compares.
BATCH = 200
_CHANGES = (LeadCreated, LeadUpdated, LeadsMerged, LeadUnmerged)
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in the order of a key: the key, the line of those that share it, and a lead."""

    key: str = ""
    line: str = ""
    lead_id: UUID = _NOBODY


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepPrints(Question[None]):
    """Store prints in place of those there are."""

    prints: tuple[LeadPrint, ...]


@dataclass(frozen=True, slots=True)
class BlockMatches:
    """What was found among some prints, how many those were, and the last one's place."""

    matches: tuple[Match, ...]
    prints: int
    last: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class BlocksAfter(Question[BlockMatches]):
    """Which of the next prints in the order of a key agree in so many bits, and share it."""

    key: Key
    after: Place
    needed: float
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours(Question[Sequence[Match]]):
    """What some leads share a key with and agree with in so many bits; each pair once."""

    lead_ids: tuple[UUID, ...]
    needed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared(Question[Sequence[Match]]):
    """Some pairs, compared whatever they share."""

    pairs: tuple[Pair, ...]


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


async def keep_prints(work: Work, leads: Sequence[Lead]) -> None:
    """Write down what leads are compared by."""
    wanted = {lead.company_id for lead in leads if lead.company_id}
    companies = by_id(await work.find(Company, id=tuple(wanted))) if wanted else {}
    prints = tuple(
        print_of(lead, companies[lead.company_id] if lead.company_id else None) for lead in leads
    )
    await work.ask(KeepPrints(prints=prints))


async def compare_blocks(
    work: Work, rules: DuplicateRules, key: Key, after: Place, *, limit: int
) -> tuple[BlockMatches, int]:
    """Compare the next prints that share a key; say where that ends, and how many pairs are new."""
    found = await work.ask(
        BlocksAfter(key=key, after=after, needed=bits_needed(rules.propose_from), limit=limit)
    )
    pairs = {match.pair: match for match in found.matches}
    known = await _known(work, pairs)
    return found, await keep_found(work, rules, list(pairs.values()), known)


async def compare_again(
    work: Work, rules: DuplicateRules, known: Sequence[DuplicateCandidate]
) -> None:
    """Compare pairs that were found before; those that are alike no more are dropped."""
    pairs = {(each.lead_id, each.other_id): each for each in known}
    await keep_found(work, rules, await work.ask(Compared(pairs=tuple(pairs))), pairs)


async def _known(work: Work, pairs: Mapping[Pair, Match]) -> dict[Pair, DuplicateCandidate]:
    ids = tuple({younger for younger, _ in pairs})
    found = await work.find(DuplicateCandidate, lead_id=ids) if ids else ()
    return {(c.lead_id, c.other_id): c for c in found if (c.lead_id, c.other_id) in pairs}


async def _compare(work: Work, rules: DuplicateRules, leads: Sequence[Lead]) -> None:
    """Compare leads with all others.  Pairs that are known are, whatever they share by now."""
    await keep_prints(work, leads)
    ids = tuple(lead.id for lead in leads)
    found = [
        *await work.find(DuplicateCandidate, lead_id=ids),
        *await work.find(DuplicateCandidate, other_id=ids),
    ]
    known = {(each.lead_id, each.other_id): each for each in found}
    needed = bits_needed(rules.propose_from)
    matches = {
        match.pair: match
        for match in (
            *await work.ask(Compared(pairs=tuple(known))),
            *await work.ask(Neighbours(lead_ids=ids, needed=needed)),
        )
    }
    await keep_found(work, rules, list(matches.values()), known)


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
    if leads:
        await _compare(work, rules, leads)
    await work.save(replace(rules, checked_to=changes.until))
    return bool(changes.lead_ids)
