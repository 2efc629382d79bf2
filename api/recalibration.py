"""Recalibration: what lead types turned out to be worth, month by month."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import strawberry
from strawberry import UNSET

from api.context import Info
from api.errors import mutation, query
from api.exchange import MissingRateView
from api.filtering import collection
from api.sla import CommitmentView, SlaView
from api.types import Currency, Json, MoneyView
from api.views import related, shown, view
from domain import ids
from domain.identity import Permission
from domain.paging import Order
from domain.sla import recalibration
from domain.sla.agreement import Commitment, Measure, Sla
from domain.sla.recalibration import CalibratedDelivery, CalibratedValue, ValueRecalibration
from domain.stages import Side
from domain.values import Money

MOST_VALUES = 50


@view(CalibratedValue, description="What one lead type is worth now, and by what became of it.")
class CalibratedValueView:
    criterion: Json = shown("Which leads, in the form of LeadFilter.")
    criterion_text: str = shown("The criterion as a clause of a sentence.")
    units_now: int = shown("What the agreement says: points, or minor units of its currency.")
    units_proposed: int = shown("What it would say by the evidence.")
    handed_off: int = shown("Hand-offs of the type in the window.")
    won: int = shown("How many of them were won.")
    close_rate: Decimal = shown(
        "(won + weight × prior rate) / (handed off + weight): a type of which little is known is"
        " held to be like all others."
    )
    value_minor: int = shown("Close rate × average revenue, in minor units.")


@view(CalibratedDelivery, description="The values of one delivery commitment.")
class CalibratedDeliveryView:
    measure: Measure = shown("What the delivery is counted in.")
    currency: Currency = shown("The agreement's currency.")
    prior_rate: Decimal = shown("How many of all hand-offs of the window were won.")
    values: list[CalibratedValueView] = shown(
        "What each lead type is worth, in order.", metadata={"most": MOST_VALUES}
    )
    unrated: int = shown("How many deals are left out of the average revenue, for want of a rate.")
    sla = related(SlaView, Sla, by="sla_id", description="The agreement.", required=True)
    commitment = related(
        CommitmentView,
        Commitment,
        by="commitment_id",
        description="The commitment.",
        required=True,
    )

    @strawberry.field(
        description="What a deal won in the window brought on the average, each by the rate of the"
        " day it was closed on."
    )
    def average_revenue(delivery: strawberry.Parent[Any]) -> MoneyView:
        return Money(delivery.average_revenue_minor, delivery.currency)  # type: ignore[return-value]  # shown as MoneyView

    @strawberry.field(
        description="What a point stands for, so that the window's hand-offs make as many."
    )
    def point_value(delivery: strawberry.Parent[Any]) -> MoneyView:
        return Money(delivery.point_value_minor, delivery.currency)  # type: ignore[return-value]  # shown as MoneyView


@view(
    ValueRecalibration,
    description="What lead types were worth in the twelve months before a month: a proposal.",
)
class ValueRecalibrationView:
    month_on: date = shown("The first day of the month it was reckoned for.")
    window_starts_on: date = shown("The first day of the window.")
    window_ends_on: date = shown("The day after the last one of the window.")
    made_at: datetime = shown("When it was reckoned.")
    prior_weight: int = shown("How many hand-offs' worth of evidence the prior is given.")
    deliveries: list[CalibratedDeliveryView] = shown(
        "The delivery commitments whose values it proposes; those are left out of whose window"
        " nothing was won.",
        metadata={"most": 20},
    )
    missing: MissingRateView | None = shown(
        "The earliest rate for want of which deals were left out; null if none was missing."
    )


@strawberry.type
class Queries:
    value_recalibrations = collection(
        ValueRecalibrationView,
        ValueRecalibration,
        description="What lead types turned out to be worth, the newest month first.",
        default=(Order("month_on", descending=True),),
    )("value_recalibrations")

    @query("One of them, or null if there is none of that id.", shows=ValueRecalibrationView | None)
    async def value_recalibration(self, info: Info, id: strawberry.ID) -> Any:
        key = ids.expect("ValueRecalibration", id, path=("id",))
        return await info.context.load(ValueRecalibration, key)


@strawberry.input(description="Which agreement takes which values.")
class SlaTakeValuesInput:
    sla: strawberry.ID = shown("The agreement; it must be signed, and the newest of its series.")
    recalibration: strawberry.ID = shown("What the lead types turned out to be worth.")
    side: Side | None = shown(
        "For whom you sign, if you are in teams of both sides.", default=UNSET
    )


@strawberry.type
class Mutations:
    @mutation(
        SlaView,
        "Propose the next version of an agreement, with the values that were found and nothing else"
        " changed.",
        needs=Permission.SIGN_AGREEMENTS,
    )
    async def sla_take_values(self, info: Info, input: SlaTakeValuesInput) -> Sla:
        sla_id = ids.expect("Sla", input.sla, path=("sla",))
        found = ids.expect("ValueRecalibration", input.recalibration, path=("recalibration",))
        async with info.context.writing() as work:
            return await recalibration.take_values(
                work, info.context.actor, sla_id, found, side=input.side or None
            )
