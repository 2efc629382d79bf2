"""Signing in, going on, and signing out: here, there and everywhere."""

from __future__ import annotations

import strawberry

from api.context import Info
from api.errors import PUBLIC, SIGNED_IN, mutation
from api.identity.inputs import (
    PasswordChangeInput,
    SessionEndInput,
    SessionRefreshInput,
    SignInInput,
    UserSessionsEndInput,
)
from api.identity.views import SessionView, SignedInView, UserView
from domain import identity, ids
from domain.errors import PermissionDenied
from domain.identity import Permission, Session, SignedIn, User


@strawberry.type
class SessionMutations:
    @mutation(
        SignedInView,
        "Sign in with an e-mail address and a password.",
        needs=PUBLIC,
        shows="session",
    )
    async def sign_in(self, info: Info, input: SignInInput) -> SignedIn:
        return await info.context.accounts.sign_in(
            email=input.email,
            password=input.password,
            tenant=input.tenant or None,
        )

    @mutation(
        SignedInView,
        "Get the next tokens of a session.  The refresh token is spent by it: whoever comes with it"
        " later ends the session, because one of the two has a copy.",
        needs=PUBLIC,
        shows="session",
    )
    async def session_refresh(self, info: Info, input: SessionRefreshInput) -> SignedIn:
        return await info.context.accounts.refresh(input.refresh_token)

    @mutation(SessionView, "Sign out one of your own devices.", needs=SIGNED_IN)
    async def session_end(self, info: Info, input: SessionEndInput) -> Session:
        session_id = ids.expect("Session", input.session, path=("session",))
        async with info.context.writing() as work:
            session = await identity.end_session(work, info.context.actor, session_id)
            work.note(session)
        return session

    @mutation(SessionView, "Sign out here.", needs=SIGNED_IN)
    async def sign_out(self, info: Info) -> Session:
        session_id = info.context.actor.session_id
        if session_id is None:
            raise PermissionDenied("Only who has signed in can sign out; revoke a key instead.")
        async with info.context.writing() as work:
            session = await identity.end_session(work, info.context.actor, session_id)
            work.note(session)
        return session

    @mutation(
        UserView,
        "Sign out on every device and in every tenant, this one included.",
        needs=SIGNED_IN,
    )
    async def sign_out_everywhere(self, info: Info) -> User:
        return await info.context.accounts.sign_out_everywhere(info.context.actor)

    @mutation(
        UserView,
        "Sign a user of the tenant out on every device.",
        needs=Permission.MANAGE_USERS,
    )
    async def user_sessions_end(self, info: Info, input: UserSessionsEndInput) -> User:
        user_id = ids.expect("User", input.user, path=("user",))
        async with info.context.writing() as work:
            user = await identity.end_sessions_of(work, info.context.actor, user_id)
            work.note(user)
        return user

    @mutation(
        UserView,
        "Change your password; it ends all your sessions but this one.",
        needs=SIGNED_IN,
    )
    async def password_change(self, info: Info, input: PasswordChangeInput) -> User:
        return await info.context.accounts.change_password(
            info.context.actor,
            current=input.current_password,
            new=input.new_password,
        )
