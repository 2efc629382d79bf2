"""What has to be said to change who is here."""

from __future__ import annotations

from datetime import timedelta

import strawberry
from strawberry import UNSET

import api.stages  # noqa: F401  # declares Side
from api.types import Currency, EmailAddress, TimeZone
from api.views import shown
from domain.identity import DEFAULT_CAPACITY, OVERLAP, Role
from domain.stages import Side


@strawberry.input(description="Who signs in.")
class SignInInput:
    email: EmailAddress = shown("The account's e-mail address.")
    password: str = shown("The account's password.")
    tenant: str | None = shown(
        "The slug of the tenant; needed if the account opens several.", default=UNSET
    )


@strawberry.input(description="Which session to go on with.")
class SessionRefreshInput:
    refresh_token: str = shown("The last one that the session gave; it is good once.")


@strawberry.input(description="Which session to end.")
class SessionEndInput:
    session: strawberry.ID = shown("Which session; one of your own.")


@strawberry.input(description="Whose sessions to end.")
class UserSessionsEndInput:
    user: strawberry.ID = shown("Which user of the tenant.")


@strawberry.input(description="The password until now, and the one from now on.")
class PasswordChangeInput:
    current_password: str = shown("The password until now.")
    new_password: str = shown("The password from now on, of 12 characters or more.")


@strawberry.input(description="What to change about the tenant; what is left out stays.")
class TenantUpdateInput:
    name: strawberry.Maybe[str] = shown("What people call it.", default=None)
    time_zone: strawberry.Maybe[TimeZone] = shown(
        "Where its days begin and end; days counted already stay.", default=None
    )
    currency: strawberry.Maybe[Currency] = shown("What it counts money in.", default=None)


@strawberry.input(description="What to change about a user; what is left out stays.")
class UserUpdateInput:
    user: strawberry.ID = shown("Which user.")
    name: strawberry.Maybe[str] = shown("What people call them.", default=None)
    role: strawberry.Maybe[Role] = shown(
        "Their part in the tenant; only an owner makes or unmakes owners.", default=None
    )
    active: strawberry.Maybe[bool] = shown(
        "Whether they may sign in; false ends their sessions at once.", default=None
    )


@strawberry.input(description="A team to set up.")
class TeamCreateInput:
    name: str = shown("What it is called.")
    side: Side = shown("Whose promises it keeps; this never changes.")
    calendar: strawberry.ID | None = shown(
        "The calendar it works by; without one it works around the clock.", default=UNSET
    )


@strawberry.input(description="What to change about a team; what is left out stays.")
class TeamUpdateInput:
    team: strawberry.ID = shown("Which team.")
    name: strawberry.Maybe[str] = shown("What it is called.", default=None)
    calendar: strawberry.Maybe[strawberry.ID | None] = shown(
        "The calendar it works by; null to work around the clock.", default=None
    )


@strawberry.input(description="Whom to take into which team.")
class TeamMemberAddInput:
    team: strawberry.ID = shown("The team.")
    user: strawberry.ID = shown("The user, who must be active.")
    available: bool = shown("Whether new hand-offs may go to them.", default=True)
    capacity: int = shown("How many undecided hand-offs they can hold.", default=DEFAULT_CAPACITY)


@strawberry.input(description="What to change about a place in a team; what is left out stays.")
class TeamMemberUpdateInput:
    team_member: strawberry.ID = shown("Which place.")
    available: strawberry.Maybe[bool] = shown("Whether new hand-offs may go to them.", default=None)
    capacity: strawberry.Maybe[int] = shown(
        "How many undecided hand-offs they can hold.", default=None
    )


@strawberry.input(description="Which place in a team ends.")
class TeamMemberRemoveInput:
    team_member: strawberry.ID = shown("Which place.")


@strawberry.input(description="A key to make.")
class ApiKeyCreateInput:
    name: str = shown("What it is for.")
    role: Role = shown("What it may do; at most an ADMIN.")


@strawberry.input(description="Which key gets another secret.")
class ApiKeyRotateInput:
    api_key: strawberry.ID = shown("Which key.")
    overlap: timedelta = shown(
        "How long the secret until now works on, at most seven days.", default=OVERLAP
    )


@strawberry.input(description="Which key to revoke.")
class ApiKeyRevokeInput:
    api_key: strawberry.ID = shown("Which key.")


@strawberry.input(description="A link to a wall board to make.")
class BoardLinkCreateInput:
    name: str = shown("Where it hangs.")
    sales_team: strawberry.ID | None = shown(
        "Whose board it is; all sales teams' if left out.", default=UNSET
    )


@strawberry.input(description="Which link to a board to revoke.")
class BoardLinkRevokeInput:
    board_link: strawberry.ID = shown("Which link.")
