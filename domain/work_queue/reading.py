"""A representative's queue: whom to call next, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import floor
from uuid import UUID

from domain.errors import Invalid, NotFound
from domain.exchange import MissingRate, RatesOn, exchanged_by
from domain.identity import Actor, Permission, Tenant, User
from domain.leads import Lead
from domain.opportunities import AmountsWon, WonAmounts
from domain.paging import DEFAULT_PAGE, LARGEST_PAGE, BadPage
from domain.ports import Work, by_id
from domain.prediction import chances_of
from domain.sla import keeping
from domain.sla.calendar import always_open
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
from domain.work_queue.waiting import WaitingLead, WaitingLeads

_DEALS_OF = timedelta(days=365)
# About ten times as long as it takes to rank one.
_REST_A_LEAD = timedelta(microseconds=300)


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
    missing: MissingRate | None
    entries: tuple[QueuedLead, ...]
    cursor: str | None
    next_at: datetime | None

    @property
    def rest(self) -> timedelta:
        """How long it stays as it is for whoever follows it, however much happens meanwhile.

        All leads are ranked for each page, so that is a tenth of the time at most.
        """
        return self.total * _REST_A_LEAD


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDeal:
    """A lead's largest open opportunity in the tenant's currency, and one that lacks a rate."""

    amount: Money | None = None
    unrated: Money | None = None


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
    tenant = await work.get(Tenant, work.tenant_id)
    leads = await work.ask(WaitingLeads(owner_id=owner_id, limit=MOST_QUEUED))
    promises = await _promises(work, leads)
    won = await _won(work, tenant)
    average = None if won.mean is None else Money(floor(won.mean), tenant.currency)
    deals = await _open_deals(work, leads, tenant)
    chances = await chances_of(work, leads)
    ranked = in_order(
        standing(
            lead,
            chance=USUAL_CHANCES[lead.grade] if chances is None else chances[lead.id],
            deal=deals[lead.id].amount or average,
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
        missing=won.missing,
        entries=await _entries(work, page, promises, deals, predicted=chances is not None),
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


async def _won(work: Work, tenant: Tenant) -> WonAmounts:
    return await work.ask(
        AmountsWon(
            currency=tenant.currency,
            own=tenant.currency,
            time_zone=tenant.time_zone,
            since=work.now - _DEALS_OF,
        )
    )


async def _open_deals(
    work: Work, leads: Sequence[WaitingLead], tenant: Tenant
) -> Mapping[UUID, OpenDeal]:
    """Return the largest open opportunity of each lead that has one, at today's rates."""
    own, today = tenant.currency, always_open(tenant.time_zone).local_day(work.now)
    foreign = {deal.currency for lead in leads for deal in lead.deals} - {own}
    days = tuple((currency, today) for currency in sorted(foreign))
    rates = await work.ask(RatesOn(days=days, to=own)) if days else {}
    found = {}
    for lead in leads:
        known = [(deal, exchanged_by(rates, deal, today, to=own)) for deal in lead.deals]
        amounts = [amount for _, amount in known if amount is not None]
        found[lead.id] = OpenDeal(
            amount=max(amounts, key=lambda each: each.minor, default=None),
            unrated=next((deal for deal, amount in known if amount is None), None),
        )
    return found


async def _entries(
    work: Work,
    page: Sequence[Standing],
    promises: Mapping[UUID, OpenPromise],
    deals: Mapping[UUID, OpenDeal],
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
                _deal_reason(deals[each.lead.id], each.deal),
                hurry(promise),
            ),
        )
        for each in page
    )


def _deal_reason(deal: OpenDeal, worth: Money | None) -> str | None:
    """Say which deal a lead is worth; of one that cannot be exchanged, that it cannot."""
    said = []
    if deal.amount is not None:
        said.append(f"The open opportunity is {_told(deal.amount)}.")
    if deal.unrated is not None:
        said.append(f"There is no rate for the open opportunity of {_told(deal.unrated)}.")
    if deal.amount is None and worth is not None:
        said.append(f"A deal is {_told(worth)} on average.")
    return " ".join(said) or None


def _told(amount: Money) -> str:
    return f"{Decimal(amount.minor).scaleb(-minor_digits(amount.currency))} {amount.currency}"
