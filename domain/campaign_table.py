"""The campaigns of a closed loop: what each cost and brought, by a model that everybody knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from domain.attribution.models import BY_KIND, AttributionModel, BuiltInModel
from domain.attribution.performance import (
    Figures,
    PerformanceBasis,
    PerformanceDimension,
    Scope,
    read_performance,
)
from domain.campaigns import Campaign
from domain.exchange import MissingRate, RateMissing
from domain.identity import Tenant
from domain.ports import Work
from domain.public_text import plain_source
from domain.sla.calendar import always_open
from domain.values import Money, Period

MOST_CAMPAIGNS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignLine:
    """What one campaign cost and brought, or several together.

    `name` is None where there is none to show: for several, and where it may tell of a person.
    """

    name: str | None
    cost: Money
    touches: int
    leads: int
    mqls: int
    accepted: int
    sqls: int
    pipeline: Money
    won: Money
    won_deals: Decimal
    cac: Money | None
    roi_rate: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignTable:
    """What campaigns are worth under one model.

    `others` are the campaigns that there was no room for, `without` is all that no campaign
    brought; `total` is None while there is nothing at all.  Nothing can be added up, and `missing`
    says why, where amounts would have to be exchanged without a rate.
    """

    model: AttributionModel
    lines: tuple[CampaignLine, ...] = ()
    others: CampaignLine | None = None
    without: CampaignLine | None = None
    total: CampaignLine | None = None
    missing: MissingRate | None = None


async def read_campaigns(
    work: Work, tenant: Tenant, kind: BuiltInModel, period: Period
) -> CampaignTable:
    """Return the table for the leads of some days, to somebody who was found to be allowed to."""
    model = BY_KIND[kind]
    scope = Scope(
        dimension=PerformanceDimension.CAMPAIGN,
        model=model,
        basis=PerformanceBasis.COHORT,
        period=period,
        currency=tenant.currency,
        time_zone=tenant.time_zone,
        today=always_open(tenant.time_zone).local_day(work.now),
    )
    try:
        found = await read_performance(work, scope)
    except RateMissing as refusal:
        return CampaignTable(model=model, missing=refusal.missing)
    if not found.rows:
        return CampaignTable(model=model)
    named = [row for row in found.rows if row.campaign_id is not None]
    nobodys = [row for row in found.rows if row.campaign_id is None]
    alone, others = named[:MOST_CAMPAIGNS], named[MOST_CAMPAIGNS:]
    names = await _names(work, [row.campaign_id for row in alone if row.campaign_id is not None])
    return CampaignTable(
        model=model,
        lines=tuple(_line(row, names.get(row.campaign_id)) for row in alone),
        others=_line(together(others)) if others else None,
        without=_line(nobodys[0]) if nobodys else None,
        total=_line(found.total),
    )


def together(rows: Sequence[Figures]) -> Figures:
    """Return the figures of several campaigns as one: no lead, touch or deal share is of two."""
    return Figures(
        scope=rows[0].scope,
        key=None,
        touches=sum(row.touches for row in rows),
        leads=sum(row.leads for row in rows),
        mqls=sum(row.mqls for row in rows),
        accepted=sum(row.accepted for row in rows),
        sqls=sum(row.sqls for row in rows),
        pipeline_minor=sum(row.pipeline_minor for row in rows),
        won_minor=sum(row.won_minor for row in rows),
        won_deals=sum((row.won_deals for row in rows), Decimal(0)),
        influenced_minor=sum(row.influenced_minor for row in rows),
        all_won_minor=rows[0].all_won_minor,
        cost_minor=sum(row.cost_minor or 0 for row in rows),
    )


async def _names(work: Work, ids: Sequence[UUID]) -> dict[UUID | None, str | None]:
    found = await work.find(Campaign, id=tuple(ids)) if ids else ()
    return {campaign.id: plain_source(campaign.name) for campaign in found}


def _line(row: Figures, name: str | None = None) -> CampaignLine:
    return CampaignLine(
        name=name,
        cost=row.cost or Money(0, row.scope.currency),
        touches=row.touches,
        leads=row.leads,
        mqls=row.mqls,
        accepted=row.accepted,
        sqls=row.sqls,
        pipeline=row.pipeline,
        won=row.won,
        won_deals=row.won_deals,
        cac=row.cac,
        roi_rate=row.roi_rate,
    )
