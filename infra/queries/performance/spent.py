"""What campaigns cost, in the scope's currency."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from domain.attribution.performance import PerformanceDimension
from infra.queries.exchange import Amount, exchanged
from infra.queries.performance.source import Facts, Source, costs, fact, leads, touches


def spent(source: Source) -> Facts:
    """What campaigns cost; told apart by something else, in parts that sum to each cost.

    A campaign's costs are spread over its human touches of the period.  Parts are cut where the
    running number of touches cuts, so that nothing is lost by rounding; what a campaign without
    touches cost is nobody's.
    """
    cost = _exchanged(source)
    told = {"cost_id": cost.c.id, "lacks": cost.c.lacks}
    if source.dimension is PerformanceDimension.CAMPAIGN:
        return fact(cost.c.campaign_id, cost.c.id, minor=cost.c.minor, **told).select_from(cost)
    spread = _spread(source)
    below = sa.func.div(cost.c.minor * (spread.c.running - spread.c.number), spread.c.whole)
    part = sa.func.div(cost.c.minor * spread.c.running, spread.c.whole) - below
    minor = sa.case((spread.c.whole.is_(None), cost.c.minor), else_=part)
    return fact(spread.c.key, cost.c.id, minor=minor, **told).select_from(
        cost.outerjoin(spread, spread.c.campaign_id == cost.c.campaign_id)
    )


def _exchanged(source: Source) -> sa.CTE:
    """Return the period's costs, each exchanged once by the rate of its day."""
    scope = source.scope
    amount = Amount(
        source.tenant_id, costs.c.amount_minor, costs.c.currency, costs.c.on, to=scope.currency
    )
    found = (
        sa.select(
            costs.c.id,
            costs.c.campaign_id,
            exchanged(amount).label("minor"),
            (sa.cast(costs.c.on, sa.Text) + " " + costs.c.currency).label("named"),
        )
        .where(
            *source.ours(costs),
            costs.c.on >= sa.literal(scope.period.first, sa.Date),
            costs.c.on < sa.literal(scope.period.end, sa.Date),
        )
        .cte("exchanged_costs")
        .prefix_with("MATERIALIZED")
    )
    lacks = sa.case((found.c.minor.is_(None), found.c.named)).label("lacks")
    return sa.select(found.c.id, found.c.campaign_id, found.c.minor, lacks).cte("costs")


def _spread(source: Source) -> Any:
    """Return how many human touches of the period each campaign has by key, and up to it."""
    key = source.touch_key(touches).label("key")
    number = sa.cast(sa.func.count(), sa.Numeric)
    of_campaign = touches.c.campaign_id
    sources: Any = touches
    if source.dimension.is_of_leads:
        sources = touches.outerjoin(leads, source.whose(touches.c.lead_id))
    return (
        sa.select(
            of_campaign,
            key,
            number.label("number"),
            sa.func.sum(number).over(partition_by=of_campaign, order_by=key).label("running"),
            sa.func.sum(number).over(partition_by=of_campaign).label("whole"),
        )
        .select_from(sources)
        .where(*source.human(), of_campaign.is_not(None), source.during(touches.c.occurred_at))
        .group_by(of_campaign, key)
        .subquery("spread")
    )
