"""The two pages that mails lead to, for installations without a front end of their own.

The link's secret stands behind the `#`, so no server, log or referrer ever sees it; a script reads
it there and speaks GraphQL, as any front end would.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import BaseRoute, Route

from api.web.markup import Html, tag
from api.web.page import page

# What the pages ask; they have it from here, so that there is one list of it.
PREVIEW = """query InvitationPreview($token: String!) {
  invitationPreview(token: $token) { tenantName inviterName email name state hasAccount }
}"""
ACCEPT = """mutation InvitationAccept($input: InvitationAcceptInput!) {
  invitationAccept(input: $input) {
    session { user { name } tenant { name } }
    userErrors { code message path }
  }
}"""
REQUEST = """mutation PasswordResetRequest($input: PasswordResetRequestInput!) {
  passwordResetRequest(input: $input) { requested userErrors { code message path } }
}"""
RESET = """mutation PasswordReset($input: PasswordResetInput!) {
  passwordReset(input: $input) { reset userErrors { code message path } }
}"""
DOCUMENTS = (PREVIEW, ACCEPT, REQUEST, RESET)


def admission_routes() -> list[BaseRoute]:
    """Return the routes of the pages that mails lead to."""
    return [
        Route("/invitation", _invitation, methods=["GET"]),
        Route("/password-reset", _password_reset, methods=["GET"]),
    ]


async def _invitation(_: Request) -> HTMLResponse:
    return page(
        tag(
            "main",
            tag("h1", "You are invited", id="title"),
            tag("p", "One moment …", id="lede", class_="lede"),
            tag(
                "form",
                _field("E-mail address", id="email", type="email", autocomplete="username",
                       readonly=True),
                _field("Your name", id="name", autocomplete="name", required=True,
                       maxlength=200),
                _password("password"),
                _button("Accept the invitation"),
                id="accept",
                class_="steps",
                hidden=True,
                data_preview=PREVIEW,
                data_accept=ACCEPT,
            ),
            _outcome(),
        ),
        title="Invitation – Smarketing",
        kind="landing",
        script="invitation.js",
    )  # fmt: skip


async def _password_reset(_: Request) -> HTMLResponse:
    return page(
        tag(
            "main",
            tag("h1", "A new password"),
            tag(
                "form",
                tag("p", "Say who you are, and we mail you a link.", class_="lede"),
                _field("E-mail address", id="email", type="email", autocomplete="username",
                       required=True),
                _button("Mail me a link"),
                id="request",
                class_="steps",
                hidden=True,
                data_document=REQUEST,
            ),
            tag(
                "form",
                tag("p", "Everybody who is signed in with the old one will be signed out.",
                    class_="lede"),
                _password("new-password"),
                _button("Set the password"),
                id="reset",
                class_="steps",
                hidden=True,
                data_document=RESET,
            ),
            _outcome(),
        ),
        title="New password – Smarketing",
        kind="landing",
        script="password-reset.js",
    )  # fmt: skip


def _field(label: str, *, id: str, **attributes: str | int | bool) -> Html:
    return tag("label", label, tag("input", id=id, **attributes))


def _password(id: str) -> Html:
    hint = f"{id}-hint"
    return tag(
        "label",
        tag("span", "New password", id=f"{id}-label"),
        tag(
            "input",
            id=id,
            type="password",
            autocomplete="new-password",
            required=True,
            minlength=12,
            maxlength=200,
            aria_labelledby=f"{id}-label",
            aria_describedby=hint,
        ),
        tag("small", "At least 12 characters; a few words are fine.", id=hint),
    )


def _button(label: str) -> Html:
    return tag("p", tag("button", label, type="submit"))


def _outcome() -> Html:
    return Html(
        tag("p", "", id="outcome", role="status")
        + tag("noscript", tag("p", "This page needs JavaScript; the API behind it does not."))
    )
