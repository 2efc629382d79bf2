"""Customers and the revenue that comes from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.errors import DomainError, Invalid
from domain.filters import FieldType, FilterField, FilterFields
from domain.leads import ExternalId
from domain.values import Money, told_instant


class CustomerStatus(StrEnum):
    """How things stand with a customer."""

    ACTIVE = "ACTIVE"
    ADVOCATE = "ADVOCATE"
    AT_RISK = "AT_RISK"
    CHURNED = "CHURNED"


class RevenueKind(StrEnum):
    """Why revenue came or went."""

    NEW = "NEW"
    EXPANSION = "EXPANSION"
    RENEWAL = "RENEWAL"
    CHURN = "CHURN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A lead that bought, and how things stand with it since."""

    id: UUID
    lead_id: UUID
    bought_at: datetime
    status: CustomerStatus
    status_entered_at: datetime
    company_id: UUID | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerStep:
    """That things came to stand otherwise with a customer, when, and why."""

    id: UUID
    customer_id: UUID
    status: CustomerStatus
    at: datetime
    recorded_at: datetime
    by: UUID | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueEvent:
    """Revenue that came (or, by CHURN, went: its amount is then what is lost, above 0)."""

    id: UUID
    customer_id: UUID
    kind: RevenueKind
    amount_minor: int
    currency: str
    at: datetime
    recorded_at: datetime
    opportunity_id: UUID | None = None
    recorded_by: UUID | None = None
    external_source: str | None = None
    external_value: str | None = None
    note: str | None = None
    version: int = 1

    @property
    def amount(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def external_id(self) -> ExternalId | None:
        if self.external_source is None or self.external_value is None:
            return None
        return ExternalId(self.external_source, self.external_value)


def _field(
    name: str, attribute: str, type: FieldType, description: str, kind: str | None = None
) -> FilterField:
    return FilterField(
        name=name, attribute=attribute, type=type, description=description, kind=kind
    )


CUSTOMER_FIELDS = FilterFields(
    "customer",
    (
        FilterField(
            name="status",
            attribute="status",
            type=FieldType.CHOICE,
            choices=CustomerStatus,
            description="How things stand.",
        ),
        _field("leadId", "lead_id", FieldType.ID, "The person who bought.", "Lead"),
        _field("companyId", "company_id", FieldType.ID, "The company that bought.", "Company"),
        _field("boughtAt", "bought_at", FieldType.INSTANT, "When it first bought."),
        _field(
            "statusEnteredAt", "status_entered_at", FieldType.INSTANT, "Since when it stands so."
        ),
    ),
)

REVENUE_FIELDS = FilterFields(
    "revenueEvent",
    (
        FilterField(
            name="kind",
            attribute="kind",
            type=FieldType.CHOICE,
            choices=RevenueKind,
            description="Why it came or went.",
        ),
        _field("customerId", "customer_id", FieldType.ID, "Whose it is.", "Customer"),
        _field("opportunityId", "opportunity_id", FieldType.ID, "The deal won.", "Opportunity"),
        _field("currency", "currency", FieldType.TEXT, "The currency of its amount."),
        _field(
            "amountMinor",
            "amount_minor",
            FieldType.NUMBER,
            "Its amount in minor units of its own currency, such as cents.",
        ),
        _field("at", "at", FieldType.INSTANT, "When it came or went."),
        _field("recordedAt", "recorded_at", FieldType.INSTANT, "When we learnt of it."),
        _field("externalSource", "external_source", FieldType.TEXT, "Which system named it."),
        _field("externalValue", "external_value", FieldType.TEXT, "What that system calls it."),
    ),
)


class NotACustomer(DomainError):
    """Only who has bought can buy more, renew or leave."""

    code = "NOT_A_CUSTOMER"

    def __init__(self) -> None:
        super().__init__(
            "This lead has bought nothing yet; its first revenue is NEW.", path=("customer",)
        )


class BeforeTheCustomer(Invalid):
    """Something that would lie before the customer was one, or before how it stands."""

    code = "BEFORE_THE_CUSTOMER"

    def __init__(self, since: datetime) -> None:
        super().__init__(
            f"This lies before {told_instant(since)}, from when it is known.", path=("at",)
        )


class StandsSoAlready(DomainError):
    """Things stand like this already."""

    code = "STANDS_SO_ALREADY"

    def __init__(self, customer: Customer) -> None:
        super().__init__(f"The customer is {customer.status} already.", path=("status",))


class DuplicateRevenue(DomainError):
    """Other revenue has this external name."""

    code = "DUPLICATE_REVENUE"

    def __init__(self, name: ExternalId) -> None:
        super().__init__(
            f"{name.source} called something else {name.value!r} before.", path=("externalId",)
        )


def standing(amounts: Iterable[tuple[RevenueKind, int]]) -> int:
    """Return what a customer's revenue comes to, in minor units of one currency.

    What is new or more adds up, what was lost is taken away; a renewal changes nothing, because
    what is renewed was counted when it came.
    """
    signs = {RevenueKind.RENEWAL: 0, RevenueKind.CHURN: -1}
    return sum(signs.get(kind, 1) * minor for kind, minor in amounts)
