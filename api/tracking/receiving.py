"""Where web pages send their beacons: it takes, and never tells.

Whatever is known of a visitor, the answer is the same.  Only what is wrong with the page itself is
said: its key or origin, the size and form of what it sends, and that it sends too much.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from api.transport import address_of
from api.transport.body import Refused, read_body
from api.transport.paying import Payer, out_of_budget
from domain.beacons import (
    LONGEST_DELAY,
    MOST_EVENTS,
    Beacon,
    PageEvent,
    checked_beacon,
    is_crawler,
)
from domain.errors import Invalid
from domain.identity import Actor
from domain.touches import TouchKind

_LONGEST_MS = LONGEST_DELAY / timedelta(milliseconds=1)
_PREFLIGHT_SECONDS = "86400"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSite:
    """The web site a page belongs to, and who speaks for it."""

    id: UUID
    actor: Actor
    origins: frozenset[str]


class _Event(msgspec.Struct):
    """An event: its id, kind, address, the page before, and how many milliseconds ago it was."""

    i: str
    k: TouchKind
    u: str
    r: str | None = None
    a: float = 0.0


class _Message(msgspec.Struct):
    """A beacon: the visitor's token, that the visitor consented, an address, and the events."""

    v: str
    c: bool | int = False
    m: str | None = None
    e: list[_Event] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Takes beacons.

    Args:
        site_of: Returns the site of a public key; None if it is unknown or revoked.
        payer_of: Returns who pays for events from an address, and of a site if it is known.
        keep: Stores a beacon that came at an instant of this process's clock, and returns only when
            it is stored.
        most_bytes: The longest a beacon may be.
    """

    site_of: Callable[[str], Awaitable[PageSite | None]]
    payer_of: Callable[[str, UUID | None], Payer]
    keep: Callable[[Actor, Beacon, float], Awaitable[None]]
    most_bytes: int

    async def receive(self, request: Request) -> Response:
        """Take a beacon, and answer that it was taken, or that the page may not send it."""
        came = monotonic()
        origin = request.headers.get("origin", "")
        headers = {"Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "cross-origin"}
        try:
            site = await self._site(request, origin)
            headers |= {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
            beacon = await self._read(request, site)
            if beacon is not None:
                await self.keep(site.actor, beacon, came)
        except Refused as refused:
            headers |= refused.headers
            return PlainTextResponse(f"{refused.message}\n", refused.status, headers)
        return Response(status_code=204, headers=headers)

    async def preflight(self, request: Request) -> Response:
        """Let pages of the site send as they like; those that send text need not ask."""
        origin = request.headers.get("origin", "")
        try:
            await self._site(request, origin)
        except Refused as refused:
            return PlainTextResponse(f"{refused.message}\n", refused.status, refused.headers)
        return Response(status_code=204, headers=_allowed(origin))

    async def _site(self, request: Request, origin: str) -> PageSite:
        """Return the site of a page.

        Raises:
            Refused: if there is none, or the page is of another; which one is not said.
        """
        # Paid before anything is looked up, so that trying keys is dear too.
        await _pay(self.payer_of(address_of(request), None), 1)
        site = await self.site_of(request.path_params["key"])
        if site is None or origin not in site.origins:
            raise Refused(403, "This key is not good for pages of this origin.")
        return site

    async def _read(self, request: Request, site: PageSite) -> Beacon | None:
        """Return what a page tells; None if nothing of it is to be kept."""
        body = await read_body(request, limit=self.most_bytes)
        if _wants_privacy(request.headers):
            return None
        try:
            message = msgspec.json.decode(body, type=_Message)
            if len(message.e) > MOST_EVENTS:
                raise Refused(413, f"A beacon tells of at most {MOST_EVENTS} events.")
            beacon = checked_beacon(_beacon(message))
        except (msgspec.DecodeError, Invalid) as error:
            raise Refused(400, "This is no beacon.") from error
        if not message.c or is_crawler(request.headers.get("user-agent", "")):
            return None
        await _pay(self.payer_of(address_of(request), site.id), len(beacon.events))
        return beacon


def _beacon(message: _Message) -> Beacon:
    return Beacon(
        visitor=message.v,
        email=message.m,
        events=tuple(
            PageEvent(
                id=event.i,
                kind=event.k,
                url=event.u,
                referrer=event.r,
                ago=timedelta(milliseconds=min(max(event.a, 0.0), _LONGEST_MS)),
            )
            for event in message.e
        ),
    )


def _wants_privacy(headers: Mapping[str, str]) -> bool:
    """Say whether the browser asks not to be tracked, by the old header or by the new."""
    return headers.get("dnt") == "1" or headers.get("sec-gpc") == "1"


async def _pay(payer: Payer, events: int) -> None:
    seconds = await payer.pay(events)
    if seconds is not None:
        raise out_of_budget(seconds)


def _allowed(origin: str) -> Mapping[str, str]:
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "Content-Type",
        "Access-Control-Max-Age": _PREFLIGHT_SECONDS,
        "Vary": "Origin",
    }
