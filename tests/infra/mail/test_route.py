from __future__ import annotations

from email.headerregistry import Address
from pathlib import Path

import pytest

from infra.mail.route import FolderRoute, Security, SmtpRoute, parse_route, parse_sender


@pytest.mark.parametrize(
    ("url", "route"),
    [
        ("smtp://localhost", SmtpRoute(host="localhost", port=25, security=Security.NONE)),
        ("smtp://127.0.0.1:1025/", SmtpRoute(host="127.0.0.1", port=1025, security=Security.NONE)),
        (
            "smtps://u%40acme:p%2Fss@mail.example",
            SmtpRoute(
                host="mail.example",
                port=465,
                security=Security.TLS,
                username="u@acme",
                password="p/ss",
            ),
        ),
        (
            "smtp+starttls://u:p@mail.example",
            SmtpRoute(
                host="mail.example",
                port=587,
                security=Security.STARTTLS,
                username="u",
                password="p",
            ),
        ),
        ("file:///var/a%20b", FolderRoute(folder=Path("/var/a b"))),
    ],
)
def test_an_address_names_a_route(url, route):
    assert parse_route(url) == route


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("mail.example", "must begin with one of smtp://, smtp+starttls://, smtps://, not ''."),
        ("https://u:hidden@h", "must begin with one of"),
        ("smtp://", "names no server"),
        ("smtp://h:no", "is not an address (URL)."),
        ("smtps://hidden@h", "must have both a user and a password, or neither."),
        ("smtps://h/inbox", "must end with the server's name and port."),
        ("smtp://u:hidden@mail.example", "would send the password in the clear"),
        ("file://mail.example/x", "must name a folder of this machine"),
    ],
)
def test_a_wrong_address_is_refused_without_being_repeated(url, fault):
    with pytest.raises(ValueError, match=r"must|names|is not|would") as refusal:
        parse_route(url)

    assert str(refusal.value).startswith(fault)
    assert "hidden" not in str(refusal.value)


def test_a_route_shows_no_password():
    assert "hidden" not in repr(parse_route("smtps://u:hidden@h"))


@pytest.mark.parametrize(
    ("text", "sender"),
    [
        ("sla@acme.example", Address("", "sla", "acme.example")),
        ("Acme <sla@acme.example>", Address("Acme", "sla", "acme.example")),
        ('"Acme, Inc." <sla@acme.example>', Address("Acme, Inc.", "sla", "acme.example")),
        ("Zoë <z@bücher.example>", Address("Zoë", "z", "xn--bcher-kva.example")),
    ],
)
def test_a_sender_is_a_name_and_an_address(text, sender):
    assert parse_sender(text) == sender


@pytest.mark.parametrize(
    "text", ["Acme", "a@b@c", "Acme\r\nBcc: x@y.example <sla@acme.example>", "n" * 81 + " <a@b.de>"]
)
def test_what_cannot_be_a_sender_is_refused(text):
    with pytest.raises(ValueError, match="must"):
        parse_sender(text)
