"""The rows behind each number, once: a figure aggregates them, its evidence pages them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from uuid import UUID

import sqlalchemy as sa

from domain.attribution import BY_KIND, AttributionCredit, BuiltInModel
from domain.attribution.performance import (
    PerformanceBasis,
    PerformanceDimension,
    PerformanceMeasure,
    Scope,
)
from domain.campaigns import CampaignCost
from domain.leads import Agency, Lead
from domain.lifecycle import StageEntry
from domain.opportunities import Opportunity, OpportunityStatus
from domain.sla.agreement import start_of_day
from domain.stages import Stage
from domain.touches import Touch
from infra.filters import where
from infra.queries.exchange import Amount, exchanged, lacks_rate, local_day
from infra.rows import table_of

leads = table_of(Lead)
touches = table_of(Touch)
costs = table_of(CampaignCost)
entries = table_of(StageEntry)
deals = table_of(Opportunity)
credits = table_of(AttributionCredit)

Condition: TypeAlias = sa.ColumnElement[bool]
Facts: TypeAlias = sa.Select[Any]

_NO_ID = sa.literal(UUID(int=0), sa.Uuid)
_STAGE = {
    PerformanceMeasure.MQLS: Stage.MQL,
    PerformanceMeasure.ACCEPTED: Stage.SAL,
    PerformanceMeasure.SQLS: Stage.SQL,
}
_STATUS = {
    PerformanceMeasure.PIPELINE: OpportunityStatus.OPEN,
    PerformanceMeasure.WON: OpportunityStatus.WON,
    PerformanceMeasure.INFLUENCED: OpportunityStatus.WON,
}


def facts(tenant_id: UUID, scope: Scope, measure: PerformanceMeasure) -> Facts:
    """Return a statement for the rows behind a measure, told apart by the scope's dimension.

    Its columns: `key` as text, the ids `lead_id`, `touch_id`, `cost_id`, `opportunity_id`, the
    credited `share`, the exchanged amount `minor`, what rate `lacks`, and (`a`, `b`), by which no
    two rows of a key tie.
    """
    return _FACTS[measure](_Source(tenant_id, scope), measure)


class _Source:
    """What all facts of a scope have in common."""

    def __init__(self, tenant_id: UUID, scope: Scope) -> None:
        self.tenant_id = tenant_id
        self.tenant = sa.literal(tenant_id, sa.Uuid)
        self.scope = scope
        self.starts_at = start_of_day(scope.period.first, scope.time_zone)
        self.ends_at = start_of_day(scope.period.end, scope.time_zone)

    @property
    def is_cohort(self) -> bool:
        return self.scope.basis is PerformanceBasis.COHORT

    def ours(self, *tables: Any) -> list[Condition]:
        return [table.c.tenant_id == self.tenant for table in tables]

    def during(self, column: sa.ColumnElement[Any]) -> Condition:
        instant = sa.DateTime(timezone=True)
        first, end = (sa.literal(at, instant) for at in (self.starts_at, self.ends_at))
        return sa.and_(column >= first, column < end)

    def dated(self, column: sa.ColumnElement[Any]) -> list[Condition]:
        """Return which leads count, and when: by the lead's creation, or by the fact's own date."""
        found = [self.during(leads.c.created_at if self.is_cohort else column)]
        if self.scope.filter is not None:
            found.append(where(self.scope.filter, leads.c))
        return found

    @property
    def needs_leads(self) -> bool:
        """Whether a touch counts only with its lead."""
        return self.is_cohort or self.scope.filter is not None

    def lead_keys(self) -> tuple[Any, sa.ColumnElement[Any]]:
        """Return leads with what tells them apart, and that."""
        match self.scope.dimension:
            case PerformanceDimension.CAMPAIGN:
                return leads, sa.cast(leads.c.campaign_id, sa.Text)
            case PerformanceDimension.ORIGIN:
                return leads, leads.c.origin_source
            case PerformanceDimension.PERSONA:
                return leads, sa.cast(leads.c.persona_id, sa.Text)
            case PerformanceDimension.CHANNEL:
                first = self._first_channel().lateral("first")
                return leads.outerjoin(first, sa.true()), first.c.channel
            case PerformanceDimension.CONTENT:
                read = self._contents().lateral("read")
                return leads.outerjoin(read, sa.true()), sa.cast(read.c.asset_id, sa.Text)

    def touch_key(self, table: Any) -> sa.ColumnElement[Any]:
        """Return what tells touches, or credits, apart."""
        match self.scope.dimension:
            case PerformanceDimension.CAMPAIGN:
                return sa.cast(table.c.campaign_id, sa.Text)
            case PerformanceDimension.CHANNEL:
                channel: sa.ColumnElement[Any] = table.c.channel
                return channel
            case PerformanceDimension.CONTENT:
                return sa.cast(table.c.asset_id, sa.Text)
            case _:
                return self.lead_keys()[1]

    def _human(self) -> sa.Select[Any]:
        return sa.select().where(
            *self.ours(touches),
            touches.c.lead_id == leads.c.id,
            touches.c.agency == Agency.HUMAN.value,
        )

    def _first_channel(self) -> sa.Select[Any]:
        first = self._human().add_columns(touches.c.channel)
        return first.order_by(touches.c.occurred_at, touches.c.id).limit(1)

    def _contents(self) -> sa.Select[Any]:
        read = self._human().add_columns(touches.c.asset_id)
        return read.where(touches.c.asset_id.is_not(None)).distinct()


def _fact(
    key: sa.ColumnElement[Any],
    a: sa.ColumnElement[Any],
    b: sa.ColumnElement[Any] = _NO_ID,
    *,
    amount: Amount | None = None,
    scope: Scope,
    **more: sa.ColumnElement[Any],
) -> Facts:
    """Return a SELECT of one fact's columns."""
    nobody = sa.null().cast(sa.Uuid)
    columns: dict[str, sa.ColumnElement[Any]] = {
        "key": key,
        **dict.fromkeys(("lead_id", "touch_id", "cost_id", "opportunity_id"), nobody),
        "share": sa.null().cast(sa.Numeric),
        "minor": sa.null().cast(sa.Numeric),
        "lacks": sa.null().cast(sa.Text),
        "a": a,
        "b": b,
        **more,
    }
    if amount is not None:
        columns |= {"minor": exchanged(amount), "lacks": lacks_rate(amount)}
    return sa.select(*(column.label(name) for name, column in columns.items()))


def _costs(source: _Source, _: PerformanceMeasure) -> Facts:
    """What campaigns cost; told apart by something else, in parts that sum to each cost.

    A campaign's costs are spread over its human touches of the period.  Parts are cut where the
    running number of touches cuts, so that nothing is lost by rounding; what a campaign without
    touches cost is nobody's.
    """
    scope, period = source.scope, source.scope.period
    amount = Amount(
        source.tenant_id, costs.c.amount_minor, costs.c.currency, costs.c.on, to=scope.currency
    )
    key: sa.ColumnElement[Any] = sa.cast(costs.c.campaign_id, sa.Text)
    minor: sa.ColumnElement[Any] = exchanged(amount)
    sources: Any = costs
    if scope.dimension is not PerformanceDimension.CAMPAIGN:
        spread = _spread(source)
        key, whole = spread.c.key, minor
        sources = costs.outerjoin(spread, spread.c.campaign_id == costs.c.campaign_id)
        below = sa.func.div(whole * (spread.c.running - spread.c.number), spread.c.whole)
        part = sa.func.div(whole * spread.c.running, spread.c.whole) - below
        minor = sa.func.coalesce(part, whole)
    found = _fact(
        key,
        costs.c.id,
        scope=scope,
        cost_id=costs.c.id,
        minor=minor,
        lacks=lacks_rate(amount),
    )
    return found.select_from(sources).where(
        *source.ours(costs),
        costs.c.on >= sa.literal(period.first, sa.Date),
        costs.c.on < sa.literal(period.end, sa.Date),
    )


def _spread(source: _Source) -> Any:
    """Return how many human touches of the period each campaign has by key, and up to it."""
    known = sa.and_(leads.c.tenant_id == source.tenant, leads.c.id == touches.c.lead_id)
    is_of_leads = source.scope.dimension.is_of_leads
    key = source.touch_key(touches).label("key")
    number = sa.cast(sa.func.count(), sa.Numeric)
    of_campaign = touches.c.campaign_id
    return (
        sa.select(
            of_campaign,
            key,
            number.label("number"),
            sa.func.sum(number).over(partition_by=of_campaign, order_by=key).label("running"),
            sa.func.sum(number).over(partition_by=of_campaign).label("whole"),
        )
        .select_from(touches.outerjoin(leads, known) if is_of_leads else touches)
        .where(
            *source.ours(touches),
            touches.c.agency == Agency.HUMAN.value,
            of_campaign.is_not(None),
            source.during(touches.c.occurred_at),
        )
        .group_by(of_campaign, key)
        .subquery("spread")
    )


def _touches(source: _Source, _: PerformanceMeasure) -> Facts:
    """Human touches; those of visitors nobody knows count where no lead is asked for."""
    scope = source.scope
    found = _fact(
        source.touch_key(touches),
        touches.c.id,
        scope=scope,
        touch_id=touches.c.id,
        lead_id=touches.c.lead_id,
    )
    human = [*source.ours(touches), touches.c.agency == Agency.HUMAN.value]
    known = sa.and_(leads.c.tenant_id == source.tenant, leads.c.id == touches.c.lead_id)
    if source.needs_leads:
        joined = touches.join(leads, known)
        return found.select_from(joined).where(*human, *source.dated(touches.c.occurred_at))
    sources = touches.outerjoin(leads, known) if scope.dimension.is_of_leads else touches
    return found.select_from(sources).where(*human, source.during(touches.c.occurred_at))


def _leads(source: _Source, measure: PerformanceMeasure) -> Facts:
    """Leads that came in the period; or that entered a stage, then or ever."""
    sources, key = source.lead_keys()
    found = _fact(key, leads.c.id, scope=source.scope, lead_id=leads.c.id).select_from(sources)
    if measure is PerformanceMeasure.LEADS:
        return found.where(*source.ours(leads), *source.dated(leads.c.created_at))
    entered = sa.select(entries.c.lead_id).where(
        *source.ours(entries), entries.c.stage == _STAGE[measure].value
    )
    if source.is_cohort:
        return found.where(
            *source.ours(leads), *source.dated(leads.c.created_at), leads.c.id.in_(entered)
        )
    entered = entered.where(source.during(entries.c.entered_at))
    filter = source.scope.filter
    narrowed = [] if filter is None else [where(filter, leads.c)]
    return found.where(*source.ours(leads), leads.c.id.in_(entered), *narrowed)


def _deals(source: _Source, measure: PerformanceMeasure) -> Facts:
    """Deals by the credited share of each touch; what no touch has earned is nobody's.

    Where the lead has the key the whole deal counts, whatever touched the lead.
    """
    scope = source.scope
    joined, conditions = _lead_deals(source, measure)
    if scope.dimension.is_of_leads:
        found = _fact(
            source.lead_keys()[1],
            deals.c.id,
            amount=_deal_amount(source, measure, deals.c.amount_minor),
            scope=scope,
            share=sa.literal(1, sa.Numeric),
            opportunity_id=deals.c.id,
            lead_id=deals.c.lead_id,
        )
        return found.select_from(joined).where(*conditions)
    credited = sa.and_(
        credits.c.tenant_id == source.tenant,
        credits.c.model_id == sa.literal(scope.model.id, sa.Uuid),
        credits.c.opportunity_id == deals.c.id,
    )
    minor = sa.case(
        (credits.c.touch_id.is_(None), deals.c.amount_minor), else_=credits.c.amount_minor
    )
    found = _fact(
        source.touch_key(credits),
        deals.c.id,
        sa.func.coalesce(credits.c.touch_id, _NO_ID),
        amount=_deal_amount(source, measure, minor),
        scope=scope,
        share=sa.func.coalesce(credits.c.share, 1),
        opportunity_id=deals.c.id,
        lead_id=deals.c.lead_id,
        touch_id=credits.c.touch_id,
    )
    return found.select_from(joined.outerjoin(credits, credited)).where(*conditions)


def _influenced(source: _Source, measure: PerformanceMeasure) -> Facts:
    """Whole deals, once for each key that any human touch before the close has.

    Under the linear model every such touch has a credit.
    """
    if source.scope.dimension.is_of_leads:
        return _deals(source, measure)
    joined, conditions = _lead_deals(source, measure)
    met = sa.and_(
        credits.c.tenant_id == source.tenant,
        credits.c.model_id == sa.literal(BY_KIND[BuiltInModel.LINEAR].id, sa.Uuid),
        credits.c.opportunity_id == deals.c.id,
    )
    found = _fact(
        source.touch_key(credits),
        deals.c.id,
        amount=_deal_amount(source, measure, deals.c.amount_minor),
        scope=source.scope,
        share=sa.literal(1, sa.Numeric),
        opportunity_id=deals.c.id,
        lead_id=deals.c.lead_id,
    )
    return found.select_from(joined.join(credits, met)).where(*conditions).distinct()


def _lead_deals(source: _Source, measure: PerformanceMeasure) -> tuple[Any, list[Condition]]:
    """Return deals with their leads, and which of them count."""
    status = _STATUS[measure]
    on = deals.c.closed_at if status is OpportunityStatus.WON else deals.c.opened_at
    joined = deals.join(
        leads, sa.and_(leads.c.tenant_id == source.tenant, leads.c.id == deals.c.lead_id)
    )
    return joined, [*source.ours(deals), deals.c.status == status.value, *source.dated(on)]


def _deal_amount(
    source: _Source, measure: PerformanceMeasure, minor: sa.ColumnElement[Any]
) -> Amount:
    """Return a deal's amount with the day whose rate counts: of its close, or today."""
    day: sa.ColumnElement[Any] = sa.literal(source.scope.today, sa.Date)
    if _STATUS[measure] is OpportunityStatus.WON:
        day = local_day(deals.c.closed_at, source.scope.time_zone)
    return Amount(source.tenant_id, minor, deals.c.currency, day, to=source.scope.currency)


_FACTS: Mapping[PerformanceMeasure, Callable[[_Source, PerformanceMeasure], Facts]] = {
    PerformanceMeasure.COST: _costs,
    PerformanceMeasure.TOUCHES: _touches,
    PerformanceMeasure.LEADS: _leads,
    PerformanceMeasure.MQLS: _leads,
    PerformanceMeasure.ACCEPTED: _leads,
    PerformanceMeasure.SQLS: _leads,
    PerformanceMeasure.PIPELINE: _deals,
    PerformanceMeasure.WON: _deals,
    PerformanceMeasure.INFLUENCED: _influenced,
}
