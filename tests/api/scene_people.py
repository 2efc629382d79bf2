"""Who is in a scene, and what they come in by."""

from __future__ import annotations

from typing import Any

from domain.identity import ApiKey, Board, Role, Session, TeamMember, User
from domain.ids import new_id, public
from infra.accounts import Accounts
from tests.admission import a_reset, an_invitation
from tests.api.scene_names import named
from tests.passwords import PASSWORD
from tests.sessions import begun
from tests.world import World, enter_directory


async def the_people(world: World) -> dict[str, Any]:
    await enter_directory(world)
    account = f"account@{world.tenant.slug}.example"
    accounts: Accounts = world.services.accounts
    await accounts.add_user(
        world.actor(), email=account, name="Guest", role=Role.ANALYST, password=PASSWORD
    )
    guest = await accounts.sign_in(email=account, password=PASSWORD)
    session = await _signed_in(world, world.owner)
    made: dict[str, Any] = {"name": "N", "created_by": None, "created_at": world.now}
    key = ApiKey(id=new_id(), role=Role.MEMBER, digest=new_id().hex, **made)
    board = Board(id=new_id(), digest=new_id().hex, **made)
    invitation, token = an_invitation(world)
    by_the_rep, _ = an_invitation(world, invited_by=world.rep.id)
    member = TeamMember(
        id=new_id(), team_id=world.sales.id, user_id=world.owner.id, created_at=world.now
    )
    async with world.work() as work:
        await work.add_all([key, board, member, invitation, by_the_rep])
    return {
        "account": account,
        "refresh token": guest.refresh_token,
        "invitation token": token,
        "reset token": await a_reset(world, account),
        "analyst": public("User", world.analyst.id),
        "owner": public("User", world.owner.id),
        "marketing": public("Team", world.marketing.id),
        **named(world.tenant, world.rep, world.sales, world.calendar, world.hours),
        **named(member, key, board, session, invitation),
    }


async def _signed_in(world: World, user: User) -> Session:
    """Give a user an account, and a session in which they ask from now on."""
    hashed = await world.services.passwords.hash(PASSWORD)
    platform, account = world.database.platform, (user.account_id, user.email, hashed, world.now)
    await platform.execute("INSERT INTO accounts VALUES ($1, $2, $3, $4)", *account)
    belongs = (user.account_id, world.tenant.id, user.id)
    await platform.execute("INSERT INTO memberships VALUES ($1, $2, $3)", *belongs)
    session = await begun(world, user)
    world.sessions[user.id] = session.id
    return session
