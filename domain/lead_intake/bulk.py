"""Many leads at once: created or updated, row by row, in few statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from domain.drafts import Draft
from domain.errors import DomainError, Invalid, Refusals
from domain.identity import Actor, Permission
from domain.lead_details import LeadDetails, checked
from domain.lead_intake.known import Known, name_owners, read_known
from domain.lead_intake.normalising import with_domains, with_phones
from domain.lead_intake.storing import WRITING_ORDER, store_changes, store_new
from domain.leads import Lead
from domain.lifecycle import StageEntry
from domain.ports import Work
from domain.scoring import read_gradings_ahead
from domain.stages import Stage

MOST_ROWS = 500


class TooManyRows(Invalid):
    """More rows than one request may bring."""

    code = "ROWS_TOO_MANY"


class NoIdentity(Invalid):
    """A row by which no lead could be found again."""

    code = "NO_IDENTITY"


class UpsertOutcome(StrEnum):
    """What became of a row."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsertedRow:
    """What became of one row of a bulk request, and the lead as the request left it."""

    index: int
    outcome: UpsertOutcome
    lead: Lead | None = None
    refusals: tuple[DomainError, ...] = ()


async def upsert_leads(
    work: Work,
    actor: Actor,
    rows: Sequence[LeadDetails | DomainError],
    *,
    judge: bool = True,
) -> tuple[UpsertedRow, ...]:
    """Create or update up to 500 leads, told by external id or e-mail address, in their order.

    A bad row is refused and spoils no other; one that is a refusal already stays one.  All rows
    together take a fixed number of statements.

    Raises:
        TooManyRows: if there are more than 500, and then nothing is done.
    """
    actor.require(Permission.EDIT_LEADS)
    if len(rows) > MOST_ROWS:
        raise TooManyRows(
            f"There are {len(rows)} rows; one request takes at most {MOST_ROWS}.", path=("rows",)
        )
    ready = await name_owners(work, [_ready(row, work.now) for row in rows])
    ready = await with_domains(work, ready)
    known = await read_known(
        work, [row for row in ready if isinstance(row, LeadDetails)], lock=True
    )
    ready = await with_phones(work, ready, known)
    draft = Draft(work, order=WRITING_ORDER)
    await read_gradings_ahead(draft, [*known.leads])
    if judge:
        # What sales has sent back is told by the history.
        rising = [lead.id for lead in known.leads.values() if lead.stage.rank < Stage.MQL.rank]
        await draft.read_ahead(StageEntry, lead_id=rising)
    outcomes = [
        await _upsert(draft, actor, index, row, known, judge=judge)
        for index, row in enumerate(ready)
    ]
    await draft.flush()
    return tuple(
        outcome if outcome.lead is None else replace(outcome, lead=known.leads[outcome.lead.id])
        for outcome in outcomes
    )


def _ready(row: LeadDetails | DomainError, now: datetime) -> LeadDetails | DomainError:
    """Return a row as it is kept, or why it cannot be."""
    if isinstance(row, DomainError):
        return row
    try:
        details = checked(row, now=now)
    except DomainError as refusal:
        return refusal
    if not isinstance(details.email, str) and not details.external_ids:
        return NoIdentity("A row needs an e-mail address or an external id.")
    return details


async def _upsert(
    draft: Draft,
    actor: Actor,
    index: int,
    row: LeadDetails | DomainError,
    known: Known,
    *,
    judge: bool,
) -> UpsertedRow:
    if isinstance(row, DomainError):
        return _refused(index, row)
    lead = known.match(row)
    row = known.settled(row, of=lead)
    try:
        known.refuse_taken(row, by=lead)
        known.refuse_owner(actor, row, of=lead)
    except DomainError as refusal:
        return _refused(index, refusal)
    if lead is None:
        lead = await store_new(draft, actor, row, known, judge=judge)
        return UpsertedRow(index=index, outcome=UpsertOutcome.CREATED, lead=lead)
    lead, changed = await store_changes(draft, actor, lead, row, known, judge=judge)
    outcome = UpsertOutcome.UPDATED if changed else UpsertOutcome.UNCHANGED
    return UpsertedRow(index=index, outcome=outcome, lead=lead)


def _refused(index: int, refusal: DomainError) -> UpsertedRow:
    refusals = refusal.refusals if isinstance(refusal, Refusals) else (refusal,)
    for each in refusals:
        each.index, each.path = index, ("rows", index, *each.path)
    return UpsertedRow(index=index, outcome=UpsertOutcome.REFUSED, refusals=tuple(refusals))
