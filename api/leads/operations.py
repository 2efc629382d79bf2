"""Leads are listed, created, updated and upserted; what was done about them is logged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import strawberry

from api.context import Info
from api.errors import mutation, query
from api.filtering import collection, filter_input, order_input
from api.leads.inputs import (
    ActivityLogInput,
    LeadCreateInput,
    LeadRef,
    LeadsUpsertInput,
    LeadUpdateInput,
    details_of,
    details_of_row,
    or_none,
)
from api.leads.views import ActivityView, LeadView, UpsertedRowView
from api.writing import written
from domain import lead_intake
from domain.errors import NotFound
from domain.identity import Permission
from domain.lead_intake import UpsertedRow
from domain.leads import LEAD_FIELDS, Activity, Lead
from domain.paging import Order
from domain.ports import Work

LeadFilter = filter_input(LEAD_FIELDS)
LeadOrder = order_input(
    "Lead",
    {"CREATED_AT": "created_at", "SCORE": "score", "GRADE": "grade"},
    "How leads are ordered",
)


async def resolve_lead(work: Work, ref: LeadRef, *, path: Sequence[str | int] = ("lead",)) -> Lead:
    """Return the lead that a reference means."""
    return await lead_intake.resolve_lead(work, ref.key(path), path=path)


async def lead_id_of(
    work: Work, ref: LeadRef, *, path: Sequence[str | int] = ("lead",), lock: bool = False
) -> UUID:
    """Return the id of the lead that a reference means, or of the one it was merged into.

    Whether there is one of an id is for the reader to find out.  With `lock`, as whoever is about
    to change the lead asks for it, there is one, and nobody merges it from then on.
    """
    key = ref.key(path)
    if isinstance(key, UUID) and not lock:
        return await lead_intake.current_lead_id(work, key)
    return (await lead_intake.resolve_lead(work, key, path=path, lock=lock)).id


@strawberry.type
class Queries:
    leads = collection(
        LeadView,
        Lead,
        description="Leads, the newest first.",
        default=(Order("created_at", descending=True),),
        fields=LEAD_FIELDS,
        filter=LeadFilter,
        order=LeadOrder,
    )("leads")

    @query("One lead, or null if there is none.")
    async def lead(
        self,
        info: Info,
        ref: Annotated[LeadRef, strawberry.argument(description="Which lead.")],
    ) -> LeadView | None:
        async with info.context.work() as work:
            try:
                return await resolve_lead(work, ref, path=("ref",))  # type: ignore[return-value]  # a Lead
            except NotFound:
                return None


@strawberry.type
class Mutations:
    @mutation(LeadView, "Store a new lead.", needs=Permission.EDIT_LEADS)
    async def lead_create(self, info: Info, input: LeadCreateInput) -> Lead:
        details = details_of(input, created_at=input.created_at)
        return await written(
            info, lambda work: lead_intake.create_lead(work, info.context.actor, details)
        )

    @mutation(LeadView, "Change what is known of a lead.", needs=Permission.EDIT_LEADS)
    async def lead_update(self, info: Info, input: LeadUpdateInput) -> Lead:
        key, details, version = input.lead.key(), details_of(input), or_none(input.version)
        return await written(
            info,
            lambda work: lead_intake.update_lead(
                work, info.context.actor, key, details, version=version
            ),
        )

    @mutation(
        UpsertedRowView,
        "Create or update up to 500 leads; a bad row spoils no other.",
        needs=Permission.EDIT_LEADS,
        shows="rows",
        many=True,
    )
    async def leads_upsert(self, info: Info, input: LeadsUpsertInput) -> Sequence[UpsertedRow]:
        return await written(
            info,
            lambda work: lead_intake.upsert_leads(
                work, info.context.actor, [details_of_row(row) for row in input.rows]
            ),
        )

    @mutation(ActivityView, "Keep what was done about a lead.", needs=Permission.EDIT_LEADS)
    async def activity_log(self, info: Info, input: ActivityLogInput) -> Activity:
        async with info.context.writing() as work:
            return await lead_intake.log_activity(
                work,
                info.context.actor,
                input.lead.key(),
                kind=input.kind,
                agency=input.agency,
                answered=input.answered,
                occurred_at=or_none(input.occurred_at),
                text=or_none(input.text),
            )
