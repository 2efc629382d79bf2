"""Recalibration: what lead types turned out to be worth, month by month."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

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


class ValueFound(NamedTuple):
    """What was found of one lead type, and the delivery whose unit and currency it is in."""

    delivery: CalibratedDelivery
    value: CalibratedValue


_FOUND = strawberry.Parent[ValueFound]


def _found(name: str, hint: Any, description: str) -> Any:
    """Declare a field that is shown as it was found."""

    def resolve(found: Any) -> Any:
        return getattr(found.value, name)

    resolve.__annotations__ = {"found": _FOUND, "return": hint}
    return strawberry.field(resolver=resolve, description=description)


@strawberry.type(
    name="CalibratedValue",
    description="What one lead type is worth now, and by what became of it.",
)
class CalibratedValueView:
    criterion = _found("criterion", Json, "Which leads, in the form of LeadFilter.")
    criterion_text = _found("criterion_text", str, "The criterion as a clause of a sentence.")
    handed_off = _found("handed_off", int, "Hand-offs of the type in the window.")
    won = _found("won", int, "How many of them were won.")
    close_rate = _found(
        "close_rate",
        Decimal,
        "(won + weight × prior rate) / (handed off + weight): a type of which little is known is"
        " held to be like all others.",
    )

    @strawberry.field(
        description="What the agreement says one is worth: points, or money in its currency."
    )
    def worth_now(found: _FOUND) -> Decimal:
        return found.delivery.worth(found.value.units_now)

    @strawberry.field(description="What it would say by the evidence, in the same unit.")
    def worth_proposed(found: _FOUND) -> Decimal:
        return found.delivery.worth(found.value.units_proposed)

    @strawberry.field(description="What one brings: close rate × average revenue.")
    def value(found: _FOUND) -> MoneyView:
        return Money(found.value.value_minor, found.delivery.currency)  # type: ignore[return-value]  # shown as MoneyView


@view(CalibratedDelivery, description="The values of one delivery commitment.")
class CalibratedDeliveryView:
    measure: Measure = shown("What the delivery is counted in.")
    currency: Currency = shown("The agreement's currency.")
    prior_rate: Decimal = shown("How many of all hand-offs of the window were won.")
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
        description="What a point stands for, so that the window's hand-offs make as many by the"
        " values proposed as they did; null where money is counted."
    )
    def point_value(delivery: strawberry.Parent[Any]) -> MoneyView | None:
        if delivery.measure is not Measure.POINTS:
            return None
        return Money(delivery.point_value_minor, delivery.currency)  # type: ignore[return-value]  # shown as MoneyView

    @strawberry.field(
        description="What each lead type is worth, in the agreement's order: a lead is of the first"
        " type it matches.",
        graphql_type=list[CalibratedValueView],
        metadata={"most": MOST_VALUES},
    )
    def values(delivery: strawberry.Parent[Any]) -> list[ValueFound]:
        return [ValueFound(delivery, value) for value in delivery.values]


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
    effective_at: datetime | None = shown(
        "From when on the values count, within the period; left out, as soon as both have signed.",
        default=UNSET,
    )
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
                work,
                info.context.actor,
                sla_id,
                found,
                effective_at=input.effective_at or None,
                side=input.side or None,
            )
