"""Reading figures, and the rows behind them, for somebody who may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.attribution.defining import model_for_figures
from domain.attribution.models import BuiltInModel
from domain.attribution.performance.evidence import EvidenceOf, EvidencePage, Number
from domain.attribution.performance.figures import Figures, Performance, in_order
from domain.attribution.performance.terms import (
    LONGEST_DAYS,
    PerformanceBasis,
    PerformanceDimension,
    PerformancePeriodTooLong,
    Scope,
)
from domain.exchange import MissingRate, RateMissing
from domain.filters import Filter
from domain.identity import Actor, Permission, Tenant
from domain.paging import PageRequest
from domain.ports import Question, Work
from domain.sla.calendar import always_open
from domain.values import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows(Question[tuple[Sequence[Figures], Figures, MissingRate | None]]):
    """The figures of a scope by key, their total, and the first rate that there is not."""

    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignsThat(Question[frozenset[UUID]]):
    """Which campaigns match a filter."""

    filter: Filter


async def scope_of(
    work: Work,
    actor: Actor,
    dimension: PerformanceDimension,
    *,
    model: UUID | BuiltInModel,
    basis: PerformanceBasis,
    period: Period,
    filter: Filter | None = None,
    campaigns: Filter | None = None,
) -> Scope:
    """Return what figures are read for; money is in the tenant's currency.

    With `campaigns`, of those that match alone.
    """
    actor.require(Permission.VIEW)
    if period.days > LONGEST_DAYS:
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
        campaigns=None if campaigns is None else await work.ask(CampaignsThat(filter=campaigns)),
    )


async def performance(work: Work, actor: Actor, scope: Scope) -> Performance:
    """Return the figures of a scope.

    Raises:
        RateMissing: if amounts would have to be exchanged, and there is no rate.
    """
    actor.require(Permission.VIEW)
    return await read_performance(work, scope)


async def read_performance(work: Work, scope: Scope) -> Performance:
    """Return all rows of a scope to somebody who was found to be allowed to read them.

    Raises:
        RateMissing: if amounts would have to be exchanged, and there is no rate.
    """
    rows, total, missing = await work.ask(Rows(scope=scope))
    if missing is not None:
        raise RateMissing(missing)
    return Performance(scope=scope, rows=in_order(rows), total=total)


async def evidence(work: Work, actor: Actor, number: Number, page: PageRequest) -> EvidencePage:
    """Return a page of the rows behind a number; all of them add up to it.

    Raises:
        RateMissing: if one of them would have to be exchanged, and there is no rate.
    """
    actor.require(Permission.VIEW)
    found = await work.ask(EvidenceOf(number=number, page=page))
    if found.missing is not None:
        raise RateMissing(found.missing)
    return found
