"""Customers, how things stand with them, and the revenue they bring."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from api.context import Info
from api.errors import mutation, query
from api.exchange import MissingRateView
from api.filtering import collection, enum, filter_input, order_input
from api.leads import LeadRef, LeadView
from api.leads.inputs import ExternalIdInput, or_none
from api.leads.views import CompanyView, ExternalIdView
from api.opportunities import OpportunityView
from api.types import MoneyInput, MoneyView
from api.views import listed, related, shown, view
from api.writing import written
from domain import customers, ids
from domain.customers import (
    CUSTOMER_FIELDS,
    REVENUE_FIELDS,
    Customer,
    CustomerStatus,
    CustomerStep,
    RevenueEvent,
    RevenueKind,
)
from domain.customers.figures import (
    CustomerRevenue,
    revenue_of,
)
from domain.errors import NotFound
from domain.identity import Permission, User
from domain.leads import Company, ExternalId, Lead, LeadKey
from domain.opportunities import Opportunity
from domain.paging import Order
from domain.ports import Work
from domain.revenue_flow import delete_revenue

enum(
    CustomerStatus,
    "How things stand with a customer.",
    ACTIVE="It has bought, and stays.",
    ADVOCATE="It recommends us to others.",
    AT_RISK="It may leave.",
    CHURNED="It has left.",
)
enum(
    RevenueKind,
    "Why revenue came or went.",
    NEW="Something was bought for the first time, or again by who had left.",
    EXPANSION="A customer bought more.  So is what the next deal brings.",
    RENEWAL="A customer goes on paying for what it has: it came, and keeps what there is."
    "  What is paid more or less than before is EXPANSION or CHURN.",
    CHURN="A customer pays no longer; the amount is what is lost.",
)


@view(
    CustomerStep,
    description="That things came to stand otherwise with a customer, when, and why.",
)
class CustomerStepView:
    status: CustomerStatus = shown("How things stood from then on.")
    at: datetime = shown("Since when.")
    recorded_at: datetime = shown("When we learnt of it.")
    reason: str | None = shown("Why, in the words of whoever said so.")
    by = related(
        "api.identity.UserView",
        User,
        by="by",
        description="Who said so; null if an integration did.",
    )


@view(RevenueEvent, description="Revenue that came or went.")
class RevenueEventView:
    kind: RevenueKind = shown("Why it came or went.")
    amount: MoneyView = shown("How much; by CHURN what is lost, above zero too.")
    at: datetime = shown("When it came or went.")
    recorded_at: datetime = shown("When we learnt of it.")
    note: str | None = shown("What there is to say about it.")
    external_id: ExternalIdView | None = shown("What another system calls it.")
    version: int = shown("How often it was put right.")
    customer = related(
        "api.customers.CustomerView", Customer, by="customer_id", description="Whose it is."
    )
    opportunity = related(
        OpportunityView,
        Opportunity,
        by="opportunity_id",
        description="The opportunity that brought it.",
    )
    recorded_by = related(
        "api.identity.UserView",
        User,
        by="recorded_by",
        description="Who recorded it; null if an integration did.",
    )


@view(
    CustomerRevenue,
    description="What a customer brought so far, each amount by the rate of its day.",
)
class CustomerRevenueView:
    new: MoneyView = shown("What it bought.")
    expansion: MoneyView = shown("What it bought more.")
    renewal: MoneyView = shown("What it paid on for what it had.")
    churn: MoneyView = shown("What was lost.")
    total: MoneyView = shown("All that came: new, expansion and renewal.")
    current: MoneyView = shown("What there is now: new and expansion less churn.")
    missing: MissingRateView | None = shown(
        "The rate to set first, where amounts are left out for want of one; null if none is."
    )


@view(Customer, description="A lead that bought, and how things stand with it since.")
class CustomerView:
    bought_at: datetime = shown("When it first bought.")
    status: CustomerStatus = shown("How things stand.")
    status_entered_at: datetime = shown("Since when they stand so.")
    version: int = shown("How often it was changed.")
    lead = related("api.leads.LeadView", Lead, by="lead_id", description="The person who bought.")
    company = related(CompanyView, Company, by="company_id", description="The company that bought.")
    steps = listed(
        CustomerStepView,
        CustomerStep,
        by="customer_id",
        description="How things stood over time, the first one first.",
        order=(Order("at"),),
    )
    revenue = listed(
        RevenueEventView,
        RevenueEvent,
        by="customer_id",
        description="The revenue that came from it and went, the latest first.",
        order=(Order("at", descending=True),),
    )

    @strawberry.field(description="What it brought so far, and what there is of it now.")
    async def value(customer: strawberry.Parent[Any], info: Info) -> CustomerRevenueView:
        return await info.context.load_with("Customer.value", revenue_of, customer.id)  # type: ignore[no-any-return]  # CustomerRevenue


@strawberry.input(description="How things stand with a customer.")
class CustomerStatusSetInput:
    customer: CustomerRef = shown("Which one.")
    status: CustomerStatus = shown("How things stand; ADVOCATE makes the lead one too.")
    reason: str | None = shown("Why, in your words.", default=UNSET)
    at: datetime | None = shown("Since when, if earlier than now.", default=UNSET)


@strawberry.input(
    one_of=True, description="Which customer is meant: exactly one of its id and its lead."
)
class CustomerRef:
    id: strawberry.Maybe[strawberry.ID] = shown("Its id.", default=None)
    lead: strawberry.Maybe[LeadRef] = shown("Its lead.", default=None)

    def key(self, path: Sequence[str | int] = ("customer",)) -> tuple[UUID | None, LeadKey | None]:
        """Return what tells the customer to the domain: its id, or its lead."""
        if self.id is not None:
            return ids.expect("Customer", self.id.value, path=(*path, "id")), None
        if self.lead is None:
            raise ValueError("GraphQL lets exactly one key of a @oneOf input through")
        return None, self.lead.value.key((*path, "lead"))


@strawberry.input(description="Revenue that came or went.")
class RevenueRecordInput:
    customer: CustomerRef = shown("Whose it is; NEW revenue makes a lead a customer.")
    kind: RevenueKind = shown("Why it came or went.")
    amount: MoneyInput = shown("How much, above zero; by CHURN what is lost.")
    at: datetime | None = shown("When, if earlier than now.", default=UNSET)
    note: str | None = shown("What there is to say about it.", default=UNSET)
    external_id: ExternalIdInput | None = shown(
        "What another system calls it; the same told again changes nothing.", default=UNSET
    )


@strawberry.input(description="Which revenue was recorded by mistake.")
class RevenueDeleteInput:
    revenue_event: strawberry.ID = shown("Which one; none that an opportunity brought.")


async def customer_id_of(
    work: Work, ref: CustomerRef, *, path: Sequence[str | int] = ("customer",)
) -> UUID:
    """Return the id of the customer that a reference means.

    Whether there is one of an id is for the reader to find out.
    """
    customer_id, lead = ref.key(path)
    if lead is not None:
        return (await customers.customer_of(work, lead, path=(*path, "lead"))).id
    if customer_id is None:
        raise ValueError("a customer is told by its id or by its lead")
    return customer_id


CustomerFilter = filter_input(CUSTOMER_FIELDS)
CustomerOrder = order_input("Customer", {"BOUGHT_AT": "bought_at"}, "How customers are ordered")
RevenueEventFilter = filter_input(REVENUE_FIELDS)
RevenueEventOrder = order_input("RevenueEvent", {"AT": "at"}, "How revenue is ordered")


@strawberry.type
class Queries:
    customers = collection(
        CustomerView,
        Customer,
        description="Customers, the newest first.",
        default=(Order("bought_at", descending=True),),
        fields=CUSTOMER_FIELDS,
        filter=CustomerFilter,
        order=CustomerOrder,
    )("customers")
    revenue_events = collection(
        RevenueEventView,
        RevenueEvent,
        description="Revenue that came and went, the latest first.",
        default=(Order("at", descending=True),),
        fields=REVENUE_FIELDS,
        filter=RevenueEventFilter,
        order=RevenueEventOrder,
    )("revenue_events")

    @query("One customer, or null if there is none.", shows=CustomerView | None)
    async def customer(
        self,
        info: Info,
        ref: Annotated[CustomerRef, strawberry.argument(description="Which customer.")],
    ) -> Any:
        try:
            async with info.context.work() as work:
                customer_id = await customer_id_of(work, ref, path=("ref",))
        except NotFound:
            return None
        return await info.context.load(Customer, customer_id)


@strawberry.type
class Mutations:
    @mutation(
        CustomerView, "Say how things stand with a customer.", needs=Permission.EDIT_CUSTOMERS
    )
    async def customer_status_set(self, info: Info, input: CustomerStatusSetInput) -> Customer:
        async with info.context.writing() as work:
            return await customers.set_status(
                work,
                info.context.actor,
                await customer_id_of(work, input.customer),
                input.status,
                reason=or_none(input.reason),
                at=or_none(input.at),
            )

    @mutation(
        RevenueEventView,
        "Record revenue that came or went.",
        needs=Permission.EDIT_CUSTOMERS,
    )
    async def revenue_record(self, info: Info, input: RevenueRecordInput) -> RevenueEvent:
        customer_id, lead = input.customer.key()
        name, amount = or_none(input.external_id), input.amount.money(("amount",))

        async def change(work: Work) -> RevenueEvent:
            return await customers.record_revenue(
                work,
                info.context.actor,
                customer_id=customer_id,
                lead=lead,
                kind=input.kind,
                amount=amount,
                at=or_none(input.at),
                note=or_none(input.note),
                name=ExternalId(name.source, name.value) if name else None,
            )

        return await written(info, change)

    @mutation(
        LeadView,
        "Take back revenue that was recorded by mistake, as if it had never been, and see whose it"
        " was.",
        needs=Permission.EDIT_CUSTOMERS,
    )
    async def revenue_delete(self, info: Info, input: RevenueDeleteInput) -> Lead:
        revenue_id = ids.expect("RevenueEvent", input.revenue_event, path=("revenueEvent",))
        async with info.context.writing() as work:
            return await delete_revenue(work, info.context.actor, revenue_id)
