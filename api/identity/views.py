"""What is shown of the tenant, its people and teams, and the keys of its machines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

import api.stages  # noqa: F401  # declares Side
from api.context import Info
from api.filtering import enum
from api.identity.devices import open_sessions
from api.trust import StaleAfterView
from api.types import CountryCode, Currency, EmailAddress, TimeZone, Url
from api.views import listed, related, shown, view
from domain.identity import (
    Actor,
    ApiKey,
    Board,
    IssuedApiKey,
    IssuedBoardLink,
    Permission,
    Role,
    Session,
    SignedIn,
    Team,
    TeamMember,
    Tenant,
    User,
)
from domain.ports import Work, by_id
from domain.sla.calendars import Calendar
from domain.stages import Side

enum(
    Role,
    "A user's part in the tenant; each can do what those below it can.",
    OWNER="Everything, and alone says who the owners are.",
    ADMIN="Sets up people, teams, calendars and keys.",
    MANAGER="Signs agreements, defines stages and personas, sets goals and reassigns leads.",
    MEMBER="Works on leads.",
    ANALYST="Looks on, and acknowledges personas.",
)

enum(
    Permission,
    "One thing that somebody may or may not do.",
    VIEW="See everything but keys, boards and the audit log.",
    VIEW_BOARD="See the live board, which shows no personal data.",
    EDIT_LEADS="Add and change leads, and log activities.",
    HAND_OFF_LEADS="Hand leads to sales.",
    ACCEPT_LEADS="Take, reject and recycle leads that were handed over.",
    EDIT_OPPORTUNITIES="Open, change, win and lose opportunities.",
    EDIT_CUSTOMERS="Record revenue, and say how things stand with customers.",
    REASSIGN_LEADS="Give a lead to somebody else.",
    DISCUSS="Talk to the other team in threads, and rate campaigns and leads.",
    WAIVE_CLOCKS="Let a promise about a lead go, with a reason.",
    DEFINE_STAGES="Propose and sign what a stage means.",
    EDIT_SCORING="Propose and activate scoring models, and train predictions.",
    EDIT_PERSONAS="Write personas.",
    EDIT_CONTENT="Make content assets known, change them and put them away.",
    ACKNOWLEDGE_PERSONAS="Say that one has read a persona.",
    SIGN_AGREEMENTS="Propose and sign agreements for one's own side.",
    SET_GOALS="Set goals.",
    MANAGE_PIPELINE="Change the stages that opportunities go through.",
    SET_EXCHANGE_RATES="Say what other currencies are worth.",
    EDIT_CAMPAIGNS="Make and change campaigns, and record what they cost.",
    DEFINE_ATTRIBUTION="Make attribution models.",
    EDIT_CALENDARS="Set working hours.",
    IMPORT_LEADS="Import files of leads, companies, touches, opportunities and costs.",
    MERGE_LEADS="Merge leads that are one person, undo that, and say when it is done by itself.",
    MANAGE_TENANT="Change the tenant's name, time zone and currency.",
    MANAGE_TEAMS="Set up teams and say who is in them.",
    MANAGE_USERS="Let people in, change their role, and end their membership.",
    MANAGE_KEYS="Make and revoke API keys.",
    MANAGE_BOARDS="Make and revoke links to wall boards.",
    MANAGE_SITES="Make, change and revoke the keys of web sites.",
    SEND_BEACONS="Tell what a visitor does on a web site; nothing can be read by it.",
    VIEW_AUDIT_LOG="See who changed what, with what it was before.",
)


@view(Tenant, description="The company whose data this is.")
class TenantView:
    slug: str = shown("Its name in addresses and on command lines.")
    name: str = shown("What people call it.")
    time_zone: TimeZone = shown("Where its days begin and end.")
    currency: Currency = shown("What it counts money in.")
    phone_country: CountryCode | None = shown(
        "Where telephone numbers without a + are from, unless the lead's own country is known."
    )
    source_ranks: list[str] = shown(
        "Whose word about a lead counts more, the most believed first, below users: names of"
        " systems, and `crm`, `integration`, `form`, `import`, `enrichment` for all of a kind."
    )
    stale_after: list[StaleAfterView] = shown(
        "After how long facts about leads are doubtful, unless somebody says them again."
    )
    anonymous_touch_days: int = shown(
        "For how many days it is kept what visitors do whom nobody knows."
    )
    known_touch_days: int = shown("For how many days it is kept what leads do.")
    created_at: datetime = shown("When it was set up.")
    version: int = shown("How often it was changed.")


@view(User, description="A person who works here.")
class UserView:
    email: EmailAddress = shown("The e-mail address to sign in with.")
    name: str = shown("What people call them.")
    role: Role = shown("Their part in the tenant.")
    active: bool = shown("Whether they may still sign in.")
    created_at: datetime = shown("When they were added.")
    left_at: datetime | None = shown("When they left; null while they are active.")
    mention_letters: bool = shown(
        "Whether they get a letter when somebody calls them in a thread, and they do not read it."
    )
    version: int = shown("How often this was changed.")
    memberships = listed(
        "api.identity.TeamMemberView",
        TeamMember,
        by="user_id",
        description="Their places in teams.",
    )

    @strawberry.field(description="The teams they are in, by name.")
    async def teams(user: strawberry.Parent[Any], info: Info) -> list[TeamView]:
        return await info.context.load_with("teams_of_user", _teams_of, user.id)  # type: ignore[no-any-return]  # teams


@view(Team, description="People who keep one side's promises.")
class TeamView:
    name: str = shown("What it is called.")
    side: Side = shown("Whose promises it keeps.")
    created_at: datetime = shown("When it was set up.")
    version: int = shown("How often it was changed.")
    calendar = related(
        "api.calendars.CalendarView",
        Calendar,
        by="calendar_id",
        description="The calendar it works by; null works around the clock.",
    )
    members = listed(
        "api.identity.TeamMemberView",
        TeamMember,
        by="team_id",
        description="Who is in it, the longest there first.",
    )


@view(TeamMember, description="A user's place in a team.")
class TeamMemberView:
    available: bool = shown("Whether new hand-offs may go to them.")
    capacity: int = shown("How many undecided hand-offs they can hold.")
    last_routed_at: datetime | None = shown("When a hand-off last went to them by turns.")
    created_at: datetime = shown("When they joined.")
    version: int = shown("How often this was changed.")
    team = related(TeamView, Team, by="team_id", description="The team.")
    user = related(UserView, User, by="user_id", description="The user.")


@view(ApiKey, description="A machine's key.  Its secret is shown once, when it is made.")
class ApiKeyView:
    name: str = shown("What it is for.")
    role: Role = shown("What it may do: as much as a user of this role.")
    created_at: datetime = shown("When it was made.")
    revoked_at: datetime | None = shown("When it was revoked; null while it works.")
    rotated_at: datetime | None = shown("When it was last given another secret; null if never.")
    previous_expires_at: datetime | None = shown(
        "Until when the secret before the last rotation works; null if there was none."
    )
    version: int = shown("How often it was changed.")
    created_by = related(UserView, User, by="created_by", description="Who made it.")


@view(
    Board,
    name="BoardLink",
    description="A link to a live board on a wall.  Its address is shown once, when it is made.",
)
class BoardLinkView:
    name: str = shown("Where it hangs.")
    created_at: datetime = shown("When it was made.")
    revoked_at: datetime | None = shown("When it was revoked; null while it works.")
    version: int = shown("How often it was changed.")
    created_by = related(UserView, User, by="created_by", description="Who made it.")
    sales_team = related(
        TeamView, Team, by="sales_team_id", description="Whose board it is; null for all teams."
    )


@view(Session, description="One sign-in on one device.")
class SessionView:
    created_at: datetime = shown("When somebody signed in.")
    last_used_at: datetime = shown("When it was last refreshed.")
    expires_at: datetime = shown("When it ends unless it is refreshed before.")
    ended_at: datetime | None = shown("When it was ended before its time; null while it was not.")
    ip_address: str | None = shown("From which address somebody signed in.")
    user_agent: str | None = shown("What the program said it was that signed in.")

    @strawberry.field(description="Whether this is the session that asks.")
    def current(session: strawberry.Parent[Session], info: Info) -> bool:
        return session.id == info.context.actor.session_id


@view(Actor, name="Viewer", description="Who is asking: a user or an API key.")
class ViewerView:
    name: str = shown("The user's or the key's name.")
    role: Role | None = shown("The part in the tenant.")
    user = related(UserView, User, by="user_id", description="The user; null for a key.")
    api_key = related(ApiKeyView, ApiKey, by="api_key_id", description="The key; null for a user.")
    tenant = related(TenantView, Tenant, by="tenant_id", description="The tenant.", required=True)

    @strawberry.field(description="What may be done, in the order of the enum.")
    def permissions(actor: strawberry.Parent[Actor]) -> list[Permission]:
        return [permission for permission in Permission if permission in actor.permissions]

    @strawberry.field(description="The teams the user is in, by name; none for a key.")
    async def teams(actor: strawberry.Parent[Actor], info: Info) -> list[TeamView]:
        if actor.user_id is None:
            return []
        return await info.context.load_with("teams_of_user", _teams_of, actor.user_id)  # type: ignore[no-any-return]  # teams

    sessions = open_sessions("api.identity.SessionView")


@view(SignedIn, description="A user of one tenant, signed in, and the tokens of the session.")
class SignedInView:
    access_token: str = shown("To be sent as `Authorization: Bearer …`.")
    expires_at: datetime = shown("When the access token ends; refresh it before.")
    refresh_token: str = shown("Gives the next tokens, once; see `sessionRefresh`.")
    refresh_expires_at: datetime = shown("When the session ends unless it is refreshed before.")
    user: UserView = shown("Who signed in.")
    tenant: TenantView = shown("Into which tenant.")


@view(IssuedApiKey, description="A new key with its secret.")
class IssuedApiKeyView:
    api_key: ApiKeyView = shown("The key.")
    secret: str = shown("To be sent as `Authorization: Bearer …`.  It is never shown again.")


@view(IssuedBoardLink, description="A new board with its address.")
class IssuedBoardLinkView:
    board_link: BoardLinkView = shown("The link itself.")
    url: Url = shown("The address to open on the wall.  It is never shown again.")


async def _teams_of(work: Work, user_ids: Sequence[UUID]) -> list[list[Team]]:
    """Return each user's teams by name, with two statements for all of them."""
    members = await work.find(TeamMember, user_id=tuple(user_ids))
    teams = by_id(await work.find(Team, id=tuple({m.team_id for m in members})))
    found: dict[UUID, list[Team]] = {user_id: [] for user_id in user_ids}
    for member in members:
        found[member.user_id].append(teams[member.team_id])
    return [sorted(found[user_id], key=lambda team: team.name) for user_id in user_ids]
