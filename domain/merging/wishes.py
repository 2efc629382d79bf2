"""What people wished who are one: the strictest of all, and each of them when they are not."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from domain.consent import Consent, stricter, withdrawals_to_keep, withdrawals_to_share
from domain.leads import Lead
from domain.merging.record import LeadMerge, MergeRecord
from domain.ports import Work


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

    Nobody can say whose wish it was.  What the merge alone had withdrawn is so no more.
    """
    for consent_id in record.withdrawals:
        await work.delete(Consent, id=consent_id)
    told = await work.find(Consent, lead_id=was.id)
    since = [each for each in told if each.recorded_at > merge.merged_at]
    forbidden = was.do_not_contact and not record.survivor.do_not_contact
    for loser in record.losers:
        lead = await work.get(Lead, loser.id, lock=True)
        if forbidden and stricter(lead, was) != lead:
            await work.save(stricter(lead, was))
        theirs = await work.find(Consent, lead_id=lead.id)
        await work.add_all(withdrawals_to_share(theirs, since, lead_id=lead.id, at=work.now))
