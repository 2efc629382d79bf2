"""What campaigns, channels, contents and personas are worth, and the rows behind each number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

from domain.attribution.defining import model_for_figures
from domain.attribution.models import AttributionModel, BuiltIn
from domain.errors import Invalid
from domain.exchange import RateMissing
from domain.filters import Filter
from domain.identity import Actor, Permission, Tenant
from domain.paging import Listing, Page, PageRequest
from domain.ports import Question, Work
from domain.sla.calendar import always_open
from domain.values import Money, Period

MOST_ROWS = 500
_LONGEST_DAYS = 3_700
_RATE = Decimal("0.0001")


class Dimension(StrEnum):
    """By what figures are told apart."""

    CAMPAIGN = "CAMPAIGN"
    CHANNEL = "CHANNEL"
    ORIGIN = "ORIGIN"
    CONTENT = "CONTENT"
    PERSONA = "PERSONA"

    @property
    def is_of_leads(self) -> bool:
        """Whether it is the lead that has it, and so the whole deal, and not each touch."""
        return self in {Dimension.ORIGIN, Dimension.PERSONA}


class Basis(StrEnum):
    """Which leads, touches and deals belong to a period."""

    COHORT = "COHORT"
    CLOSE = "CLOSE"


class Measure(StrEnum):
    """A number that has rows behind it."""

    COST = "COST"
    TOUCHES = "TOUCHES"
    LEADS = "LEADS"
    MQLS = "MQLS"
    ACCEPTED = "ACCEPTED"
    SQLS = "SQLS"
    PIPELINE = "PIPELINE"
    WON = "WON"
    INFLUENCED = "INFLUENCED"

    @property
    def is_money(self) -> bool:
        return self in {Measure.COST, Measure.PIPELINE, Measure.WON, Measure.INFLUENCED}


class PerformancePeriodTooLong(Invalid):
    """More days than figures are read for at once."""

    code = "PERIOD_TOO_LONG"

    def __init__(self) -> None:
        super().__init__(f"A period has at most {_LONGEST_DAYS} days.", path=("period",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What figures are read for: the model, the days, and what they are told apart by.

    Days are those of the tenant's time zone.  Money is exchanged into one currency by the rate of
    the day: of the cost, of the close, and of `today` for deals that are open.
    """

    dimension: Dimension
    model: AttributionModel
    basis: Basis
    period: Period
    currency: str
    time_zone: str
    today: date
    filter: Filter | None = None


# What rows are told apart by: an id, a channel or an origin; None is all that has none.
Key: TypeAlias = str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of one campaign, channel, origin, content or persona, or of all together.

    Money is in minor units of `currency`; `won_deals` counts deals by their credited shares.
    Costs are known by campaign only, and cannot be narrowed by a filter: elsewhere they are None.
    """

    scope: Scope
    key: Key
    touches: int
    leads: int
    mqls: int
    accepted: int
    sqls: int
    pipeline_minor: int
    won_minor: int
    won_deals: Decimal
    influenced_minor: int
    all_won_minor: int
    cost_minor: int | None = None

    @property
    def cost(self) -> Money | None:
        return None if self.cost_minor is None else Money(self.cost_minor, self.scope.currency)

    @property
    def pipeline(self) -> Money:
        return Money(self.pipeline_minor, self.scope.currency)

    @property
    def won(self) -> Money:
        return Money(self.won_minor, self.scope.currency)

    @property
    def influenced(self) -> Money:
        return Money(self.influenced_minor, self.scope.currency)

    @property
    def cac(self) -> Money | None:
        """Cost per deal won, to the minor unit; None while there is no cost or none is won."""
        if self.cost_minor is None or not self.won_deals:
            return None
        return Money(round(self.cost_minor / self.won_deals), self.scope.currency)

    @property
    def roi_rate(self) -> Decimal | None:
        """(attributed revenue - cost) / cost; None where nothing was spent."""
        if not self.cost_minor:
            return None
        return (Decimal(self.won_minor - self.cost_minor) / self.cost_minor).quantize(_RATE)

    @property
    def sourced_share(self) -> Decimal | None:
        """What the model credits here, of all that was won; None while nothing is."""
        return self._of_all(self.won_minor)

    @property
    def influenced_share(self) -> Decimal | None:
        """Deals with any human touch from here, of all that was won.  They may overlap."""
        return self._of_all(self.influenced_minor)

    def _of_all(self, minor: int) -> Decimal | None:
        if not self.all_won_minor:
            return None
        return (Decimal(minor) / self.all_won_minor).quantize(_RATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """Figures of a scope: a row for each key, what was won most in front, and their total.

    The total counts every lead, deal and touch once; a lead that met several contents is in the
    row of each.
    """

    scope: Scope
    rows: Sequence[Figures]
    row_count: int
    total: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One row behind a number: a lead, a touch, a cost, or a deal with its credited share.

    `amount_minor` is what it adds to a sum of money, in the scope's currency.
    """

    measure: Measure
    currency: str
    lead_id: UUID | None = None
    touch_id: UUID | None = None
    cost_id: UUID | None = None
    opportunity_id: UUID | None = None
    share: Decimal | None = None
    amount_minor: int | None = None

    @property
    def amount(self) -> Money | None:
        return None if self.amount_minor is None else Money(self.amount_minor, self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows(Question[tuple[Sequence[Figures], Figures, "tuple[str, date] | None"]]):
    """The figures of a scope by key, their total, and the first currency and day without a rate."""

    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceCount(Question[int]):
    """How many rows there are behind a number."""

    listing: EvidenceListing


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePage(Page[Evidence]):
    """Some of the rows behind a number."""

    @property
    def counting(self) -> Question[int]:  # type: ignore[explicit-override]  # needs Python 3.12 or a package
        if not isinstance(self.listing, EvidenceListing):
            raise TypeError("evidence is listed by number")
        return EvidenceCount(listing=self.listing)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceListing(Listing[Evidence]):
    """A page of the rows behind a number."""

    kind: type[Evidence] = field(default=Evidence, init=False)
    scope: Scope
    measure: Measure
    key: Key


async def scope_of(
    work: Work,
    actor: Actor,
    dimension: Dimension,
    *,
    model: UUID | BuiltIn,
    basis: Basis,
    period: Period,
    filter: Filter | None = None,
) -> Scope:
    """Return what figures are read for; money is in the tenant's currency."""
    actor.require(Permission.VIEW)
    if period.days > _LONGEST_DAYS:
        raise PerformancePeriodTooLong
    tenant = await work.get(Tenant, work.tenant_id)
    return Scope(
        dimension=dimension,
        model=await model_for_figures(work, model),
        basis=basis,
        period=period,
        currency=tenant.currency,
        time_zone=tenant.time_zone,
        today=always_open(tenant.time_zone).local_day(work.now),
        filter=filter,
    )


async def performance(work: Work, actor: Actor, scope: Scope, *, most: int) -> Performance:
    """Return the figures of a scope.

    Raises:
        RateMissing: if amounts would have to be exchanged, and there is no rate.
    """
    actor.require(Permission.VIEW)
    rows, total, missing = await work.ask(Rows(scope=scope))
    if missing is not None:
        raise RateMissing(missing[0], scope.currency, missing[1])
    ordered = sorted(rows, key=_order)
    return Performance(scope=scope, rows=ordered[:most], row_count=len(ordered), total=total)


async def evidence(
    work: Work, actor: Actor, scope: Scope, measure: Measure, key: Key, page: PageRequest
) -> Page[Evidence]:
    """Return a page of the rows behind a number; all of them add up to it."""
    actor.require(Permission.VIEW)
    listing = EvidenceListing(scope=scope, measure=measure, key=key, page=page)
    return await work.ask(listing)


def _order(row: Figures) -> Any:
    return (
        -row.won_minor,
        -row.pipeline_minor,
        -row.leads,
        -row.touches,
        -(row.cost_minor or 0),
        row.key is None,
        row.key or "",
    )
