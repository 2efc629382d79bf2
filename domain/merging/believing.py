"""Whose word is believed once several leads are one, fact by fact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from domain.leads import Lead
from domain.merging.record import three_way
from domain.ports import Work
from domain.provenance import Fact, FactRecord, LeadProvenance, Trust, combined

ORIGIN = (Fact.ORIGIN_SOURCE, Fact.ORIGIN_MEDIUM, Fact.ORIGIN_CAMPAIGN)
_ATTRIBUTES = {Fact.COMPANY: "company_id"}


@dataclass(frozen=True, slots=True)
class Believed:
    """What is written down of the lead that goes on, and who tells what the winner does not."""

    records: tuple[FactRecord, ...]
    tellers: Mapping[str, Lead]


def believed(
    winner: Lead,
    losers: Sequence[Lead],
    known: Mapping[UUID, Sequence[FactRecord]],
    trust: Trust,
) -> Believed:
    """Return whose word is believed: of each fact the one of the better source, else the winner's.

    A winner that has an address keeps it, because the others' go on meaning the person too; and
    where it came from is told by one lead, not by half of each.
    """
    records = tuple(known.get(winner.id, ()))
    tellers: dict[str, Lead] = {}
    here = winner
    for loser in losers:
        theirs = [r for r in known.get(loser.id, ()) if _may_tell(r.fact, here)]
        before = {record.fact: record.said for record in records}
        records = combined(records, theirs, trust)
        for record in records:
            if record.said != before.get(record.fact) and _says(loser, record.fact):
                tellers[attribute_of(record.fact)] = loser
                here = replace(
                    here,
                    **{attribute_of(record.fact): getattr(loser, attribute_of(record.fact))},
                )
    return Believed(records, tellers)


def attribute_of(fact: Fact) -> str:
    """Return the field of a lead that holds a fact."""
    return _ATTRIBUTES.get(fact, fact.attribute)


async def write_down(
    work: Work, lead_id: UUID, records: tuple[FactRecord, ...]
) -> tuple[LeadProvenance, ...]:
    """Store where the facts of a lead come from; return how it was, if that is another."""
    old = await work.find(LeadProvenance, id=lead_id)
    if not old:
        if records:
            await work.add(LeadProvenance(id=lead_id, facts=records))
        return (LeadProvenance(id=lead_id, facts=()),) if records else ()
    if old[0].facts == records:
        return ()
    await work.save(replace(old[0], facts=records))
    return tuple(old)


async def take_back(
    work: Work, before: Sequence[FactRecord], after: Sequence[FactRecord], lead_id: UUID
) -> None:
    """Undo what a merge wrote down, but for the facts of which somebody has said more since."""
    found = await work.find(LeadProvenance, id=lead_id)
    if not found:
        return
    was, left, now = (_by_fact(records) for records in (before, after, found[0].facts))
    kept = now | three_way(was, left, now, together=(ORIGIN,))
    records = tuple(record for record in kept.values() if record is not None)
    if records:
        await work.save(replace(found[0], facts=records))
    else:
        await work.delete(LeadProvenance, id=lead_id)


def _by_fact(records: Sequence[FactRecord]) -> dict[str, FactRecord | None]:
    blank: dict[str, FactRecord | None] = dict.fromkeys(Fact)
    return blank | {record.fact: record for record in records}


def _may_tell(fact: Fact, here: Lead) -> bool:
    if fact is Fact.EMAIL:
        return not here.email
    if fact in ORIGIN:
        return not any(getattr(here, attribute_of(each)) for each in ORIGIN)
    return True


def _says(lead: Lead, fact: Fact) -> bool:
    return getattr(lead, attribute_of(fact)) is not None
