"""Where a request came from: what is believed, and of whom."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from domain.identity import Role, Session
from domain.ids import new_id
from infra.database import Database
from tests.api.sites import a_site, accounts_of
from tests.passwords import PASSWORD
from tests.world import World, enter_directory, make_world

SIGN_IN = """mutation($email: EmailAddress!) {
  signIn(input: {email: $email, password: "tulips 4 everyone"}) { userErrors { code } } }"""


@pytest.fixture
async def today(session_database: Database) -> World:
    """A fresh tenant in the directory, that lives as long as the database does."""
    database = Database(session_database.app, session_database.platform)
    world = await make_world(database, {"now": await database.now()})
    await enter_directory(world)
    return world


@pytest.mark.parametrize(
    ("trusted", "believed"),
    [
        ({}, "127.0.0.1"),
        ({"TRUSTED_PROXIES": "192.0.2.0/24"}, "127.0.0.1"),
        ({"TRUSTED_PROXIES": "127.0.0.0/8"}, "203.0.113.9"),
    ],
    ids=["nobody", "others", "this one"],
)
async def test_only_trusted_proxies_say_where_somebody_comes_from(
    trusted: dict[str, str], believed: str, database_urls: Any, today: World
) -> None:
    email = f"bo-{new_id().hex}@acme.example"
    async with a_site(database_urls, WORKER="0", **trusted) as site:
        await accounts_of(site.settings, today).add_user(
            today.actor(), email=email, name="Bo", role=Role.MEMBER, password=PASSWORD
        )
        headers = {"x-forwarded-for": "198.51.100.1, 203.0.113.9", "user-agent": "Browser/1"}
        async with httpx.AsyncClient(timeout=60) as client:
            answer = await client.post(
                f"{site.url}/graphql",
                json={"query": SIGN_IN, "variables": {"email": email}},
                headers=headers,
            )

    assert answer.json()["data"] == {"signIn": {"userErrors": []}}
    async with today.work() as work:
        [session] = await work.find(Session)
    assert (session.ip_address, session.user_agent) == (believed, "Browser/1")
