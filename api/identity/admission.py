"""How people come in: invitations, lost passwords, and the first run of an installation."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry import UNSET

from api.context import Info
from api.errors import PUBLIC, mutation, query
from api.filtering import collection, enum, filter_input, order_input
from api.identity.views import SignedInView, TeamView, UserView
from api.types import Currency, EmailAddress, TimeZone
from api.views import related, shown, view
from domain import identity, ids
from domain.identity import (
    INVITATION_FIELDS,
    Invitation,
    InvitationPreview,
    InvitationState,
    NewCompany,
    Permission,
    Role,
    SignedIn,
    Team,
    User,
)
from domain.paging import Order

enum(
    InvitationState,
    "How an invitation stands.",
    PENDING="It can be accepted.",
    ACCEPTED="The person has come in.",
    REVOKED="It was taken back.",
    EXPIRED="Its time ran out; sending it again gives it another.",
)


@view(Invitation, description="A person asked to come in, by a link that was mailed to them.")
class InvitationView:
    email: EmailAddress = shown("The address it was sent to.")
    name: str | None = shown("What people call them, as far as the inviter knew.")
    role: Role = shown("Their part in the tenant, once they are in.")
    created_at: datetime = shown("When the person was invited.")
    sent_at: datetime = shown("When the newest link was sent.")
    expires_at: datetime = shown("When the newest link ends.")
    accepted_at: datetime | None = shown("When it was accepted.")
    revoked_at: datetime | None = shown("When it was taken back.")
    version: int = shown("How often it was changed.")
    invited_by = related(
        UserView, User, by="invited_by", description="Who invited them; null for a key."
    )
    user = related(
        UserView, User, by="user_id", description="Who they became; null until they accept."
    )

    @strawberry.field(description="How it stands now.")
    async def state(invitation: strawberry.Parent[Any], info: Info) -> InvitationState:
        return await info.context.load_with("invitation states", _states, invitation)  # type: ignore[no-any-return]  # a state

    @strawberry.field(description="The teams they will be in.")
    async def teams(invitation: strawberry.Parent[Any], info: Info) -> list[TeamView]:
        found = (info.context.load(Team, team_id) for team_id in invitation.team_ids)
        return list(await asyncio.gather(*found))


@view(InvitationPreview, description="What the holder of an invitation's link may know.")
class InvitationPreviewView:
    tenant_name: str = shown("The company that invites.")
    inviter_name: str | None = shown("Who invites; null for a key.")
    email: EmailAddress = shown("The address that was invited.")
    name: str | None = shown("What the inviter calls them.")
    role: Role = shown("Their part in the tenant, once they are in.")
    expires_at: datetime = shown("When the link ends.")
    state: InvitationState = shown("How the invitation stands now.")
    has_account: bool = shown(
        "Whether the address has an account here, whose password is then asked for."
    )


InvitationFilter = filter_input(INVITATION_FIELDS)
InvitationOrder = order_input(
    "Invitation",
    {"CREATED_AT": "created_at", "EMAIL": "email", "EXPIRES_AT": "expires_at"},
    "How invitations are ordered",
)


@strawberry.input(description="A person to invite.")
class InvitationCreateInput:
    email: EmailAddress = shown("The address to send the link to, and to sign in with.")
    name: str | None = shown("What people call them; they can say otherwise.", default=UNSET)
    role: Role = shown("Their part in the tenant; only an owner can invite owners.")
    teams: list[strawberry.ID] = shown("The teams to take them into.", default_factory=list)


@strawberry.input(description="Which invitation to send again.")
class InvitationResendInput:
    invitation: strawberry.ID = shown("Which invitation.")


@strawberry.input(description="Which invitation to take back.")
class InvitationRevokeInput:
    invitation: strawberry.ID = shown("Which invitation.")


@strawberry.input(description="An invitation's link, and who comes in by it.")
class InvitationAcceptInput:
    token: str = shown("What stands in the link after `#token=`.")
    name: str | None = shown("What people call them; as in the invitation if left out.",
                             default=UNSET)  # fmt: skip
    password: str = shown("The password of the account, or of the one to make.")


@strawberry.input(description="Whose password is lost.")
class PasswordResetRequestInput:
    email: EmailAddress = shown("The account's e-mail address.")


@strawberry.input(description="A reset's link, and the password to have from now on.")
class PasswordResetInput:
    token: str = shown("What stands in the link after `#token=`.")
    new_password: str = shown("The new password, of at least 12 characters.")


@strawberry.input(description="The first tenant.")
class FirstTenantInput:
    slug: str = shown("Its short name, in small letters: acme.")
    name: str = shown("What people call it.")
    time_zone: TimeZone = shown("Where its days begin and end.")
    currency: Currency = shown("What it counts money in.")


@strawberry.input(description="The person who owns the first tenant.")
class FirstOwnerInput:
    email: EmailAddress = shown("The e-mail address to sign in with.")
    name: str = shown("What people call them.")
    password: str = shown("The password to sign in with.")


@strawberry.input(description="How an installation begins.")
class InstallationSetUpInput:
    token: str = shown("What the service printed at its start.")
    tenant: FirstTenantInput = shown("The first tenant.")
    owner: FirstOwnerInput = shown("Its owner.")


@strawberry.type
class Queries:
    invitations = collection(
        InvitationView,
        Invitation,
        description="Who was invited, the newest first.  Those that can still be accepted have no"
        " acceptedAt and no revokedAt, and an expiresAt to come.",
        default=(Order("created_at", descending=True),),
        fields=INVITATION_FIELDS,
        filter=InvitationFilter,
        order=InvitationOrder,
        needs=Permission.MANAGE_USERS,
    )("invitations")

    @query(
        "What an invitation's link is about, for whoever holds it; null if it is none of ours,"
        " or was replaced by a newer one.",
        needs=PUBLIC,
        shows=InvitationPreviewView | None,
    )
    async def invitation_preview(
        self,
        info: Info,
        token: Annotated[
            str, strawberry.argument(description="What stands in the link after `#token=`.")
        ],
    ) -> Any:
        return await info.context.invitations.preview(token)


@strawberry.type
class Mutations:
    @mutation(
        InvitationView,
        "Invite a person; the link is mailed to their own address.",
        needs=Permission.MANAGE_USERS,
    )
    async def invitation_create(self, info: Info, input: InvitationCreateInput) -> Invitation:
        teams = [
            ids.expect("Team", team, path=("teams", position))
            for position, team in enumerate(input.teams)
        ]
        async with info.context.writing() as work:
            return await info.context.invitations.invite(
                work,
                info.context.actor,
                email=input.email,
                name=input.name or None,
                role=input.role,
                team_ids=teams,
            )

    @mutation(
        InvitationView,
        "Mail an invitation again, with a new link and another week; the old link ends.",
        needs=Permission.MANAGE_USERS,
    )
    async def invitation_resend(self, info: Info, input: InvitationResendInput) -> Invitation:
        invitation_id = ids.expect("Invitation", input.invitation, path=("invitation",))
        async with info.context.writing() as work:
            return await info.context.invitations.resend(work, info.context.actor, invitation_id)

    @mutation(
        InvitationView,
        "Take an invitation back; its link ends at once.",
        needs=Permission.MANAGE_USERS,
    )
    async def invitation_revoke(self, info: Info, input: InvitationRevokeInput) -> Invitation:
        invitation_id = ids.expect("Invitation", input.invitation, path=("invitation",))
        async with info.context.writing() as work:
            return await identity.revoke_invitation(work, info.context.actor, invitation_id)

    @mutation(
        SignedInView,
        "Come in by an invitation's link, and be signed in.  The link works once.",
        needs=PUBLIC,
        shows="session",
    )
    async def invitation_accept(self, info: Info, input: InvitationAcceptInput) -> SignedIn:
        return await info.context.invitations.accept(
            input.token,
            name=input.name or None,
            password=input.password,
        )

    @mutation(
        bool,
        "Have a link mailed by which a new password can be chosen.  The answer is the same whether"
        " or not there is such an account.",
        needs=PUBLIC,
        shows="requested",
    )
    async def password_reset_request(self, info: Info, input: PasswordResetRequestInput) -> bool:
        await info.context.password_resets.request(
            input.email, address=info.context.cause.ip_address
        )
        return True

    @mutation(
        bool,
        "Choose a new password by the link that was mailed.  Whoever was signed in with the old"
        " one is signed out.",
        needs=PUBLIC,
        shows="reset",
    )
    async def password_reset(self, info: Info, input: PasswordResetInput) -> bool:
        await info.context.password_resets.reset(input.token, password=input.new_password)
        return True

    @mutation(
        SignedInView,
        "Make the first tenant of an installation, with the token that the service printed at its"
        " start, and sign its owner in.",
        needs=PUBLIC,
        shows="session",
    )
    async def installation_set_up(self, info: Info, input: InstallationSetUpInput) -> SignedIn:
        return await info.context.first_run.set_up(
            input.token,
            NewCompany(
                slug=input.tenant.slug,
                name=input.tenant.name,
                time_zone=input.tenant.time_zone,
                currency=input.tenant.currency,
                owner_email=input.owner.email,
                owner_name=input.owner.name,
                password=input.owner.password,
            ),
        )


async def _states(work: Any, invitations: Sequence[Invitation]) -> list[InvitationState]:
    return [invitation.state(work.now) for invitation in invitations]
