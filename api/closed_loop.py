"""The closed loop as data: the page in `api/web` is drawn from it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime
from decimal import Decimal
from time import monotonic
from typing import Annotated, Any

import strawberry

import api.attribution  # noqa: F401  # declares the enum BuiltInModel
from api.context import Info
from api.errors import query, subscription
from api.exchange import MissingRateView
from api.filtering import enum
from api.funnel import FunnelStageView
from api.sla_status import until
from api.types import MoneyView, TimeZone
from api.views import shown, view
from domain.attribution import BuiltInModel
from domain.campaign_table import MOST_CAMPAIGNS, CampaignLine, CampaignTable
from domain.closed_loop import (
    MOST_EFFORTS,
    MOST_SPANS,
    ClosedLoop,
    Effort,
    LoopWindow,
    RevenueSpan,
    closed_loop,
)
from domain.identity import Permission
from domain.stages import Stage

# A picture that takes long to read is read seldom: for at most so large a part of the time.
_AT_MOST = 0.1
_LONGEST_PAUSE = 60.0

enum(
    LoopWindow,
    "How far back a picture of the closed loop goes, up to today.",
    LAST_30_DAYS="Thirty days, revenue by week.",
    LAST_90_DAYS="Ninety days, revenue by week.",
    LAST_12_MONTHS="This month and the eleven before it, revenue by month.",
)


@view(Effort, name="LoopEffort", description="What came of the leads of one source and campaign.")
class EffortView:
    source: str = shown("Where they came from; Unknown, or All others.")
    campaign: str | None = shown("The campaign that brought them.")
    leads: int = shown("How many were first seen in the window.")
    mqls: int = shown("How many of them ever came to MQL, or beyond it.")
    sqls: int = shown("How many of them ever came to SQL, or beyond it.")
    opportunities: int = shown("How many opportunities they brought.")
    won: int = shown("How many of these were won.")
    revenue: MoneyView = shown("What came of them to date, lost revenue left in.")
    foreign: int = shown("How many amounts are left out of that: those without a rate.")


@view(
    CampaignLine,
    name="LoopCampaign",
    description="What one campaign cost and brought, or several together.",
)
class CampaignLineView:
    name: str | None = shown("What people call it; null where that may tell of a person.")
    cost: MoneyView = shown("What was spent on it in these days.")
    touches: int = shown("The human touches of the leads of these days that belong to it.")
    leads: int = shown("How many of the leads came from it.")
    mqls: int = shown("How many of them ever came to MQL, or beyond it.")
    accepted: int = shown("How many of them ever came to SAL, or beyond it.")
    sqls: int = shown("How many of them ever came to SQL, or beyond it.")
    pipeline: MoneyView = shown("What the model credits to it of the open deals of the leads.")
    won: MoneyView = shown("What the model credits to it of the deals won with the leads.")
    won_deals: Decimal = shown("How many deals that is: the sum of the credited shares.")
    cac: MoneyView | None = shown("Cost per deal won by campaigns; null where none is.")
    roi_rate: Decimal | None = shown(
        "(won by campaigns - cost) / cost; null where nothing was spent."
    )


@view(
    CampaignTable,
    name="LoopCampaigns",
    description="What campaigns cost, and what of the deals of these leads is owed to them.",
)
class CampaignTableView:
    @strawberry.field(description="The model by which deals are credited.")
    def model(table: strawberry.Parent[Any]) -> BuiltInModel:
        return table.model.built_in  # type: ignore[no-any-return]  # it is no tenant's own

    lines: list[CampaignLineView] = shown(
        "The campaigns, what won most in front.", metadata={"most": MOST_CAMPAIGNS}
    )
    others: CampaignLineView | None = shown("All other campaigns together, if there are more.")
    without: CampaignLineView | None = shown("What no campaign brought, if anything.")
    total: CampaignLineView | None = shown("All of it; null while there is nothing.")
    missing: MissingRateView | None = shown(
        "The rate without which there are no lines; null if none is missing."
    )


@view(RevenueSpan, name="LoopSpan", description="What came in some days.")
class RevenueSpanView:
    starts_on: date = shown("The first of the days.")
    last_on: date = shown("The last of them.")
    new: MoneyView = shown("From new customers.")
    again: MoneyView = shown("From those there were: expansion and renewal.")
    lost: MoneyView = shown("What was lost.")


@view(
    ClosedLoop,
    description="What became of marketing's leads, in money: it holds no personal data.",
)
class ClosedLoopView:
    as_of: datetime = shown("The instant at which it was read.")
    tenant_name: str = shown("The company.")
    time_zone: TimeZone = shown("Whose days these are.")
    window: LoopWindow = shown("How far back it goes.")
    starts_on: date = shown("The first day.")
    last_on: date = shown("The last day: today.")
    leads: int = shown("How many leads were first seen in these days.")
    open: int = shown("How many of them may still go on; see FunnelGroup.")
    stages: list[FunnelStageView] = shown("How far they came.", metadata={"most": len(Stage)})
    efforts: list[EffortView] = shown(
        "What came of them by source and campaign, the most fruitful first; the last may be all"
        " others.",
        metadata={"most": MOST_EFFORTS + 1},
    )
    campaigns: CampaignTableView = shown("What campaigns cost, and what they are worth.")
    spans: list[RevenueSpanView] = shown(
        "What came in these days, whoever it came from, in order.", metadata={"most": MOST_SPANS}
    )
    revenue: MoneyView = shown("What came in these days: new and again.")
    won: int = shown("How many opportunities of these leads were won.")
    foreign: int = shown(
        "How many amounts in other currencies are left out of the revenue: those without a rate."
    )


_Window = Annotated[LoopWindow, strawberry.argument(description="How far back.")]
_Model = Annotated[
    BuiltInModel, strawberry.argument(description="By which model campaigns are credited.")
]


@strawberry.type
class Queries:
    @query(
        "What became of marketing's leads, in money.",
        needs=Permission.VIEW_BOARD,
        shows=ClosedLoopView,
    )
    async def closed_loop(
        self,
        info: Info,
        window: _Window = LoopWindow.LAST_90_DAYS,
        model: _Model = BuiltInModel.LINEAR,
    ) -> Any:
        return await _read(info, window, model)


@strawberry.type
class Subscriptions:
    @subscription(
        "What became of marketing's leads, in money, whenever that changes.",
        needs=Permission.VIEW_BOARD,
        shows=ClosedLoopView,
    )
    async def closed_loop(
        self,
        info: Info,
        window: _Window = LoopWindow.LAST_90_DAYS,
        model: _Model = BuiltInModel.LINEAR,
    ) -> AsyncIterator[Any]:
        with info.context.live.watch(info.context.actor.tenant_id) as watch:
            while True:
                began = monotonic()
                picture = await _read(info, window, model)
                took = monotonic() - began
                yield picture
                await asyncio.sleep(min(_LONGEST_PAUSE, took * (1 - _AT_MOST) / _AT_MOST))
                await watch.news(within=until(picture.as_of, picture.next_at))


async def _read(info: Info, window: LoopWindow, model: BuiltInModel) -> ClosedLoop:
    async with info.context.work() as work:
        return await closed_loop(work, info.context.actor, window, model)


# What the page in `api/web` is drawn from: `api.web.loop_payload.Loop` has the same names.
CLOSED_LOOP_DOCUMENT = """
subscription ClosedLoop($window: LoopWindow!, $model: BuiltInModel! = LINEAR) {
  closedLoop(window: $window, model: $model) {
    asOf
    tenantName
    timeZone
    window
    startsOn
    lastOn
    leads
    open
    stages {
      stage reached
      fromPrevious { of rate low high }
      fromFirst { of rate low high }
      time { leads p50 }
    }
    efforts {
      source campaign leads mqls sqls opportunities won foreign revenue { amount currency }
    }
    campaigns {
      model
      lines { ...Line }
      others { ...Line }
      without { ...Line }
      total { ...Line }
      missing { currency to on }
    }
    spans {
      startsOn lastOn
      new { amount currency } again { amount currency } lost { amount currency }
    }
    revenue { amount currency }
    won
    foreign
  }
}

fragment Line on LoopCampaign {
  name
  cost { amount currency }
  touches leads mqls accepted sqls
  pipeline { amount currency }
  won { amount currency }
  wonDeals
  cac { amount currency }
  roiRate
}
"""
