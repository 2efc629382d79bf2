"""What the demo's company has to read, and what its visitors do before and after they say who."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.content import AssetKind, JourneyStage
from domain.content_flow import AssetDetails
from domain.lead_details import LeadDetails
from domain.leads import Agency, Lead
from domain.touch_intake import TouchDetails, Utm
from domain.touches import TouchKind

SITE = "https://www.northwind.example"

# Path, title, kind, topic, how far on the way it helps, and the rank of its persona.
_ASSETS = (
    ("/blog/late-deliveries", "Why deliveries are late", "ARTICLE", "deliveries", "AWARENESS", 2),
    ("/blog/growing", "Growing without hiring", "ARTICLE", "growth", "AWARENESS", 1),
    ("/guide/suppliers", "One supplier less", "WHITEPAPER", "suppliers", "CONSIDERATION", 2),
    ("/guide/api", "An API without surprises", "WHITEPAPER", "API", "CONSIDERATION", 3),
    ("/stories/bakery", "How a bakery doubled", "CASE_STUDY", "growth", "DECISION", 1),
    ("/security", "Security questions, answered", "PAGE", "security", "DECISION", 3),
    ("/calculator", "What it costs in the third year", "TOOL", "cost", "DECISION", 1),
    ("/start", "The first thirty days", "VIDEO", "start", "RETENTION", None),
)


def assets() -> Sequence[tuple[AssetDetails, int | None]]:
    """Return what there is to read, each with the rank of the persona it was made for."""
    return [
        (
            AssetDetails(
                title=title,
                kind=AssetKind(kind),
                url=SITE + path,
                topic=topic,
                journey_stage=JourneyStage(stage),
            ),
            rank,
        )
        for path, title, kind, topic, stage, rank in _ASSETS
    ]


def first_visits(
    chance: random.Random, person: LeadDetails, *, token: str, now: datetime
) -> list[TouchDetails]:
    """Return what a browser did before a form said whose it is, and the form."""
    came = _utm(person)
    visits = []
    for number in range(chance.choice((1, 2, 2, 3, 4))):
        days = chance.expovariate(1 / 6) if number else 0.01
        visits.append((now - timedelta(days=days, minutes=chance.randrange(1, 50)), number))
    visits.sort()
    touches = [
        TouchDetails(
            kind=TouchKind.PAGE_VIEW,
            visitor=token,
            occurred_at=at,
            url=SITE + _page(chance, early=True),
            # The first visit came by the campaign, later ones by heart or by the campaign again.
            utm=came if not place or chance.random() < 0.3 else Utm(),
        )
        for place, (at, _) in enumerate(visits)
    ]
    form = TouchDetails(
        kind=TouchKind.FORM,
        visitor=token,
        lead=str(person.email),
        occurred_at=now,
        url=f"{SITE}/contact",
    )
    return [*touches, form]


def later_touches(chance: random.Random, email: str, now: datetime) -> list[TouchDetails]:
    """Return what a person did after the monthly letter: perhaps nothing."""
    letter = Utm(source="newsletter", medium="email", campaign="monthly-digest")
    opened = TouchDetails(
        kind=TouchKind.EMAIL_OPEN,
        lead=email,
        agency=Agency.AUTOMATIC,
        occurred_at=now,
        utm=letter,
    )
    if chance.random() < 0.45:
        return [opened]
    clicked = TouchDetails(
        kind=chance.choice((TouchKind.EMAIL_CLICK, TouchKind.DOWNLOAD)),
        lead=email,
        occurred_at=now,
        url=SITE + _page(chance, early=False),
        utm=letter,
    )
    return [opened, clicked]


def met(lead: Lead, now: datetime) -> TouchDetails:
    """Return the meeting in which a deal was talked about."""
    return TouchDetails(kind=TouchKind.MEETING, lead=lead.id, occurred_at=now)


def _page(chance: random.Random, *, early: bool) -> str:
    wanted = {"AWARENESS", "CONSIDERATION"} if early else {"CONSIDERATION", "DECISION"}
    pages = [asset[0] for asset in _ASSETS if asset[4] in wanted]
    return chance.choice([*pages, "/", "/prices"])


def _utm(person: LeadDetails) -> Utm:
    said = (person.origin_source, person.origin_medium, person.origin_campaign)
    source, medium, campaign = (text if isinstance(text, str) else None for text in said)
    return Utm(source=source, medium=medium, campaign=campaign)
