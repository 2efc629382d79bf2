"""The script on a page of another origin, in a real Chromium, with the real service behind it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from domain.touches import Channel, Touch, TouchKind, Visitor
from domain.tracking import TrackingSite, revoke_site
from tests.api.browser.conftest import OpenScreen, Screen
from tests.api.sites import Site, a_site
from tests.api.tracking_sites import a_tracking_site, kept
from tests.ports import free_port
from tests.world import World

VIEW, FORM = TouchKind.PAGE_VIEW, TouchKind.FORM
# Scripts that run before ours, and make the browser one of another kind.
_BEFORE = {
    "blocked": 'Object.defineProperty(window, "localStorage", {get() { throw Error("blocked") }})',
    "gpc": 'Object.defineProperty(navigator, "globalPrivacyControl", {value: true})',
    "dnt": 'Object.defineProperty(navigator, "doNotTrack", {value: "1"})',
    "deaf": 'Object.defineProperty(navigator, "sendBeacon", {value: undefined})',
    "busy": """const send = navigator.sendBeacon.bind(navigator); let tries = 0;
        navigator.sendBeacon = (...said) => tries++ > 0 && send(...said)""",
    "none": "",
}


@dataclass
class Acme:
    """A company's web site, on an origin of its own, with our script in its pages."""

    port: int
    service: Site
    site: TrackingSite
    host: str = "127.0.0.1"

    @property
    def origin(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def routes(self) -> list[Route]:
        return [Route("/before/{kind}.js", self.before), Route("/{page}", self.page)]

    async def before(self, request: Request) -> Response:
        return Response(_BEFORE[request.path_params["kind"]], media_type="text/javascript")

    async def page(self, request: Request) -> Response:
        """Serve a page that lets in nothing but our script, and sends nowhere but to us."""
        asked = request.query_params
        consent = "" if asked.get("consent") == "later" else "data-consent"
        ours = self.service.url
        return HTMLResponse(
            f"""<!doctype html><title>Acme</title><link rel="icon" href="data:,">
            <script src="/before/{asked.get("before", "none")}.js"></script>
            <script async src="{ours}/t.js" data-key="{self.site.key}" {consent}></script>
            <form data-smarketing action="/thanks"><input type="email"><button>Send</button></form>
            <a href="/next?x=1">Next</a>""",
            headers={
                "Content-Security-Policy": f"default-src 'none'; script-src 'self' {ours};"
                f" connect-src {ours}; img-src data:; form-action 'self'"
            },
        )


@pytest.fixture(scope="module")
async def service(database_urls: Any) -> AsyncIterator[Site]:
    async with a_site(database_urls, WORKER="0", EVENTS_PER_ADDRESS="0") as site:
        yield site


@pytest.fixture
async def acme(service: Site, world: World) -> AsyncIterator[Acme]:
    port = free_port()
    site = await a_tracking_site(world, f"http://127.0.0.1:{port}")
    acme = Acme(port, service, site)
    async with _served(acme):
        yield acme


@asynccontextmanager
async def _served(acme: Acme) -> AsyncIterator[None]:
    config = uvicorn.Config(
        Starlette(routes=acme.routes),
        port=acme.port,
        log_level="warning",
        timeout_graceful_shutdown=1,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", acme.port))
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await running
        listener.close()


async def _open(open_screen: OpenScreen, address: str) -> Screen:
    screen: Screen = await open_screen(address)
    await screen.page.wait_for_function("window.smarketing !== undefined")
    return screen


async def until_kept(world: World, touches: int) -> tuple[list[Touch], list[Visitor]]:
    """Return all touches once there are so many, a minute at most.

    Beacons that are under way together may be kept in any order.
    """
    async with asyncio.timeout(60):
        while len((found := await kept(world))[0]) < touches:
            pass
    return found


async def test_page_views_of_one_browser_are_one_visitors(open_screen, acme, world):
    screen = await _open(open_screen, f"{acme.origin}/guide?utm_source=news&utm_medium=email#top")
    await until_kept(world, 1)
    await screen.page.click("a")
    touches, [visitor] = await until_kept(world, 2)

    https = acme.origin.replace("http:", "https:")
    assert [(t.kind, t.url, t.referrer, t.channel) for t in touches] == [
        (VIEW, f"{https}/guide", None, Channel.EMAIL),
        (VIEW, f"{https}/next?x=1", f"{https}/guide", Channel.DIRECT),
    ]
    token = await screen.page.evaluate("localStorage.smarketing")
    assert (visitor.token, visitor.lead_id) == (token, None)
    assert screen.complaints == []
    assert await screen.page.context.cookies() == []
    assert screen.hosts == {f"127.0.0.1:{acme.port}", f"127.0.0.1:{acme.service.settings.port}"}


async def test_moving_within_a_single_page_application_is_a_page_view(open_screen, acme, world):
    screen = await _open(open_screen, f"{acme.origin}/app")
    await until_kept(world, 1)
    await screen.page.evaluate("history.pushState({}, '', '/app/prices')")
    await until_kept(world, 2)
    await screen.page.evaluate("history.pushState({}, '', '/app/prices#plans')")
    await screen.page.go_back()
    await screen.page.go_back()
    touches, _ = await until_kept(world, 3)

    https = acme.origin.replace("http:", "https:")
    assert [(touch.url, touch.referrer) for touch in touches] == [
        (f"{https}/app", None),
        (f"{https}/app/prices", f"{https}/app"),
        (f"{https}/app", f"{https}/app/prices"),
    ]
    assert screen.complaints == []


async def test_a_form_that_leaves_the_page_still_tells_whose_browser_it_is(
    open_screen, acme, world
):
    screen = await _open(open_screen, f"{acme.origin}/contact")
    await screen.page.fill("input", "Ann@x.example")
    await screen.page.click("button")
    touches, [visitor] = await until_kept(world, 3)

    assert sorted(touch.kind for touch in touches) == [FORM, VIEW, VIEW]
    assert (visitor.claimed_email, visitor.lead_id) == ("ann@x.example", None)
    assert screen.complaints == []


async def test_the_last_word_of_a_page_is_sent_when_it_is_closed(open_screen, acme, world):
    screen = await _open(open_screen, f"{acme.origin}/guide")
    await until_kept(world, 1)
    await screen.page.evaluate("smarketing.track('DOWNLOAD')")
    await screen.page.close(run_before_unload=False)
    touches, _ = await until_kept(world, 2)
    assert [touch.kind for touch in touches] == [VIEW, TouchKind.DOWNLOAD]


async def test_without_consent_nothing_is_stored_or_sent_until_it_is_given(
    open_screen, acme, world
):
    screen = await _open(open_screen, f"{acme.origin}/guide?consent=later")
    await screen.page.evaluate("smarketing.identify('ann@x.example')")
    await screen.page.wait_for_timeout(300)
    assert await screen.page.evaluate("localStorage.length") == 0
    assert await kept(world) == ([], [])

    await screen.page.evaluate("smarketing.consent()")
    touches, [visitor] = await until_kept(world, 2)
    assert [touch.kind for touch in touches] == [VIEW, FORM]
    assert visitor.claimed_email == "ann@x.example"

    await screen.page.evaluate("smarketing.consent(0); smarketing.track('CHAT')")
    await screen.page.wait_for_timeout(300)
    assert len((await kept(world))[0]) == 2


async def test_what_cannot_be_sent_at_once_is_sent_with_the_next(open_screen, acme, world):
    screen = await _open(open_screen, f"{acme.origin}/guide?before=busy")
    await screen.page.wait_for_timeout(300)
    assert await kept(world) == ([], [])
    await screen.page.evaluate("smarketing.track('DOWNLOAD')")
    touches, _ = await until_kept(world, 2)
    assert [touch.kind for touch in touches] == [VIEW, TouchKind.DOWNLOAD]


async def test_a_browser_that_sends_no_beacons_breaks_no_page(open_screen, acme, world):
    screen = await _open(open_screen, f"{acme.origin}/guide?before=deaf&consent=later")
    await screen.page.evaluate("smarketing.consent()")
    await screen.page.wait_for_timeout(200)
    assert screen.complaints == []


@pytest.mark.parametrize("kind", ["gpc", "dnt"])
async def test_a_browser_that_asks_not_to_be_tracked_is_not(open_screen, acme, world, kind):
    screen = await _open(open_screen, f"{acme.origin}/guide?before={kind}")
    await screen.page.evaluate("smarketing.identify('ann@x.example')")
    await screen.page.wait_for_timeout(300)
    assert await screen.page.evaluate("localStorage.length") == 0
    assert await kept(world) == ([], [])
    assert screen.complaints == []


async def test_with_storage_blocked_a_page_is_a_visitor_of_its_own(open_screen, acme, world):
    screen = await _open(open_screen, f"{acme.origin}/guide?before=blocked")
    await screen.page.evaluate("smarketing.track('CHAT')")
    touches, [visitor] = await until_kept(world, 2)
    assert {touch.visitor_id for touch in touches} == {visitor.id}
    assert screen.complaints == []


async def test_a_page_of_another_origin_is_refused(open_screen, acme, world):
    foreign = Acme(acme.port, acme.service, acme.site, host="localhost")
    screen = await open_screen("about:blank")
    async with screen.page.expect_response(lambda answer: "/t/" in answer.url) as refused:
        await screen.page.goto(f"{foreign.origin}/guide")
    assert (await refused.value).status == 403
    assert await kept(world) == ([], [])


async def test_a_page_with_a_revoked_key_is_refused(open_screen, acme, world):
    async with world.work() as work:
        await revoke_site(work, world.actor(), acme.site.id)
    screen = await open_screen("about:blank")
    async with screen.page.expect_response(lambda answer: "/t/" in answer.url) as revoked:
        await screen.page.goto(f"{acme.origin}/guide")
    assert (await revoked.value).status == 403
    assert await kept(world) == ([], [])
