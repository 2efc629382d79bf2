"""What can be read and done about agreements."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from api.context import Info
from api.errors import mutation, query
from api.filtering import collection, filter_input, order_input
from api.sla.inputs import (
    SlaCountersignInput,
    SlaProposeInput,
    SlaSupersedeInput,
    SlaWithdrawInput,
    terms_of,
)
from api.sla.views import LeadTypeValueView, SlaView
from api.types import MoneyInput
from domain import ids
from domain.identity import Permission
from domain.paging import Order
from domain.sla import signing
from domain.sla.agreeing import agreement_in_force
from domain.sla.agreement import SLA_FIELDS, Sla
from domain.sla.lead_value import LeadTypeValue, lead_type_value

SlaFilter = filter_input(SLA_FIELDS)
SlaOrder = order_input("Sla", {"STARTS_ON": "starts_on"}, "How agreements are ordered")


@strawberry.type
class Queries:
    slas = collection(
        SlaView,
        Sla,
        description="All agreements and proposals in all versions, the latest period first.",
        default=(Order("starts_on", descending=True),),
        fields=SLA_FIELDS,
        filter=SlaFilter,
        order=SlaOrder,
    )("slas")

    @query("One agreement, or null if there is none of that id.", shows=SlaView | None)
    async def sla(self, info: Info, id: strawberry.ID) -> Any:
        return await info.context.load(Sla, ids.expect("Sla", id, path=("id",)))

    @query("What a sales team's hand-offs are judged by, or null.", shows=SlaView | None)
    async def sla_in_force(
        self,
        info: Info,
        sales_team: Annotated[strawberry.ID, strawberry.argument(description="Which team.")],
        marketing_team: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Who hands off; left out, any team."),
        ] = UNSET,
        at: Annotated[
            datetime | None, strawberry.argument(description="When; now, if left out.")
        ] = UNSET,
    ) -> Any:
        giver = None
        if marketing_team:
            giver = ids.expect("Team", marketing_team, path=("marketingTeam",))
        taker = ids.expect("Team", sales_team, path=("salesTeam",))
        async with info.context.work() as work:
            found = await agreement_in_force(
                work, sales_team_id=taker, marketing_team_id=giver, at=at or work.now
            )
        return found and found[0]

    @query(
        "What one lead of a type is worth, and how many bring a quota: a calculator.",
        shows=LeadTypeValueView,
    )
    async def lead_type_value(
        self,
        info: Info,
        close_rate: Annotated[
            Decimal, strawberry.argument(description="Customers per lead, above 0 and at most 1.")
        ],
        average_revenue: Annotated[
            MoneyInput, strawberry.argument(description="Mean revenue of a customer.")
        ],
        quota: Annotated[
            MoneyInput | None, strawberry.argument(description="Revenue to bring.")
        ] = UNSET,
    ) -> LeadTypeValue:
        return lead_type_value(
            close_rate=close_rate,
            average_revenue=average_revenue.money(("averageRevenue",)),
            quota=quota.money(("quota",)) if quota else None,
        )


@strawberry.type
class Mutations:
    @mutation(
        SlaView,
        "Propose an agreement, and sign it for your side.",
        needs=Permission.SIGN_AGREEMENTS,
    )
    async def sla_propose(self, info: Info, input: SlaProposeInput) -> Sla:
        async with info.context.writing() as work:
            return await signing.propose(work, info.context.actor, _proposal(input))

    @mutation(
        SlaView,
        "Sign a proposal for the other side, so that it counts.  Hand-offs of its time that nothing"
        " has judged yet count towards the delivery; no clock starts in the past.",
        needs=Permission.SIGN_AGREEMENTS,
    )
    async def sla_countersign(self, info: Info, input: SlaCountersignInput) -> Sla:
        sla_id = ids.expect("Sla", input.sla, path=("sla",))
        async with info.context.writing() as work:
            return await signing.countersign(work, info.context.actor, sla_id)

    @mutation(
        SlaView,
        "Take back a proposal that the other side has not signed.",
        needs=Permission.SIGN_AGREEMENTS,
    )
    async def sla_withdraw(self, info: Info, input: SlaWithdrawInput) -> Sla:
        sla_id = ids.expect("Sla", input.sla, path=("sla",))
        async with info.context.writing() as work:
            return await signing.withdraw(work, info.context.actor, sla_id)

    @mutation(
        SlaView,
        "Propose the next version of a signed agreement, which never changes itself.",
        needs=Permission.SIGN_AGREEMENTS,
    )
    async def sla_supersede(self, info: Info, input: SlaSupersedeInput) -> Sla:
        sla_id = ids.expect("Sla", input.sla, path=("sla",))
        async with info.context.writing() as work:
            return await signing.supersede(
                work,
                info.context.actor,
                sla_id,
                commitments=terms_of(input.commitments),
                effective_at=input.effective_at or None,
                name=_given(input.name),
                ahead_band=_given(input.ahead_band),
                at_risk_band=_given(input.at_risk_band),
                side=input.side or None,
            )


def _proposal(input: SlaProposeInput) -> signing.Proposal:
    return signing.Proposal(
        name=input.name,
        period_kind=input.period.kind,
        starts_on=input.period.starts_on,
        ends_on=input.period.ends_on or None,
        marketing_team_id=ids.expect("Team", input.marketing_team, path=("marketingTeam",)),
        sales_team_id=ids.expect("Team", input.sales_team, path=("salesTeam",)),
        commitments=terms_of(input.commitments),
        time_zone=input.time_zone or None,
        calendar_id=ids.expect("Calendar", input.calendar, path=("calendar",))
        if input.calendar
        else None,
        currency=input.currency or None,
        effective_at=input.effective_at or None,
        ahead_band=input.ahead_band,
        at_risk_band=input.at_risk_band,
        side=input.side or None,
    )


def _given(value: Any) -> Any:
    return None if value is UNSET else value
