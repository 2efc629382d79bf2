"""GraphiQL in a real Chromium, over the whole application."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Route

from api.operations import documented_operations
from api.web import graphiql
from domain import handoff_flow
from domain.leads import Lead
from infra.cli.explorer import fetch
from infra.database import Database
from infra.passwords import Passwords
from tests.api.browser.conftest import OpenScreen, Screen
from tests.api.offices import Office, open_office
from tests.api.sites import Site, a_site, key_of
from tests.conftest import ROOT, DatabaseUrls
from tests.passwords import QUICK

THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
ANSWER = ".result-window"
EDITOR = ".graphiql-query-editor"
MILLISECOND = timedelta(milliseconds=1)


@pytest.fixture(scope="session", autouse=True)
def files() -> None:
    """GraphiQL, fetched once by npm and checked, as `make explorer` does it."""
    with (ROOT / "api" / "web" / "graphiql.json").open() as pins:
        fcntl.flock(pins, fcntl.LOCK_EX)  # test processes side by side must not fetch at once
        if shutil.which("npm") is None and not graphiql.FOLDER.exists() and "CI" not in os.environ:
            pytest.skip("npm is not installed, so GraphiQL cannot be fetched")
        fetch()


@pytest.fixture(scope="module")
async def site(database_urls: DatabaseUrls) -> AsyncIterator[Site]:
    async with a_site(database_urls) as site:
        yield site


@pytest.fixture
async def office(database_urls: DatabaseUrls) -> AsyncIterator[Office]:
    database = await Database.connect(
        database_urls.app, database_urls.platform, size=2, wait_seconds=60
    )
    passwords = Passwords(QUICK)
    yield await open_office(database, passwords, leads=3)
    passwords.close()
    await database.close()


async def sign_in(screen: Screen, office: Office) -> None:
    await fill_in(screen, office.email, office.password)
    await screen.shows("#account", "Olive · Acme")


async def fill_in(screen: Screen, email: str, password: str) -> None:
    await screen.page.click(".account > button")
    await screen.page.fill("[name=email]", email)
    await screen.page.fill("[name=password]", password)
    await screen.page.press("[name=password]", "Enter")


async def open_operation(screen: Screen, name: str, **variables: Any) -> None:
    """Choose an operation in the menu, and give it variables."""
    (operation,) = (one for one in documented_operations() if one.name == name)
    await screen.page.click(f"[data-operation={name}]")
    await screen.shows(EDITOR, operation.document.split("(", 1)[0].split("{", 1)[0].strip())
    if variables:
        await write(screen, ".graphiql-editor-tool", json.dumps(variables))


async def write(screen: Screen, editor: str, text: str) -> None:
    await screen.page.evaluate(
        "([editor, text]) => document.querySelector(`${editor} .CodeMirror`).CodeMirror"
        ".setValue(text)",
        [editor, text],
    )


async def run(screen: Screen) -> None:
    await screen.page.click(".graphiql-execute-button")


async def test_a_person_signs_in_and_runs_operations_of_the_menu(
    site: Site, office: Office, open_screen: OpenScreen
) -> None:
    screen = await open_screen(f"{site.url}/graphql")
    await sign_in(screen, office)

    await open_operation(screen, "leads-page")
    await run(screen)
    await screen.shows(ANSWER, office.leads[0])

    await open_operation(screen, "lead-accept", input={"lead": {"email": office.leads[1]}})
    await run(screen)
    await screen.shows(ANSWER, "NOT_AWAITING_SALES")
    assert (screen.hosts, screen.complaints) == ({urlsplit(site.url).netloc}, [])


async def test_a_subscription_streams_until_it_is_stopped(
    site: Site, office: Office, open_screen: OpenScreen
) -> None:
    screen = await open_screen(f"{site.url}/graphql")
    await sign_in(screen, office)
    await open_operation(screen, "handoff-inbox-live")
    await run(screen)
    await screen.shows(ANSWER, '"handoffInbox": []')

    async with office.world.work() as work:
        (lead,) = await work.find(Lead, email=office.leads[2])
        await handoff_flow.hand_off(work, office.world.actor(), lead.id)

    await screen.shows(ANSWER, office.leads[2])
    await run(screen)
    assert await site.settled()
    assert screen.complaints == []


async def test_a_token_is_kept_in_its_tab_until_signing_out(
    site: Site, office: Office, open_screen: OpenScreen
) -> None:
    screen = await open_screen(f"{site.url}/graphql")
    await screen.page.click(".account > button")
    await screen.page.fill("[name=token]", "smk_nonsense")
    await screen.page.click("text=Use it")
    await screen.shows("dialog", "It is not good, or not any more.")
    await screen.page.fill("[name=token]", await key_of(site, office.world))
    await screen.page.click("text=Use it")
    await screen.shows("#account", "Acme")

    await screen.page.reload()
    await screen.shows("#account", "Acme")
    assert await screen.page.evaluate("Object.keys(localStorage)") == []
    await screen.page.click(".account >> text=Sign out")
    await screen.page.reload()
    await screen.shows("#account", "Not signed in")


async def test_the_next_token_is_there_before_the_one_in_hand_ends(
    site: Site, office: Office, open_screen: OpenScreen
) -> None:
    screen = await open_screen(f"{site.url}/graphql", clock=True)
    await sign_in(screen, office)
    token = await token_of(screen)

    await screen.page.clock.run_for(timedelta(minutes=14, seconds=5) // MILLISECOND)

    await screen.page.wait_for_function(
        "token => sessionStorage.getItem('explorer.token') !== token", arg=token
    )
    assert "smr_" not in await screen.page.evaluate("JSON.stringify({...sessionStorage})")
    assert await screen.text("#account") == "Olive · Acme"
    assert screen.complaints == []


async def test_a_token_that_is_turned_away_is_renewed_and_signing_out_ends_the_session(
    site: Site, office: Office, open_screen: OpenScreen
) -> None:
    screen = await open_screen(f"{site.url}/graphql")
    await sign_in(screen, office)
    token, turned_away = await token_of(screen), []

    async def turn_away(route: Route) -> None:
        headers = route.request.headers
        if headers.get("authorization") == f"Bearer {token}":
            turned_away.append(route.request.post_data_json["operationName"])
            headers = {**headers, "authorization": "Bearer ended"}
        await route.continue_(headers=headers)

    await screen.page.route("**/graphql", turn_away)
    await open_operation(screen, "viewer")
    await run(screen)
    await screen.shows(ANSWER, '"name": "Olive"')
    assert turned_away == ["Viewer"]

    token = await token_of(screen)
    await screen.page.unroute("**/graphql")
    async with screen.page.expect_response(
        lambda response: "signOut" in (response.request.post_data or "")
    ) as answer:
        await screen.page.click(".account >> text=Sign out")
    await (await answer.value).finished()
    await screen.shows("#account", "Not signed in")
    assert await token_of(screen) == ""
    async with httpx.AsyncClient(
        headers={"authorization": f"Bearer {token}"}, timeout=60
    ) as client:
        asked = {"query": "{ viewer { name } }"}
        assert (await client.post(f"{site.url}/graphql", json=asked)).status_code == 401


async def token_of(screen: Screen) -> str:
    token: str = await screen.page.evaluate("sessionStorage.getItem('explorer.token')")
    return token


async def test_a_wrong_password_is_told_in_words(
    site: Site, office: Office, open_screen: OpenScreen
) -> None:
    screen = await open_screen(f"{site.url}/graphql")
    await fill_in(screen, office.email, "tulips for no one")
    await screen.shows("dialog", "The e-mail address or the password is not right.")


async def test_whoever_is_not_signed_in_is_told_so(site: Site, open_screen: OpenScreen) -> None:
    screen = await open_screen(f"{site.url}/graphql")
    await open_operation(screen, "viewer")
    await run(screen)
    await screen.shows(ANSWER, "Sign in first")
    assert await screen.text("#account") == "Not signed in"


@pytest.mark.parametrize("theme", THEMES)
async def test_it_follows_the_readers_theme_and_its_policy_is_never_broken(
    theme: Literal["light", "dark"], site: Site, office: Office, open_screen: OpenScreen, axe: str
) -> None:
    screen = await open_screen(f"{site.url}/graphql", color_scheme=theme)
    await screen.page.wait_for_selector("[data-operation=viewer]")
    paper = await screen.page.evaluate(PAPER)
    assert (sum(paper) > 600) is (theme == "light"), paper
    for label in ("Show Documentation Explorer", "Show History", "Show Operations"):
        await screen.page.click(f"[aria-label='{label}']")
    for label in ("Open short keys dialog", "Open settings dialog"):
        await screen.page.click(f"[aria-label='{label}']")
        await screen.page.wait_for_selector("[role=dialog]")
        await screen.page.keyboard.press("Escape")
        await screen.page.wait_for_selector("[role=dialog]", state="detached")
    assert screen.complaints == []

    # Ours, that is: what GraphiQL brings is not ours to mend.
    shown = await open_screen(f"{site.url}/graphql", color_scheme=theme, bypass_csp=True)
    await shown.page.wait_for_selector("[data-operation=viewer]")
    assert await shown.violations(axe, within=".operations, .account") == []
    await shown.page.click(".account > button")
    assert await shown.violations(axe, within="dialog") == []


PAPER = """
getComputedStyle(document.querySelector('.graphiql-container')).backgroundColor
  .match(/\\d+/g).slice(0, 3).map(Number)
"""
