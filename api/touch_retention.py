"""For how long touches are kept, and what went when that was over."""

from __future__ import annotations

from datetime import datetime

import strawberry

from api.context import Info
from api.errors import mutation
from api.filtering import collection
from api.identity import TenantView
from api.views import shown, view
from domain.identity import Permission, Tenant
from domain.paging import Order
from domain.touch_retention import TouchRetentionRun, update_touch_retention


@view(
    TouchRetentionRun,
    description="One looking through of touches and visitors that were kept long enough.",
)
class TouchRetentionRunView:
    started_at: datetime = shown("When it began.")
    ended_at: datetime | None = shown("When it had seen all; null while it runs.")
    anonymous_days: int = shown("For how many days touches of visitors were kept.")
    known_days: int = shown("For how many days touches of leads were kept.")
    erased_touches: int = shown("How many touches were erased.")
    reduced_touches: int = shown(
        "How many touches were reduced to what credits and campaigns rest on."
    )
    erased_visitors: int = shown("How many visitors were erased with all that was known of them.")


@strawberry.type
class Queries:
    touch_retention_runs = collection(
        TouchRetentionRunView,
        TouchRetentionRun,
        description="What went of touches and visitors because it was old, the latest first.",
        default=(Order("started_at", descending=True),),
        needs=Permission.MANAGE_TENANT,
    )("touch_retention_runs")


@strawberry.input(
    description="For how many days touches are kept from now on, 30 to 3650; what is left out"
    " stays."
)
class TouchRetentionUpdateInput:
    anonymous_days: strawberry.Maybe[int] = shown(
        "Those of visitors nobody knows; at most as long as those of leads.", default=None
    )
    known_days: strawberry.Maybe[int] = shown("Those of leads.", default=None)


@strawberry.type
class Mutations:
    @mutation(
        TenantView,
        "Change for how long touches are kept.  What is older goes within the hour, for ever.",
        needs=Permission.MANAGE_TENANT,
    )
    async def touch_retention_update(self, info: Info, input: TouchRetentionUpdateInput) -> Tenant:
        anonymous, known = input.anonymous_days, input.known_days
        async with info.context.writing() as work:
            return await update_touch_retention(
                work,
                info.context.actor,
                anonymous_days=None if anonymous is None else anonymous.value,
                known_days=None if known is None else known.value,
            )
