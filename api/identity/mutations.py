"""What can be done about who is here."""

from __future__ import annotations

from types import EllipsisType
from typing import Any
from uuid import UUID

import strawberry
from strawberry import UNSET

from api.context import Info
from api.errors import mutation
from api.identity.inputs import (
    ApiKeyCreateInput,
    ApiKeyRevokeInput,
    ApiKeyRotateInput,
    BoardLinkCreateInput,
    BoardLinkRevokeInput,
    TeamCreateInput,
    TeamMemberAddInput,
    TeamMemberRemoveInput,
    TeamMemberUpdateInput,
    TeamUpdateInput,
    TenantUpdateInput,
    UserUpdateInput,
)
from api.identity.sessions import SessionMutations
from api.identity.views import (
    ApiKeyView,
    BoardLinkView,
    IssuedApiKeyView,
    IssuedBoardLinkView,
    TeamMemberView,
    TeamView,
    TenantView,
    UserView,
)
from domain import identity, ids
from domain.identity import (
    ApiKey,
    Board,
    IssuedApiKey,
    IssuedBoardLink,
    Permission,
    Team,
    TeamMember,
    Tenant,
    User,
)


@strawberry.type
class Mutations(SessionMutations):
    @mutation(TenantView, "Change the tenant itself.", needs=Permission.MANAGE_TENANT)
    async def tenant_update(self, info: Info, input: TenantUpdateInput) -> Tenant:
        return await info.context.accounts.update_tenant(
            info.context.actor,
            name=_given(input.name),
            time_zone=_given(input.time_zone),
            currency=_given(input.currency),
        )

    @mutation(
        UserView,
        "Change somebody's name or role, or end or renew their membership.",
        needs=Permission.MANAGE_USERS,
    )
    async def user_update(self, info: Info, input: UserUpdateInput) -> User:
        user_id = ids.expect("User", input.user, path=("user",))
        changes = {"name": input.name, "role": input.role, "active": input.active}
        given: dict[str, Any] = {name: _given(value) for name, value in changes.items()}
        async with info.context.writing() as work:
            return await identity.update_user(work, info.context.actor, user_id, **given)

    @mutation(TeamView, "Set up a team.", needs=Permission.MANAGE_TEAMS)
    async def team_create(self, info: Info, input: TeamCreateInput) -> Team:
        calendar_id = _optional("Calendar", input.calendar, "calendar")
        async with info.context.writing() as work:
            return await identity.create_team(
                work,
                info.context.actor,
                name=input.name,
                side=input.side,
                calendar_id=calendar_id,
            )

    @mutation(TeamView, "Rename a team or give it another calendar.", needs=Permission.MANAGE_TEAMS)
    async def team_update(self, info: Info, input: TeamUpdateInput) -> Team:
        team_id = ids.expect("Team", input.team, path=("team",))
        calendar_id: UUID | EllipsisType | None = ...
        if input.calendar is not None:
            calendar_id = _optional("Calendar", input.calendar.value, "calendar")
        async with info.context.writing() as work:
            return await identity.update_team(
                work,
                info.context.actor,
                team_id,
                name=_given(input.name),
                calendar_id=calendar_id,
            )

    @mutation(TeamMemberView, "Take a user into a team.", needs=Permission.MANAGE_TEAMS)
    async def team_member_add(self, info: Info, input: TeamMemberAddInput) -> TeamMember:
        team_id = ids.expect("Team", input.team, path=("team",))
        user_id = ids.expect("User", input.user, path=("user",))
        async with info.context.writing() as work:
            return await identity.add_team_member(
                work,
                info.context.actor,
                team_id=team_id,
                user_id=user_id,
                available=input.available,
                capacity=input.capacity,
            )

    @mutation(
        TeamMemberView,
        "Say whether new hand-offs may go to a member, and how many at once.",
        needs=Permission.MANAGE_TEAMS,
    )
    async def team_member_update(self, info: Info, input: TeamMemberUpdateInput) -> TeamMember:
        member_id = ids.expect("TeamMember", input.team_member, path=("teamMember",))
        async with info.context.writing() as work:
            return await identity.update_team_member(
                work,
                info.context.actor,
                member_id,
                available=_given(input.available),
                capacity=_given(input.capacity),
            )

    @mutation(
        TeamMemberView,
        "Take a user out of a team; what they work on stays theirs until it is reassigned.",
        needs=Permission.MANAGE_TEAMS,
    )
    async def team_member_remove(self, info: Info, input: TeamMemberRemoveInput) -> TeamMember:
        member_id = ids.expect("TeamMember", input.team_member, path=("teamMember",))
        async with info.context.writing() as work:
            return await identity.remove_team_member(work, info.context.actor, member_id)

    @mutation(
        IssuedApiKeyView,
        "Make a key for a machine; its secret is shown this once.",
        needs=Permission.MANAGE_KEYS,
    )
    async def api_key_create(self, info: Info, input: ApiKeyCreateInput) -> IssuedApiKey:
        return await info.context.accounts.issue_api_key(
            info.context.actor, name=input.name, role=input.role
        )

    @mutation(
        IssuedApiKeyView,
        "Give a machine's key another secret; the one until now works on for a while.",
        needs=Permission.MANAGE_KEYS,
    )
    async def api_key_rotate(self, info: Info, input: ApiKeyRotateInput) -> IssuedApiKey:
        key_id = ids.expect("ApiKey", input.api_key, path=("apiKey",))
        return await info.context.accounts.rotate_api_key(
            info.context.actor, key_id, overlap=input.overlap
        )

    @mutation(ApiKeyView, "End a key at once and for good.", needs=Permission.MANAGE_KEYS)
    async def api_key_revoke(self, info: Info, input: ApiKeyRevokeInput) -> ApiKey:
        key_id = ids.expect("ApiKey", input.api_key, path=("apiKey",))
        async with info.context.writing() as work:
            return await identity.revoke_api_key(work, info.context.actor, key_id)

    @mutation(
        IssuedBoardLinkView,
        "Make a link to a wall board; its address is shown this once.",
        needs=Permission.MANAGE_BOARDS,
    )
    async def board_link_create(self, info: Info, input: BoardLinkCreateInput) -> IssuedBoardLink:
        return await info.context.accounts.issue_board(
            info.context.actor,
            name=input.name,
            sales_team_id=_optional("Team", input.sales_team, "salesTeam"),
        )

    @mutation(
        BoardLinkView, "End a board's link at once and for good.", needs=Permission.MANAGE_BOARDS
    )
    async def board_link_revoke(self, info: Info, input: BoardLinkRevokeInput) -> Board:
        board_id = ids.expect("Board", input.board_link, path=("boardLink",))
        async with info.context.writing() as work:
            return await identity.revoke_board(work, info.context.actor, board_id)


def _given(value: Any) -> Any:
    """Return what a `Maybe` holds, None where it was left out."""
    return None if value is None else value.value


def _optional(kind: str, text: Any, field: str) -> UUID | None:
    return None if text is UNSET or text is None else ids.expect(kind, text, path=(field,))
