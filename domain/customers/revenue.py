"""Revenue is recorded as it comes and goes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.customers.customer import (
    BeforeTheCustomer,
    Customer,
    CustomerStatus,
    DuplicateRevenue,
    NotACustomer,
    RevenueEvent,
    RevenueKind,
    standing,
)
from domain.customers.keeping import back, bought, locked, stand
from domain.customers.kinds import settle_kinds, tell
from domain.errors import Invalid
from domain.exchange import converted
from domain.identity import CURRENCIES, Actor, Permission, Tenant, UnknownCurrency
from domain.ids import new_id
from domain.lead_details import external_id, past
from domain.lead_intake import resolve_lead
from domain.leads import ExternalId, Lead, LeadKey
from domain.lifecycle import NeedsAcceptance
from domain.ports import Work, first
from domain.sla.calendar import always_open
from domain.stages import Stage
from domain.values import Money, limited_text

LONGEST_NOTE = 2000


async def record_revenue(
    work: Work,
    actor: Actor,
    *,
    customer_id: UUID | None = None,
    lead: LeadKey | None = None,
    kind: RevenueKind,
    amount: Money,
    at: datetime | None = None,
    note: str | None = None,
    name: ExternalId | None = None,
    as_history: bool = False,
) -> RevenueEvent:
    """Keep that revenue came or went, of a customer or of the lead that is one.

    NEW revenue makes a lead a customer.  CHURN that takes all there is sets the customer's status.
    The same told again under the same external name changes nothing.  With `as_history`, which is
    how files are imported, nobody asks whether sales accepted the lead.

    Raises:
        NotACustomer: for anything but NEW from a lead that has bought nothing.
        NeedsAcceptance: for NEW from a lead that sales has not accepted.
        BeforeTheCustomer: for anything but NEW that is older than the customer.
        DuplicateRevenue: if the external name is taken by something else.
        RateMissing: if churn has to be held against amounts of several currencies without a rate.
    """
    actor.require(Permission.EDIT_CUSTOMERS)
    if as_history:
        actor.require(Permission.IMPORT_LEADS)
    _check(amount)
    at = work.now if at is None else past(at, work.now, path=("at",))
    name = None if name is None else external_id(name, path=("externalId",))
    buyer, customer = await _who(work, customer_id, lead)
    known = await _known(work, name)
    if known is not None and name is not None:
        if customer is None or not _says(known, customer, kind, amount):
            raise DuplicateRevenue(name)
        return known
    customer = await _customer(work, actor, buyer, customer, kind, at, as_history=as_history)
    revenue = await work.add(
        RevenueEvent(
            id=new_id(),
            customer_id=customer.id,
            kind=kind,
            amount_minor=amount.minor,
            currency=amount.currency,
            at=at,
            recorded_at=work.now,
            recorded_by=actor.user_id,
            external_source=name.source if name else None,
            external_value=name.value if name else None,
            note=_note(note),
        )
    )
    if kind is RevenueKind.CHURN and await _has_left(work, customer):
        left = max(at, customer.status_entered_at)
        await stand(work, actor, customer, CustomerStatus.CHURNED, at=left, reason=revenue.note)
    tell(work, actor, revenue)
    await settle_kinds(work, actor, customer)
    return revenue


async def _who(
    work: Work, customer_id: UUID | None, lead: LeadKey | None
) -> tuple[Lead, Customer | None]:
    if customer_id is not None:
        return await locked(work, customer_id)
    if lead is None:
        raise ValueError("revenue of nobody")
    buyer = await resolve_lead(work, lead, path=("customer", "lead"), lock=True)
    return buyer, await first(work, Customer, lock=True, lead_id=buyer.id)


async def _known(work: Work, name: ExternalId | None) -> RevenueEvent | None:
    if name is None:
        return None
    return await first(work, RevenueEvent, external_source=name.source, external_value=name.value)


def _says(known: RevenueEvent, customer: Customer, kind: RevenueKind, amount: Money) -> bool:
    told = (customer.id, kind, amount)
    return (known.customer_id, known.kind, known.amount) == told


async def _customer(
    work: Work,
    actor: Actor,
    lead: Lead,
    customer: Customer | None,
    kind: RevenueKind,
    at: datetime,
    *,
    as_history: bool,
) -> Customer:
    """Return whose revenue it is, made a customer by NEW revenue."""
    if kind is RevenueKind.NEW:
        if customer is None and not as_history and lead.stage.rank < Stage.SAL.rank:
            raise NeedsAcceptance(Stage.CUSTOMER, path=("customer",))
        return await bought(work, actor, lead, at=at)
    if customer is None:
        raise NotACustomer
    if at < customer.bought_at:
        raise BeforeTheCustomer(customer.bought_at)
    return customer if kind is RevenueKind.CHURN else await back(work, actor, customer, at=at)


async def _has_left(work: Work, customer: Customer) -> bool:
    """Say whether nothing is left of a customer's revenue, each amount by the rate of its day."""
    if customer.status is CustomerStatus.CHURNED:
        return False
    known = await work.find(RevenueEvent, customer_id=customer.id)
    amounts = [revenue.amount for revenue in known]
    if len({amount.currency for amount in amounts}) > 1:
        tenant = await work.get(Tenant, work.tenant_id)
        calendar = always_open(tenant.time_zone)
        dated = [(revenue.amount, calendar.local_day(revenue.at)) for revenue in known]
        amounts = await converted(work, dated)
    kinds = (revenue.kind for revenue in known)
    return standing(zip(kinds, (amount.minor for amount in amounts), strict=True)) <= 0


def _check(amount: Money) -> None:
    if amount.currency not in CURRENCIES:
        raise UnknownCurrency(amount.currency, path=("amount", "currency"))
    if amount.minor <= 0:
        raise Invalid("An amount of revenue is above zero.", path=("amount",))


def _note(note: str | None) -> str | None:
    if note is None:
        return None
    return limited_text(note.strip(), name="The note", path=("note",), longest=LONGEST_NOTE) or None
