"""Leads that are one person are merged, and a merge is undone."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry

from api.context import Info
from api.errors import mutation
from api.filtering import collection, filter_input
from api.leads import LeadRef, LeadView
from api.types import EmailAddress
from api.views import related, shown, view
from domain import ids
from domain.identity import Permission, User
from domain.leads import Lead
from domain.merging import MERGE_FIELDS, LeadMerge, MergedLead, merge_leads, unmerge_leads
from domain.paging import Order


@view(MergedLead, description="Who a lead was that was merged into another.")
class MergedLeadView:
    email: EmailAddress | None = shown("Its e-mail address, which leads to the other now.")
    first_name: str | None = shown("The first name.")
    last_name: str | None = shown("The last name.")

    @strawberry.field(description="Its id, which leads to the other now.")
    def id(lead: strawberry.Parent[Any]) -> strawberry.ID:
        return strawberry.ID(ids.public("Lead", lead.id))


@view(LeadMerge, description="That some leads turned out to be one person, and became one lead.")
class LeadMergeView:
    losers: list[MergedLeadView] = shown("The leads that are part of the winner now.")
    merged_at: datetime = shown("When they were merged.")
    automatic: bool = shown("Whether the tenant's rules merged them, and no person did.")
    score: Decimal | None = shown(
        "How sure it was that they are one person, from 0 to 1, where the rules merged them."
    )
    undone_at: datetime | None = shown("When it was undone; null where it holds.")
    merged_by = related(
        "api.identity.UserView",
        User,
        by="merged_by",
        description="Who merged them; null where the rules or an integration did.",
    )
    undone_by = related(
        "api.identity.UserView", User, by="undone_by", description="Who undid it, if a person did."
    )

    @strawberry.field(
        description="The lead that goes on, or the one it was merged into itself since."
    )
    async def winner(merge: strawberry.Parent[Any], info: Info) -> LeadView | None:
        return await info.context.load(Lead, merge.winner_id)  # type: ignore[no-any-return]  # a Lead


LeadMergeFilter = filter_input(MERGE_FIELDS)


@strawberry.type
class Queries:
    lead_merges = collection(
        LeadMergeView,
        LeadMerge,
        description="Merges of leads, the latest first; also those that were undone.",
        default=(Order("merged_at", descending=True),),
        fields=MERGE_FIELDS,
        filter=LeadMergeFilter,
    )("lead_merges")


@strawberry.input(description="Which leads are one person.")
class LeadMergeInput:
    winner: LeadRef = shown("The lead that goes on: what it says is kept.")
    losers: list[LeadRef] = shown(
        "The leads that become part of it, at most 10; they fill its blanks in this order."
    )


@strawberry.input(description="Which merge is to be undone.")
class LeadUnmergeInput:
    merge: strawberry.ID = shown("The merge; the latest of its lead.")


@strawberry.type
class Mutations:
    @mutation(
        LeadMergeView,
        "Make one lead of several that are one person.  All that belongs to the losers is the"
        " winner's from then on, their ids and addresses lead to it, and what is promised twice"
        " ends once.",
        needs=Permission.MERGE_LEADS,
    )
    async def lead_merge(self, info: Info, input: LeadMergeInput) -> LeadMerge:
        winner = input.winner.key(("winner",))
        losers = [ref.key(("losers", place)) for place, ref in enumerate(input.losers)]
        async with info.context.writing() as work:
            return await merge_leads(work, info.context.actor, winner, losers)

    @mutation(
        LeadMergeView,
        "Undo a merge.  The losers have again what was theirs; what came or was changed since"
        " stays with the winner.  Refused where nobody can say whose it would be.",
        needs=Permission.MERGE_LEADS,
    )
    async def lead_unmerge(self, info: Info, input: LeadUnmergeInput) -> LeadMerge:
        merge_id = ids.expect("LeadMerge", input.merge, path=("merge",))
        async with info.context.writing() as work:
            return await unmerge_leads(work, info.context.actor, merge_id)
