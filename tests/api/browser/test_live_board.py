"""The wall board in a real Chromium, over the whole application and its database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import product
from time import perf_counter
from typing import Any, Literal

import httpx
import pytest

from domain.handoff_flow import hand_off
from domain.ids import public
from infra.database import Database
from tests.agreements import a_sla, add_mql, sign
from tests.api.browser.conftest import PHONE, WALL_SCREEN, OpenScreen, Screen
from tests.api.sites import Site, a_site, accounts_of, key_of
from tests.conftest import DatabaseUrls
from tests.midnight import enough_of_today
from tests.ports import free_port
from tests.world import World, make_world

DELIVERED = "[data-key=MARKETING] .commitment .score strong"
WAITING = ".countdowns [data-key]"
ONE_SECOND = 1.0
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@dataclass
class Hung:
    """A board that hangs on a wall: its address, and who works for what it shows."""

    site: Site
    world: World
    key: str
    path: str
    board_id: str

    @property
    def address(self) -> str:
        return f"{self.site.url}{self.path}"

    async def ask(self, field: str, **input: Any) -> None:
        """Make a mutation through the API."""
        kind = f"{field[0].upper()}{field[1:]}Input"
        document = (
            f"mutation($input: {kind}!) {{ {field}(input: $input) {{ userErrors {{ code }} }} }}"
        )
        request = {"query": document, "variables": {"input": input}}
        headers = {"authorization": f"Bearer {self.key}"}
        async with httpx.AsyncClient(base_url=self.site.url, timeout=60) as client:
            answer = await client.post("/graphql", json=request, headers=headers)
        assert answer.json()["data"] == {field: {"userErrors": []}}


@pytest.fixture
async def world(session_database: Database) -> World:
    """A fresh tenant that lives now, as the service does, with an agreement in force."""
    clock = {"now": await enough_of_today()}
    world = await make_world(Database(session_database.app, session_database.platform), clock)
    first = world.now.date().replace(day=1)
    await sign(world, sla=a_sla(world, period=(first, first.replace(year=first.year + 1))))
    return world


@pytest.fixture
async def site(database_urls: DatabaseUrls) -> AsyncIterator[Site]:
    async with a_site(database_urls) as site:
        yield site


@pytest.fixture
async def hung(site: Site, world: World) -> Hung:
    return await hang(site, world)


async def hang(site: Site, world: World) -> Hung:
    issued = await accounts_of(site.settings, world).issue_board(world.actor(), name="The wall")
    return Hung(
        site=site,
        world=world,
        key=await key_of(site, world),
        path=issued.url.removeprefix(site.settings.public_url),
        board_id=public("Board", issued.board_link.id),
    )


async def an_mql_of(hung: Hung) -> dict[str, str]:
    lead = await add_mql(hung.world, origin_source="paid_search")
    return {"id": public("Lead", lead.id)}


async def wait_for_count(screen: Screen, selector: str, count: int) -> None:
    await screen.page.wait_for_function(
        "([selector, count]) => document.querySelectorAll(selector).length === count",
        arg=[selector, count],
    )


async def test_what_is_done_through_the_api_is_on_the_wall_within_a_second(
    hung: Hung, open_screen: OpenScreen
) -> None:
    """Measured from the answer to the picture.  A busy machine may try five times."""
    screen = await open_screen(hung.address)
    await screen.is_live()
    assert await screen.text(DELIVERED) == "0"

    given, taken = [], []
    for number in range(1, 6):
        lead = await an_mql_of(hung)
        await hung.ask("leadHandOff", lead=lead)
        answered = perf_counter()
        await screen.shows(DELIVERED, str(number))
        given.append(perf_counter() - answered)
        # Three promises run for each lead; accepting it keeps one of them.
        await wait_for_count(screen, WAITING, 2 * (number - 1) + 3)

        await hung.ask("leadAccept", lead=lead)
        answered = perf_counter()
        await wait_for_count(screen, WAITING, 2 * number)
        taken.append(perf_counter() - answered)
        if max(min(given), min(taken)) < ONE_SECOND:
            break

    assert max(min(given), min(taken)) < ONE_SECOND
    assert screen.hosts == {hung.address.split("/")[2]}
    assert screen.complaints == []


async def test_the_board_outlives_a_restart_of_the_service(
    database_urls: DatabaseUrls, world: World, open_screen: OpenScreen
) -> None:
    port = free_port()
    place = {"PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    async with a_site(database_urls, **place) as site:
        hung = await hang(site, world)
        screen = await open_screen(hung.address)
        await screen.is_live()
        await screen.page.evaluate("document.body.dataset.witness = 'never reloaded'")
    await screen.is_cut_off()

    lead = await add_mql(world)
    async with world.work() as work:
        await hand_off(work, world.actor(world.marketer), lead.id)
    async with a_site(database_urls, **place):
        await screen.shows(DELIVERED, "1")
        await screen.is_live()
        assert await screen.page.evaluate("document.body.dataset.witness") == "never reloaded"


async def test_a_link_that_is_revoked_through_the_api_ends_the_board(
    hung: Hung, open_screen: OpenScreen
) -> None:
    screen = await open_screen(hung.address)
    await screen.is_live()

    await hung.ask("boardLinkRevoke", boardLink=hung.board_id)

    await screen.shows("h1", "This board link no longer works")
    assert await screen.page.locator("#board").count() == 0
    assert "Acme" not in await screen.page.content()


async def test_axe_finds_nothing_to_complain_about_on_the_real_board(
    hung: Hung, open_screen: OpenScreen, axe: str
) -> None:
    await hung.ask("leadHandOff", lead=await an_mql_of(hung))
    screen = await open_screen(hung.address)
    await screen.is_live()
    await screen.shows(".countdowns", "Lead from paid search")

    found = []
    for theme, viewport in product(THEMES, [WALL_SCREEN, PHONE]):
        await screen.page.emulate_media(color_scheme=theme)
        await screen.page.set_viewport_size(viewport)
        found += await screen.violations(axe)
    assert found == []
    assert screen.complaints == []
