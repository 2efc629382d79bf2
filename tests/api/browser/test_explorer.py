"""The small explorer, for where GraphiQL was not fetched, in a real Chromium."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from infra.database import Database
from infra.passwords import Passwords
from tests.api.browser.conftest import PHONE, OpenScreen, Screen
from tests.api.offices import open_office
from tests.api.sites import Site, a_site, key_of
from tests.conftest import DatabaseUrls
from tests.fixtures import clock, database, session_database, world
from tests.passwords import QUICK
from tests.world import World

__all__ = ["clock", "database", "session_database", "world"]


@pytest.fixture
async def site(
    database_urls: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    monkeypatch.setattr("api.web.graphiql.FOLDER", tmp_path)
    async with a_site(database_urls, WORKER="0") as site:
        yield site


async def test_a_query_is_written_run_and_read(
    site: Site, world: World, open_screen: OpenScreen
) -> None:
    screen = await open_screen(f"{site.url}/graphql")
    await screen.page.fill("#token", await key_of(site, world))
    await screen.page.fill(
        "#query", "query($first: Int) { teams(first: $first) { nodes { name } } }"
    )
    await screen.page.fill("#variables", '{"first": 1}')

    await screen.page.press("#variables", "Control+Enter")

    await screen.shows("#outcome", "200 in")
    assert '"name": "Marketing"' in await screen.text("#answer")
    assert await screen.page.is_hidden("#stop")
    assert (screen.hosts, screen.complaints) == ({urlsplit(site.url).netloc}, [])


async def test_a_documented_operation_is_chosen_and_run(
    site: Site, world: World, open_screen: OpenScreen
) -> None:
    screen = await open_screen(f"{site.url}/graphql")
    await screen.page.fill("#token", await key_of(site, world))
    await screen.page.select_option("#examples", label="A page, the best first")
    assert '"gte": "MQL"' in await screen.page.input_value("#variables")
    await screen.page.click("#run")
    await screen.shows("#answer", '"totalCount": 0')

    await screen.page.reload()
    assert (await screen.page.input_value("#query")).startswith("query LeadsPage(")
    assert screen.complaints == []


async def test_whoever_runs_the_sign_in_is_signed_in_until_they_sign_out(
    site: Site, database_urls: DatabaseUrls, open_screen: OpenScreen
) -> None:
    database = await Database.connect(
        database_urls.app, database_urls.platform, size=2, wait_seconds=60
    )
    passwords = Passwords(QUICK)
    office = await open_office(database, passwords, leads=0)
    passwords.close()
    await database.close()
    screen = await open_screen(f"{site.url}/graphql")

    await choose(screen, "sign-in", input={"email": office.email, "password": office.password})
    await screen.shows("#answer", '"name": "Olive"')
    await choose(screen, "viewer")
    await screen.shows("#answer", '"role": "OWNER"')
    await choose(screen, "sign-out")
    await screen.shows("#answer", '"endedAt": "20')
    assert await screen.page.input_value("#token") == ""
    await choose(screen, "viewer")
    await screen.shows("#answer", "UNAUTHENTICATED")
    assert screen.complaints == []


async def choose(screen: Screen, name: str, **variables: Any) -> None:
    """Choose a documented operation, and run it."""
    await screen.page.select_option("#examples", value=name)
    if variables:
        await screen.page.fill("#variables", json.dumps(variables))
    await screen.page.click("#run")


async def test_what_is_wrong_is_shown(site: Site, open_screen: OpenScreen) -> None:
    screen = await open_screen(f"{site.url}/graphql")

    await screen.page.fill("#query", "{ nonsense }")
    await screen.page.click("#run")
    await screen.shows("#outcome", "400 in")
    assert "GRAPHQL_VALIDATION_FAILED" in await screen.text("#answer")

    await screen.page.fill("#variables", "{")
    await screen.page.click("#run")
    await screen.shows("#outcome", "JSON")


async def test_a_subscription_runs_until_it_is_stopped(
    site: Site, world: World, open_screen: OpenScreen
) -> None:
    screen = await open_screen(f"{site.url}/graphql")
    await screen.page.fill("#token", await key_of(site, world))
    await screen.page.fill("#query", 'subscription { goalProgress(goal: "x") { status } }')
    await screen.page.click("#run")
    await screen.shows("#answer", "BAD_USER_INPUT")

    await screen.page.fill("#query", "subscription { board { tenantName } }")
    await screen.page.click("#run")
    await screen.shows("#outcome", "Live: 1 received")
    await screen.shows("#answer", '"tenantName": "Acme"')
    await screen.page.click("#stop")
    await screen.shows("#outcome", "Stopped.")
    assert await site.settled()


async def test_everybody_can_use_it(
    site: Site, world: World, open_screen: OpenScreen, axe: str
) -> None:
    key = await key_of(site, world)
    for options in ({"color_scheme": "dark"}, {"color_scheme": "light", "viewport": PHONE}):
        screen = await open_screen(f"{site.url}/graphql", bypass_csp=True, **options)
        await screen.page.fill("#token", key)
        await screen.page.fill("#query", "{ viewer { tenant { name } } }")
        await screen.page.click("#run")
        await screen.shows("#answer", '"name": "Acme"')
        assert await screen.violations(axe) == []
