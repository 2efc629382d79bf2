"""A real Chromium, and a screen that remembers everything it should not have done."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, async_playwright

from tests.api.browser.boards import a_board
from tests.api.browser.wall import Wall, serving
from tests.api.tracking_sites import CHROME
from tests.ports import free_port

_HERE = Path(__file__).parent
_AXE = _HERE / "node_modules" / "axe-core" / "axe.min.js"
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # As a flag, because what Playwright overrides is forgotten when a page sends its last word.
    f"--user-agent={CHROME}",
]
WALL_SCREEN: ViewportSize = {"width": 1920, "height": 1080}
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE = 60_000
"""Milliseconds.  It ends what would hang, and says nothing of how quick a machine must be."""
LOOKS = {
    "charts": (("light", WALL_SCREEN), ("dark", PHONE)),
    "figures": (("dark", WALL_SCREEN), ("light", PHONE)),
}
"""Each theme and each screen with each way to show numbers, and with each other."""
_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == _HERE:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("Chromium is not installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=_FLAGS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """Return the accessibility checker, fetched once by npm, which checks it against the lock."""
    npm = shutil.which("npm")
    if npm is None and not _AXE.exists() and "CI" not in os.environ:
        pytest.skip("npm is not installed, so axe-core cannot be fetched")
    with (_HERE / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes side by side must not fetch at once
        if npm is not None and not _AXE.exists():
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=_HERE, check=True, capture_output=True, timeout=120)
    return _AXE.read_text(encoding="utf-8")


@dataclass
class Screen:
    """A page of the browser, and what it asked for and complained about."""

    page: Page
    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    async def text(self, selector: str) -> str:
        return " ".join((await self.page.inner_text(selector)).split())

    async def shows(self, selector: str, text: str) -> None:
        """Wait until an element shows a text."""
        await self.page.wait_for_function(
            "([selector, text]) => document.querySelector(selector)?.innerText.includes(text)",
            arg=[selector, text],
        )

    async def is_live(self) -> None:
        await self.shows("#connection", "Live")

    async def is_cut_off(self) -> None:
        """Wait until the page knows that nothing comes any more."""
        states = ("reconnecting", "stale")
        await self.page.wait_for_selector(
            ", ".join(f"#connection[data-state={state}]" for state in states)
        )

    async def violations(self, axe: str, within: str = "html") -> list[tuple[str, ...]]:
        """Return what the accessibility checker finds wrong with what is shown now."""
        await self.page.evaluate(axe)
        answer = await self.page.evaluate(
            "within => axe.run(within, {resultTypes: ['violations']})", within
        )
        return [
            (fault["id"], node["target"][-1], node["failureSummary"])
            for fault in answer["violations"]
            for node in fault["nodes"]
        ]


OpenScreen = Callable[..., Awaitable[Screen]]


@pytest.fixture
async def open_screen(chromium: Browser) -> AsyncIterator[OpenScreen]:
    """Open a fresh browser profile at an address; options are those of a Playwright context.

    With `clock=True` the test may move the page's time.
    """
    contexts: list[BrowserContext] = []

    async def open_at(address: str, *, clock: bool = False, **options: Any) -> Screen:
        defaults = {"locale": "en-IE", "timezone_id": "Europe/Dublin"}
        context = await chromium.new_context(**{**defaults, **options})
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.set_default_navigation_timeout(PATIENCE)
        await context.add_init_script(_VIOLATIONS)
        if clock:
            await context.clock.install()
        screen = Screen(await context.new_page())
        page = screen.page
        page.on("request", lambda request: screen.hosts.add(urlsplit(request.url).netloc))
        page.on("pageerror", lambda error: screen.complaints.append(str(error)))
        page.on(
            "console",
            lambda said: screen.complaints.append(said.text) if said.type == "error" else None,
        )
        await page.goto(address)
        return screen

    yield open_at
    for context in contexts:
        await context.close()


@pytest.fixture
def wall() -> Wall:
    return Wall(a_board())


@pytest.fixture
async def board(wall: Wall) -> AsyncIterator[str]:
    async with serving(wall, free_port()) as address:
        yield address
