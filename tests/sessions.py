"""Sessions for tests that do not sign in themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from domain.identity import Session, User
from domain.ids import new_id
from tests.world import World


def a_session(world: World, user: User, **more: Any) -> Session:
    """Return a session begun now."""
    return Session(
        **{
            "id": new_id(),
            "user_id": user.id,
            "digest": new_id().hex,
            "generation": 0,
            "epoch": 0,
            "created_at": world.now,
            "last_used_at": world.now,
            "expires_at": world.now + timedelta(days=30),
            **more,
        }
    )


async def begun(world: World, user: User, **more: Any) -> Session:
    """Store a session and return it."""
    session = a_session(world, user, **more)
    async with world.work() as work:
        await work.add(session)
    return session


async def token_of(world: World, user: User, session: Session | None = None, **more: Any) -> str:
    """Return an access token of a session, of a new one if none is named."""
    session = session or await begun(world, user)
    token: str = world.services.tokens.issue(
        **{
            "user_id": user.id,
            "tenant_id": world.tenant.id,
            "account_id": user.account_id,
            "session_id": session.id,
            "now": world.now,
            **more,
        }
    )
    return token
