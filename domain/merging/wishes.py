"""What people wished who are one: the strictest of all, and each of them when they are not."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from domain.consent import Consent, stricter, withdrawals_to_keep, withdrawals_to_share
from domain.events import DoNotContactSet
from domain.handoff import Handoff
from domain.leads import Lead
from domain.merging.record import LeadMerge, MergeRecord
from domain.ports import Work
from domain.sla import keeping


async def keep_withdrawals(work: Work, winner: Lead, losers: Sequence[Lead]) -> tuple[UUID, ...]:
    """Let what any of several leads has withdrawn be withdrawn for the one; return what is added.

    One of the others may have consented later, as somebody else as far as anybody knew.
    """
    said = {lead.id: await work.find(Consent, lead_id=lead.id) for lead in (winner, *losers)}
    together = list(said[winner.id])
    added: list[Consent] = []
    for loser in losers:
        kept = withdrawals_to_keep(together, said[loser.id], lead_id=winner.id, at=work.now)
        together += [*said[loser.id], *kept]
        added += kept
    await work.add_all(added)
    return tuple(consent.id for consent in added)


async def part_wishes(work: Work, merge: LeadMerge, record: MergeRecord, was: Lead) -> None:
    """Let what was wished while leads were one be the wish of each; `was` is that one.

    Nobody can say whose wish it was.  What the merge alone had withdrawn is so no more.  What the
    leads are owed runs again by now, and ends if nobody may contact them.
    """
    for consent_id in record.withdrawals:
        await work.delete(Consent, id=consent_id)
    told = await work.find(Consent, lead_id=was.id)
    since = [each for each in told if each.recorded_at > merge.merged_at]
    forbidden = was.do_not_contact and _wish(was) != _wish(record.survivor)
    for loser in record.losers:
        lead = await work.get(Lead, loser.id, lock=True)
        if forbidden and stricter(lead, was) != lead:
            await _forbid(work, await work.save(stricter(lead, was)))
        theirs = await work.find(Consent, lead_id=lead.id)
        await work.add_all(withdrawals_to_share(theirs, since, lead_id=lead.id, at=work.now))


async def _forbid(work: Work, lead: Lead) -> None:
    """End what is owed to a person who has just been told of as not to be contacted."""
    at, reason = lead.do_not_contact_at or work.now, lead.do_not_contact_reason or ""
    handoffs = await work.find(Handoff, lead_id=lead.id)
    await keeping.given_back(work, handoffs, at=at, reason=reason)
    work.record(DoNotContactSet(at=at, lead_id=lead.id))


def _wish(lead: Lead) -> tuple[object, ...]:
    return lead.do_not_contact, lead.do_not_contact_at, lead.do_not_contact_reason
