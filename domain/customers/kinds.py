"""What won deals bring: NEW revenue where they make a customer, EXPANSION where there is one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID

from domain.customers.customer import (
    Customer,
    CustomerStatus,
    CustomerStep,
    RevenueEvent,
    RevenueKind,
)
from domain.events import RevenueRecorded
from domain.identity import Actor
from domain.ports import Work

# Of what happened in the same instant, who had left bought, and then stayed.
_LEFT, _BOUGHT, _STAYED = range(3)


def is_purchase(revenue: RevenueEvent) -> bool:
    """Say whether something was bought by revenue that nothing has to come before."""
    return revenue.opportunity_id is not None or revenue.kind is RevenueKind.NEW


def kinds_of_deals(
    customer: Customer, revenue: Iterable[RevenueEvent], steps: Iterable[CustomerStep]
) -> Mapping[UUID, RevenueKind]:
    """Return of which kind what each deal brought is, by the id of the revenue.

    It is NEW if the deal made its lead a customer, or made one again who had left; of a customer it
    is EXPANSION.  What is not a deal's is what somebody said it is.
    """
    known = list(revenue)
    story = [
        # Somebody may be a customer by a deal that brought nothing one knows of.
        (customer.bought_at, _STAYED, customer.id),
        *((each.at, _BOUGHT, each.id) for each in known if is_purchase(each)),
        *(
            (step.at, _LEFT if step.status is CustomerStatus.CHURNED else _STAYED, step.id)
            for step in steps
            if step.at >= customer.bought_at
        ),
    ]
    found, buys_more = {}, False
    for _, what, id in sorted(story):
        if what == _BOUGHT:
            found[id] = RevenueKind.EXPANSION if buys_more else RevenueKind.NEW
        buys_more = what != _LEFT
    return {each.id: found[each.id] for each in known if each.opportunity_id is not None}


async def settle_kinds(work: Work, actor: Actor, customer: Customer) -> None:
    """Put right of which kind deals' revenue is, after something changed that it follows from."""
    known = await work.find(RevenueEvent, lock=True, customer_id=customer.id)
    steps = await work.find(CustomerStep, customer_id=customer.id)
    kinds = kinds_of_deals(customer, known, steps)
    for revenue in sorted(known, key=lambda each: each.id):
        kind = kinds.get(revenue.id, revenue.kind)
        if revenue.kind is not kind:
            tell(work, actor, await work.save(replace(revenue, kind=kind)))


async def settle_revenue(work: Work, actor: Actor, lead_ids: Iterable[UUID]) -> None:
    """Put right of which kind deals' revenue is, of leads who became one, or several."""
    for customer in await work.find(Customer, lead_id=tuple(lead_ids)):
        await settle_kinds(work, actor, customer)


def tell(work: Work, actor: Actor, revenue: RevenueEvent) -> None:
    """Have it told that revenue was recorded, put right, or taken back."""
    work.record(
        RevenueRecorded(
            at=revenue.at,
            by=actor.user_id,
            revenue_event_id=revenue.id,
            customer_id=revenue.customer_id,
        )
    )
