"""What all facts of a scope have in common: whose they are, when, and what tells them apart."""

from __future__ import annotations

from functools import cached_property
from typing import Any, TypeAlias
from uuid import UUID

import sqlalchemy as sa

from domain.attribution import AttributionCredit
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
from domain.touches import Touch
from infra.filters import where
from infra.rows import table_of

leads = table_of(Lead)
touches = table_of(Touch)
costs = table_of(CampaignCost)
entries = table_of(StageEntry)
deals = table_of(Opportunity)
earnings = table_of(AttributionCredit)

Condition: TypeAlias = sa.ColumnElement[bool]
Facts: TypeAlias = sa.Select[Any]

NO_ID = sa.literal(UUID(int=0), sa.Uuid)
_EVIDENCE = ("lead_id", "touch_id", "cost_id", "opportunity_id")
_OF_LEADS = {
    PerformanceDimension.CAMPAIGN: leads.c.campaign_id,
    PerformanceDimension.ORIGIN: leads.c.origin_source,
    PerformanceDimension.PERSONA: leads.c.persona_id,
}
_OF_TOUCHES = {
    PerformanceDimension.CAMPAIGN: "campaign_id",
    PerformanceDimension.CHANNEL: "channel",
    PerformanceDimension.CONTENT: "asset_id",
}


class Source:
    """A scope as statements see it."""

    def __init__(self, tenant_id: UUID, scope: Scope) -> None:
        self.tenant_id = tenant_id
        self.tenant = sa.literal(tenant_id, sa.Uuid)
        self.scope = scope
        self.dimension = scope.dimension
        # What several measures read, so that a statement has it once.
        self.counted: dict[PerformanceMeasure, sa.CTE] = {}
        self.journeys: sa.CTE | None = None
        self.deals: dict[OpportunityStatus, sa.CTE] = {}

    @property
    def is_cohort(self) -> bool:
        return self.scope.basis is PerformanceBasis.COHORT

    @property
    def needs_leads(self) -> bool:
        """Whether a touch or a deal counts only by what its lead is."""
        return self.is_cohort or self.scope.filter is not None

    @cached_property
    def lead_key(self) -> sa.ColumnElement[Any] | None:
        """What leads have of their own that tells them apart; not where their touches do."""
        return _OF_LEADS.get(self.dimension)

    def touch_key(self, table: Any) -> sa.ColumnElement[Any]:
        """Return what tells touches, or credits, apart."""
        name = _OF_TOUCHES.get(self.dimension)
        key: sa.ColumnElement[Any] = _OF_LEADS[self.dimension] if name is None else table.c[name]
        return key

    def ours(self, *tables: Any) -> list[Condition]:
        return [table.c.tenant_id == self.tenant for table in tables]

    def during(self, column: sa.ColumnElement[Any]) -> Condition:
        """Return that an instant lies in the period, by the tenant's days."""
        period, zone = self.scope.period, self.scope.time_zone
        first, end = (
            sa.literal(start_of_day(day, zone), sa.DateTime(timezone=True))
            for day in (period.first, period.end)
        )
        return sa.and_(column >= first, column < end)

    def dated(self, column: sa.ColumnElement[Any]) -> list[Condition]:
        """Return what counts, and when: by the lead's creation, or by the fact's own date."""
        found = [self.during(leads.c.created_at if self.is_cohort else column)]
        return [*found, *self.narrowed()]

    def narrowed(self) -> list[Condition]:
        filter = self.scope.filter
        return [] if filter is None else [where(filter, leads.c)]

    def whose(self, column: sa.ColumnElement[Any]) -> Condition:
        """Return the condition by which leads are joined to what is theirs."""
        return sa.and_(leads.c.tenant_id == self.tenant, leads.c.id == column)

    def human(self) -> list[Condition]:
        return [*self.ours(touches), touches.c.agency == Agency.HUMAN.value]


def fact(
    key: sa.ColumnElement[Any],
    a: sa.ColumnElement[Any],
    b: sa.ColumnElement[Any] = NO_ID,
    **more: sa.ColumnElement[Any],
) -> Facts:
    """Return a SELECT of one fact's columns.

    They are: `key`, the ids `lead_id`, `touch_id`, `cost_id` and `opportunity_id`, the credited
    `share`, the exchanged amount `minor`, what rate `lacks`, and (`a`, `b`), by which no two rows
    of a key tie.
    """
    columns: dict[str, sa.ColumnElement[Any]] = {
        "key": key,
        **dict.fromkeys(_EVIDENCE, sa.null().cast(sa.Uuid)),
        "share": sa.null().cast(sa.Numeric),
        "minor": sa.null().cast(sa.Numeric),
        "lacks": sa.null().cast(sa.Text),
        "a": a,
        "b": b,
        **more,
    }
    return sa.select(*(column.label(name) for name, column in columns.items()))
