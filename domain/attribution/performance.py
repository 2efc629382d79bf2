"""What campaigns, channels, contents and personas are worth, and the rows behind each number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Any, TypeAlias
from uuid import UUID

from domain.attribution.defining import model_for_figures
from domain.attribution.models import AttributionModel, BuiltInModel
from domain.errors import Invalid
from domain.exchange import MissingRate, RateMissing
from domain.filters import Filter
from domain.identity import Actor, Permission, Tenant
from domain.paging import PageRequest
from domain.ports import Question, Work
from domain.sla.calendar import always_open
from domain.touches import Channel
from domain.values import Money, Period

MOST_ROWS = 500
_LONGEST_DAYS = 3_700
_RATE = Decimal("0.0001")


class PerformanceDimension(StrEnum):
    """By what figures are told apart."""

    CAMPAIGN = "CAMPAIGN"
    CHANNEL = "CHANNEL"
    ORIGIN = "ORIGIN"
    CONTENT = "CONTENT"
    PERSONA = "PERSONA"

    @property
    def is_of_leads(self) -> bool:
        """Whether it is the lead that has it, and so the whole deal, and not each touch."""
        return self in {PerformanceDimension.ORIGIN, PerformanceDimension.PERSONA}


class PerformanceBasis(StrEnum):
    """Which leads, touches and deals belong to a period."""

    COHORT = "COHORT"
    CLOSE = "CLOSE"


class PerformanceMeasure(StrEnum):
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
        return self in {
            PerformanceMeasure.COST,
            PerformanceMeasure.PIPELINE,
            PerformanceMeasure.WON,
            PerformanceMeasure.INFLUENCED,
        }


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

    dimension: PerformanceDimension
    model: AttributionModel
    basis: PerformanceBasis
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
    Costs are a campaign's; told apart by something else they are spread over its human touches of
    the period.  They cannot be narrowed by a filter, and are then None.
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
    def campaign_id(self) -> UUID | None:
        return self._id(PerformanceDimension.CAMPAIGN)

    @property
    def asset_id(self) -> UUID | None:
        return self._id(PerformanceDimension.CONTENT)

    @property
    def persona_id(self) -> UUID | None:
        return self._id(PerformanceDimension.PERSONA)

    @property
    def channel(self) -> Channel | None:
        is_channel = self.scope.dimension is PerformanceDimension.CHANNEL
        return Channel(self.key) if is_channel and self.key is not None else None

    @property
    def origin_source(self) -> str | None:
        return self.key if self.scope.dimension is PerformanceDimension.ORIGIN else None

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

    def _id(self, dimension: PerformanceDimension) -> UUID | None:
        is_it = self.scope.dimension is dimension
        return UUID(self.key) if is_it and self.key is not None else None

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

    @property
    def model(self) -> AttributionModel:
        return self.scope.model

    @property
    def basis(self) -> PerformanceBasis:
        return self.scope.basis

    @property
    def dimension(self) -> PerformanceDimension:
        return self.scope.dimension

    @property
    def currency(self) -> str:
        return self.scope.currency

    @property
    def starts_on(self) -> date:
        return self.scope.period.first

    @property
    def ends_on(self) -> date:
        return self.scope.period.end


_FORMULAS: Mapping[PerformanceMeasure, str] = {
    PerformanceMeasure.COST: "the sum of the costs, or of their parts, dated in the period",
    PerformanceMeasure.TOUCHES: "the number of human touches",
    PerformanceMeasure.LEADS: "the number of leads",
    PerformanceMeasure.MQLS: "the number of leads that entered the stage MQL",
    PerformanceMeasure.ACCEPTED: "the number of leads that entered the stage SAL",
    PerformanceMeasure.SQLS: "the number of leads that entered the stage SQL",
    PerformanceMeasure.PIPELINE: "the sum of what the model credits here of the open deals",
    PerformanceMeasure.WON: "the sum of what the model credits here of the deals won",
    PerformanceMeasure.INFLUENCED: "the sum of the deals won after any human touch from here",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One number of a row, by the row's key."""

    scope: Scope
    measure: PerformanceMeasure
    key: Key

    @property
    def formula(self) -> str:
        return _FORMULAS[self.measure]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """One row behind a number: a lead, a touch, a cost, or a deal with its credited share.

    `amount_minor` is what it adds to a sum of money, in the scope's currency.
    """

    measure: PerformanceMeasure
    currency: str
    lead_id: UUID | None = None
    touch_id: UUID | None = None
    cost_id: UUID | None = None
    opportunity_id: UUID | None = None
    credited_share: Decimal | None = None
    amount_minor: int | None = None

    @property
    def id(self) -> UUID:
        """What tells it from all others behind its number: which rows it is made of."""
        parts = (self.lead_id, self.touch_id, self.cost_id, self.opportunity_id)
        text = " ".join((self.measure, *(str(part) for part in parts)))
        return UUID(bytes=sha256(text.encode()).digest()[:16])

    @property
    def amount(self) -> Money | None:
        return None if self.amount_minor is None else Money(self.amount_minor, self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows(Question[tuple[Sequence[Figures], Figures, MissingRate | None]]):
    """The figures of a scope by key, their total, and the first rate that there is not."""

    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceCount(Question[int]):
    """How many rows there are behind a number."""

    number: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePage:
    """Some of the rows behind a number."""

    nodes: Sequence[EvidenceRow]
    cursors: Sequence[str]
    has_next_page: bool
    has_previous_page: bool
    counting: EvidenceCount


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceOf(Question[EvidencePage]):
    """A page of the rows behind a number."""

    number: Number
    page: PageRequest


async def scope_of(
    work: Work,
    actor: Actor,
    dimension: PerformanceDimension,
    *,
    model: UUID | BuiltInModel,
    basis: PerformanceBasis,
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
    found = await read_performance(work, scope)
    return replace(found, rows=found.rows[:most])


async def read_performance(work: Work, scope: Scope) -> Performance:
    """Return all rows of a scope to somebody who was found to be allowed to read them.

    Raises:
        RateMissing: if amounts would have to be exchanged, and there is no rate.
    """
    rows, total, missing = await work.ask(Rows(scope=scope))
    if missing is not None:
        raise RateMissing(missing)
    ordered = sorted(rows, key=_order)
    return Performance(scope=scope, rows=ordered, row_count=len(ordered), total=total)


async def evidence(work: Work, actor: Actor, number: Number, page: PageRequest) -> EvidencePage:
    """Return a page of the rows behind a number; all of them add up to it."""
    actor.require(Permission.VIEW)
    return await work.ask(EvidenceOf(number=number, page=page))


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
