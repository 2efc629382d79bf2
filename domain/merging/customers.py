"""Customers who are one: whoever leaves as one and stays as another has not left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.customers import (
    Customer,
    CustomerStatus,
    CustomerStep,
    RevenueEvent,
    back,
    is_purchase,
)
from domain.identity import Actor
from domain.merging.record import LeadMerge, MergeRecord, plain, three_way
from domain.merging.rows import Moving
from domain.merging.survivor import CUSTOMER_TOGETHER, remaining
from domain.ports import Work, first


async def take_leavings(work: Work, moving: Moving, customers: Sequence[Customer]) -> None:
    """Take away the steps of leaving that are none now, before all steps are one customer's."""
    ids = tuple(customer.id for customer in customers)
    steps = await work.find(CustomerStep, customer_id=ids) if len(ids) > 1 else ()
    await moving.take(work, CustomerStep, "id", *no_leavings(customers, steps))


def no_leavings(customers: Iterable[Customer], steps: Sequence[CustomerStep]) -> list[UUID]:
    """Return the steps by which one customer left while another, who is the same, stayed."""
    known = list(customers)
    return [
        step.id
        for step in steps
        if step.status is CustomerStatus.CHURNED
        and any(_stays(other, steps, step.at) for other in known if other.id != step.customer_id)
    ]


async def keep_customer(
    work: Work, lead_id: UUID, customers: Sequence[Customer]
) -> tuple[tuple[Customer, Customer], ...]:
    """Let the customer that goes on know what the others were; return it before and after."""
    kept = await first(work, Customer, lead_id=lead_id)
    if kept is None or len(customers) == 1:
        return ()
    after = kept
    for other in customers:
        after = remaining(after, other)
    return ((kept, await work.save(after)),)


async def part_customers(work: Work, actor: Actor, merge: LeadMerge, record: MergeRecord) -> None:
    """Let things stand with each as before, unless somebody has said otherwise since.

    Who has left by that, and bought since, is back.
    """
    for before, after in record.customers:
        now = await work.get(Customer, before.id)
        restored = three_way(plain(before), plain(after), plain(now), together=CUSTOMER_TOGETHER)
        if not restored:
            continue
        customer = await work.save(replace(now, **restored))
        revenue = await work.find(RevenueEvent, customer_id=customer.id)
        bought = [each.at for each in revenue if each.id > merge.id and is_purchase(each)]
        since = [at for at in bought if at >= customer.status_entered_at]
        if since:
            await back(work, actor, customer, at=min(since))


def _stays(customer: Customer, steps: Iterable[CustomerStep], at: datetime) -> bool:
    """Say whether somebody was a customer before an instant, and had not left by then."""
    told = [step for step in steps if step.customer_id == customer.id and step.at <= at]
    last = max(told, key=lambda step: (step.at, step.recorded_at, step.id), default=None)
    has_left = last is not None and last.status is CustomerStatus.CHURNED
    return customer.bought_at < at and not has_left
