"""What tests of coming in need: invitations whose links they know, and the services behind them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from domain.identity import Invitation, Role
from domain.ids import new_id
from infra.accounts import Accounts
from infra.first_run import FirstRun
from infra.invitations import Invitations
from infra.mail.queue import MailQueue, ResetWanted, Taken
from infra.password_resets import PasswordResets
from infra.secrets import INVITATION, PASSWORD_RESET, derived_secret, new_secret
from tests.world import World

SECRET = b"a secret of these tests that is long enough"
APP_URL = "https://app.example"
WEEK = timedelta(days=7)


def admission_of(accounts: Accounts) -> dict[str, Any]:
    """Return the services by which people come in."""
    queue = MailQueue(accounts.database, SECRET)
    return {
        "invitations": Invitations(accounts=accounts, queue=queue, app_url=APP_URL, life=WEEK),
        "password_resets": PasswordResets(
            database=accounts.database,
            passwords=accounts.passwords,
            queue=queue,
            app_url=APP_URL,
            key=SECRET,
        ),
        "first_run": FirstRun(accounts=accounts, key=SECRET),
    }


def an_invitation(world: World, **more: Any) -> tuple[Invitation, str]:
    """Return an invitation that was sent an hour ago, and the token of its link."""
    secret, sent_at = new_secret(INVITATION), world.now - timedelta(hours=1)
    usual = {
        "id": new_id(),
        "email": f"invited.{new_id().hex}@{world.tenant.slug}.example",
        "name": "Ivy",
        "role": Role.MEMBER,
        "team_ids": (world.sales.id,),
        "digest": secret.digest,
        "invited_by": world.owner.id,
        "created_at": sent_at,
        "sent_at": sent_at,
        "expires_at": sent_at + WEEK,
    }
    return Invitation(**{**usual, **more}), secret.text


async def a_reset(world: World, email: str) -> str:
    """Return the token of a link by which an account's password can be chosen anew."""
    resets: PasswordResets = world.services.password_resets
    taken = Taken(
        id=new_id(),
        errand=ResetWanted(email=email),
        tries=1,
        created_at=world.now,
        expires_at=world.now + WEEK,
    )
    assert await resets.answer(taken, ResetWanted(email=email)) is not None
    return derived_secret(PASSWORD_RESET, taken.id, key=SECRET).text
