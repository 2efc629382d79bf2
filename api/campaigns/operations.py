"""Campaigns are listed, made, changed and put away; their costs are recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import strawberry

from api.campaigns.inputs import (
    CampaignArchiveInput,
    CampaignAssetsSetInput,
    CampaignCostCorrectInput,
    CampaignCostDeleteInput,
    CampaignCostRecordInput,
    CampaignCostsUpsertInput,
    CampaignCreateInput,
    CampaignRef,
    CampaignUpdateInput,
    cost_of,
    cost_of_row,
    plan_of,
)
from api.campaigns.views import CampaignCostView, CampaignView, CostRowView
from api.context import Info
from api.errors import mutation, query
from api.filtering import collection, filter_input, order_input
from api.writing import written
from domain import campaigns, ids
from domain.campaigns import CAMPAIGN_FIELDS, Campaign, CampaignCost, CostRow, campaign_of
from domain.errors import NotFound
from domain.identity import Permission
from domain.paging import Order
from domain.ports import Work

CampaignFilter = filter_input(CAMPAIGN_FIELDS)
CampaignOrder = order_input("Campaign", {"CREATED_AT": "created_at"}, "How campaigns are ordered")
_NEEDS = Permission.EDIT_CAMPAIGNS


async def campaign_id_of(
    work: Work, ref: CampaignRef, *, path: Sequence[str | int] = ("campaign",)
) -> UUID:
    """Return the id of the campaign that a reference means.

    Whether there is one of an id is for the reader to find out.
    """
    key = ref.key(path)
    return key if isinstance(key, UUID) else (await campaign_of(work, key, path=path)).id


@strawberry.type
class Queries:
    campaigns = collection(
        CampaignView,
        Campaign,
        description="Campaigns, the newest first; those not put away with"
        " `archivedAt: {isNull: true}`.",
        default=(Order("created_at", descending=True),),
        fields=CAMPAIGN_FIELDS,
        filter=CampaignFilter,
        order=CampaignOrder,
    )("campaigns")

    @query("One campaign, or null if there is none.", shows=CampaignView | None)
    async def campaign(
        self,
        info: Info,
        ref: Annotated[CampaignRef, strawberry.argument(description="Which campaign.")],
    ) -> Any:
        async with info.context.work() as work:
            try:
                return await campaign_of(work, ref.key(("ref",)), path=("ref",))
            except NotFound:
                return None


@strawberry.type
class Mutations:
    @mutation(
        CampaignView,
        "Make a campaign; touches and leads that named its code before become its own.",
        needs=_NEEDS,
    )
    async def campaign_create(self, info: Info, input: CampaignCreateInput) -> Campaign:
        plan = plan_of(input)
        return await written(
            info,
            lambda work: campaigns.create_campaign(
                work, info.context.actor, code=input.code, plan=plan
            ),
        )

    @mutation(CampaignView, "Change a campaign, all but its code.", needs=_NEEDS)
    async def campaign_update(self, info: Info, input: CampaignUpdateInput) -> Campaign:
        key, plan = input.campaign.key(), plan_of(input)
        async with info.context.writing() as work:
            found = await campaign_of(work, key)
            return await campaigns.update_campaign(work, info.context.actor, found.id, plan)

    @mutation(CampaignView, "Put a campaign away; it keeps what belongs to it.", needs=_NEEDS)
    async def campaign_archive(self, info: Info, input: CampaignArchiveInput) -> Campaign:
        key = input.campaign.key()
        async with info.context.writing() as work:
            found = await campaign_of(work, key)
            return await campaigns.archive_campaign(work, info.context.actor, found.id)

    @mutation(CampaignView, "Say which contents belong to a campaign.", needs=_NEEDS)
    async def campaign_assets_set(self, info: Info, input: CampaignAssetsSetInput) -> Campaign:
        key = input.campaign.key()
        assets = [
            ids.expect("ContentAsset", asset, path=("assets", place))
            for place, asset in enumerate(input.assets)
        ]
        async with info.context.writing() as work:
            found = await campaign_of(work, key)
            return await campaigns.set_campaign_assets(work, info.context.actor, found.id, assets)

    @mutation(CampaignCostView, "Record what a campaign cost on a day.", needs=_NEEDS)
    async def campaign_cost_record(
        self, info: Info, input: CampaignCostRecordInput
    ) -> CampaignCost:
        details = cost_of(input)
        return await written(
            info, lambda work: campaigns.record_cost(work, info.context.actor, details)
        )

    @mutation(
        CostRowView,
        "Record or correct up to 500 costs; a bad row spoils no other.",
        needs=_NEEDS,
        shows="rows",
        many=True,
    )
    async def campaign_costs_upsert(
        self, info: Info, input: CampaignCostsUpsertInput
    ) -> Sequence[CostRow]:
        return await written(
            info,
            lambda work: campaigns.upsert_costs(
                work, info.context.actor, [cost_of_row(row) for row in input.rows]
            ),
        )

    @mutation(CampaignCostView, "Say anew what a campaign cost on a day.", needs=_NEEDS)
    async def campaign_cost_correct(
        self, info: Info, input: CampaignCostCorrectInput
    ) -> CampaignCost:
        details = cost_of(input)
        cost_id = ids.expect("CampaignCost", input.cost, path=("cost",))
        async with info.context.writing() as work:
            return await campaigns.correct_cost(work, info.context.actor, cost_id, details)

    @mutation(
        CampaignCostView,
        "Take a cost back, as if it had never been recorded; the answer shows what it was.",
        needs=_NEEDS,
    )
    async def campaign_cost_delete(
        self, info: Info, input: CampaignCostDeleteInput
    ) -> CampaignCost:
        cost_id = ids.expect("CampaignCost", input.cost, path=("cost",))
        async with info.context.writing() as work:
            return await campaigns.delete_cost(work, info.context.actor, cost_id)
