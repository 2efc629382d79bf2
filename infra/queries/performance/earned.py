"""Deals by what their touches have earned, in the scope's currency."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from domain.attribution import BY_KIND, BuiltInModel
from domain.attribution.performance import PerformanceMeasure
from domain.opportunities import OpportunityStatus
from infra.queries.exchange import Amount, factor_to, local_day
from infra.queries.performance.source import (
    NO_ID,
    Condition,
    Facts,
    Source,
    deals,
    earnings,
    fact,
    leads,
    touches,
)

_STATUS = {
    PerformanceMeasure.PIPELINE: OpportunityStatus.OPEN,
    PerformanceMeasure.WON: OpportunityStatus.WON,
    PerformanceMeasure.INFLUENCED: OpportunityStatus.WON,
}
_LINEAR = BY_KIND[BuiltInModel.LINEAR].id
_ALL = sa.literal(1, sa.Numeric)


def credited(source: Source, measure: PerformanceMeasure) -> Facts:
    """Deals by the credited share of each touch; what no touch has earned is nobody's.

    Where the lead has the key the whole deal counts, whatever touched the lead.
    """
    deal = meant(source, _STATUS[measure])
    if source.dimension.is_of_leads:
        return _whole(deal.c.key, deal).select_from(deal)
    parts = (
        _parts(source, deal, earnings.c.amount_minor).where(deal.c.is_foreign.is_(False)),
        _parts(source, deal, _by_largest_remainder(source, deal)).where(deal.c.is_foreign),
    )
    return sa.select(sa.union_all(*parts).subquery("parts"))


def influenced(source: Source) -> Facts:
    """Whole deals, once for each key that any human touch before the close has.

    Under the linear model every such touch has a credit.
    """
    deal = meant(source, OpportunityStatus.WON)
    if source.dimension.is_of_leads:
        return credited(source, PerformanceMeasure.INFLUENCED)
    # With all that is told of a deal: joined to the deals once more, each could be tried with each.
    met = (
        sa.select(
            source.touch_key(earnings).label("key"),
            *(deal.c[name] for name in ("id", "lead_id", "minor", "lacks")),
        )
        .select_from(deal.join(earnings, _under(source, _LINEAR, deal)))
        .distinct()
        .subquery("met")
    )
    return _whole(met.c.key, met)


def _whole(key: sa.ColumnElement[Any], deal: Any) -> Facts:
    return fact(
        key,
        deal.c.id,
        share=_ALL,
        minor=deal.c.minor,
        opportunity_id=deal.c.id,
        lead_id=deal.c.lead_id,
        lacks=deal.c.lacks,
    )


def _parts(source: Source, deal: Any, minor: sa.ColumnElement[Any]) -> Facts:
    """Return what each touch of a deal has earned; all of it, where there was none."""
    untouched = earnings.c.touch_id.is_(None)
    return fact(
        source.touch_key(earnings),
        deal.c.id,
        sa.func.coalesce(earnings.c.touch_id, NO_ID),
        share=sa.func.coalesce(earnings.c.share, _ALL),
        minor=sa.case((untouched, deal.c.minor), else_=minor),
        touch_id=earnings.c.touch_id,
        opportunity_id=deal.c.id,
        lead_id=deal.c.lead_id,
        lacks=deal.c.lacks,
    ).select_from(deal.outerjoin(earnings, _under(source, source.scope.model.id, deal)))


def _by_largest_remainder(source: Source, deal: Any) -> sa.ColumnElement[Any]:
    """Return what a credit in another currency is worth, so that all are what the deal is.

    As `domain.attribution.split` does: rounded down, and what is left over goes, one each, to
    those that lost most, of equals to the earlier touch, whenever it was told.  So figures by
    campaign add up to those by origin.
    """
    # For each credit by key: joined, a few deals could be reason enough to read all touches.
    at = (
        sa.select(touches.c.occurred_at)
        .where(*source.ours(touches), touches.c.id == earnings.c.touch_id)
        .correlate(earnings)
        .scalar_subquery()
    )
    exact = earnings.c.amount_minor * deal.c.factor
    floor = sa.func.floor(exact)
    left = deal.c.minor - sa.func.sum(floor).over(partition_by=deal.c.id)
    place = sa.func.row_number().over(
        partition_by=deal.c.id,
        order_by=[(exact - floor).desc(), at, earnings.c.touch_id],
    )
    return floor + sa.case((place <= left, 1), else_=0)


def _under(source: Source, model_id: UUID, deal: Any) -> Condition:
    """Return the condition of a deal's credits under a model, by their primary key."""
    return sa.and_(
        *source.ours(earnings),
        earnings.c.model_id == sa.literal(model_id, sa.Uuid),
        earnings.c.opportunity_id == deal.c.id,
    )


def meant(source: Source, status: OpportunityStatus) -> sa.CTE:
    """Return the deals that count, read once for all measures of a statement."""
    if status not in source.deals:
        source.deals[status] = _meant(source, status)
    return source.deals[status]


def _meant(source: Source, status: OpportunityStatus) -> sa.CTE:
    """Return deals, each exchanged once: by the rate of its close's day, or today's.

    `factor` is what minor units are multiplied by, null in the scope's own currency and where
    there is no rate; then `lacks` says so.
    """
    won = status is OpportunityStatus.WON
    on: sa.ColumnElement[Any] = sa.literal(source.scope.today, sa.Date)
    if won:
        on = local_day(deals.c.closed_at, source.scope.time_zone)
    key: Any = source.lead_key if source.dimension.is_of_leads else sa.null().cast(sa.Uuid)
    foreign = sa.func.coalesce(deals.c.currency != sa.literal(source.scope.currency), sa.false())
    amount = Amount(
        source.tenant_id, deals.c.amount_minor, deals.c.currency, on, to=source.scope.currency
    )
    named = sa.cast(on, sa.Text) + " " + deals.c.currency
    sources: Any = deals
    if source.dimension.is_of_leads or source.needs_leads:
        sources = deals.join(leads, source.whose(deals.c.lead_id))
    rated = (
        sa.select(
            deals.c.id,
            deals.c.lead_id,
            deals.c.amount_minor,
            key.label("key"),
            foreign.label("is_foreign"),
            sa.case((foreign, factor_to(amount))).label("factor"),
            sa.case((foreign, named)).label("named"),
        )
        .select_from(sources)
        .where(
            *source.ours(deals),
            deals.c.status == status.value,
            *source.dated(deals.c.closed_at if won else deals.c.opened_at),
        )
        .cte(f"{status.lower()}_rated")
        .prefix_with("MATERIALIZED")
    )
    exchanged = sa.func.round(rated.c.amount_minor * rated.c.factor)
    return sa.select(
        rated.c.id,
        rated.c.lead_id,
        rated.c.key,
        rated.c.is_foreign,
        rated.c.factor,
        sa.case((rated.c.is_foreign, exchanged), else_=rated.c.amount_minor).label("minor"),
        sa.case((rated.c.factor.is_(None), rated.c.named)).label("lacks"),
    ).cte(f"{status.lower()}_deals")
