"""Where links in letters lead, and how letters stop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette

from api.web.letters import letter_routes
from domain.audit import AuditEntry
from domain.digests import DigestFrequency, DigestSubscription, subscribe
from domain.identity import User
from domain.letters import LetterKind
from infra.signing import UrlSigner
from tests.posting import PUBLIC_URL, Post, post
from tests.world import World

__all__ = ["post"]


@pytest.fixture
async def browser(post: Post) -> AsyncIterator[httpx.AsyncClient]:
    app = httpx.ASGITransport(app=Starlette(routes=letter_routes(post.stops)))
    async with httpx.AsyncClient(transport=app, base_url=PUBLIC_URL) as client:
        yield client


async def wanted(world: World) -> tuple[int, bool]:
    """Return how many digests are subscribed to, and whether the marketer wants letters."""
    async with world.work() as work:
        user = await work.get(User, world.marketer.id)
        return len(await work.find(DigestSubscription)), user.mention_letters


async def test_one_click_stops_letters_of_one_kind_and_looking_at_the_link_does_not(
    world: World, post: Post, browser: httpx.AsyncClient
) -> None:
    async with world.work() as work:
        await subscribe(work, world.actor(world.marketer), DigestFrequency.DAILY)
    link = [
        post.stops.address(world.tenant.id, world.marketer.id, kind, now=world.now)
        for kind in LetterKind
    ]
    steps = [await wanted(world)]

    looked = await browser.get(link[0])
    steps.append(await wanted(world))
    # What a mail program sends by itself (RFC 8058), and sends again.
    one_click = {"List-Unsubscribe": "One-Click"}
    clicked = [await browser.post(link[0], data=one_click) for _ in range(2)]
    steps.append(await wanted(world))
    await browser.post(link[1])
    steps.append(await wanted(world))

    assert steps == [(1, True), (1, True), (0, True), (0, False)]
    assert '<form method="post">' in looked.text
    assert "form-action 'self'" in looked.headers["content-security-policy"]
    assert [answer.status_code for answer in (looked, *clicked)] == [200, 200, 200]
    assert "We write no more to tell what became of your leads." in clicked[0].text


async def test_a_link_that_is_none_stops_nothing(
    world: World, other_world: World, post: Post, browser: httpx.AsyncClient
) -> None:
    async with world.work() as work:
        await subscribe(work, world.actor(world.marketer), DigestFrequency.DAILY)
    ours = (world.tenant.id, world.marketer.id, LetterKind.DIGEST)
    forger = replace(post.stops, signer=UrlSigner(b"x" * 32))
    old = world.now - timedelta(days=367)
    links = [
        f"{PUBLIC_URL}/letters/nonsense",
        forger.address(*ours, now=world.now),
        post.stops.address(*ours, now=old),
        post.stops.address(other_world.tenant.id, *ours[1:], now=world.now),
    ]

    refused = [await browser.post(link) for link in links]

    assert [answer.status_code for answer in refused] == [404] * 4
    assert await wanted(world) == (1, True)
    assert (await browser.get(links[0])).status_code == 404


@pytest.mark.parametrize("path", ["/threads/thread_01", "/feedback"])
async def test_links_lead_somewhere_without_a_front_end(
    browser: httpx.AsyncClient, path: str
) -> None:
    answer = await browser.get(path)

    assert answer.status_code == 200
    assert "/graphql" in answer.text
    assert "thread_01" not in answer.text


async def test_a_page_says_which_letters_of_calls_it_would_stop(
    world: World, post: Post, browser: httpx.AsyncClient
) -> None:
    """Who is called with the team is not called by name."""
    to = (world.tenant.id, world.rep.id, LetterKind.MENTION)

    asked = await browser.get(post.stops.address(*to, now=world.now))

    assert (
        "You get letters that tell where you are called, by name or with your team." in asked.text
    )


async def test_who_stopped_letters_is_on_record(
    world: World, post: Post, browser: httpx.AsyncClient
) -> None:
    kind = LetterKind.MENTION
    await browser.post(post.stops.address(world.tenant.id, world.rep.id, kind, now=world.now))

    async with world.work() as work:
        (entry,) = await work.find(AuditEntry, action="letters")
    assert (entry.actor_id, entry.subject_id) == (world.rep.id, world.rep.id)
