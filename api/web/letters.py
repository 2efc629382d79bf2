"""Where links in letters lead, for installations without a front end; and where letters stop."""

from __future__ import annotations

from typing import Protocol

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from api.operations import documented_operations
from api.web.markup import tag
from api.web.page import POLICY, page
from domain.errors import DomainError
from domain.letters import LetterKind

_TITLE = "Letters – Smarketing"
# A mail program stops letters by a POST alone, and a person by this form.
_POLICY = POLICY.replace("form-action 'none'", "form-action 'self'")
_ABOUT = {
    LetterKind.DIGEST: "what became of your leads",
    LetterKind.MENTION: "where you are called, by name or with your team",
}


class Stops(Protocol):
    """Knows what a link stops, and stops it."""

    async def kind_of(self, token: str) -> LetterKind: ...

    async def stop(self, token: str) -> LetterKind: ...


def letter_routes(stops: Stops) -> list[BaseRoute]:
    """Return the routes that letters lead to.

    To look at a link changes nothing: programs that look for dangerous ones open them all.
    """

    async def ask(request: Request) -> Response:
        try:
            kind = await stops.kind_of(request.path_params["token"])
        except DomainError as refusal:
            return _told("No such link", str(refusal), status=404)
        return page(
            tag(
                "main",
                tag("h1", "No more letters?"),
                tag("p", f"You get letters that tell {_ABOUT[kind]}."),
                tag("form", tag("button", "Send me no more of them", type="submit"), method="post"),
            ),
            title=_TITLE,
            kind="landing",
            policy=_POLICY,
        )

    async def stop(request: Request) -> Response:
        try:
            kind = await stops.stop(request.path_params["token"])
        except DomainError as refusal:
            return _told("No such link", str(refusal), status=404)
        return _told("No more letters", f"We write no more to tell {_ABOUT[kind]}.")

    return [
        Route("/letters/{token}", ask, methods=["GET"]),
        Route("/letters/{token}", stop, methods=["POST"]),
        Route("/threads/{id}", _thread, methods=["GET"]),
        Route("/feedback", _feedback, methods=["GET"]),
    ]


async def _thread(_: Request) -> HTMLResponse:
    return _asked("A talk of your teams", "thread-live", "It is read and answered by")


async def _feedback(_: Request) -> HTMLResponse:
    return _asked("What became of your leads", "feedback-digest", "All of it is told by")


def _asked(title: str, operation: str, how: str) -> HTMLResponse:
    """Return what stands in for a front end's page: the operation that it would show."""
    document = next(each.document for each in documented_operations() if each.name == operation)
    return page(
        tag(
            "main",
            tag("h1", title),
            tag("p", "Your company's own front end would show it here. ", how, " this operation in"
                " the ", tag("a", "explorer", href="/graphql"), ":"),
            tag("pre", tag("code", document), tabindex=0),
        ),
        title=f"{title} – Smarketing",
        kind="landing",
    )  # fmt: skip


def _told(title: str, words: str, *, status: int = 200) -> HTMLResponse:
    return page(
        tag("main", tag("h1", title), tag("p", words)), title=_TITLE, kind="landing", status=status
    )
