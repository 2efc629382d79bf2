"""A page at the GraphQL endpoint itself, for whoever opens it in a browser: write, run, read."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from api.web.markup import tag
from api.web.page import page

FIRST_EXAMPLE = """\
{
  viewer {
    tenant { name }
    user { name }
    permissions
  }
}"""


async def explorer(_: Request) -> Response:
    """Return the page.  It asks nothing of any other host, and keeps the token in its own tab."""
    answer = page(
        tag(
            "main",
            tag("h1", "Explorer"),
            tag(
                "form",
                tag("label", "Operation",
                    tag("textarea", FIRST_EXAMPLE, id="query", rows=16, spellcheck="false",
                        autocomplete="off")),
                tag("label", "Variables (JSON)",
                    tag("textarea", "{}", id="variables", rows=5, spellcheck="false",
                        autocomplete="off")),
                tag("label", "Access token or API key",
                    tag("input", id="token", type="password", autocomplete="off")),
                tag("p",
                    tag("button", "Run", id="run", type="submit"), " ",
                    tag("button", "Stop", id="stop", type="button", hidden=True), " ",
                    tag("small", "or Ctrl-Enter; subscriptions run until you stop them")),
                id="explorer",
            ),
            tag(
                "section",
                tag("p", "The answer appears here.", id="outcome", role="status"),
                tag("pre", id="answer", tabindex=0, role="region", aria_label="The answer"),
                tag("noscript", tag("p", "This page needs JavaScript; the endpoint does not.")),
            ),
            class_="workbench",
        ),
        title="Explorer – Smarketing",
        kind="landing",
        script="explorer.js",
    )  # fmt: skip
    answer.headers["Vary"] = "Accept"
    return answer
