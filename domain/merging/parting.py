"""Undoing a merge: everybody has again what was theirs, and what came since stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from domain.attribution import reattribute
from domain.customers import Customer, RevenueEvent, RevenueKind, settle_revenue
from domain.duplicates.found import DuplicateCandidate, tell_apart
from domain.events import LeadUnmerged
from domain.handoff import Handoff, HandoffStatus
from domain.identity import Actor, Permission
from domain.leads import Lead, LeadAlias
from domain.lifecycle import StageEntry
from domain.merging.believing import take_back
from domain.merging.customers import part_customers
from domain.merging.history import recount
from domain.merging.record import LeadMerge, MergeRecord, moved_ids, plain, three_way
from domain.merging.refusals import AlreadyUnmerged, ChangedSince, MergedSince
from domain.merging.rows import LeadsToMerge, PutRows, TakeRows, bring_back
from domain.merging.steps import reopen_steps
from domain.merging.survivor import TOGETHER
from domain.merging.wishes import part_wishes
from domain.opportunities import Opportunity, OpportunityStatus
from domain.personas import persona_for
from domain.ports import Work, by_id
from domain.scoring import rescore
from domain.sla import keeping
from domain.sla.clocks import SlaClock

# What changes with a row and says nothing of it.
_ASIDE = {"version", "updated_at", "lead_id"}
_ANSWERED = "Sales has worked since on what came from a lead that was merged"
_ADDRESS = "The lead was given the address of one that was merged"
_REOPENED = "A deal was put right or reopened since, or one was told that came before it"
_EARNED = "Revenue came since from a deal or a customer of a lead that was merged"
_HANGS_ON = "Something was added since to a hand-off that came from a lead that was merged"


async def unmerge_leads(work: Work, actor: Actor, merge_id: UUID) -> LeadMerge:
    """Undo a merge.

    What belonged to the losers is theirs again, with what was changed about it.  What was added to
    the winner since stays with the winner, and so does what somebody has changed about it.  A wish
    not to be contacted, or a consent withdrawn since, is everybody's.

    Raises:
        AlreadyUnmerged: if it was undone before.
        MergedSince: if the winner was merged with others since.
        ChangedSince: if nobody can say whose it would be what happened since.
    """
    actor.require(Permission.MERGE_LEADS)
    merge = await work.get(LeadMerge, merge_id, lock=True)
    if merge.undone_at is not None:
        raise AlreadyUnmerged
    lead = (await work.ask(LeadsToMerge(ids=(merge.winner_id,)))).get(merge.winner_id)
    later = await work.find(LeadMerge, winner_id=merge.winner_id, undone_at=None)
    if lead is None or any(each.id > merge.id for each in later):
        raise MergedSince
    record = await work.get(MergeRecord, merge_id)
    await _check_can_be_told_apart(work, record)
    await _check_steps_are_there(work, record)
    await _check_revenue(work, merge, record)
    was, lead = lead, await _give_back(work, lead, record)
    await _give_leads(work, record)
    await _part_histories(work, lead, record)
    await part_customers(work, actor, merge, record)
    await _check_customers_bought(work, record)
    for before, after in record.provenance:
        await take_back(work, before, after, lead.id)
    for candidate_id in record.dismissals:
        await work.delete(DuplicateCandidate, id=candidate_id)
    await tell_apart(
        work,
        lead.id,
        [loser.id for loser in record.losers],
        by=actor.user_id,
        sure=merge.score,
    )
    await keeping.parted(work, record.handoffs, record.clocks)
    await part_wishes(work, merge, record, was)
    await reopen_steps(work, merge, record)
    parted = (lead.id, *(loser.id for loser in record.losers))
    await settle_revenue(work, actor, parted)
    await reattribute(work, parted)
    await rescore(work, parted, promoting=False)
    merge = await work.save(replace(merge, undone_at=work.now, undone_by=actor.user_id))
    work.record(
        LeadUnmerged(
            at=work.now,
            by=actor.user_id,
            lead_id=lead.id,
            merge_id=merge.id,
            loser_ids=tuple(loser.id for loser in record.losers),
        )
    )
    return merge


async def _check_can_be_told_apart(work: Work, record: MergeRecord) -> None:
    """Refuse where sales has worked on what goes back, or has built on it."""
    theirs = moved_ids(record, Handoff)
    now = await work.find(Handoff, id=tuple(h.id for h in record.handoffs if h.id in theirs))
    before: dict[UUID, Any] = {**by_id(record.handoffs), **by_id(record.clocks)}
    for handoff in now:
        if handoff.status is not HandoffStatus.MERGED and _differ(handoff, before[handoff.id]):
            raise ChangedSince(_ANSWERED)
    clocks = await work.find(SlaClock, id=tuple(moved_ids(record, SlaClock) & before.keys()))
    for clock in clocks:
        old = before[clock.id]
        changed = (clock.facts, clock.user_id) != (old.facts, old.user_id)
        if changed and not keeping.was_ended(old, clock):
            raise ChangedSince(_ANSWERED)
    for kind in (SlaClock, Opportunity):
        rows: Sequence[Any] = await work.find(
            kind, lead_id=record.winner.id, handoff_id=tuple(theirs)
        )
        if {row.id for row in rows} - moved_ids(record, kind):
            raise ChangedSince(_HANGS_ON)


async def _check_revenue(work: Work, merge: LeadMerge, record: MergeRecord) -> None:
    """Refuse where a deal or a customer that goes back has brought revenue since."""
    deals, customers = moved_ids(record, Opportunity), moved_ids(record, Customer)
    events = [
        *(await work.find(RevenueEvent, opportunity_id=tuple(deals)) if deals else ()),
        *(await work.find(RevenueEvent, customer_id=tuple(customers)) if customers else ()),
    ]
    if any(event.id > merge.id for event in events):
        raise ChangedSince(_EARNED)


async def _give_back(work: Work, lead: Lead, record: MergeRecord) -> Lead:
    """Return the winner as it was, but for what somebody has changed since."""
    before, after, now = plain(record.winner), plain(record.survivor), plain(lead)
    given_back = three_way(before, after, now, together=TOGETHER)
    restored = replace(lead, **given_back, updated_at=work.now)
    if restored.email in {loser.email for loser in record.losers if loser.email}:
        raise ChangedSince(_ADDRESS)
    lead = replace(restored, persona_id=await persona_for(work, restored))
    return await work.save(lead)


async def _give_leads(work: Work, record: MergeRecord) -> None:
    """Put the losers back, with everything that was theirs."""
    for loser in record.losers:
        await work.delete(LeadAlias, id=loser.id)
        await work.add(replace(loser, persona_id=await persona_for(work, loser)))
    await bring_back(
        work, record.moved, [rows for rows in record.taken if rows.kind != StageEntry.__name__]
    )


async def _part_histories(work: Work, lead: Lead, record: MergeRecord) -> None:
    """Give each lead the steps it took itself; those taken since are the winner's."""
    everybody = (lead.id, *(loser.id for loser in record.losers))
    was = await work.find(StageEntry, lead_id=everybody)
    if record.history:
        await work.ask(TakeRows(kind=StageEntry, column="id", values=record.history))
    for rows in record.taken:
        if rows.kind == StageEntry.__name__:
            await work.ask(PutRows(kind=StageEntry, rows=rows.rows))
    seen = [lead.created_at, *(loser.created_at for loser in record.losers)]
    await recount(
        work,
        was=was,
        now=await work.find(StageEntry, lead_id=everybody),
        seen_was=[record.survivor.created_at],
        seen_now=seen,
    )


async def _check_steps_are_there(work: Work, record: MergeRecord) -> None:
    """Refuse where a step of the one history was taken back: it is in nobody's any more."""
    if record.history and len(await work.find(StageEntry, id=record.history)) < len(record.history):
        raise ChangedSince(_REOPENED)


async def _check_customers_bought(work: Work, record: MergeRecord) -> None:
    """Refuse where somebody would be a customer again by a deal that is not won after all."""
    everybody = (record.winner.id, *(loser.id for loser in record.losers))
    for customer in await work.find(Customer, lead_id=everybody):
        lead_id = customer.lead_id
        if not await work.find(Opportunity, lead_id=lead_id, status=OpportunityStatus.WON) and (
            not await work.find(RevenueEvent, customer_id=customer.id, kind=RevenueKind.NEW)
        ):
            raise ChangedSince(_REOPENED)


def _differ(now: Any, before: Any) -> bool:
    then = {name: value for name, value in plain(before).items() if name not in _ASIDE}
    return any(getattr(now, name) != value for name, value in then.items())
