"""What customers bring: new, expansion, renewal and churn apart, and what comes to stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from domain.customers.customer import RevenueKind, standing
from domain.exchange import MissingRate, RateMissing
from domain.identity import Actor, Permission, Tenant
from domain.ports import Question, Work
from domain.sla.calendar import always_open
from domain.values import Money, Period

_BASIS_POINT = Decimal("0.0001")


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueSums:
    """Sums of revenue by kind in minor units of one currency; `missing` lacks a rate, if any."""

    new: int = 0
    expansion: int = 0
    renewal: int = 0
    churn: int = 0
    missing: MissingRate | None = None

    @property
    def total(self) -> int:
        """All that came; what was lost had come before."""
        return self.new + self.expansion + self.renewal

    @property
    def current(self) -> int:
        """What there is now: what is renewed was counted when it came."""
        return standing(
            (
                (RevenueKind.NEW, self.new),
                (RevenueKind.EXPANSION, self.expansion),
                (RevenueKind.RENEWAL, self.renewal),
                (RevenueKind.CHURN, self.churn),
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueOf(Question[Mapping[UUID, RevenueSums]]):
    """What each customer brought so far, by the rates of the days; who brought nothing is absent.

    What has no rate is in no sum, and `missing` names the earliest.
    """

    customer_ids: tuple[UUID, ...]
    currency: str
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodRevenue:
    """The revenue before a period and in it, and what became of what there was of each customer.

    `had` is what those brought who had not left before; `kept` is what they still bring of it at
    the end, `kept_and_more` what they bring with what they bought more.  Of no customer more is
    lost than it brought, so each counts for at least 0.
    """

    before: RevenueSums
    within: RevenueSums
    had: int
    kept: int
    kept_and_more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueIn(Question[PeriodRevenue]):
    """What came and went before and between two instants."""

    starts_at: datetime
    ends_at: datetime
    currency: str
    time_zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRevenue:
    """What a customer brought so far, in the tenant's currency.

    `total` is all that came, `current` what there is now: new and expansion less churn.  What has
    no rate is left out, and `missing` names the earliest.
    """

    new: Money
    expansion: Money
    renewal: Money
    churn: Money
    total: Money
    current: Money
    missing: MissingRate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueFigures:
    """How revenue came to stand in a period, in the tenant's currency.

    closing = opening + new + expansion - churn; a renewal keeps what there is.  Gross retention is
    what those who brought the opening still bring of it, net retention what they bring with what
    they bought more; neither is known where there was nothing.  Who had left before, and came back,
    brought nothing of the opening.
    """

    as_of: datetime
    starts_on: date
    ends_on: date
    opening: Money
    new: Money
    expansion: Money
    renewal: Money
    churn: Money
    total: Money
    closing: Money
    gross_retention_rate: Decimal | None
    net_retention_rate: Decimal | None


async def revenue_figures(work: Work, actor: Actor, *, period: Period) -> RevenueFigures:
    """Return how revenue came to stand in a period; each amount by the rate of its day.

    Raises:
        RateMissing: if there is no rate for an amount.
    """
    actor.require(Permission.VIEW)
    tenant = await work.get(Tenant, work.tenant_id)
    calendar = always_open(tenant.time_zone)
    found = await work.ask(
        RevenueIn(
            starts_at=calendar.day_starts_at(period.first),
            ends_at=calendar.day_starts_at(period.end),
            currency=tenant.currency,
            time_zone=tenant.time_zone,
        )
    )
    missing = [sums.missing for sums in (found.before, found.within) if sums.missing is not None]
    if missing:
        raise RateMissing(min(missing, key=lambda each: (each.on, each.currency)))
    return figures_of(found, tenant.currency, period, as_of=work.now)


def figures_of(
    found: PeriodRevenue, currency: str, period: Period, *, as_of: datetime
) -> RevenueFigures:
    """Return the figures of a period."""

    def money(minor: int) -> Money:
        return Money(minor, currency)

    before, within = found.before, found.within
    return RevenueFigures(
        as_of=as_of,
        starts_on=period.first,
        ends_on=period.end,
        opening=money(before.current),
        new=money(within.new),
        expansion=money(within.expansion),
        renewal=money(within.renewal),
        churn=money(within.churn),
        total=money(within.total),
        closing=money(before.current + within.current),
        gross_retention_rate=_share(found.kept, found.had),
        net_retention_rate=_share(found.kept_and_more, found.had),
    )


async def revenue_of(work: Work, customer_ids: Sequence[UUID]) -> list[CustomerRevenue]:
    """Return what customers brought so far, in order; to somebody who may see them."""
    tenant = await work.get(Tenant, work.tenant_id)
    found = await work.ask(
        RevenueOf(
            customer_ids=tuple(customer_ids),
            currency=tenant.currency,
            time_zone=tenant.time_zone,
        )
    )
    return [_of_customer(found.get(id, RevenueSums()), tenant.currency) for id in customer_ids]


def _of_customer(sums: RevenueSums, currency: str) -> CustomerRevenue:
    return CustomerRevenue(
        new=Money(sums.new, currency),
        expansion=Money(sums.expansion, currency),
        renewal=Money(sums.renewal, currency),
        churn=Money(sums.churn, currency),
        total=Money(sums.total, currency),
        current=Money(sums.current, currency),
        missing=sums.missing,
    )


def _share(part: int, whole: int) -> Decimal | None:
    if whole <= 0:
        return None
    return (Decimal(part) / whole).quantize(_BASIS_POINT, ROUND_HALF_UP)
