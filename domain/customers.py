"""Customers and the revenue that comes from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.values import Money


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
    since: datetime
    status: CustomerStatus
    status_since: datetime
    company_id: UUID | None = None
    version: int = 1


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
