"""What can be read about who is here."""

from __future__ import annotations

from typing import Any

import strawberry

from api.context import Info
from api.errors import SIGNED_IN, query
from api.filtering import collection, filter_input, order_input
from api.identity.views import ApiKeyView, BoardLinkView, TeamView, UserView, ViewerView
from domain import ids
from domain.identity import TEAM_FIELDS, USER_FIELDS, ApiKey, Board, Permission, Team, User
from domain.paging import Order

UserFilter = filter_input(USER_FIELDS)
TeamFilter = filter_input(TEAM_FIELDS)
UserOrder = order_input(
    "User", {"NAME": "name", "EMAIL": "email", "CREATED_AT": "created_at"}, "How users are ordered"
)


@strawberry.type
class Queries:
    users = collection(
        UserView,
        User,
        description="The people of the tenant, by name; those who have left are not active.",
        default=(Order("name"),),
        fields=USER_FIELDS,
        filter=UserFilter,
        order=UserOrder,
    )("users")
    teams = collection(
        TeamView,
        Team,
        description="The teams of both sides, by name.",
        default=(Order("name"),),
        fields=TEAM_FIELDS,
        filter=TeamFilter,
    )("teams")
    api_keys = collection(
        ApiKeyView,
        ApiKey,
        description="The keys of machines, the newest first, revoked ones too.",
        default=(Order("created_at", descending=True),),
        needs=Permission.MANAGE_KEYS,
    )("api_keys")
    board_links = collection(
        BoardLinkView,
        Board,
        description="The links to wall boards, the newest first, revoked ones too.",
        default=(Order("created_at", descending=True),),
        needs=Permission.MANAGE_BOARDS,
    )("board_links")

    @query("Who is asking, and what they may do.", needs=SIGNED_IN, shows=ViewerView)
    async def viewer(self, info: Info) -> Any:
        return info.context.actor

    @query("One user, or null if there is none of that id.", shows=UserView | None)
    async def user(self, info: Info, id: strawberry.ID) -> Any:
        return await info.context.load(User, ids.expect("User", id, path=("id",)))

    @query("One team, or null if there is none of that id.", shows=TeamView | None)
    async def team(self, info: Info, id: strawberry.ID) -> Any:
        return await info.context.load(Team, ids.expect("Team", id, path=("id",)))
