"""What a page of the web tells of its visitor: anybody could have said it, so little is believed.

A beacon only ever adds.  It makes no lead, changes none and gives nobody's touches to anybody: an
e-mail address in it is a claim, kept with the visitor until somebody who may edit leads confirms
it (ADR "A page's word is a claim").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.errors import DomainError, Invalid
from domain.identity import Actor, Permission
from domain.lead_details import EARLIEST, LeadDetails, checked
from domain.leads import ExternalId
from domain.ports import Work
from domain.touch_intake.details import BEACON, TouchDetails, checked_token
from domain.touch_intake.storing import store_touches
from domain.touches import TouchKind
from domain.web_addresses import referring_page

MOST_EVENTS = 20
# How long a page may keep what it could not send at once.
LONGEST_DELAY = timedelta(days=1)
# What can happen on a page.  Nobody telephones there.
PAGE_KINDS = frozenset({TouchKind.PAGE_VIEW, TouchKind.FORM, TouchKind.DOWNLOAD, TouchKind.CHAT})

_EVENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
_CRAWLER = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|headless|phantom|lighthouse|pingdom|uptime|preview|monitor"
    r"|facebookexternalhit|embedly|curl/|wget/|python-|java/|go-http|okhttp|axios|node-fetch",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEvent:
    """One thing that a visitor did, `ago` before the beacon was sent, by the page's own clock."""

    id: str
    kind: TouchKind
    url: str
    referrer: str | None = None
    ago: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beacon:
    """What a page sends at once; `email` is whose browser it says it is."""

    visitor: str
    events: tuple[PageEvent, ...] = ()
    email: str | None = None


def is_crawler(user_agent: str) -> bool:
    """Say whether a program says itself that it is no buyer; one that says nothing is none."""
    return not user_agent.strip() or bool(_CRAWLER.search(user_agent))


def checked_beacon(beacon: Beacon) -> Beacon:
    """Return a beacon as it is taken.

    Raises:
        Invalid: if its visitor or an event's id is not one, or it tells more than a page can.
    """
    checked_token(beacon.visitor)
    if len(beacon.events) > MOST_EVENTS:
        raise Invalid(f"A beacon tells of at most {MOST_EVENTS} events.", path=("events",))
    for place, event in enumerate(beacon.events):
        if not _EVENT_ID.fullmatch(event.id):
            raise Invalid("This is not the id of an event.", path=("events", place, "id"))
        if event.kind not in PAGE_KINDS:
            raise Invalid("This does not happen on a page.", path=("events", place, "kind"))
    return replace(beacon, email=_claimable(beacon.email))


async def take_beacons(work: Work, actor: Actor, beacons: Sequence[Beacon]) -> None:
    """Store what pages told, each event once; what cannot be stored is left out without a word."""
    actor.require(Permission.SEND_BEACONS)
    rows = [_details(beacon, event, work.now) for beacon in beacons for event in beacon.events]
    await store_touches(work, rows, own=True, claims=_claims(beacons))


def _details(beacon: Beacon, event: PageEvent, now: datetime) -> TouchDetails:
    delay = min(max(event.ago, timedelta(0)), LONGEST_DELAY)
    return TouchDetails(
        kind=event.kind,
        visitor=beacon.visitor,
        occurred_at=now - delay,
        url=event.url,
        referrer=_referrer(event.referrer),
        # By the visitor too, so that nobody can take away the ids of another's events.
        external=ExternalId(BEACON, f"{beacon.visitor}.{event.id}"),
    )


def _claims(beacons: Iterable[Beacon]) -> dict[str, str]:
    """Return the last claim of each visitor."""
    return {beacon.visitor: beacon.email for beacon in beacons if beacon.email is not None}


def _claimable(email: str | None) -> str | None:
    """Return an address as leads have it, nothing where it is none."""
    if email is None:
        return None
    try:
        kept = checked(LeadDetails(email=email), now=EARLIEST).email
    except DomainError:
        return None
    return kept if isinstance(kept, str) else None


def _referrer(text: str | None) -> str | None:
    """Return the page before, where it was one: an app, or nothing, is none."""
    try:
        return referring_page(text) if text else None
    except Invalid:
        return None
