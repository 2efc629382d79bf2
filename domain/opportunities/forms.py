"""One opportunity at a time: opened, changed, moved along, won, lost and reopened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias
from uuid import UUID

from domain.attribution import reattribute
from domain.errors import NotFound, StaleWrite
from domain.identity import Actor, Permission
from domain.lead_details import external_id, past
from domain.lead_intake import resolve_lead
from domain.leads import ExternalId, Lead, LeadKey
from domain.opportunities import storing
from domain.opportunities.deal import (
    ClosesBeforeItOpens,
    DuplicateOpportunity,
    Opportunity,
    StepTooEarly,
    StillOpen,
)
from domain.opportunities.details import OpportunityDetails, checked
from domain.opportunities.pipeline import entered_stage, pipeline
from domain.ports import Work, first
from domain.values import Money, minor_digits

# What tells an opportunity: its id, or the name another system gave it.
OpportunityKey: TypeAlias = UUID | ExternalId


async def resolve_opportunity(
    work: Work, key: OpportunityKey, *, path: Sequence[str | int] = ("opportunity",)
) -> Opportunity:
    """Return the opportunity that a key tells.

    Raises:
        NotFound: if this tenant has none.
    """
    if isinstance(key, UUID):
        found = await first(work, Opportunity, id=key)
    else:
        name = external_id(key, path=(*path, "externalId"))
        found = await _named(work, name)
    if found is None:
        raise NotFound("opportunity", path=path)
    return found


async def open_opportunity(
    work: Work,
    actor: Actor,
    lead: LeadKey,
    details: OpportunityDetails,
    *,
    stage: UUID | str | None = None,
    as_history: bool = False,
) -> Opportunity:
    """Open an opportunity with a lead: in the first stage, unless another is named.

    It is credited to the hand-off that sales had accepted last.  With `as_history`, which is how
    files are imported, the lead is not asked for acceptance or judged: that there was a deal is a
    fact.

    Raises:
        NeedsAcceptance: if sales has not accepted the lead.
        CriterionNotMet: if it is no opportunity as both teams defined it.
        ArchivedStage: if the stage was put away.
        DuplicateOpportunity: if the external name is taken.
    """
    actor.require(Permission.EDIT_OPPORTUNITIES)
    if as_history:
        actor.require(Permission.IMPORT_LEADS)
    details = checked(details, now=work.now)
    entered = entered_stage(await pipeline(work), stage)
    buyer = await resolve_lead(work, lead, lock=True)
    await _refuse_taken(work, details, by=None)
    opened = await storing.store_new(work, actor, buyer, details, entered, as_history=as_history)
    return await _attributed(work, opened)


async def update_opportunity(
    work: Work,
    actor: Actor,
    key: OpportunityKey,
    details: OpportunityDetails,
    *,
    closed_at: datetime | None = None,
    version: int | None = None,
) -> Opportunity:
    """Change what is known of an opportunity; what is not said stays.

    What a won one brought may be put right, and when it was closed; what was recorded follows.

    Raises:
        StaleWrite: if `version` is given and no longer the opportunity's.
        DuplicateOpportunity: if the external name is taken.
    """
    actor.require(Permission.EDIT_OPPORTUNITIES)
    details = checked(details, now=work.now)
    lead, opportunity = await _locked(work, key)
    if version is not None and version != opportunity.version:
        raise StaleWrite("opportunity")
    await _refuse_taken(work, details, by=opportunity)
    changed = await storing.store_changes(work, actor, lead, opportunity, details)
    if closed_at is not None:
        closed_at = past(closed_at, work.now, path=("closedAt",))
        lead = await work.get(Lead, lead.id, lock=True)
        changed = await _redated(work, actor, lead, changed, closed_at)
    return await _attributed(work, changed)


async def advance_opportunity(
    work: Work,
    actor: Actor,
    key: OpportunityKey,
    *,
    stage: UUID | str,
    at: datetime | None = None,
) -> Opportunity:
    """Move an open opportunity to another stage, ahead or behind."""
    actor.require(Permission.EDIT_OPPORTUNITIES)
    at = _instant(work, at)
    entered = entered_stage(await pipeline(work), stage)
    _, opportunity = await _locked(work, key)
    return await storing.move(work, actor, opportunity, entered, at=at)


async def win_opportunity(
    work: Work,
    actor: Actor,
    key: OpportunityKey,
    *,
    amount: Money | None = None,
    at: datetime | None = None,
) -> Opportunity:
    """Close an opportunity as won, with what it brought if that is another than expected."""
    actor.require(Permission.EDIT_OPPORTUNITIES)
    at = _instant(work, at)
    lead, opportunity = await _locked(work, key)
    if amount is not None:
        details = checked(_of(amount), now=work.now)
        opportunity = await storing.store_changes(work, actor, lead, opportunity, details)
    return await _attributed(work, await storing.win(work, actor, lead, opportunity, at=at))


async def lose_opportunity(
    work: Work, actor: Actor, key: OpportunityKey, *, reason: str, at: datetime | None = None
) -> Opportunity:
    """Close an opportunity as lost, and say why.  The lead stays where it is."""
    actor.require(Permission.EDIT_OPPORTUNITIES)
    at = _instant(work, at)
    _, opportunity = await _locked(work, key)
    lost = await storing.lose(work, actor, opportunity, reason=reason, at=at)
    return await _attributed(work, lost)


async def reopen_opportunity(
    work: Work,
    actor: Actor,
    key: OpportunityKey,
    *,
    reason: str | None = None,
    at: datetime | None = None,
) -> Opportunity:
    """Let a closed opportunity go on after all.

    One that was won needs a reason: its revenue goes, and who bought nothing else is no customer.
    """
    actor.require(Permission.EDIT_OPPORTUNITIES)
    at = _instant(work, at)
    lead, opportunity = await _locked(work, key)
    opened = await storing.reopen(work, actor, lead, opportunity, at=at, reason=reason)
    return await _attributed(work, opened)


async def _redated(
    work: Work, actor: Actor, lead: Lead, opportunity: Opportunity, closed_at: datetime
) -> Opportunity:
    try:
        return await storing.put_right(
            work, actor, lead, opportunity, status=opportunity.status, closed_at=closed_at
        )
    except (ClosesBeforeItOpens, StepTooEarly, StillOpen) as refusal:
        refusal.path = ("closedAt",)
        raise


async def _attributed(work: Work, opportunity: Opportunity) -> Opportunity:
    """Credit a changed deal anew to what led to it."""
    await reattribute(work, [opportunity.lead_id])
    return opportunity


async def _locked(work: Work, key: OpportunityKey) -> tuple[Lead, Opportunity]:
    """Return an opportunity and its lead, locked in the order that everybody locks them."""
    known = await resolve_opportunity(work, key)
    lead = await work.get(Lead, known.lead_id, lock=True)
    opportunity = await work.get(Opportunity, known.id, lock=True)
    if opportunity.lead_id != lead.id:  # merged into another in the meantime
        raise StaleWrite("opportunity")
    return lead, opportunity


async def _refuse_taken(work: Work, details: OpportunityDetails, *, by: Opportunity | None) -> None:
    name = details.external_id
    if name is None or (by is not None and by.external_id == name):
        return
    if await _named(work, name) is not None:
        raise DuplicateOpportunity(name)


async def _named(work: Work, name: ExternalId) -> Opportunity | None:
    return await first(work, Opportunity, external_source=name.source, external_value=name.value)


def _of(amount: Money) -> OpportunityDetails:
    units = Decimal(amount.minor).scaleb(-minor_digits(amount.currency))
    return OpportunityDetails(amount=units, currency=amount.currency)


def _instant(work: Work, at: datetime | None) -> datetime:
    return work.now if at is None else past(at, work.now, path=("at",))
