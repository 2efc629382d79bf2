"""The keys of web sites are made, changed and revoked."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import strawberry

from api.context import Info
from api.errors import mutation
from api.filtering import collection
from api.identity import UserView
from api.types import Url
from api.views import related, shown, view
from domain import ids, tracking
from domain.identity import Permission, User
from domain.paging import Order
from domain.tracking import TrackingSite


@view(
    TrackingSite,
    description="A web site whose pages tell what visitors do there.  Its key is no secret.",
)
class TrackingSiteView:
    name: str = shown("What it is called.")
    key: str = shown("What its pages give the script; it can only say, and never read.")
    origins: list[str] = shown(
        "Where its pages are, as browsers say it.", metadata={"most": tracking.MOST_ORIGINS}
    )
    created_at: datetime = shown("When it was made.")
    revoked_at: datetime | None = shown("When its key was revoked; null while it works.")
    version: int = shown("How often it was changed.")
    created_by = related(UserView, User, by="created_by", description="Who made it.")

    @strawberry.field(description="What to put into its pages.")
    def snippet(site: strawberry.Parent[TrackingSite], info: Info) -> str:
        return f'<script async src="{info.context.script_url}" data-key="{site.key}"></script>'


@strawberry.type
class Queries:
    tracking_sites = collection(
        TrackingSiteView,
        TrackingSite,
        description="Web sites that may send beacons, the newest first, revoked ones too.",
        default=(Order("created_at", descending=True),),
        needs=Permission.MANAGE_SITES,
    )("tracking_sites")


@strawberry.input(description="A web site that is to tell what visitors do there.")
class TrackingSiteCreateInput:
    name: str = shown("What to call it.")
    origins: list[Url] = shown(
        "Where its pages are, at most 20: https://www.acme.example.  Beacons from elsewhere are"
        " refused."
    )


@strawberry.input(description="What changes about a site.  What is left out stays.")
class TrackingSiteUpdateInput:
    site: strawberry.ID = shown("Which site.")
    name: strawberry.Maybe[str] = shown("What to call it.", default=None)
    origins: strawberry.Maybe[list[Url]] = shown("Where its pages are, all of them.", default=None)


@strawberry.input(description="Whose key to revoke.")
class TrackingSiteRevokeInput:
    site: strawberry.ID = shown("Which site.")


@strawberry.type
class Mutations:
    @mutation(TrackingSiteView, "Make a key for a web site's pages.", needs=Permission.MANAGE_SITES)
    async def tracking_site_create(
        self, info: Info, input: TrackingSiteCreateInput
    ) -> TrackingSite:
        key = info.context.new_site_key()
        async with info.context.writing() as work:
            return await tracking.create_site(
                work, info.context.actor, name=input.name, origins=input.origins, key=key
            )

    @mutation(TrackingSiteView, "Change a web site.", needs=Permission.MANAGE_SITES)
    async def tracking_site_update(
        self, info: Info, input: TrackingSiteUpdateInput
    ) -> TrackingSite:
        async with info.context.writing() as work:
            return await tracking.update_site(
                work,
                info.context.actor,
                _site_id(input.site),
                name=input.name.value if input.name else None,
                origins=input.origins.value if input.origins else None,
            )

    @mutation(
        TrackingSiteView,
        "End a web site's key for good; what its pages send is refused within a second.",
        needs=Permission.MANAGE_SITES,
    )
    async def tracking_site_revoke(
        self, info: Info, input: TrackingSiteRevokeInput
    ) -> TrackingSite:
        async with info.context.writing() as work:
            return await tracking.revoke_site(work, info.context.actor, _site_id(input.site))


def _site_id(text: str) -> UUID:
    return ids.expect("TrackingSite", text, path=("site",))
