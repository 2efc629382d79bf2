"""The front door: what is here, and where to go next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import HTMLResponse

from api.web.markup import Html, fragment, tag
from api.web.page import page


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere to go from the front door.  `href` is None for an address that needs a key."""

    path: str
    title: str
    about: str
    href: str | None = None


PLACES = (
    Place(
        "/graphql",
        "Explorer",
        "Write an operation in the browser and run it; a subscription shows what comes, live.",
        "/graphql",
    ),
    Place(
        "/board/<token>",
        "Wall board",
        "Which side is ahead, live, for the screen on the office wall. A tenant's admin makes "
        "the link, and can take it back.",
    ),
    Place(
        "/board/<token>/closed-loop",
        "Closed loop",
        "What became of marketing's leads, in money: the funnel, the campaigns, the revenue that "
        "came back. By the same link.",
    ),
    Place("/healthz", "Health", "The process is alive.", "/healthz"),
    Place("/readyz", "Readiness", "The database answers and its schema is current.", "/readyz"),
    Place("/metrics", "Metrics", "Figures for Prometheus.", "/metrics"),
    Place(
        "/.well-known/jwks.json",
        "Signing keys",
        "Public keys by which other services check our tokens.",
        "/.well-known/jwks.json",
    ),
)

_SIGN_IN = """\
curl {origin}graphql \\
  -H 'content-type: application/json' \\
  -d '{{"query": "{{ __typename }}"}}'"""


def landing_page(origin: str, places: Sequence[Place] = PLACES) -> HTMLResponse:
    """Return the front door of the server at `origin`."""
    return page(
        tag(
            "main",
            tag("h1", "Smarketing"),
            tag(
                "p",
                "Sales and marketing promise each other leads and answers. This server keeps the "
                "promises' clocks and tells both sides, live, whether they are ahead or behind.",
                class_="lede",
            ),
            tag("h2", "Where to go"),
            tag("ul", map(_place, places), class_="places"),
            tag("h2", "First request"),
            tag("p", "The endpoint is ", tag("code", "POST /graphql"), ". Is it there?"),
            tag("pre", tag("code", _SIGN_IN.format(origin=origin)), tabindex=0),
            tag(
                "ol",
                tag("li", "Sign in with ", tag("code", "signIn"), " to get an access token."),
                tag("li", "Send it as ", tag("code", "Authorization: Bearer …"), "."),
                tag("li", "Ask ", tag("code", "slaStatus"), ", or subscribe to it over "
                    "WebSocket or server-sent events."),
            ),
            tag("p", "The guides and the glossary are in the folder ", tag("code", "docs/"),
                " of the source."),
        ),
        title="Smarketing",
        kind="landing",
    )  # fmt: skip


def _place(place: Place) -> Html:
    title = place.title if place.href is None else tag("a", place.title, href=place.href)
    return tag(
        "li",
        tag("strong", title),
        tag("code", place.path),
        tag("p", fragment([place.about])),
    )
