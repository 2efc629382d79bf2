"""Customers: leads that bought, how things stand with them, and what revenue they bring."""

from domain.customers.customer import (
    CUSTOMER_FIELDS,
    REVENUE_FIELDS,
    BeforeTheCustomer,
    Customer,
    CustomerStatus,
    CustomerStep,
    DuplicateRevenue,
    NotACustomer,
    RevenueEvent,
    RevenueKind,
    StandsSoAlready,
    standing,
)
from domain.customers.keeping import back, book, bought, customer_of, set_status
from domain.customers.kinds import is_purchase, kinds_of_deals, settle_kinds, settle_revenue
from domain.customers.revenue import record_revenue
from domain.customers.undoing import Purchase, WonStaysWon, move, take_back

__all__ = [
    "CUSTOMER_FIELDS",
    "REVENUE_FIELDS",
    "BeforeTheCustomer",
    "Customer",
    "CustomerStatus",
    "CustomerStep",
    "DuplicateRevenue",
    "NotACustomer",
    "Purchase",
    "RevenueEvent",
    "RevenueKind",
    "StandsSoAlready",
    "WonStaysWon",
    "back",
    "book",
    "bought",
    "customer_of",
    "is_purchase",
    "kinds_of_deals",
    "move",
    "record_revenue",
    "set_status",
    "settle_kinds",
    "settle_revenue",
    "standing",
    "take_back",
]
