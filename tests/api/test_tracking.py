"""Beacons of web pages: taken, never answered with anything that is known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import httpx
import pytest

from api.tracking.collecting import Collector
from domain.beacons import Beacon, PageEvent
from domain.leads import Agency, Lead
from domain.touch_intake import identify_visitor
from domain.touches import Channel, TouchKind
from domain.tracking import actor_of_site, revoke_site, update_site
from tests.agreements import an_mql
from tests.api.sites import Site, a_site
from tests.api.tracking_sites import (
    CHROME,
    ORIGIN,
    TOKEN,
    a_beacon,
    a_tracking_site,
    a_view,
    kept,
    send,
)
from tests.world import World

OTHER = "https://elsewhere.example"
_ROOMY = {"WORKER": "0", "MAX_BEACON_BYTES": "4096", "EVENTS_PER_ADDRESS": "0"}


@pytest.fixture(scope="module")
async def site(database_urls: Any) -> AsyncIterator[Site]:
    async with a_site(database_urls, **_ROOMY) as site:
        yield site


async def add_lead(world: World, **said: Any) -> Lead:
    async with world.work() as work:
        lead: Lead = await work.add(an_mql(world.now, **said))
    return lead


async def test_a_page_view_is_kept_with_the_servers_time(site, world):
    page = await a_tracking_site(world)
    view = a_view(f"{ORIGIN}/guide/?utm_source=google&utm_medium=cpc#top", r="android-app://x/")

    before = datetime.now(UTC)
    answer = await send(site.url, page, a_beacon({**view, "a": 90_000}))
    after = datetime.now(UTC)

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "set-cookie" not in answer.headers
    [touch], [visitor] = await kept(world)
    assert before <= touch.occurred_at + timedelta(seconds=90) <= after
    assert (touch.kind, touch.channel, touch.agency) == (
        TouchKind.PAGE_VIEW,
        Channel.PAID_SEARCH,
        Agency.HUMAN,
    )
    assert (touch.url, touch.referrer, touch.lead_id) == (f"{ORIGIN}/guide", None, None)
    assert (visitor.token, visitor.lead_id, visitor.claimed_email) == (TOKEN, None, None)
    assert touch.visitor_id == visitor.id


async def test_a_page_cannot_tell_of_the_future(site, world):
    page = await a_tracking_site(world)
    before = datetime.now(UTC)
    await send(site.url, page, a_beacon(a_view(a=-5_000)))
    [touch], _ = await kept(world)
    assert before <= touch.occurred_at <= touch.recorded_at


async def test_a_page_cannot_tell_of_long_ago(site, world):
    page = await a_tracking_site(world)
    await send(site.url, page, a_beacon(a_view(a=1e300)))
    [touch], _ = await kept(world)
    assert touch.recorded_at - touch.occurred_at == timedelta(days=1)


async def test_how_long_beacons_wait_changes_nothing_in_their_order(world):
    page = await a_tracking_site(world)
    actor = actor_of_site(page, world.tenant.id)
    collector, now = Collector(world.database.work), monotonic()
    late, early = (
        Beacon(
            visitor=TOKEN,
            events=(PageEvent(id=f"{name}-event", kind=TouchKind.CHAT, url=f"{ORIGIN}/{name}"),),
        )
        for name in ("late", "early")
    )
    await asyncio.gather(
        collector.keep(actor, late, now - 3_600), collector.keep(actor, early, now - 7_200)
    )

    touches, _ = await kept(world)
    hours = {touch.url: (world.now - touch.occurred_at) // timedelta(hours=1) for touch in touches}
    assert hours == {f"{ORIGIN}/late": 1, f"{ORIGIN}/early": 2}


async def test_an_event_that_is_sent_twice_is_kept_once(site, world):
    page, view = await a_tracking_site(world), a_view()
    answers = [await send(site.url, page, a_beacon(view)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 204]
    assert len((await kept(world))[0]) == 1


async def test_the_event_ids_of_one_visitor_take_nothing_from_another(site, world):
    page, view = await a_tracking_site(world), a_view()
    await send(site.url, page, a_beacon(view, v="f" * 32))
    await send(site.url, page, a_beacon(view))
    assert len((await kept(world))[0]) == 2


@pytest.mark.parametrize(
    "headers", [{"origin": OTHER}, {"origin": "null"}, {"origin": ""}, {"origin": f"{ORIGIN}."}]
)
async def test_a_page_of_another_origin_is_refused(site, world, headers):
    page = await a_tracking_site(world)
    answer = await send(site.url, page, a_beacon(a_view()), **headers)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    assert await kept(world) == ([], [])


async def test_unknown_and_revoked_keys_get_the_same_answer_as_a_wrong_origin(site, world):
    page = await a_tracking_site(world)
    assert (await send(site.url, page, a_beacon(a_view()))).status_code == 204
    async with world.work() as work:
        await revoke_site(work, world.actor(), page.id)

    await _until_refused(site, page)
    answers = [
        await send(site.url, page, a_beacon(a_view())),
        await send(site.url, None, a_beacon(a_view())),
        await send(site.url, None, a_beacon(a_view()), key=page.key[:-1] + "x"),
        await send(site.url, page, a_beacon(a_view()), origin=OTHER),
    ]

    assert {(answer.status_code, answer.text) for answer in answers} == {
        (403, "This key is not good for pages of this origin.\n")
    }


async def test_other_origins_count_within_a_second(site, world):
    page = await a_tracking_site(world)
    assert (await send(site.url, page, a_beacon(a_view()))).status_code == 204
    async with world.work() as work:
        await update_site(work, world.actor(), page.id, origins=[OTHER])
    await _until_refused(site, page)
    assert (await send(site.url, page, a_beacon(a_view()), origin=OTHER)).status_code == 204


async def test_what_is_too_large_is_refused(site, world):
    page = await a_tracking_site(world)
    large = a_beacon(a_view(f"{ORIGIN}/{'x' * 4096}"))
    many = a_beacon(*({"i": "12345678", "k": "CHAT", "u": ORIGIN} for _ in range(21)))
    assert (await send(site.url, page, large)).status_code == 413
    assert (await send(site.url, page, many)).status_code == 413
    assert await kept(world) == ([], [])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"v": 1}',
        b'{"v": "short", "c": 1}',
        b'{"v": "%s", "c": 1, "e": [{"i": "12345678", "k": "CALL", "u": "https://a.b/"}]}'
        % TOKEN.encode(),
        b'{"v": "%s", "c": 1, "e": [{"i": "1", "k": "FORM", "u": "https://a.b/"}]}'
        % TOKEN.encode(),
    ],
)
async def test_what_is_no_beacon_is_refused(site, world, body):
    page = await a_tracking_site(world)
    assert (await send(site.url, page, body)).status_code == 400
    assert await kept(world) == ([], [])


@pytest.mark.parametrize(
    ("said", "headers"),
    [
        ({"c": 0}, {}),
        ({"c": False}, {}),
        ({}, {"dnt": "1"}),
        ({}, {"sec_gpc": "1"}),
        ({}, {"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}),
        ({}, {"user_agent": CHROME.replace("Chrome", "HeadlessChrome")}),
        ({}, {"user_agent": ""}),
    ],
    ids=["no consent", "refused consent", "dnt", "gpc", "crawler", "headless", "no agent"],
)
async def test_who_does_not_consent_or_is_no_buyer_leaves_nothing_behind(
    site, world, said, headers
):
    page = await a_tracking_site(world)
    answer = await send(
        site.url, page, {**a_beacon(a_view(), m="ann@x.example"), **said}, **headers
    )
    assert answer.status_code == 204
    assert await kept(world) == ([], [])


async def test_whose_browser_it_is_is_only_claimed_and_no_lead_is_made_or_touched(site, world):
    page = await a_tracking_site(world)
    ann = await add_lead(world, email="ann@x.example")

    known = await send(site.url, page, a_beacon(a_view(k="FORM"), m="ANN@x.example"))
    unknown = await send(site.url, page, a_beacon(a_view(), v="f" * 32, m="new@x.example"))
    nonsense = await send(site.url, page, a_beacon(a_view(), v="e" * 32, m="no address"))

    told = [
        (a.status_code, a.content, sorted(set(a.headers) - {"x-request-id"}))
        for a in (known, unknown, nonsense)
    ]
    assert told[0] == told[1] == told[2]
    touches, visitors = await kept(world)
    assert [touch.lead_id for touch in touches] == [None, None, None]
    assert {v.token: (v.claimed_email, v.lead_id) for v in visitors} == {
        TOKEN: ("ann@x.example", None),
        "f" * 32: ("new@x.example", None),
        "e" * 32: (None, None),
    }
    async with world.work() as work:
        assert await work.find(Lead) == [ann]


async def test_a_claim_that_is_confirmed_brings_the_visit_along_and_is_not_made_again(site, world):
    page = await a_tracking_site(world)
    ann = await add_lead(world, email="ann@x.example")
    await send(site.url, page, a_beacon(a_view(), m="ann@x.example"))
    async with world.work() as work:
        await identify_visitor(work, world.actor(), TOKEN, "ann@x.example")

    await send(site.url, page, a_beacon(a_view(), m="ann@x.example"))

    touches, [visitor] = await kept(world)
    assert [touch.lead_id for touch in touches] == [ann.id, ann.id]
    assert (visitor.lead_id, visitor.claimed_email) == (ann.id, None)

    await send(site.url, page, a_beacon(m="ben@x.example"))
    _, [visitor] = await kept(world)
    assert (visitor.lead_id, visitor.claimed_email) == (ann.id, "ben@x.example")


async def test_many_at_once_are_all_kept_and_each_visitor_is_made_once(site, world):
    page = await a_tracking_site(world)
    answers = await asyncio.gather(
        *(
            send(site.url, page, a_beacon(a_view(), a_view(), v=TOKEN[:-1] + str(n % 3)))
            for n in range(30)
        )
    )
    assert {answer.status_code for answer in answers} == {204}
    touches, visitors = await kept(world)
    assert (len(touches), len(visitors)) == (60, 3)


async def test_a_page_whose_address_cannot_be_kept_spoils_no_other(site, world):
    page = await a_tracking_site(world)
    answer = await send(site.url, page, a_beacon(a_view("file:///c:/x"), a_view()))
    assert answer.status_code == 204
    assert [touch.url for touch in (await kept(world))[0]] == [f"{ORIGIN}/guide"]


async def test_a_flood_is_refused_and_told_when_to_come_again(database_urls, world):
    page, more = await a_tracking_site(world), {"WORKER": "0", "EVENTS_PER_ADDRESS": "10"}
    async with a_site(database_urls, **more) as site:
        answers = [await send(site.url, page, a_beacon(a_view())) for _ in range(6)]
        alive = await _get(f"{site.url}/t.js")
    assert [answer.status_code for answer in answers] == [204] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert len((await kept(world))[0]) == 5
    assert alive.status_code == 200


async def test_one_sites_flood_takes_nothing_from_another_site(database_urls, world):
    page, other = await a_tracking_site(world), await a_tracking_site(world)
    async with a_site(database_urls, WORKER="0", EVENTS_PER_SITE="2") as site:
        answers = [await send(site.url, page, a_beacon(a_view())) for _ in range(3)]
        answers.append(await send(site.url, other, a_beacon(a_view())))
    assert [answer.status_code for answer in answers] == [204, 204, 429, 204]


async def test_a_preflight_is_answered_for_pages_of_the_site_alone(site, world):
    page = await a_tracking_site(world)
    asks = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        address = f"{site.url}/t/{page.key}"
        own = await client.options(address, headers={"origin": ORIGIN, **asks})
        foreign = await client.options(address, headers={"origin": OTHER, **asks})
    assert (own.status_code, own.headers["access-control-allow-origin"]) == (204, ORIGIN)
    assert own.headers["access-control-allow-methods"] == "POST"
    assert "access-control-allow-credentials" not in own.headers
    assert (foreign.status_code, foreign.headers.get("access-control-allow-origin")) == (403, None)


async def test_nothing_can_be_read_where_beacons_go(site, world):
    page = await a_tracking_site(world)
    assert (await _get(f"{site.url}/t/{page.key}")).status_code == 405
    graphql = {"authorization": f"Bearer {page.key}"}
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        asked = await client.post(
            f"{site.url}/graphql", json={"query": "{ viewer { name } }"}, headers=graphql
        )
    assert asked.status_code == 401


async def test_the_script_is_a_kilobyte_at_most_and_caches(site):
    first = await _get(f"{site.url}/t.js")
    again = await _get(f"{site.url}/t.js", **{"if-none-match": first.headers["etag"]})
    assert first.headers["content-type"].startswith("text/javascript")
    assert len(first.content) <= 1024
    assert first.headers["cache-control"] == ("public, max-age=3600, stale-while-revalidate=86400")
    assert first.headers["cross-origin-resource-policy"] == "cross-origin"
    assert (again.status_code, again.content) == (304, b"")


async def _get(url: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        return await client.get(url, headers=headers)


async def _until_refused(site: Site, page: Any) -> None:
    """Wait until what was changed counts, a minute at most."""
    async with asyncio.timeout(60):
        while (await send(site.url, page, a_beacon())).status_code != 403:
            pass
