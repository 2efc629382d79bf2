"""The wall board in a real Chromium."""

from __future__ import annotations

from time import perf_counter

import pytest

from api.web import streaming
from tests.api.browser.boards import (
    a_board,
    a_delivery,
    a_side,
    everything_breached,
    long_names,
    nothing_signed,
    sales_promises,
)
from tests.api.browser.conftest import LOOKS, PHONE, WALL_SCREEN
from tests.api.browser.wall import serving
from tests.ports import free_port

DELIVERY = "[data-key=commitment_1]"
PICTURES = [a_board, everything_breached, long_names, nothing_signed]


def a_better_board():
    better = a_delivery(attained="371", gap="7.36", status="ON_TRACK")
    sales = a_side("SALES", "Field sales EMEA", "AHEAD", *sales_promises())
    return a_board(sides=[a_side("MARKETING", "Demand generation", "ON_TRACK", better), sales])


async def test_an_update_is_on_the_screen_within_a_second(board, wall, open_screen):
    """Where nothing else runs: a busy machine may try ten times."""
    screen = await open_screen(board)
    await screen.is_live()

    taken = [await seconds_until_shown(screen, wall, a_better_board(), "371")]
    while min(taken) >= 1 and len(taken) < 10:
        await seconds_until_shown(screen, wall, a_board(), "310")
        taken.append(await seconds_until_shown(screen, wall, a_better_board(), "371"))

    assert min(taken) < 1
    assert await screen.text(f"{DELIVERY} .score") == "371 of 1,000 7 ahead of pace"
    assert await screen.text("[data-key=MARKETING] .verdict") == "On track"
    assert await screen.page.title() == "Marketing on track · Sales ahead – Northwind Analytics"
    assert screen.complaints == []


async def seconds_until_shown(screen, wall, board, delivered):
    began = perf_counter()
    await wall.publish(board)
    await screen.shows(DELIVERY, delivered)
    return perf_counter() - began


async def test_the_board_survives_a_server_restart(wall, open_screen):
    port = free_port()
    async with serving(wall, port) as address:
        screen = await open_screen(address)
        await screen.is_live()
    await screen.is_cut_off()

    wall.board = a_better_board()
    async with serving(wall, port):
        await screen.shows(DELIVERY, "371")
        await screen.is_live()


async def test_a_board_that_is_cut_off_says_since_when(wall, open_screen):
    async with serving(wall, free_port()) as address:
        screen = await open_screen(address, clock=True)
        await screen.is_live()
    await screen.shows("#connection", "Reconnecting…")
    await screen.page.clock.fast_forward("00:11")
    await screen.shows("#connection", "Not live since 16:00")
    await screen.shows("#announcements", "Not live since 16:00.")


async def test_a_screen_takes_the_page_of_a_new_version_once(board, wall, open_screen, monkeypatch):
    screen = await open_screen(board)
    await screen.is_live()
    monkeypatch.setattr(streaming, "VERSION", "a-later-version")

    async with screen.page.expect_navigation():
        await wall.publish(a_board(tenantName="Northwind Later"))

    await screen.is_live()
    assert await screen.text("h1") == "Northwind Later"


async def test_a_revoked_board_says_so_and_shows_nothing_more(board, wall, open_screen):
    screen = await open_screen(board)
    await screen.is_live()

    await wall.revoke()

    await screen.shows("h1", "This board link no longer works")
    assert await screen.page.locator("#board").count() == 0


async def test_the_board_asks_no_other_host_and_breaks_no_policy(board, wall, open_screen):
    screen = await open_screen(board)
    await screen.is_live()
    await screen.page.click("#theme")
    await screen.page.click("#figures")
    await wall.publish(everything_breached())
    await screen.shows("[data-key=SALES] .verdict", "Missed")

    assert screen.hosts == {board.split("/")[2]}
    assert screen.complaints == []


@pytest.mark.parametrize("picture", PICTURES)
async def test_axe_finds_nothing_to_complain_about(picture, board, wall, open_screen, axe):
    wall.board = picture()
    screen = await open_screen(board)
    await screen.is_live()

    found = []
    for looks in LOOKS.values():
        for theme, viewport in looks:
            await screen.page.emulate_media(color_scheme=theme)
            await screen.page.set_viewport_size(viewport)
            found += await screen.violations(axe)
        await screen.page.click("#figures")
    assert found == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/board/unknown"])
async def test_axe_finds_nothing_on_the_other_pages(path, theme, board, open_screen, axe):
    screen = await open_screen(board[: board.index("/board")] + path, color_scheme=theme)

    assert await screen.violations(axe) == []


async def test_the_table_twin_says_what_the_data_says(board, wall, open_screen):
    screen = await open_screen(board, locale="en-US")
    await screen.page.click("#figures")

    rows = await screen.page.eval_on_selector_all(
        f"{DELIVERY} tbody tr",
        """rows => rows.map((row) => [
          row.querySelector("time").dateTime,
          ...[...row.cells].slice(1).map((cell) => cell.querySelector("data")?.value ?? null)])""",
    )

    series = wall.board["sides"][0]["commitments"][0]["series"]
    assert rows == [[day["on"], day["attained"], day["expected"]] for day in series]
    assert await screen.text(f"{DELIVERY} tbody tr:nth-child(11)") == "Mar 11 310 364"
    assert await screen.page.locator(f"{DELIVERY} .chart").is_hidden()


async def test_open_figures_and_scrolling_survive_an_update(board, wall, open_screen):
    screen = await open_screen(board)
    await screen.is_live()
    await screen.page.click(f"{DELIVERY} summary")
    scroll = f"document.querySelector('{DELIVERY} .scroll')"
    await screen.page.evaluate(f"{scroll}.scrollTop = 90")

    await wall.publish(a_better_board())

    await screen.shows(DELIVERY, "371")
    assert await screen.page.evaluate(f"{scroll}.scrollTop") == 90


async def test_a_team_named_script_stays_a_name(board, wall, open_screen):
    evil = "<script>document.title='broken'</script><img src=x onerror=alert(1)>"
    promise = a_delivery(label=evil, id='"><b>')
    changes = {"tenantName": evil, "sides": [a_side("SALES", evil, "AHEAD", promise)]}
    wall.board = a_board(**changes)
    screen = await open_screen(board)
    await screen.is_live()
    await wall.publish(a_board(**changes, goals=[]))
    await screen.page.wait_for_selector(".goals", state="detached")

    assert await screen.text("h1") == evil
    assert await screen.text(".team") == evil
    assert await screen.text("h3") == evil
    assert await screen.page.locator("main script, main img, h1 *:not(bdi)").count() == 0
    assert screen.complaints == []


async def test_countdowns_run_by_the_servers_clock(board, open_screen):
    # The server says it is March 2026; the machine's own clock says something else.
    screen = await open_screen(board)
    await screen.is_live()
    remaining = "[data-key=clock_1] .remaining"

    before = await screen.text(remaining)
    assert "04:00 left" < before <= "06:12 left"
    await screen.page.wait_for_function(
        "([selector, text]) => document.querySelector(selector).innerText < text",
        arg=[remaining, before],
    )


async def test_a_deadline_that_passes_on_the_screen_is_shown_as_overdue(board, wall, open_screen):
    due = wall.board["countdowns"][1] | {"dueAt": "2026-03-11T16:00:02Z"}
    wall.board = a_board(countdowns=[due])
    screen = await open_screen(board)

    await screen.shows("[data-key=clock_1]", "overdue")
    assert await screen.page.get_attribute("[data-key=clock_1]", "data-state") == "BREACHED"


async def test_numbers_are_not_read_aloud_but_verdicts_are(board, wall, open_screen):
    screen = await open_screen(board)
    await screen.is_live()
    sales = a_side("SALES", "Field sales EMEA", "AHEAD", *sales_promises())

    more = a_side("MARKETING", "Demand generation", "BEHIND", a_delivery(attained="311"))
    await wall.publish(a_board(sides=[more, sales]))
    await screen.shows(DELIVERY, "311")
    assert await screen.text("#announcements") == ""

    await wall.publish(a_better_board())
    await screen.shows("#announcements", "on track")
    assert await screen.text("#announcements") == (
        "Demand generation is on track. Qualified leads handed off: on track."
    )


async def test_a_chosen_theme_survives_a_reload(board, open_screen):
    screen = await open_screen(board, color_scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    assert await screen.page.evaluate(paper) == "rgb(246, 245, 242)"

    await screen.page.click("#theme")
    await screen.page.reload()

    assert await screen.page.evaluate(paper) == "rgb(12, 15, 18)"


async def test_the_reader_sees_their_own_language_and_time_zone(board, open_screen):
    screen = await open_screen(board, locale="de-DE", timezone_id="America/New_York")
    await screen.is_live()

    assert await screen.text(f"{DELIVERY} .score .target") == "of 1.000"
    assert "11. März, 12:00. Times are yours, in America/New_York." in await screen.text("footer")


async def test_the_board_is_complete_without_scripts(board, open_screen):
    screen = await open_screen(board, java_script_enabled=False)

    assert (
        await screen.text("[data-key=MARKETING] .hero")
        == "Marketing Demand generation Behind 0 of 1 on pace"
    )
    assert await screen.text(f"{DELIVERY} .score") == "310 of 1,000 54 behind pace"
    assert "06:12 left" in await screen.text(".countdowns")
    assert await screen.page.locator("button:visible").count() == 0


@pytest.mark.parametrize("picture", PICTURES)
async def test_a_wall_needs_no_scrolling_and_a_phone_only_downwards(
    picture, board, wall, open_screen
):
    wall.board = picture()
    size = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    screen = await open_screen(board, viewport=WALL_SCREEN)
    assert await screen.page.evaluate(size) == [1920, 1080]

    await screen.page.set_viewport_size(PHONE)
    width, _ = await screen.page.evaluate(size)
    assert width == 390


async def test_nothing_moves_for_those_who_asked_for_it(wall, open_screen):
    async with serving(wall, free_port()) as address:
        screen = await open_screen(address, reduced_motion="reduce")
        await screen.is_live()
    await screen.is_cut_off()

    assert await screen.page.evaluate("document.getAnimations().length") == 0
