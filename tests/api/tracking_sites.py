"""Web sites with a key, and what their pages send."""

from __future__ import annotations

from typing import Any

import httpx

from domain.ids import new_id
from domain.touches import Touch, Visitor
from domain.tracking import TrackingSite, create_site
from infra.secrets import SITE_KEY, new_secret
from tests.world import World

ORIGIN = "https://www.acme.example"
TOKEN = "0123456789abcdef0123456789abcdef"
CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/140.0.0.0 Safari/537.36"
)


async def a_tracking_site(world: World, *origins: str) -> TrackingSite:
    """Store a site whose pages are at some origins."""
    async with world.work() as work:
        return await create_site(
            work,
            world.actor(),
            name="Acme",
            origins=origins or (ORIGIN,),
            key=new_secret(SITE_KEY).text,
        )


def a_view(url: str = f"{ORIGIN}/guide", **said: Any) -> dict[str, Any]:
    """Return an event as the script sends it."""
    return {"i": new_id().hex, "k": "PAGE_VIEW", "u": url, "r": "", "a": 0, **said}


def a_beacon(*events: dict[str, Any], **said: Any) -> dict[str, Any]:
    """Return a beacon as the script sends it."""
    return {"v": TOKEN, "c": 1, "e": list(events), **said}


async def send(
    url: str, site: TrackingSite | None, beacon: Any, *, key: str | None = None, **headers: str
) -> httpx.Response:
    """Send a beacon as a browser does."""
    sent = {"origin": ORIGIN, "user-agent": CHROME, "content-type": "text/plain;charset=UTF-8"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    place = f"{url}/t/{key or (site.key if site else 'unknown')}"
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        if isinstance(beacon, bytes):
            return await client.post(place, content=beacon, headers=sent)
        return await client.post(place, json=beacon, headers=sent)


async def kept(world: World) -> tuple[list[Touch], list[Visitor]]:
    """Return all touches and visitors of a tenant."""
    async with world.work() as work:
        return list(await work.find(Touch)), list(await work.find(Visitor))
