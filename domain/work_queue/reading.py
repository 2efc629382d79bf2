"""A representative's queue: whom to call next, and why."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from domain.identity import Actor, Permission, Tenant
from domain.leads import Lead
from domain.opportunities import Opportunity, OpportunityStatus
from domain.paging import DEFAULT_PAGE, LARGEST_PAGE, BadPage, read_cursor, write_cursor
from domain.ports import Question, Work
from domain.prediction import LeadPrediction, predictions_of
from domain.sla import keeping
from domain.sla.clocks import SlaClock
from domain.values import Money, minor_digits
from domain.work_queue.ranking import (
    OpenPromise,
    QueuedLead,
    Worth,
    changes_at,
    in_order,
    predicted_worth,
    queued,
    seen_by,
    usual_worth,
)

MOST_QUEUED = 200
"""More than anybody works in a week; of more leads, those due first, then the best graded."""
_DEALS_OF = timedelta(days=365)
_MARK = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLeads(Question[Sequence[Lead]]):
    """The leads a user is to work and may contact, those due first, then the best graded."""

    user_id: UUID
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AverageDeal(Question[int | None]):
    """The mean value of the deals won since an instant, in minor units of one currency."""

    currency: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkQueue:
    """A page of the queue.

    `cursor` leads to the next page: whatever ranks highest then of what was on no page before.  So
    nothing comes twice and nothing is passed over, however the order changes in between.
    `next_at` is when the order may change by itself.
    """

    as_of: datetime
    total: int
    average_deal: Money | None
    entries: tuple[QueuedLead, ...]
    cursor: str | None
    next_at: datetime | None


async def work_queue(
    work: Work, actor: Actor, *, first: int | None = None, after: str | None = None
) -> WorkQueue:
    """Return a page of what the actor is to work.  Who must not be contacted is left out.

    Raises:
        BadPage: if the size is outside 1-100 or the cursor is not one of ours.
    """
    actor.require(Permission.VIEW)
    user_id = actor.require_user()
    size = DEFAULT_PAGE if first is None else first
    if not 1 <= size <= LARGEST_PAGE:
        raise BadPage(f"`first` must be from 1 to {LARGEST_PAGE}, not {size}.", path=("first",))
    seen = marks_in(after)
    leads = await work.ask(QueueLeads(user_id=user_id, limit=MOST_QUEUED))
    promises = await _promises(work, leads)
    average = await _average_deal(work)
    worths = await _worths(work, leads, average)
    ranked = in_order(queued(lead, worths[lead.id], promises[lead.id]) for lead in leads)
    left = [entry for entry in ranked if seen_by(entry.lead.id) not in seen]
    page = left[:size]
    changes = (changes_at(each, now=work.now) for some in promises.values() for each in some)
    return WorkQueue(
        as_of=work.now,
        total=len(ranked),
        average_deal=average,
        entries=tuple(page),
        cursor=cursor_after(seen, page) if len(left) > size else None,
        next_at=min((at for at in changes if at is not None), default=None),
    )


def cursor_after(seen: Sequence[bytes], page: Sequence[QueuedLead]) -> str:
    """Return the cursor behind a page: a mark of each lead that was on it or on one before."""
    marks = [*seen, *(seen_by(entry.lead.id) for entry in page)]
    return write_cursor(["queue", base64.b64encode(b"".join(marks)).decode()])


def marks_in(cursor: str | None) -> tuple[bytes, ...]:
    """Return the marks of the leads that were on the pages before.

    Raises:
        BadPage: if it is no cursor of a queue.
    """
    if cursor is None:
        return ()
    wrong = BadPage("`after` is no cursor of this list.", path=("after",))
    values = read_cursor(cursor, "after")
    if len(values) != 2 or values[0] != "queue" or not isinstance(values[1], str):
        raise wrong
    try:
        marks = base64.b64decode(values[1], validate=True)
    except (binascii.Error, ValueError):
        raise wrong from None
    if len(marks) % _MARK:
        raise wrong
    return tuple(marks[n : n + _MARK] for n in range(0, len(marks), _MARK))


async def _promises(work: Work, leads: Sequence[Lead]) -> Mapping[UUID, list[OpenPromise]]:
    """Return the open promises about each lead, read afresh: a dead worker cannot lie."""
    found: dict[UUID, list[OpenPromise]] = {lead.id: [] for lead in leads}
    if not leads:
        return found
    clocks = await work.find(SlaClock, lead_id=tuple(found), ended_at=None)
    terms = await keeping.terms_of(work, clocks)
    for clock in clocks:
        by = terms[clock.judged_by]
        _, reading = keeping.judged(clock, by, work.now)
        promise = OpenPromise(name=by.commitment.name, reading=reading, hours=by.hours)
        found[clock.lead_id].append(promise)
    return found


async def _average_deal(work: Work) -> Money | None:
    currency = (await work.get(Tenant, work.tenant_id)).currency
    minor = await work.ask(AverageDeal(currency=currency, since=work.now - _DEALS_OF))
    return None if minor is None else Money(minor, currency)


async def _worths(work: Work, leads: Sequence[Lead], average: Money | None) -> Mapping[UUID, Worth]:
    """Return what each lead is worth; an opportunity in the currency of the others counts."""
    ids = tuple(lead.id for lead in leads)
    deals: dict[UUID, Money] = {}
    if ids:
        open_ = await work.find(Opportunity, lead_id=ids, status=OpportunityStatus.OPEN)
        currency = (await work.get(Tenant, work.tenant_id)).currency
        for each in open_:
            if each.amount is not None and each.amount.currency == currency:
                deals[each.lead_id] = max(
                    deals.get(each.lead_id, each.amount), each.amount, key=lambda m: m.minor
                )
    predictions = await predictions_of(work, leads)
    return {
        lead.id: _worth(lead, predictions[lead.id], deals.get(lead.id), average) for lead in leads
    }


def _worth(
    lead: Lead, predicted: LeadPrediction | None, deal: Money | None, average: Money | None
) -> Worth:
    chance, why = (
        usual_worth(lead)
        if predicted is None
        else predicted_worth(predicted.prediction.probability)
    )
    known = deal or average
    source = None
    if known is not None:
        amount = f"{Decimal(known.minor).scaleb(-minor_digits(known.currency))} {known.currency}"
        source = f"The open opportunity is {amount}." if deal else f"A deal is {amount} on average."
    return Worth(chance=chance, chance_reason=why, deal=known, deal_reason=source)
