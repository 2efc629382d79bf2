"""Making one lead of several that are one person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from domain.attribution import reattribute
from domain.customers import Customer, settle_revenue
from domain.duplicates.found import take_over_dismissals
from domain.events import LeadsMerged
from domain.handoff import Handoff
from domain.identity import Actor, Permission
from domain.ids import new_id
from domain.lead_intake.keys import resolve_lead
from domain.lead_intake.observing import trust_of
from domain.leads import Lead, LeadAlias, LeadKey
from domain.lifecycle import StageEntry
from domain.merging.believing import believed, write_down
from domain.merging.customers import keep_customer, take_leavings
from domain.merging.history import History, one_history, recount
from domain.merging.record import LeadMerge, MergeRecord, merged_lead
from domain.merging.refusals import MOST_LOSERS, AlreadyMerged, LosersMiscounted, MergeWithItself
from domain.merging.rows import LeadsToMerge, Moving, follow
from domain.merging.steps import keep_first_step
from domain.merging.survivor import survivor
from domain.merging.wishes import keep_withdrawals
from domain.personas import persona_for
from domain.ports import Work, first
from domain.provenance import FactRecord, LeadProvenance
from domain.scoring import rescore
from domain.sla import keeping
from domain.sla.clocks import SlaClock
from domain.stages import Stage


async def merge_leads(
    work: Work,
    actor: Actor,
    winner: LeadKey,
    losers: Sequence[LeadKey],
    *,
    automatic: bool = False,
    score: Decimal | None = None,
) -> LeadMerge:
    """Make one lead of several.  All that belongs to the losers is the winner's from then on.

    The losers are gone, and their ids and addresses lead to the winner.  What is promised twice
    ends once; a merge moves nobody forward by rule.

    Raises:
        LosersMiscounted: if there is none, or more than ten.
        MergeWithItself: if the winner is among the losers.
        AlreadyMerged: if one of them is part of another lead.
    """
    actor.require(Permission.MERGE_LEADS)
    one, others = await _named(work, winner, losers)
    before = await _before(work, _ids(one, *others))
    heard = believed(one, others, before.facts, await trust_of(work))
    provenance = await write_down(work, one.id, heard.records)
    dismissals = await take_over_dismissals(work, one.id, _ids(*others))
    withdrawals = await keep_withdrawals(work, one, others)
    history = one_history(one.id, (one, *others), before.story)
    moving = await _moved(work, actor, one, others, before, history)
    merge = LeadMerge(
        id=new_id(),
        winner_id=one.id,
        losers=tuple(merged_lead(lead) for lead in others),
        merged_at=work.now,
        merged_by=actor.user_id,
        automatic=automatic,
        score=score,
    )
    lead = await _survive(work, one, others, history, before.handoffs, heard.tellers)
    await work.add_all([merge, *_aliases(merge)])
    await work.add(
        MergeRecord(
            id=merge.id,
            winner=one,
            survivor=lead,
            losers=tuple(others),
            handoffs=tuple(handoff for handoff in before.handoffs if handoff.is_open),
            clocks=tuple(before.clocks),
            history=tuple(entry.id for entry in history.entries),
            moved=tuple(moving.moved),
            taken=tuple(moving.taken),
            customers=await keep_customer(work, one.id, before.customers),
            dismissals=dismissals,
            withdrawals=withdrawals,
            steps=await keep_first_step(work, one.id),
            provenance=tuple((old.facts, heard.records) for old in provenance),
        )
    )
    await _reckon(work, actor, merge)
    return merge


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """What was of each of the leads before they were one."""

    handoffs: Sequence[Handoff]
    clocks: Sequence[SlaClock]
    story: Sequence[StageEntry]
    customers: Sequence[Customer]
    facts: Mapping[UUID, Sequence[FactRecord]]


async def _before(work: Work, ids: tuple[UUID, ...]) -> _Before:
    return _Before(
        handoffs=await work.find(Handoff, lead_id=ids),
        clocks=await work.find(SlaClock, lead_id=ids, ended_at=None),
        story=await work.find(StageEntry, lead_id=ids),
        customers=await work.find(Customer, lead_id=ids),
        facts={each.id: each.facts for each in await work.find(LeadProvenance, id=ids)},
    )


async def _moved(
    work: Work,
    actor: Actor,
    winner: Lead,
    losers: Sequence[Lead],
    before: _Before,
    history: History,
) -> Moving:
    """End what is promised twice, give the winner what the losers had, and let the losers go."""
    leads, moving = (winner, *losers), Moving()
    await keeping.merged(
        work,
        before.handoffs,
        by=actor.user_id,
        is_with_sales=history.stage.rank >= Stage.SAL.rank,
        do_not_contact=any(lead.do_not_contact for lead in leads),
    )
    await moving.take(work, StageEntry, "lead_id", winner.id, *_ids(*losers))
    await take_leavings(work, moving, before.customers)
    for loser in losers:
        await follow(work, moving, winner_id=winner.id, loser_id=loser.id)
    await recount(
        work,
        was=before.story,
        now=history.entries,
        seen_was=[lead.created_at for lead in leads],
        seen_now=[min(lead.created_at for lead in leads)],
    )
    for loser in losers:
        await work.delete(Lead, id=loser.id)
    await work.add_all(history.entries)
    return moving


async def _reckon(work: Work, actor: Actor, merge: LeadMerge) -> None:
    """Reckon anew what rests on the leads that are one now, and tell of it."""
    await settle_revenue(work, actor, (merge.winner_id,))
    await reattribute(work, (merge.winner_id,))
    await rescore(work, (merge.winner_id,), promoting=False)
    work.record(
        LeadsMerged(
            at=work.now,
            by=actor.user_id,
            lead_id=merge.winner_id,
            merge_id=merge.id,
            loser_ids=tuple(loser.id for loser in merge.losers),
        )
    )


async def _named(
    work: Work, winner: LeadKey, losers: Sequence[LeadKey]
) -> tuple[Lead, Sequence[Lead]]:
    """Return the leads that are meant, locked in the order of their ids."""
    if not 1 <= len(losers) <= MOST_LOSERS:
        raise LosersMiscounted(len(losers))
    meant = [await _meant(work, winner, ("winner",))]
    for position, key in enumerate(losers):
        lead = await _meant(work, key, ("losers", position))
        if lead.id == meant[0].id:
            raise MergeWithItself(position)
        meant.append(lead)
    leads = await work.ask(LeadsToMerge(ids=_ids(*meant)))
    # Whoever merged one of them meanwhile held the lock we waited for.
    paths = [("winner",), *(("losers", position) for position in range(len(losers)))]
    for lead, path in zip(meant, paths, strict=True):
        if lead.id not in leads:
            await _meant(work, lead.id, path)
    one, *others = dict.fromkeys(_ids(*meant))
    return leads[one], [leads[id] for id in others]


async def _meant(work: Work, key: LeadKey, path: tuple[str | int, ...]) -> Lead:
    lead = await resolve_lead(work, key, path=path)
    gone = lead.id != key if isinstance(key, UUID) else await _is_alias(work, key, lead)
    if gone:
        raise AlreadyMerged(lead, path=path)
    return lead


async def _is_alias(work: Work, key: LeadKey, lead: Lead) -> bool:
    if not isinstance(key, str) or key.strip().lower() == lead.email:
        return False
    return await first(work, LeadAlias, lead_id=lead.id, email=key.strip().lower()) is not None


async def _survive(
    work: Work,
    winner: Lead,
    losers: Sequence[Lead],
    history: History,
    handoffs: Sequence[Handoff],
    tellers: Mapping[str, Lead],
) -> Lead:
    """Store the lead that goes on; whoever works what waits for an answer is its owner."""
    lead = survivor(
        winner,
        losers,
        stage=history.stage,
        stage_entered_at=history.entered_at,
        at=work.now,
        tellers=tellers,
    )
    waiting = [each for each in handoffs if each.is_open]
    if waiting:
        still = await first(work, Handoff, lead_id=lead.id, status=waiting[0].status)
        lead = lead if still is None else replace(lead, owner_id=still.owner_id)
    return await work.save(replace(lead, persona_id=await persona_for(work, lead)))


def _aliases(merge: LeadMerge) -> list[LeadAlias]:
    return [
        LeadAlias(id=loser.id, lead_id=merge.winner_id, merge_id=merge.id, email=loser.email)
        for loser in merge.losers
    ]


def _ids(*leads: Lead) -> tuple[UUID, ...]:
    return tuple(lead.id for lead in leads)
