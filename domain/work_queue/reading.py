"""A representative's queue: whom to call next, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from domain.errors import Invalid, NotFound
from domain.identity import Actor, Permission, Tenant, User
from domain.leads import Lead
from domain.paging import DEFAULT_PAGE, LARGEST_PAGE, BadPage
from domain.ports import Work, by_id
from domain.prediction import chances_of
from domain.sla import keeping
from domain.values import Money, minor_digits
from domain.work_queue.paging import MOST_QUEUED, cursor_after, mark_of, marks_in
from domain.work_queue.ranking import (
    USUAL_CHANCES,
    OpenPromise,
    QueuedLead,
    Standing,
    hurry,
    in_order,
    next_change,
    predicted_chance,
    promised,
    queued,
    standing,
    urgency,
    usual_chance,
)
from domain.work_queue.waiting import AverageDeal, WaitingLead, WaitingLeads

_DEALS_OF = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkQueue:
    """A page of the queue.

    `cursor` leads to the next page: whatever ranks highest then of what was on no page before.  So
    nothing comes twice and nothing is passed over, however the order changes in between.
    `next_at` is when the order may change by itself.
    """

    as_of: datetime
    owner_id: UUID
    total: int
    average_deal: Money | None
    entries: tuple[QueuedLead, ...]
    cursor: str | None
    next_at: datetime | None


class QueueOfNobody(Invalid):
    """A key works no leads: it has to say whose queue it asks for."""

    code = "OWNER_NEEDED"


async def work_queue(
    work: Work,
    actor: Actor,
    *,
    owner_id: UUID | None = None,
    first: int | None = None,
    after: str | None = None,
) -> WorkQueue:
    """Return a page of what somebody is to work: the actor, or whoever is named.

    Who must not be contacted is left out.  Another's queue is for those who may reassign leads.

    Raises:
        BadPage: if the size is outside 1-100 or the cursor is not one of ours.
        QueueOfNobody: if a key names nobody.
    """
    actor.require(Permission.VIEW)
    owner_id = await _owner(work, actor, owner_id)
    size = DEFAULT_PAGE if first is None else first
    if not 1 <= size <= LARGEST_PAGE:
        raise BadPage(f"`first` must be from 1 to {LARGEST_PAGE}, not {size}.", path=("first",))
    seen = marks_in(after)
    currency = (await work.get(Tenant, work.tenant_id)).currency
    leads = await work.ask(WaitingLeads(owner_id=owner_id, currency=currency, limit=MOST_QUEUED))
    promises = await _promises(work, leads)
    average = await _average_deal(work, currency)
    chances = await chances_of(work, leads)
    ranked = in_order(
        standing(
            lead,
            chance=USUAL_CHANCES[lead.grade] if chances is None else chances[lead.id],
            deal=average if lead.deal_minor is None else Money(lead.deal_minor, currency),
            urgency=urgency(promises.get(lead.id)),
        )
        for lead in leads
    )
    shown = frozenset(seen)
    left = [each for each in ranked if mark_of(each.lead.id) not in shown]
    page = left[:size]
    return WorkQueue(
        as_of=work.now,
        owner_id=owner_id,
        total=len(ranked),
        average_deal=average,
        entries=await _entries(work, page, promises, predicted=chances is not None),
        cursor=cursor_after(seen, (each.lead.id for each in page)) if len(left) > size else None,
        next_at=next_change(promises.values()),
    )


async def _owner(work: Work, actor: Actor, owner_id: UUID | None) -> UUID:
    """Return whose queue is asked for."""
    if owner_id is None and actor.user_id is None:
        raise QueueOfNobody("A key has no queue of its own; name an owner.", path=("owner",))
    if owner_id is None or owner_id == actor.user_id:
        return actor.require_user()
    actor.require(Permission.REASSIGN_LEADS)
    try:
        return (await work.get(User, owner_id)).id
    except NotFound:
        raise NotFound("user", path=("owner",)) from None


async def _promises(work: Work, leads: Sequence[WaitingLead]) -> Mapping[UUID, OpenPromise]:
    """Return the promise about each lead that is due first.

    When it is due is stored with every fact, so that nothing here waits for a worker.
    """
    waiting = {lead.id: lead.clock for lead in leads if lead.clock}
    terms = await keeping.terms_of(
        work, tuple({clock.judged_by: clock for clock in waiting.values()}.values())
    )
    return {
        lead_id: promised(
            terms[clock.judged_by].commitment.name,
            started_at=clock.started_at,
            due_at=clock.due_at,
            hours=terms[clock.judged_by].hours,
            now=work.now,
        )
        for lead_id, clock in waiting.items()
    }


async def _average_deal(work: Work, currency: str) -> Money | None:
    minor = await work.ask(AverageDeal(currency=currency, since=work.now - _DEALS_OF))
    return None if minor is None else Money(minor, currency)


async def _entries(
    work: Work,
    page: Sequence[Standing],
    promises: Mapping[UUID, OpenPromise],
    *,
    predicted: bool,
) -> tuple[QueuedLead, ...]:
    """Return the leads of a page as they are shown; only these are read as a whole."""
    ids = tuple(each.lead.id for each in page)
    leads = by_id(await work.find(Lead, id=ids)) if ids else {}
    return tuple(
        queued(
            leads[each.lead.id],
            each,
            promise := promises.get(each.lead.id),
            reasons=(
                predicted_chance(each.chance) if predicted else usual_chance(each.lead.grade),
                _deal_reason(each),
                hurry(promise),
            ),
        )
        for each in page
    )


def _deal_reason(at: Standing) -> str | None:
    if at.deal is None:
        return None
    currency = at.deal.currency
    amount = f"{Decimal(at.deal.minor).scaleb(-minor_digits(currency))} {currency}"
    if at.lead.deal_minor is None:
        return f"A deal is {amount} on average."
    return f"The open opportunity is {amount}."
