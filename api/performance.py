"""What campaigns, sources, contents and personas are worth, and the rows behind each number."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry import UNSET

import api.touches  # noqa: F401  # declares the enum Channel
from api.attribution import AttributionModelRef, AttributionModelView
from api.campaigns import CampaignCostView, CampaignView
from api.campaigns.operations import CampaignFilter
from api.context import Info
from api.errors import query
from api.filtering import enum, filter_of, order_input, orders_of
from api.leads.operations import LeadFilter
from api.types import Currency, MoneyView
from api.views import PAGE_ARGUMENTS, PARENT, connection, page_of, related, shown, view
from domain import ids
from domain.attribution import performance as domain
from domain.attribution.performance import (
    ORDERS,
    EvidenceRow,
    Figures,
    Number,
    Performance,
    PerformanceBasis,
    PerformanceDimension,
    PerformanceMeasure,
    Scope,
)
from domain.campaigns import CAMPAIGN_FIELDS, Campaign, CampaignCost
from domain.content import ContentAsset
from domain.leads import LEAD_FIELDS, Lead
from domain.opportunities import Opportunity
from domain.personas import Persona
from domain.touches import Channel, Touch
from domain.values import PeriodKind, period_of

enum(
    PerformanceBasis,
    "Which leads, touches and deals belong to a period.",
    COHORT="The leads first seen in it, and whatever became of them since.",
    CLOSE="What happened in it: deals won by the day they closed, deals by the day they opened.",
)
enum(
    PerformanceDimension,
    "By what figures are told apart.",
    CAMPAIGN="By campaign.",
    CHANNEL="By the channel of the touch; of a lead, of its first human touch.",
    ORIGIN="By the lead's origin source.",
    CONTENT="By content asset.",
    PERSONA="By the lead's buyer persona.",
)
enum(
    PerformanceMeasure,
    "A number that has rows behind it.",
    COST="What was spent.",
    TOUCHES="Human touches.",
    LEADS="Leads.",
    MQLS="Leads that came to MQL, or beyond it.",
    ACCEPTED="Leads that came to SAL, or beyond it.",
    SQLS="Leads that came to SQL, or beyond it.",
    PIPELINE="Open deals, by their credited shares.",
    WON="Deals won, by their credited shares.",
    INFLUENCED="Deals won after any human touch from there, whole.",
)


@strawberry.enum(description="By what sources are told apart.")
class SourceDimension(Enum):
    CHANNEL = strawberry.enum_value("CHANNEL", description="By the channel of each touch.")
    ORIGIN = strawberry.enum_value("ORIGIN", description="By the lead's origin source.")


PerformanceOrder = order_input(
    "Performance", {name.upper(): name for name in ORDERS}, "How rows of figures are ordered"
)
_SOURCES = {
    SourceDimension.CHANNEL: PerformanceDimension.CHANNEL,
    SourceDimension.ORIGIN: PerformanceDimension.ORIGIN,
}
_KINDS = {
    PerformanceDimension.CAMPAIGN: "Campaign",
    PerformanceDimension.CONTENT: "ContentAsset",
    PerformanceDimension.PERSONA: "Persona",
}


@view(
    Figures,
    description="What one campaign, source, content or persona is worth, or all of them together.",
)
class PerformanceRowView:
    channel: Channel | None = shown("The channel.")
    origin_source: str | None = shown("The origin source.")
    cost: MoneyView | None = shown(
        "What was spent in the period, by human touches unless by campaign; null under a filter."
    )
    touches: int = shown("Human touches.")
    leads: int = shown("Leads first seen.")
    mqls: int = shown("Leads that first came to MQL, or beyond it, as the funnel counts.")
    accepted: int = shown("Leads that first came to SAL, or beyond it.")
    sqls: int = shown("Leads that first came to SQL, or beyond it.")
    pipeline: MoneyView = shown("Open deals, by their credited shares.")
    won: MoneyView = shown("Deals won, by their credited shares.")
    won_deals: Decimal = shown("How many deals that is: the sum of the credited shares.")
    influenced: MoneyView = shown("Deals won after any human touch from here; rows may overlap.")
    cac: MoneyView | None = shown(
        "Cost per deal won, by campaign only of deals that campaigns won; null where there is none."
    )
    roi_rate: Decimal | None = shown(
        "(won - cost) / cost, by campaign only of what campaigns won; null where nothing was spent."
    )
    sourced_share: Decimal | None = shown("`won` of all that was won, 0 to 1.")
    influenced_share: Decimal | None = shown("`influenced` of all that was won, 0 to 1.")
    campaign = related(CampaignView, Campaign, by="campaign_id", description="The campaign.")
    asset = related(
        "api.content.ContentAssetView", ContentAsset, by="asset_id", description="The content."
    )
    persona = related(
        "api.personas.PersonaView", Persona, by="persona_id", description="The persona."
    )

    @strawberry.field(
        description="What `performanceExplain` takes; null in the row of all that has none."
    )
    def key(row: strawberry.Parent[Any]) -> str | None:
        kind = _KINDS.get(row.scope.dimension)
        return row.key if kind is None or row.key is None else ids.public(kind, UUID(row.key))


async def _figures(
    found: Any,
    first: Any = UNSET,
    after: Any = UNSET,
    last: Any = UNSET,
    before: Any = UNSET,
    order_by: Any = UNSET,
) -> Any:
    page = page_of(first, after, last, before)
    return domain.page_of_figures(found.rows, orders_of(order_by, ()), page)


_figures.__annotations__ = {
    "found": PARENT,
    **PAGE_ARGUMENTS,
    "order_by": Annotated[
        list[PerformanceOrder] | None,  # type: ignore[valid-type]  # made at run time
        strawberry.argument(description="In which order."),
    ],
    "return": Any,
}


@view(Performance, description="Figures of a period under one attribution model.")
class PerformanceView:
    model: AttributionModelView = shown("The model by which deals are credited.")
    basis: PerformanceBasis = shown("Which leads, touches and deals belong to the period.")
    dimension: PerformanceDimension = shown("By what the rows are told apart.")
    starts_on: date = shown("The first day, in the tenant's time zone.")
    ends_on: date = shown("The day after the last one.")
    currency: Currency = shown("The currency that all money is exchanged into.")
    rows = strawberry.field(
        resolver=_figures,
        graphql_type=connection(PerformanceRowView),
        description="A row each; what won most in front, unless another order is asked for.",
    )
    total: PerformanceRowView = shown("All of it; every lead, touch and deal counts once.")


@view(EvidenceRow, name="PerformanceEvidence", description="One row behind a number.")
class PerformanceEvidenceView:
    amount: MoneyView | None = shown("What it adds to a sum of money.")
    credited_share: Decimal | None = shown("Which share of the deal is credited here, 0 to 1.")
    lead = related("api.leads.LeadView", Lead, by="lead_id", description="The lead.")
    opportunity = related(
        "api.opportunities.OpportunityView",
        Opportunity,
        by="opportunity_id",
        description="The deal.",
    )
    touch = related(
        "api.touches.TouchView",
        Touch,
        by="touch_id",
        description="The touch, of a deal the one that is credited.",
    )
    cost = related(CampaignCostView, CampaignCost, by="cost_id", description="The cost.")


async def _rows(  # Relay's arguments, always given by name
    number: Any,
    info: Info,
    first: Any = UNSET,
    after: Any = UNSET,
    last: Any = UNSET,
    before: Any = UNSET,
) -> Any:
    page = page_of(first, after, last, before)
    async with info.context.work() as work:
        return await domain.evidence(work, info.context.actor, number, page)


_rows.__annotations__ = {"number": PARENT, "info": Info, **PAGE_ARGUMENTS, "return": Any}


@view(
    Number,
    name="PerformanceNumber",
    description="A number with all the rows behind it, which add up to it.",
)
class NumberView:
    measure: PerformanceMeasure = shown("Which number.")
    formula: str = shown("How it follows from the rows.")

    rows = strawberry.field(
        resolver=_rows,
        graphql_type=connection(PerformanceEvidenceView),
        description="The rows behind it.",
    )


@strawberry.input(description="What figures are read for.")
class PerformanceInput:
    model: AttributionModelRef = shown("By which model deals are credited.")
    starts_on: date = shown("The first day, in the tenant's time zone.")
    ends_on: date = shown("The day after the last one.")
    basis: PerformanceBasis = shown(
        "Which leads, touches and deals belong to it.", default=PerformanceBasis.CLOSE
    )
    filter: LeadFilter | None = shown(
        "Only leads that match, with their touches and deals; costs are then unknown.",
        default=UNSET,
    )


@strawberry.input(description="Which number of which row is to be explained.")
class PerformanceExplainInput:
    dimension: PerformanceDimension = shown("By what the row is told apart from others.")
    key: str | None = shown("The row's `key`; null for all that has none.", default=UNSET)
    measure: PerformanceMeasure = shown("Which number.")


_Scope = Annotated[PerformanceInput, strawberry.argument(description="What to read them for.")]


@strawberry.type
class Queries:
    @query(
        "What campaigns cost and what they are worth.",
        shows=PerformanceView,
    )
    async def campaign_performance(
        self,
        info: Info,
        input: _Scope,
        campaigns: Annotated[
            CampaignFilter | None,
            strawberry.argument(
                description="Only campaigns that match; shares stay those of all that was won."
            ),
        ] = UNSET,
    ) -> Any:
        return await _performance(info, input, PerformanceDimension.CAMPAIGN, campaigns)

    @query("What channels, or origin sources, are worth.", shows=PerformanceView)
    async def source_performance(
        self,
        info: Info,
        input: _Scope,
        by: Annotated[
            SourceDimension, strawberry.argument(description="By what sources are told apart.")
        ] = SourceDimension.CHANNEL,
    ) -> Any:
        return await _performance(info, input, _SOURCES[by])

    @query("What content assets are worth.", shows=PerformanceView)
    async def content_performance(self, info: Info, input: _Scope) -> Any:
        return await _performance(info, input, PerformanceDimension.CONTENT)

    @query("What buyer personas are worth.", shows=PerformanceView)
    async def persona_performance(self, info: Info, input: _Scope) -> Any:
        return await _performance(info, input, PerformanceDimension.PERSONA)

    @query(
        "The rows behind a number of one of the performances, which add up to it.",
        shows=NumberView,
    )
    async def performance_explain(
        self,
        info: Info,
        input: _Scope,
        number: Annotated[
            PerformanceExplainInput, strawberry.argument(description="Which number.")
        ],
    ) -> Any:
        async with info.context.work() as work:
            scope = await _scope(work, info, input, number.dimension)
        return Number(scope=scope, measure=number.measure, key=_key(number))


async def _performance(
    info: Info, input: PerformanceInput, dimension: PerformanceDimension, campaigns: Any = UNSET
) -> Performance:
    async with info.context.work() as work:
        scope = await _scope(work, info, input, dimension, campaigns)
        return await domain.performance(work, info.context.actor, scope)


async def _scope(
    work: Any,
    info: Info,
    input: PerformanceInput,
    dimension: PerformanceDimension,
    campaigns: Any = UNSET,
) -> Scope:
    return await domain.scope_of(
        work,
        info.context.actor,
        dimension,
        model=input.model.key(),
        basis=input.basis,
        period=period_of(PeriodKind.CUSTOM, input.starts_on, input.ends_on),
        filter=filter_of(input.filter, LEAD_FIELDS, path=("input", "filter")),
        campaigns=filter_of(campaigns, CAMPAIGN_FIELDS, path=("campaigns",)),
    )


def _key(number: PerformanceExplainInput) -> str | None:
    """Return the key of a row as it is kept: ids without their kind."""
    if not number.key:
        return None
    kind = _KINDS.get(number.dimension)
    if kind is None:
        return number.key
    found: UUID = ids.expect(kind, number.key, path=("number", "key"))
    return str(found)
