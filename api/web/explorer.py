"""A page at the GraphQL endpoint itself, for whoever opens it in a browser: write, run, read.

It is GraphiQL where its files were fetched, and else a small page of our own that can run whatever
GraphiQL can.  Neither asks anything of another host, and both keep the token in their own tab.
"""

from __future__ import annotations

from itertools import groupby
from secrets import token_urlsafe

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from api.operations import DocumentedOperation, documented_operations
from api.web.assets import asset
from api.web.graphiql import GraphiqlFiles, graphiql_asset
from api.web.markup import Html, fragment, tag
from api.web.page import POLICY, page

_TITLE = "Explorer – Smarketing"
_FIRST = """\
{
  viewer {
    tenant { name }
    user { name }
    permissions
  }
}"""


# GraphiQL's style sheet brings its letters and a few pictures along, and its dialogs add a style
# that keeps the page behind them still.
_POLICY = POLICY.replace("img-src 'self'", "img-src 'self' data:; font-src data:").replace(
    "style-src 'self'", "style-src 'self' 'nonce-{}'"
)


class Explorer:
    """Whichever page can be shown."""

    def __init__(self, files: GraphiqlFiles | None = None) -> None:
        self._files = files or GraphiqlFiles()
        self.route = self._files.route

    @property
    def documents(self) -> list[str]:
        """Return what can be run here with nothing typed."""
        return [_FIRST, *(operation.document for operation in documented_operations())]

    async def show(self, _: Request) -> Response:
        """Return the page."""
        answer = _graphiql() if await self._files.are_here() else _small()
        answer.headers["Vary"] = "Accept"
        return answer


def _graphiql() -> HTMLResponse:
    nonce = token_urlsafe(16)
    return page(
        tag(
            "div",
            tag("p", "Loading GraphiQL…"),
            tag("noscript", tag("p", "This page needs JavaScript; the endpoint does not.")),
            id="explorer",
            data_nonce=nonce,
        ),
        _operations(),
        title=_TITLE,
        kind="graphiql",
        script="explorer-graphiql.js",
        styles=[graphiql_asset("graphiql.min.css"), asset("explorer.css")],
        scripts=[
            graphiql_asset(name)
            for name in ("react.production.min.js", "react-dom.production.min.js",
                         "graphiql.min.js")
        ],
        policy=_POLICY.format(nonce),
    )  # fmt: skip


def _small() -> HTMLResponse:
    return page(
        tag(
            "main",
            tag("h1", "Explorer"),
            tag("p", "This is the small explorer. ", tag("code", "make explorer"),
                " brings GraphiQL, which knows the schema; it needs npm."),
            tag(
                "form",
                tag("label", "Begin with",
                    tag("select", tag("option", "…", value=""), map(_group, _grouped()),
                        id="examples", autocomplete="off")),
                tag("label", "Operation",
                    tag("textarea", _FIRST, id="query", rows=16, spellcheck="false",
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
        _operations(),
        title=_TITLE,
        kind="landing",
        script="explorer.js",
    )  # fmt: skip


def _grouped() -> list[tuple[str, list[DocumentedOperation]]]:
    groups = groupby(documented_operations(), key=lambda operation: operation.group)
    return [(name, list(operations)) for name, operations in groups]


def _group(group: tuple[str, list[DocumentedOperation]]) -> Html:
    name, operations = group
    options = fragment(tag("option", each.title, value=each.name) for each in operations)
    return tag("optgroup", options, label=name)


def _operations() -> Html:
    """Return the operations for the scripts, in an element that is not drawn."""
    text = msgspec.json.encode(documented_operations()).decode()
    return tag("template", text, id="operations")
