"""Opportunities are listed, opened, moved along, won, lost and reopened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import strawberry

from api.companies import company_id_of
from api.context import Info
from api.errors import mutation, query
from api.filtering import collection, filter_input, order_input
from api.identity import user_id_of
from api.leads.inputs import or_none
from api.opportunities.inputs import (
    OpportunitiesUpsertInput,
    OpportunityAdvanceInput,
    OpportunityCreateInput,
    OpportunityLoseInput,
    OpportunityRef,
    OpportunityReopenInput,
    OpportunityUpdateInput,
    OpportunityWinInput,
    details_of_changes,
    details_of_new,
    row_of,
)
from api.opportunities.views import OpportunityView, UpsertedOpportunityView
from api.writing import written
from domain import opportunities
from domain.errors import NotFound
from domain.identity import Permission
from domain.opportunities import OPPORTUNITY_FIELDS, Opportunity, UpsertedOpportunity
from domain.paging import Order
from domain.ports import Work

OpportunityFilter = filter_input(OPPORTUNITY_FIELDS)
OpportunityOrder = order_input(
    "Opportunity",
    {
        "OPENED_AT": "opened_at",
        "EXPECTED_CLOSE_ON": "expected_close_on",
        "CLOSED_AT": "closed_at",
    },
    "How opportunities are ordered",
)


@strawberry.type
class Queries:
    opportunities = collection(
        OpportunityView,
        Opportunity,
        description="Opportunities, the newest first.",
        default=(Order("opened_at", descending=True),),
        fields=OPPORTUNITY_FIELDS,
        filter=OpportunityFilter,
        order=OpportunityOrder,
    )("opportunities")

    @query("One opportunity, or null if there is none.", shows=OpportunityView | None)
    async def opportunity(
        self,
        info: Info,
        ref: Annotated[OpportunityRef, strawberry.argument(description="Which opportunity.")],
    ) -> Any:
        async with info.context.work() as work:
            try:
                return await opportunities.resolve_opportunity(
                    work, ref.key(("ref",)), path=("ref",)
                )
            except NotFound:
                return None


@strawberry.type
class Mutations:
    @mutation(
        OpportunityView,
        "Open an opportunity with a lead that sales has accepted.",
        needs=Permission.EDIT_OPPORTUNITIES,
    )
    async def opportunity_create(self, info: Info, input: OpportunityCreateInput) -> Opportunity:
        details, owner = details_of_new(input)
        stage = input.stage.key() if input.stage else None

        async def change(work: Work) -> Opportunity:
            owner_id = await user_id_of(work, owner, path=("owner",))
            said = replace(details, owner_id=owner_id) if owner_id else details
            if input.company:
                said = replace(said, company_id=await company_id_of(work, input.company))
            return await opportunities.open_opportunity(
                work, info.context.actor, input.lead.key(), said, stage=stage
            )

        return await written(info, change)

    @mutation(
        OpportunityView,
        "Change what is known of an opportunity.",
        needs=Permission.EDIT_OPPORTUNITIES,
    )
    async def opportunity_update(self, info: Info, input: OpportunityUpdateInput) -> Opportunity:
        details, key = details_of_changes(input), input.opportunity.key()

        async def change(work: Work) -> Opportunity:
            said = details
            if input.owner is not None:
                owner_id = await user_id_of(work, input.owner.value, path=("owner",))
                said = replace(details, owner_id=owner_id)
            if input.company is not None:
                company = input.company.value
                company_id = await company_id_of(work, company) if company else None
                said = replace(said, company_id=company_id)
            return await opportunities.update_opportunity(
                work,
                info.context.actor,
                key,
                said,
                closed_at=or_none(input.closed_at),
                version=or_none(input.version),
            )

        return await written(info, change)

    @mutation(
        OpportunityView,
        "Move an opportunity to another stage, ahead or behind.",
        needs=Permission.EDIT_OPPORTUNITIES,
    )
    async def opportunity_advance(self, info: Info, input: OpportunityAdvanceInput) -> Opportunity:
        async with info.context.writing() as work:
            return await opportunities.advance_opportunity(
                work,
                info.context.actor,
                input.opportunity.key(),
                stage=input.stage.key(),
                at=or_none(input.at),
            )

    @mutation(
        OpportunityView,
        "Close an opportunity as won: its lead is a customer, and its amount revenue, NEW or, of"
        " who is a customer already, EXPANSION.",
        needs=Permission.EDIT_OPPORTUNITIES,
    )
    async def opportunity_win(self, info: Info, input: OpportunityWinInput) -> Opportunity:
        amount = input.amount.money(("amount",)) if input.amount else None

        async def change(work: Work) -> Opportunity:
            return await opportunities.win_opportunity(
                work,
                info.context.actor,
                input.opportunity.key(),
                amount=amount,
                at=or_none(input.at),
            )

        return await written(info, change)

    @mutation(
        OpportunityView,
        "Close an opportunity as lost, and say why.  The lead stays where it is.",
        needs=Permission.EDIT_OPPORTUNITIES,
    )
    async def opportunity_lose(self, info: Info, input: OpportunityLoseInput) -> Opportunity:
        async with info.context.writing() as work:
            return await opportunities.lose_opportunity(
                work,
                info.context.actor,
                input.opportunity.key(),
                reason=input.reason,
                at=or_none(input.at),
            )

    @mutation(
        OpportunityView,
        "Let a closed opportunity go on after all.  What a won one brought is taken back: its"
        " revenue, and the customer if nothing else was bought.",
        needs=Permission.EDIT_OPPORTUNITIES,
    )
    async def opportunity_reopen(self, info: Info, input: OpportunityReopenInput) -> Opportunity:
        async with info.context.writing() as work:
            return await opportunities.reopen_opportunity(
                work,
                info.context.actor,
                input.opportunity.key(),
                reason=or_none(input.reason),
                at=or_none(input.at),
            )

    @mutation(
        UpsertedOpportunityView,
        "Open, change and close up to 500 opportunities; a bad row spoils no other.",
        needs=Permission.EDIT_OPPORTUNITIES,
        shows="rows",
        many=True,
    )
    async def opportunities_upsert(
        self, info: Info, input: OpportunitiesUpsertInput
    ) -> Sequence[UpsertedOpportunity]:
        rows = [row_of(row) for row in input.rows]

        async def change(work: Work) -> Sequence[UpsertedOpportunity]:
            return await opportunities.upsert_opportunities(
                work, info.context.actor, rows, as_history=input.as_history
            )

        return await written(info, change)
