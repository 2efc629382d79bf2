"""A purchase that was none: a deal closed as won by mistake, or on another day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from domain.customers.customer import (
    Customer,
    CustomerStatus,
    CustomerStep,
    RevenueEvent,
    RevenueKind,
)
from domain.customers.keeping import back, known_since
from domain.customers.kinds import is_purchase, settle_kinds, tell
from domain.errors import DomainError
from domain.events import CustomerChanged
from domain.identity import Actor
from domain.leads import Lead
from domain.lifecycle import move_stage, undo_stage
from domain.ports import Work, first
from domain.stages import Stage


class WonStaysWon(DomainError):
    """Revenue was recorded since that rests on what was won."""

    code = "WON_STAYS_WON"

    def __init__(self) -> None:
        super().__init__(
            "More revenue of this customer was recorded since, which rests on what was won; "
            "record churn if that is lost again.",
            path=("opportunity",),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What was bought when: a deal that was won, or NEW revenue of none.

    `others` is when the lead's other deals were won.
    """

    at: datetime
    others: tuple[datetime, ...]
    opportunity_id: UUID | None = None
    revenue_id: UUID | None = None

    def brought(self, revenue: RevenueEvent) -> bool:
        """Say whether revenue came by this."""
        if self.opportunity_id is None:
            return revenue.id == self.revenue_id
        return revenue.opportunity_id == self.opportunity_id


async def take_back(
    work: Work, actor: Actor, lead: Lead, purchase: Purchase, *, at: datetime
) -> None:
    """Let a locked lead not have bought something: its revenue goes, and what it became by it.

    Who bought nothing else is no customer, and the lead is where it was.  Who had left and came
    back by this has left.

    Raises:
        WonStaysWon: if it lost, renewed or bought more of what it bought.
    """
    customer = await first(work, Customer, lock=True, lead_id=lead.id)
    if customer is None:
        return
    theirs, others = await _revenue(work, customer, purchase)
    left = _first_bought(purchase, others)
    if any(_rests_on(each, purchase, left) for each in others):
        raise WonStaysWon
    for revenue in theirs:
        await work.delete(RevenueEvent, id=revenue.id)
        tell(work, actor, revenue)
    if left is None:
        await _forget(work, actor, customer, at=at)
        await undo_stage(work, actor, lead, Stage.CUSTOMER)
        return
    customer = await known_since(work, customer, was=purchase.at, since=left)
    customer = await _back_since(
        work, actor, customer, was=purchase.at, came=_came(purchase, others)
    )
    await settle_kinds(work, actor, customer)
    await move_stage(work, lead, Stage.CUSTOMER, was=purchase.at, since=left)


async def move(work: Work, actor: Actor, lead: Lead, purchase: Purchase, *, to: datetime) -> None:
    """Let a locked lead have bought something at another instant.

    Raises:
        WonStaysWon: if it lost, renewed or bought more before that.
    """
    customer = await first(work, Customer, lock=True, lead_id=lead.id)
    if customer is None:
        return
    theirs, others = await _revenue(work, customer, purchase)
    since = min(to, _first_bought(purchase, others) or to)
    if any(not is_purchase(each) and each.at < since for each in others):
        raise WonStaysWon
    for revenue in theirs:
        tell(work, actor, await work.save(replace(revenue, at=to)))
    customer = await known_since(work, customer, was=purchase.at, since=since)
    came = [*_came(purchase, others), to]
    customer = await _back_since(work, actor, customer, was=purchase.at, came=came)
    customer = await back(work, actor, customer, at=to)
    await settle_kinds(work, actor, customer)
    await move_stage(work, lead, Stage.CUSTOMER, was=purchase.at, since=since)


async def _revenue(
    work: Work, customer: Customer, purchase: Purchase
) -> tuple[list[RevenueEvent], list[RevenueEvent]]:
    """Return what a purchase brought, and what else came from the customer."""
    known = await work.find(RevenueEvent, lock=True, customer_id=customer.id)
    theirs = [each for each in known if purchase.brought(each)]
    return theirs, [each for each in known if not purchase.brought(each)]


def _first_bought(purchase: Purchase, others: Sequence[RevenueEvent]) -> datetime | None:
    """Return when something else was bought first."""
    bought = [each.at for each in others if is_purchase(each)]
    return min([*purchase.others, *bought], default=None)


def _rests_on(revenue: RevenueEvent, purchase: Purchase, left: datetime | None) -> bool:
    """Say whether revenue could not be without a purchase: of the first, or lost after it."""
    if is_purchase(revenue):
        return False
    is_lost_since = revenue.kind is RevenueKind.CHURN and revenue.at >= purchase.at
    return left is None or revenue.at < left or is_lost_since


async def _forget(work: Work, actor: Actor, customer: Customer, *, at: datetime) -> None:
    await work.delete(CustomerStep, customer_id=customer.id)
    await work.delete(Customer, id=customer.id)
    work.record(
        CustomerChanged(at=at, by=actor.user_id, customer_id=customer.id, lead_id=customer.lead_id)
    )


def _came(purchase: Purchase, others: Sequence[RevenueEvent]) -> list[datetime]:
    """Return when else something came from a customer: whoever had left was back by that."""
    return [
        *purchase.others,
        *(each.at for each in others if each.kind is not RevenueKind.CHURN),
    ]


async def _back_since(
    work: Work, actor: Actor, customer: Customer, *, was: datetime, came: Sequence[datetime]
) -> Customer:
    """Put right since when somebody is back who had left, if it was by a purchase of an instant.

    `came` is when something came, as it is now.  Where nothing did they have left ever since.
    """
    steps = sorted(
        await work.find(CustomerStep, customer_id=customer.id),
        key=lambda step: (step.at, step.recorded_at, step.id),
    )
    pairs = enumerate(pairwise(steps))
    places = [place for place, (left, step) in pairs if _is_back(left, step, was)]
    if not places:
        return customer
    left, step, *later = steps[places[0] :]
    until = later[0].at if later else None
    since = min(
        (at for at in came if left.at <= at and (until is None or at <= until)), default=None
    )
    if since == was:
        return customer
    await work.delete(CustomerStep, id=step.id)
    if since is not None:
        await work.add(replace(step, at=since))
    if later:
        return customer
    status = CustomerStatus.CHURNED if since is None else step.status
    told = replace(customer, status=status, status_entered_at=since or left.at)
    work.record(
        CustomerChanged(
            at=work.now, by=actor.user_id, customer_id=customer.id, lead_id=customer.lead_id
        )
    )
    return await work.save(told)


def _is_back(before: CustomerStep, step: CustomerStep, at: datetime) -> bool:
    """Say whether one who had left was back by what happened at an instant."""
    statuses = (before.status, step.status)
    return statuses == (CustomerStatus.CHURNED, CustomerStatus.ACTIVE) and step.at == at
