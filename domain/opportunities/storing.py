"""Writing an opportunity with its history, and carrying the lead's lifecycle on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.customers import Purchase, book, bought, settle_kinds, take_back
from domain.customers import move as move_purchase
from domain.errors import Invalid, NotFound
from domain.events import (
    Event,
    OpportunityChanged,
    OpportunityLost,
    OpportunityOpened,
    OpportunityWon,
)
from domain.handoff import Handoff
from domain.identity import Actor, Tenant, User
from domain.ids import new_id
from domain.lead_details import UNSAID
from domain.leads import Company, Lead
from domain.lifecycle import NeedsAcceptance, enter_stage, move_stage
from domain.opportunities import deal
from domain.opportunities.deal import (
    Opportunity,
    OpportunityStatus,
    OpportunityStep,
    StillOpen,
    handoff_behind,
)
from domain.opportunities.details import OpportunityDetails, told
from domain.opportunities.pipeline import PipelineStage
from domain.ports import Work, first
from domain.sla import keeping
from domain.stages import Stage


async def store_new(
    work: Work,
    actor: Actor,
    lead: Lead,
    details: OpportunityDetails,
    stage: PipelineStage,
    *,
    as_history: bool,
) -> Opportunity:
    """Store a new opportunity of a locked lead, which enters OPPORTUNITY.

    Company and owner are the lead's unless others are named.  The lead's own history never runs
    backward: where the deal was opened before the lead's last step, it enters at that.  Of several
    deals it is there by the first that was opened, whichever was told first.
    """
    opened_at = details.opened_at or work.now
    handoff = handoff_behind(await work.find(Handoff, lead_id=lead.id), at=opened_at)
    opportunity = Opportunity(
        id=new_id(),
        name=_name(details),
        lead_id=lead.id,
        stage_id=stage.id,
        opened_at=opened_at,
        stage_entered_at=opened_at,
        recorded_at=work.now,
        updated_at=work.now,
        company_id=lead.company_id,
        handoff_id=handoff.id if handoff else None,
        owner_id=lead.owner_id,
    )
    opportunity = await _told(work, opportunity, details)
    lead = await _there_since(work, lead, opened_at)
    await carry_on(work, actor, lead, at=opened_at, as_history=as_history)
    opportunity = await work.add(opportunity)
    await _step(work, actor, opportunity, at=opened_at)
    if opportunity.handoff_id is not None:
        await keeping.fed_back(work, opportunity.handoff_id, at=opened_at)
    work.record(
        OpportunityOpened(
            at=opened_at,
            by=actor.user_id,
            opportunity_id=opportunity.id,
            lead_id=lead.id,
            handoff_id=opportunity.handoff_id,
        )
    )
    return opportunity


async def store_changes(
    work: Work, actor: Actor, lead: Lead, opportunity: Opportunity, details: OpportunityDetails
) -> Opportunity:
    """Store what was said of an opportunity; what a won one brought is put right in the books."""
    changed = await _told(work, opportunity, details)
    if changed == opportunity:
        return opportunity
    is_won = opportunity.status is OpportunityStatus.WON
    if is_won and changed.amount is None and opportunity.amount is not None:
        raise Invalid("What was won keeps an amount; it may be another.", path=("amount",))
    changed = await work.save(replace(changed, updated_at=work.now))
    if is_won and changed.amount != opportunity.amount:
        await _book(work, actor, lead, changed)
    work.record(_changed(changed, at=work.now, by=actor.user_id))
    return changed


async def move(
    work: Work, actor: Actor, opportunity: Opportunity, stage: PipelineStage, *, at: datetime
) -> Opportunity:
    """Let an opportunity enter another stage."""
    opportunity = await _save(work, deal.moved(opportunity, stage, at=at))
    await _step(work, actor, opportunity, at=at)
    work.record(_changed(opportunity, at=at, by=actor.user_id))
    return opportunity


async def ended_before(work: Work, opportunity: Opportunity, *, ended_at: datetime) -> Opportunity:
    """Let what was heard of an opportunity only after it had ended have been so by then."""
    if not opportunity.opened_at <= ended_at < opportunity.stage_entered_at:
        return opportunity
    steps = await work.find(OpportunityStep, opportunity_id=opportunity.id)
    late = deal.heard_late(opportunity, steps, ended_at=ended_at)
    if not late:
        return opportunity
    for step in late:
        await work.delete(OpportunityStep, id=step.id)
        await work.add(replace(step, at=ended_at))
    return await _save(work, replace(opportunity, stage_entered_at=ended_at))


async def win(
    work: Work, actor: Actor, lead: Lead, opportunity: Opportunity, *, at: datetime
) -> Opportunity:
    """Close an opportunity as won: its lead is a customer, and its amount revenue."""
    opportunity = await _save(work, deal.won(opportunity, at=at))
    await _step(work, actor, opportunity, at=at)
    await _book(work, actor, lead, opportunity)
    work.record(_ended(OpportunityWon, opportunity, at=at, by=actor.user_id))
    return opportunity


async def lose(
    work: Work, actor: Actor, opportunity: Opportunity, *, reason: str, at: datetime
) -> Opportunity:
    """Close an opportunity as lost, with the reason."""
    opportunity = await _save(work, deal.lost(opportunity, reason=reason, at=at))
    await _step(work, actor, opportunity, at=at, reason=opportunity.lost_reason)
    work.record(_ended(OpportunityLost, opportunity, at=at, by=actor.user_id))
    return opportunity


async def reopen(
    work: Work,
    actor: Actor,
    lead: Lead,
    opportunity: Opportunity,
    *,
    at: datetime,
    reason: str | None = None,
    as_history: bool = False,
) -> Opportunity:
    """Let a closed opportunity go on, in the stage it was in; what a won one brought goes.

    Raises:
        ReopenReasonNeeded: if it was won, and nobody says why it is not.
        WonStaysWon: if more revenue was recorded since that rests on it.
    """
    was_won = opportunity.status is OpportunityStatus.WON
    now_open = deal.reopened(opportunity, at=at)
    reason = deal.why_reopened(opportunity, reason)
    if was_won:
        await take_back(work, actor, lead, await _purchase(work, opportunity), at=at)
        lead = await work.get(Lead, lead.id, lock=True)
    opportunity = await _save(work, now_open)
    await carry_on(work, actor, lead, at=at, as_history=as_history or was_won)
    await _step(work, actor, opportunity, at=at, reason=reason)
    work.record(_changed(opportunity, at=at, by=actor.user_id))
    return opportunity


async def put_right(
    work: Work,
    actor: Actor,
    lead: Lead,
    opportunity: Opportunity,
    *,
    status: OpportunityStatus,
    closed_at: datetime,
    lost_reason: str | None = None,
) -> Opportunity:
    """Put right how, when or why an opportunity was closed, and all that followed from it.

    Raises:
        StillOpen: if it is not closed.
        WonStaysWon: if revenue was recorded that rests on its having been won, or won then.
    """
    if opportunity.closed_at is None:
        raise StillOpen
    reason = (lost_reason or opportunity.lost_reason or "").strip()
    if deal.ended_so(opportunity, status=status, at=closed_at, reason=reason):
        return opportunity
    steps = await work.find(OpportunityStep, opportunity_id=opportunity.id)
    wrong, undone = deal.closing(steps), deal.undone(opportunity, steps)
    if status is OpportunityStatus.WON:
        ended = deal.won(undone, at=closed_at)
    else:
        ended = deal.lost(undone, reason=reason, at=closed_at)
    was = opportunity.status
    if was is OpportunityStatus.WON:
        purchase = await _purchase(work, opportunity)
        if status is was:
            await move_purchase(work, actor, lead, purchase, to=closed_at)
        else:
            await take_back(work, actor, lead, purchase, at=work.now)
    if wrong is not None:
        await work.delete(OpportunityStep, id=wrong.id)
    opportunity = await _save(work, ended)
    await _step(work, actor, opportunity, at=closed_at, reason=opportunity.lost_reason)
    if was is OpportunityStatus.LOST and status is not was:
        await _book(work, actor, lead, opportunity)
    work.record(_put_right(was, opportunity, at=closed_at, by=actor.user_id))
    return opportunity


async def carry_on(work: Work, actor: Actor, lead: Lead, *, at: datetime, as_history: bool) -> Lead:
    """Let a lead enter OPPORTUNITY, unless it is there or beyond.

    A lead comes so far only if sales has accepted it, and by what both teams call an opportunity.
    A history that is imported is a fact and asked for neither.

    Raises:
        NeedsAcceptance: if sales has not accepted it.
        CriterionNotMet: and why not.
    """
    if lead.stage.rank >= Stage.OPPORTUNITY.rank:
        return lead
    if not as_history and lead.stage.rank < Stage.SAL.rank:
        raise NeedsAcceptance(Stage.OPPORTUNITY, path=("lead",))
    since = max(at, lead.stage_entered_at)
    return await enter_stage(work, actor, lead, Stage.OPPORTUNITY, at=since, judged=not as_history)


async def _there_since(work: Work, lead: Lead, opened_at: datetime) -> Lead:
    """Let a lead be an OPPORTUNITY since a deal was opened, if it is one by a later deal."""
    deals = await work.find(Opportunity, lead_id=lead.id)
    was = min((each.opened_at for each in deals), default=opened_at)
    if was <= opened_at:
        return lead
    return await move_stage(work, lead, Stage.OPPORTUNITY, was=was, since=opened_at)


async def _told(work: Work, opportunity: Opportunity, details: OpportunityDetails) -> Opportunity:
    """Return an opportunity as it is said to be, by an owner and a company that there are."""
    tenant = await work.get(Tenant, work.tenant_id)
    changed = told(opportunity, details, time_zone=tenant.time_zone)
    owner_id, company_id = details.owner_id, details.company_id
    if isinstance(owner_id, UUID) and owner_id != opportunity.owner_id:
        owner = await first(work, User, id=owner_id)
        if owner is None:
            raise NotFound("user", path=("owner",))
        if not owner.active:
            raise Invalid("This user is no longer active.", path=("owner",))
    if isinstance(company_id, UUID) and await first(work, Company, id=company_id) is None:
        raise NotFound("company", path=("company",))
    return changed


async def _purchase(work: Work, opportunity: Opportunity) -> Purchase:
    """Return what was bought by an opportunity that was won."""
    if opportunity.closed_at is None:
        raise ValueError("an open opportunity brought nothing")
    deals = await work.find(Opportunity, lead_id=opportunity.lead_id, status=OpportunityStatus.WON)
    others = [each.closed_at for each in deals if each.id != opportunity.id and each.closed_at]
    return Purchase(opportunity_id=opportunity.id, at=opportunity.closed_at, others=tuple(others))


async def _book(work: Work, actor: Actor, lead: Lead, opportunity: Opportunity) -> None:
    """Make the lead of a won opportunity a customer, and keep what it brought, if that is known."""
    at = opportunity.closed_at
    if at is None:
        raise ValueError("an open opportunity brings nothing yet")
    customer = await bought(work, actor, lead, at=at)
    if opportunity.amount is not None:
        await book(
            work,
            actor,
            customer,
            amount=opportunity.amount,
            at=at,
            opportunity_id=opportunity.id,
        )
    await settle_kinds(work, actor, customer)


async def _save(work: Work, opportunity: Opportunity) -> Opportunity:
    return await work.save(replace(opportunity, updated_at=work.now))


async def _step(
    work: Work,
    actor: Actor,
    opportunity: Opportunity,
    *,
    at: datetime,
    reason: str | None = None,
) -> None:
    await work.add(
        OpportunityStep(
            id=new_id(),
            opportunity_id=opportunity.id,
            stage_id=opportunity.stage_id,
            status=opportunity.status,
            at=at,
            recorded_at=work.now,
            by=actor.user_id,
            reason=reason,
        )
    )


def _name(details: OpportunityDetails) -> str:
    """Return what to call a new opportunity: as the other system does, if nothing is said."""
    if isinstance(details.name, str):
        return details.name
    if details.name is UNSAID and details.external_id is not None:
        return details.external_id.value
    raise Invalid("An opportunity needs a name.", path=("name",))


def _changed(opportunity: Opportunity, *, at: datetime, by: UUID | None) -> Event:
    return OpportunityChanged(
        at=at, by=by, opportunity_id=opportunity.id, lead_id=opportunity.lead_id
    )


def _put_right(
    was: OpportunityStatus, opportunity: Opportunity, *, at: datetime, by: UUID | None
) -> Event:
    if opportunity.status is was:
        return _changed(opportunity, at=at, by=by)
    kind = OpportunityWon if opportunity.status is OpportunityStatus.WON else OpportunityLost
    return _ended(kind, opportunity, at=at, by=by)


def _ended(
    kind: type[OpportunityWon] | type[OpportunityLost],
    opportunity: Opportunity,
    *,
    at: datetime,
    by: UUID | None,
) -> Event:
    return kind(
        at=at,
        by=by,
        opportunity_id=opportunity.id,
        lead_id=opportunity.lead_id,
        handoff_id=opportunity.handoff_id,
    )
