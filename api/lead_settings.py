"""How the tenant takes what is said of its leads."""

from __future__ import annotations

import strawberry

from api.context import Info
from api.errors import mutation
from api.identity import TenantView
from api.trust import StaleAfterInput
from api.types import CountryCode
from api.views import shown
from domain.identity import Permission, Tenant, update_lead_settings
from domain.provenance import StaleAfter


@strawberry.input(
    description="How what is said of leads is taken from now on; what is left out stays."
)
class LeadSettingsUpdateInput:
    phone_country: strawberry.Maybe[CountryCode | None] = shown(
        "Where telephone numbers without a + are from; null for nowhere.", default=None
    )
    source_ranks: strawberry.Maybe[list[str]] = shown(
        "Whose word counts more, the most believed first: names of systems, and `crm`,"
        " `integration`, `form`, `import`, `enrichment` for all of a kind.  At most 50; users"
        " always come first and are left out.",
        default=None,
    )
    stale_after: strawberry.Maybe[list[StaleAfterInput]] = shown(
        "After how long facts are doubtful; those left out never are.", default=None
    )


@strawberry.type
class Mutations:
    @mutation(
        TenantView,
        "Change how what is said of leads is taken.  What was believed so far is not judged anew.",
        needs=Permission.MANAGE_TENANT,
    )
    async def lead_settings_update(self, info: Info, input: LeadSettingsUpdateInput) -> Tenant:
        ranks, limits = input.source_ranks, input.stale_after
        async with info.context.writing() as work:
            return await update_lead_settings(
                work,
                info.context.actor,
                phone_country=... if input.phone_country is None else input.phone_country.value,
                source_ranks=None if ranks is None else ranks.value,
                stale_after=None
                if limits is None
                else [StaleAfter(each.fact, each.days) for each in limits.value],
            )
