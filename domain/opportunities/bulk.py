"""Many opportunities at once: opened, changed and closed, row by row, in few statements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.attribution import reattribute
from domain.customers import Customer, CustomerStep, RevenueEvent
from domain.drafts import Draft
from domain.errors import DomainError, Invalid, NotFound, Refusals
from domain.handoff import Handoff
from domain.identity import Actor, Permission, User, kept_address
from domain.lead_details import past
from domain.lead_intake import MOST_ROWS, NoIdentity, TooManyRows, UpsertOutcome
from domain.lead_intake.keys import check_not_merged, kept_key, leads_told
from domain.leads import Company, ExternalId, Lead, LeadKey
from domain.lifecycle import StageEntry
from domain.opportunities import storing
from domain.opportunities.deal import Opportunity, OpportunityStatus, OpportunityStep
from domain.opportunities.details import OpportunityDetails, checked
from domain.opportunities.pipeline import PipelineStage, entered_stage, pipeline
from domain.ports import Work
from domain.sla.clocks import SlaClock

# Parents first, and unique values always in the same order.
_ORDER: Mapping[type, Callable[[Any], Any]] = {
    Lead: lambda lead: lead.id,
    Opportunity: lambda each: (each.external_source or "", each.external_value or "", each.id),
    OpportunityStep: lambda step: (),
    Customer: lambda customer: customer.lead_id,
    CustomerStep: lambda step: (),
    RevenueEvent: lambda revenue: (),
}


class LeadDiffers(Invalid):
    """An opportunity stays with its lead."""

    code = "LEAD_DIFFERS"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpportunityRow:
    """An opportunity as another system has it, told by the external id in its details.

    A new one needs its lead.  `status` and when it came to be closed say how it stands there; None
    says nothing.  The owner may be told by e-mail address.  Where it `is_dated`, it was not closed
    just now because nobody says when.
    """

    details: OpportunityDetails
    lead: LeadKey | None = None
    stage: UUID | str | None = None
    status: OpportunityStatus | None = None
    closed_at: datetime | None = None
    lost_reason: str | None = None
    owner_email: str | None = None
    is_dated: bool = False

    @property
    def closes(self) -> bool:
        """Whether it is closed in the row."""
        return self.status in (OpportunityStatus.WON, OpportunityStatus.LOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsertedOpportunity:
    """What became of one row of a bulk request, and the opportunity as the request left it."""

    index: int
    outcome: UpsertOutcome
    opportunity: Opportunity | None = None
    refusals: tuple[DomainError, ...] = ()


@dataclass(frozen=True, slots=True)
class _Known:
    """What the rows name, so that a later row sees what an earlier one did."""

    stages: Sequence[PipelineStage]
    leads: Mapping[LeadKey, UUID]
    owners: Mapping[str, UUID]
    opportunities: dict[ExternalId, UUID]
    as_history: bool


async def upsert_opportunities(
    work: Work,
    actor: Actor,
    rows: Sequence[OpportunityRow | DomainError],
    *,
    as_history: bool = False,
) -> tuple[UpsertedOpportunity, ...]:
    """Open, change and close up to 500 opportunities, told by external id, in their order.

    Every row is taken whole or refused whole, and spoils no other; one that is a refusal already
    stays one.  All rows together take a fixed number of statements.

    Raises:
        TooManyRows: if there are more than 500, and then nothing is done.
    """
    actor.require(Permission.EDIT_OPPORTUNITIES)
    if as_history:
        actor.require(Permission.IMPORT_LEADS)
    if len(rows) > MOST_ROWS:
        raise TooManyRows(
            f"There are {len(rows)} rows; one request takes at most {MOST_ROWS}.", path=("rows",)
        )
    ready = [_ready(row, work.now) for row in rows]
    taken = [row for row in ready if isinstance(row, OpportunityRow)]
    stages = await pipeline(work)
    draft = Draft(work, order=_ORDER)
    known = await _read(draft, taken, stages, as_history=as_history)
    outcomes = [await _upsert(draft, actor, at, row, known) for at, row in enumerate(ready)]
    await draft.flush()
    await reattribute(work, {row.opportunity.lead_id for row in outcomes if row.opportunity})
    return tuple([await _as_left(draft, outcome) for outcome in outcomes])


def _ready(row: OpportunityRow | DomainError, now: datetime) -> OpportunityRow | DomainError:
    """Return a row as it is kept, or why it cannot be."""
    if isinstance(row, DomainError):
        return row
    if row.details.external_id is None:
        return NoIdentity("A row needs an external id.", path=("externalId",))
    if row.closed_at is not None and not row.closes:
        return Invalid("When it was closed goes with WON or LOST.", path=("closedAt",))
    try:
        closed_at = row.closed_at and past(row.closed_at, now, path=("closedAt",))
        owner = row.owner_email and kept_address(row.owner_email, path=("owner", "email"))
        return replace(
            row,
            details=checked(row.details, now=now),
            closed_at=closed_at,
            lead=row.lead and kept_key(row.lead, path=("lead",)),
            owner_email=owner,
        )
    except DomainError as refusal:
        return refusal


async def _read(
    draft: Draft,
    rows: Sequence[OpportunityRow],
    stages: Sequence[PipelineStage],
    *,
    as_history: bool,
) -> _Known:
    """Read and lock what the rows are about: leads first, in the order of their ids."""
    leads = await leads_told(draft, {row.lead for row in rows if row.lead is not None})
    named = await _opportunities(draft, rows)
    owners = await _owners(draft, rows)
    ids = {*leads.values(), *(each.lead_id for each in named.values())}
    there = await draft.read_ahead(Lead, lock=True, id=ids)
    await check_not_merged(draft, ids - {lead.id for lead in there})
    # What a deal leads to counts once, and what it led to may have to be undone.
    await draft.read_ahead(StageEntry, lead_id=ids)
    known = [opportunity.id for opportunity in named.values()]
    await draft.read_ahead(Opportunity, lock=True, lead_id=ids)
    handoffs = await draft.read_ahead(Handoff, lead_id=ids)
    await draft.read_ahead(SlaClock, handoff_id=[handoff.id for handoff in handoffs])
    customers = await draft.read_ahead(Customer, lock=True, lead_id=ids)
    bought = [customer.id for customer in customers]
    await draft.read_ahead(CustomerStep, customer_id=bought)
    await draft.read_ahead(RevenueEvent, lock=True, customer_id=bought)
    await draft.read_ahead(RevenueEvent, lock=True, opportunity_id=known)
    told = [row.details.owner_id for row in rows]
    users = {*owners.values(), *(id for id in told if isinstance(id, UUID))}
    await draft.read_ahead(User, id=users)
    companies = [row.details.company_id for row in rows]
    await draft.read_ahead(Company, id=[id for id in companies if isinstance(id, UUID)])
    return _Known(
        stages=stages,
        leads=leads,
        owners=owners,
        opportunities={name: each.id for name, each in named.items()},
        as_history=as_history,
    )


async def _opportunities(
    work: Work, rows: Sequence[OpportunityRow]
) -> dict[ExternalId, Opportunity]:
    names = {row.details.external_id for row in rows if row.details.external_id is not None}
    if not names:
        return {}
    found = await work.find(
        Opportunity,
        external_source=sorted({name.source for name in names}),
        external_value=sorted({name.value for name in names}),
    )
    by_name = {each.external_id: each for each in found}
    return {name: by_name[name] for name in names if name in by_name}


async def _owners(work: Work, rows: Sequence[OpportunityRow]) -> dict[str, UUID]:
    emails = sorted({row.owner_email for row in rows if row.owner_email})
    found = await work.find(User, email=emails) if emails else ()
    return {user.email: user.id for user in found}


async def _upsert(
    draft: Draft, actor: Actor, index: int, row: OpportunityRow | DomainError, known: _Known
) -> UpsertedOpportunity:
    if isinstance(row, DomainError):
        return _refused(index, row)
    # A draft of its own, thrown away if the row is refused half-way.
    own = Draft(draft)
    try:
        before, after = await _take(own, actor, row, known)
    except DomainError as refusal:
        return _refused(index, refusal)
    await own.flush()
    if after.external_id is not None:
        known.opportunities[after.external_id] = after.id
    outcome = UpsertOutcome.UNCHANGED if before == after else UpsertOutcome.UPDATED
    outcome = UpsertOutcome.CREATED if before is None else outcome
    return UpsertedOpportunity(index=index, outcome=outcome, opportunity=after)


async def _take(
    work: Work, actor: Actor, row: OpportunityRow, known: _Known
) -> tuple[Opportunity | None, Opportunity]:
    """Let a row be so, and return the opportunity before (None if it is new) and after."""
    details = _with_owner(row, known)
    name = details.external_id
    known_id = None if name is None else known.opportunities.get(name)
    lead_id = None if row.lead is None else known.leads.get(row.lead)
    if row.lead is not None and lead_id is None:
        raise NotFound("lead", path=("lead",))
    if known_id is None:
        if lead_id is None:
            raise Invalid("A new opportunity needs its lead.", path=("lead",))
        if row.is_dated and row.closes and row.closed_at is None:
            # It would be revenue of the day of the import.
            raise Invalid("Say when it was closed; it is not known yet.", path=("closedAt",))
        lead = await work.get(Lead, lead_id, lock=True)
        stage = entered_stage(known.stages, row.stage)
        if known.as_history and details.opened_at is None:
            details = replace(details, opened_at=_beginning(lead, row))
        opened = await storing.store_new(
            work, actor, lead, details, stage, as_history=known.as_history
        )
        return None, await _close(work, actor, opened, row, known)
    before = await work.get(Opportunity, known_id, lock=True)
    if lead_id not in (None, before.lead_id):
        raise LeadDiffers("The opportunity belongs to another lead.", path=("lead",))
    return before, await _change(work, actor, before, details, row, known)


def _beginning(lead: Lead, row: OpportunityRow) -> datetime:
    """Return when a deal of the past began of which nobody says: when its lead was first seen."""
    return min(lead.created_at, row.closed_at or lead.created_at)


async def _change(
    work: Work,
    actor: Actor,
    opportunity: Opportunity,
    details: OpportunityDetails,
    row: OpportunityRow,
    known: _Known,
) -> Opportunity:
    opportunity = await _reopen(work, actor, opportunity, row, known)
    lead = await work.get(Lead, opportunity.lead_id, lock=True)
    opportunity = await storing.store_changes(work, actor, lead, opportunity, details)
    if row.closed_at is not None:
        opportunity = await storing.ended_before(work, opportunity, ended_at=row.closed_at)
    at = row.closed_at or work.now
    if row.stage is not None:
        stage = entered_stage(known.stages, row.stage)
        if stage.id != opportunity.stage_id:
            opportunity = await storing.move(work, actor, opportunity, stage, at=at)
    return await _close(work, actor, opportunity, row, known)


async def _reopen(
    work: Work, actor: Actor, opportunity: Opportunity, row: OpportunityRow, known: _Known
) -> Opportunity:
    """Reopen an opportunity that is open in the row."""
    if opportunity.closed_at is None or row.status is not OpportunityStatus.OPEN:
        return opportunity
    lead = await work.get(Lead, opportunity.lead_id, lock=True)
    return await storing.reopen(
        work,
        actor,
        lead,
        opportunity,
        at=work.now,
        reason=f"{opportunity.external_source} says that it is open.",
        as_history=known.as_history,
    )


async def _close(
    work: Work, actor: Actor, opportunity: Opportunity, row: OpportunityRow, known: _Known
) -> Opportunity:
    """Close an opportunity that is closed in the row, or put right how it was closed."""
    if row.status is None or row.status is OpportunityStatus.OPEN:
        return opportunity
    lead = await work.get(Lead, opportunity.lead_id, lock=True)
    at = row.closed_at or work.now
    if opportunity.closed_at is not None:
        return await storing.put_right(
            work,
            actor,
            lead,
            opportunity,
            status=row.status,
            closed_at=row.closed_at or _closed_then(opportunity, row) or at,
            lost_reason=row.lost_reason,
        )
    if row.status is OpportunityStatus.LOST:
        reason = row.lost_reason or ""
        return await storing.lose(work, actor, opportunity, reason=reason, at=at)
    return await storing.win(work, actor, lead, opportunity, at=at)


def _closed_then(opportunity: Opportunity, row: OpportunityRow) -> datetime | None:
    """Return when it was closed in the way that a row says, which says no instant itself."""
    return opportunity.closed_at if opportunity.status is row.status else None


def _with_owner(row: OpportunityRow, known: _Known) -> OpportunityDetails:
    if not row.owner_email:
        return row.details
    if row.owner_email not in known.owners:
        raise NotFound("user", path=("owner",))
    return replace(row.details, owner_id=known.owners[row.owner_email])


async def _as_left(draft: Draft, outcome: UpsertedOpportunity) -> UpsertedOpportunity:
    if outcome.opportunity is None:
        return outcome
    return replace(outcome, opportunity=await draft.get(Opportunity, outcome.opportunity.id))


# What a row calls what a form calls otherwise.
_PATHS: Mapping[tuple[str | int, ...], tuple[str | int, ...]] = {
    ("at",): ("closedAt",),
    ("reason",): ("lostReason",),
    ("opportunity",): ("status",),
}


def _refused(index: int, refusal: DomainError) -> UpsertedOpportunity:
    refusals = refusal.refusals if isinstance(refusal, Refusals) else (refusal,)
    for each in refusals:
        each.index, each.path = index, ("rows", index, *_PATHS.get(each.path, each.path))
    return UpsertedOpportunity(index=index, outcome=UpsertOutcome.REFUSED, refusals=tuple(refusals))
