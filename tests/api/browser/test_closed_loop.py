"""The closed-loop page in a real Chromium, over the whole application and its database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from domain.attribution import reattribute
from domain.campaigns import CampaignCost
from domain.customers import RevenueKind
from domain.ids import new_id, public
from domain.leads import Lead
from domain.opportunities import PipelineStage
from domain.stages import Stage
from infra.database import Database
from tests.api.browser.conftest import LOOKS, OpenScreen, Screen
from tests.api.browser.test_live_board import Hung, hang
from tests.api.sites import Site, a_site
from tests.conftest import DatabaseUrls
from tests.deals import a_pipeline, add_deal, add_revenue
from tests.histories import a_journey, add_journeys
from tests.journeys import a_campaign, a_touch
from tests.midnight import enough_of_today
from tests.world import World, make_world

L, M, S, Q, O, C = (  # noqa: E741  # the stages, as on a whiteboard
    *(Stage.LEAD, Stage.MQL, Stage.SAL, Stage.SQL, Stage.OPPORTUNITY, Stage.CUSTOMER),
)
ASK = """query($window: LoopWindow!) { closedLoop(window: $window) {
  leads won revenue { amount } stages { reached } spans { new { amount } again { amount } }
  efforts { leads mqls sqls opportunities won revenue { amount } }
  campaigns { lines { ...Line } without { ...Line } total { ...Line } } } }
fragment Line on LoopCampaign { cost { amount } touches leads mqls accepted sqls
  pipeline { amount } won { amount } cac { amount } roiRate }"""
EFFORTS = ".efforts tbody tr"
CAMPAIGNS = ".campaigns table"


@pytest.fixture
async def world(session_database: Database) -> World:
    """A fresh tenant that lives now, as the service does."""
    clock = {"now": await enough_of_today()}
    return await make_world(Database(session_database.app, session_database.platform), clock)


@pytest.fixture
async def site(database_urls: DatabaseUrls) -> AsyncIterator[Site]:
    async with a_site(database_urls) as site:
        yield site


@pytest.fixture
async def hung(site: Site, world: World) -> Hung:
    return await hang(site, world)


async def fill(world: World) -> tuple[PipelineStage, list[Lead]]:
    """Store eight weeks of leads, some of whom bought."""
    stage = await a_pipeline(world)
    steps = (Stage.VISITOR, L, M, S, Q, O, C)
    journeys = []
    for number in range(36):
        seen = world.now - timedelta(days=20 + number)
        far = (7, 2, 3, 4, 5, 6)[number % 6]
        path = [(step, 24.0 * place) for place, step in enumerate(steps[:far])]
        origin = ("paid_search", "brand") if number % 4 else ("anna@corp.example", None)
        journeys.append(
            a_journey(seen, *path, number=number, origin_source=origin[0],
                      origin_campaign=origin[1], first_name="Canary")
        )  # fmt: skip
    leads = await add_journeys(world, *journeys)
    await _campaigns(world, leads)
    for lead in leads:
        if lead.stage is C:
            at = lead.stage_entered_at
            await add_deal(world, stage, lead, minor=8_000_00, closed_at=at)
            again = (RevenueKind.EXPANSION, 1_500_00, at + timedelta(days=3))
            await add_revenue(world, lead, (RevenueKind.NEW, 8_000_00, at), again)
    async with world.work() as work:
        await reattribute(work, [lead.id for lead in leads])
    return stage, leads


async def _campaigns(world: World, leads: list[Lead]) -> None:
    """Store campaigns with what they cost, and a touch of one of them with every lead but some."""
    at = world.now - timedelta(days=70)
    names = ("Spring pricing", "Anna's circle anna@corp.example", "Trade fair Dublin", "Webinar")
    campaigns = [a_campaign(at, f"c{number}", name=name) for number, name in enumerate(names)]
    costs = [
        CampaignCost(id=new_id(), campaign_id=campaign.id, on=at.date() + timedelta(days=55),
                     amount_minor=minor, currency="EUR", recorded_at=at)
        for campaign, minor in zip(campaigns, (6_500_00, 0, 18_000_00, 2_400_00), strict=True)
    ]  # fmt: skip
    touches = [
        a_touch(lead.created_at + timedelta(hours=hours), lead_id=lead.id,
                campaign_id=campaigns[(place + hours) % 5].id)
        for place, lead in enumerate(leads)
        for hours in (0, 1)
        if place % 7 < 6 and (place + hours) % 5 < len(campaigns)
    ]  # fmt: skip
    async with world.work() as work:
        await work.add_all([*campaigns, *(cost for cost in costs if cost.amount_minor), *touches])


async def told(hung: Hung, window: str) -> dict[str, Any]:
    """Return what the API says."""
    headers = {"authorization": f"Bearer {hung.key}"}
    async with httpx.AsyncClient(base_url=hung.site.url, timeout=60) as client:
        request = {"query": ASK, "variables": {"window": window}}
        answer = await client.post("/graphql", json=request, headers=headers)
    found: dict[str, Any] = answer.json()["data"]["closedLoop"]
    return found


def said(line: dict[str, Any]) -> list[str]:
    """Return the numbers of a campaign that are shown."""
    counts = [str(line[name]) for name in ("touches", "leads", "mqls", "accepted", "sqls")]
    cost, cac = line["cost"]["amount"], line["cac"]
    return [
        *(cost, *counts, line["pipeline"]["amount"], line["won"]["amount"]),
        *([cac["amount"]] if cac and Decimal(cost) else []),
        *([line["roiRate"]] if line["roiRate"] else []),
    ]


async def values(screen: Screen, selector: str) -> list[str]:
    found: list[str] = await screen.page.eval_on_selector_all(
        f"{selector} data", "all => all.map((one) => one.value)"
    )
    return found


async def opened(hung: Hung, open_screen: OpenScreen, **options: Any) -> Screen:
    screen = await open_screen(f"{hung.address}/closed-loop", **options)
    await screen.is_live()
    return screen


@pytest.mark.parametrize("window", ["LAST_30_DAYS", "LAST_90_DAYS", "LAST_12_MONTHS"])
async def test_the_page_shows_what_the_api_tells(
    window: str, hung: Hung, open_screen: OpenScreen
) -> None:
    await fill(hung.world)
    screen = await open_screen(f"{hung.address}/closed-loop?window={window}")
    await screen.is_live()

    api = await told(hung, window)

    assert await values(screen, ".tiles [data-key=leads] strong") == [str(api["leads"])]
    assert await values(screen, ".tiles [data-key=won] strong") == [str(api["won"])]
    assert await values(screen, ".tiles [data-key=revenue]") == [api["revenue"]["amount"]]
    assert await values(screen, ".reached") == [str(s["reached"]) for s in api["stages"]]
    figures = ("leads", "mqls", "sqls", "opportunities", "won")
    assert await values(screen, EFFORTS) == [
        each
        for effort in api["efforts"]
        for each in [*(str(effort[name]) for name in figures), effort["revenue"]["amount"]]
    ]
    table = api["campaigns"]
    assert await values(screen, CAMPAIGNS) == [
        each for line in (*table["lines"], table["without"], table["total"]) for each in said(line)
    ]
    await screen.page.click("#figures")
    shown = await values(screen, ".revenue-panel tbody")
    assert shown == [
        each
        for span in api["spans"]
        for each in (span["new"]["amount"], span["again"]["amount"], "0.00")
    ]
    assert screen.hosts == {hung.address.split("/")[2]}
    assert screen.complaints == []


async def test_it_names_no_person(hung: Hung, open_screen: OpenScreen) -> None:
    await fill(hung.world)
    screen = await opened(hung, open_screen)

    content = await screen.page.content()
    assert "Canary" not in content
    assert "@" not in content
    assert await screen.text(f"{EFFORTS} th") in {"paid search brand", "Unknown"}


async def test_a_deal_that_is_won_is_on_the_page_without_a_reload(
    hung: Hung, open_screen: OpenScreen
) -> None:
    stage, leads = await fill(hung.world)
    lead = next(lead for lead in leads if lead.stage is O)
    deal = await add_deal(hung.world, stage, lead, minor=40_000_00)
    screen = await opened(hung, open_screen)
    await screen.page.evaluate("document.body.dataset.witness = 'never reloaded'")
    before = await told(hung, "LAST_90_DAYS")

    await hung.ask("opportunityWin", opportunity={"id": public("Opportunity", deal.id)})

    await screen.shows(".tiles [data-key=won]", str(before["won"] + 1))
    assert await values(screen, ".tiles [data-key=revenue]") == [
        f"{Decimal(before['revenue']['amount']) + 40_000}"
    ]
    customers = await values(screen, ".funnel [data-key=CUSTOMER] .reached")
    assert customers == [str(before["stages"][-1]["reached"] + 1)]
    assert await screen.page.evaluate("document.body.dataset.witness") == "never reloaded"
    assert await screen.text("#announcements") == f"Deals won: {before['won'] + 1}."


async def test_another_window_is_a_click_away_and_so_is_the_board(
    hung: Hung, open_screen: OpenScreen
) -> None:
    await fill(hung.world)
    screen = await open_screen(hung.address)
    await screen.page.click("text=Closed loop")
    await screen.page.click("text=12 months")
    await screen.is_live()

    assert screen.page.url == f"{hung.address}/closed-loop?window=LAST_12_MONTHS"
    assert await screen.text(".windows [aria-current]") == "12 months"
    assert await screen.page.locator(".revenue-panel tbody tr").count() == 12
    await screen.page.click("text=Board")
    assert screen.page.url == hung.address


async def test_another_model_is_a_click_away_with_scripts_and_without(
    hung: Hung, open_screen: OpenScreen
) -> None:
    await fill(hung.world)
    screen = await opened(hung, open_screen)
    await screen.page.click("text=Full path")
    await screen.is_live()

    window = "LAST_90_DAYS"
    assert screen.page.url == (
        f"{hung.address}/closed-loop?window={window}&model=FULL_PATH#campaigns"
    )
    assert await screen.text(".models [aria-current]") == "Full path"
    live = await values(screen, CAMPAIGNS)
    plain = await open_screen(f"{hung.address}/closed-loop", java_script_enabled=False)
    linear = await values(plain, CAMPAIGNS)
    await plain.page.click("text=Full path")
    assert await values(plain, CAMPAIGNS) == live != linear
    assert await plain.text(".models [aria-current]") == "Full path"
    assert screen.complaints == []


async def test_a_company_without_leads_is_told_what_will_show(
    hung: Hung, open_screen: OpenScreen
) -> None:
    screen = await opened(hung, open_screen)

    assert await screen.text(".funnel-panel .empty") == (
        "Nobody became a lead in these days. Look further back, or bring leads."
    )
    assert "It shows here when a deal is won." in await screen.text(".revenue-panel")
    assert await screen.text(".campaigns .empty") == (
        "No campaign did anything with the leads of these days. Plan one and record its costs;"
        " its touches and leads show here."
    )


@pytest.mark.parametrize("filled", [True, False], ids=["filled", "empty"])
async def test_axe_finds_nothing_to_complain_about(
    filled: bool, hung: Hung, open_screen: OpenScreen, axe: str
) -> None:
    if filled:
        await fill(hung.world)
    screen = await opened(hung, open_screen)

    found = []
    for looks in LOOKS.values():
        for theme, viewport in looks:
            await screen.page.emulate_media(color_scheme=theme)
            await screen.page.set_viewport_size(viewport)
            found += await screen.violations(axe)
        await screen.page.click("#figures")
    assert found == []
    assert screen.complaints == []


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
async def test_the_page_is_never_wider_than_its_screen(
    width: int, hung: Hung, open_screen: OpenScreen
) -> None:
    await fill(hung.world)
    screen = await opened(hung, open_screen, viewport={"width": width, "height": 800})

    assert await screen.page.evaluate("document.documentElement.scrollWidth") == width


async def test_on_paper_no_column_is_cut_and_without_colours_the_choice_shows(
    hung: Hung, open_screen: OpenScreen
) -> None:
    await fill(hung.world)
    screen = await opened(hung, open_screen, viewport={"width": 794, "height": 1123})
    table, chosen = "#campaigns .scroll", '.models a[aria-current="true"]'
    hidden = "scroll => scroll.scrollWidth - scroll.clientWidth"

    assert await screen.page.eval_on_selector(table, hidden) > 0
    await screen.page.emulate_media(media="print")
    assert await screen.page.eval_on_selector(table, hidden) == 0
    assert not await screen.page.locator(".models a").first.is_visible()

    await screen.page.emulate_media(media="screen", forced_colors="active")
    style = await screen.page.eval_on_selector(chosen, "a => getComputedStyle(a).outlineStyle")
    assert style == "solid"


async def test_the_page_is_complete_without_scripts(hung: Hung, open_screen: OpenScreen) -> None:
    await fill(hung.world)
    screen = await open_screen(f"{hung.address}/closed-loop", java_script_enabled=False)

    assert await screen.text(".tiles [data-key=leads] strong") == "36"
    assert await screen.page.locator(".funnel li").count() == 6


async def test_a_link_that_is_revoked_ends_the_page(hung: Hung, open_screen: OpenScreen) -> None:
    screen = await opened(hung, open_screen)

    await hung.ask("boardLinkRevoke", boardLink=hung.board_id)

    await screen.shows("h1", "This board link no longer works")
