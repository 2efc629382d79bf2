"""The development mailbox as pages: what would have been mailed, to be read and clicked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Protocol

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import BaseRoute, Route

from api.web.markup import Html, tag
from api.web.page import page

_LINK = re.compile(r"https?://\S+")


class Message(Protocol):
    """One message as a person reads it."""

    @property
    def name(self) -> str: ...

    @property
    def to(self) -> str: ...

    @property
    def sender(self) -> str: ...

    @property
    def subject(self) -> str: ...

    @property
    def date(self) -> str: ...

    @property
    def text(self) -> str: ...

    @property
    def html(self) -> str: ...


class Mailbox(Protocol):
    """Keeps what would have been mailed."""

    async def messages(self) -> Sequence[Message]: ...

    async def message(self, name: str) -> Message | None: ...


def mailbox_routes(mailbox: Mailbox | None) -> list[BaseRoute]:
    """Return the routes of the mailbox; none where mail is really sent."""
    if mailbox is None:
        return []

    async def show_all(_: Request) -> HTMLResponse:
        return _list_page(await mailbox.messages())

    async def show(request: Request) -> HTMLResponse:
        message = await mailbox.message(request.path_params["name"])
        return _gone() if message is None else _message_page(message)

    return [
        Route("/dev/mail", show_all, methods=["GET"]),
        Route("/dev/mail/{name}", show, methods=["GET"]),
    ]


def _list_page(messages: Sequence[Message]) -> HTMLResponse:
    shown = (
        tag("ul", map(_row, messages), class_="places letters")
        if messages
        else tag("p", "Nothing was mailed yet. Invite somebody, or ask for a new password.")
    )
    return page(
        tag(
            "main",
            tag("h1", "Mailbox"),
            tag(
                "p",
                "In development nothing leaves this machine: here is what would have been mailed.",
                class_="lede",
            ),
            shown,
        ),
        title="Mailbox – Smarketing",
        kind="landing",
    )


def _row(message: Message) -> Html:
    return tag(
        "li",
        tag("strong", tag("a", message.subject, href=f"/dev/mail/{message.name}")),
        tag("small", message.date),
        tag("p", f"to {message.to}"),
    )


def _message_page(message: Message) -> HTMLResponse:
    heads = {"From": message.sender, "To": message.to, "Date": message.date}
    return page(
        tag(
            "main",
            tag("p", tag("a", "Mailbox", href="/dev/mail")),
            tag("h1", message.subject, class_="subject-line"),
            tag(
                "dl",
                (tag("div", tag("dt", name), tag("dd", value)) for name, value in heads.items()),
                class_="heads",
            ),
            tag("div", tuple(_linked(message.text)), class_="letter"),
            tag("h2", "The same as HTML"),
            tag("pre", tag("code", message.html), tabindex=0, role="region",
                aria_label="The HTML of the message"),
        ),
        title=f"{message.subject} – Mailbox",
        kind="landing",
    )  # fmt: skip


def _linked(text: str) -> Iterator[str]:
    """Yield a text with its addresses as links, everything else as it is."""
    end = 0
    for found in _LINK.finditer(text):
        yield text[end : found.start()]
        yield tag("a", found[0], href=found[0])
        end = found.end()
    yield text[end:]


def _gone() -> HTMLResponse:
    return page(
        tag(
            "main",
            tag("h1", "No such message"),
            tag("p", "Only the newest are kept."),
            tag("p", tag("a", "Back to the mailbox", href="/dev/mail")),
        ),
        title="No such message – Mailbox",
        kind="landing",
        status=404,
    )
