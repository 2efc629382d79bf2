"""Letters as messages: what a mail program makes of them, whatever people are called."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.policy import SMTP, default
from uuid import UUID

import pytest

from infra.mail.letters import (
    Letter,
    digest_letter,
    invitation_letter,
    password_changed_letter,
    password_reset_letter,
)
from infra.mail.message import message_of

AT = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
ID = UUID(int=7)
ACME = Address("Acme", "sla", "acme.example")
URL = "https://app.example/invitation#token=smi_x"


def an_invitation_letter(**more):
    usual = {
        "to": "ivy@acme.example",
        "tenant": "Acme",
        "inviter": "Olive",
        "url": URL,
        "expires_at": AT,
    }
    return invitation_letter(**{**usual, **more})


def received(letter, sender=ACME):
    """Return a letter's message as it is at the other end."""
    sent = message_of(letter, id=ID, sender=sender, at=AT).as_bytes(policy=SMTP)
    assert sent.isascii()
    assert max(map(len, sent.splitlines())) <= 78
    return message_from_bytes(sent, policy=default)


def shown(message, kind="plain"):
    return message.get_body((kind,)).get_content().replace("\r\n", "\n")


def test_an_invitation_says_who_invites_where_to_and_until_when():
    message = received(an_invitation_letter())

    assert {name: str(value) for name, value in message.items()} == {
        "From": "Acme <sla@acme.example>",
        "To": "ivy@acme.example",
        "Subject": "Join Acme on Smarketing",
        "Date": "Tue, 10 Mar 2026 12:00:00 +0000",
        "Message-ID": "<00000000000000000000000000000007@acme.example>",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": message["Content-Type"],
    }
    assert message.get_content_type() == "multipart/alternative"
    assert shown(message) == (
        "Olive invites you to join Acme on Smarketing, where sales and marketing keep their "
        "promises to each other.\n\n"
        f"Accept the invitation:\n{URL}\n\n"
        "The link works once, until 10 March 2026, 12:00 UTC. If you did not expect this, ignore "
        "it: nothing happens without you.\n"
    )


def test_the_html_says_the_same_as_the_text():
    html = shown(received(an_invitation_letter()), "html")

    assert "<p>Olive invites you to join Acme on Smarketing" in html
    assert f'<a href="{URL}"><strong>Accept the invitation</strong></a>' in html


@pytest.mark.parametrize(
    "name",
    ["Eve\r\nBcc: all@acme.example", "Eve\nX: 1\n\n<script>", "Eve\x85\u2028Bcc: x", "E" * 500],
)
def test_a_name_adds_no_header_no_line_and_no_markup(name):
    message = received(an_invitation_letter(tenant=name, inviter=name))

    assert set(message.keys()) == {
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    }
    text = shown(message)
    assert len(text.split("\n\n")) == 3
    assert len(text.splitlines()[0]) < 300
    assert "<script" not in shown(message, "html")


def test_people_are_called_what_they_are_called():
    message = received(an_invitation_letter(tenant="Bücher & Söhne 📚", inviter="Zoë"))

    assert message["Subject"] == "Join Bücher & Söhne 📚 on Smarketing"
    assert shown(message).startswith("Zoë invites you to join Bücher")
    assert "Bücher &amp; Söhne 📚" in shown(message, "html")


@pytest.mark.parametrize(
    ("address", "spelled"),
    [
        ("jo@bücher.example", "jo@xn--bcher-kva.example"),
        ("jo.o'neil+x@acme.example", "jo.o'neil+x@acme.example"),
    ],
)
def test_a_domain_beyond_ascii_is_spelled_as_every_server_knows_it(address, spelled):
    assert received(an_invitation_letter(to=address))["To"] == spelled


def test_a_name_in_front_of_the_at_stays_as_it_is():
    letter = an_invitation_letter(to="zoë@bücher.example")

    message = message_of(letter, id=ID, sender=ACME, at=AT)

    assert message["To"].addresses[0].addr_spec == "zoë@xn--bcher-kva.example"


def test_letters_about_passwords_hold_the_link_that_mends_it():
    asked = password_reset_letter(to="a@b.example", url=URL, expires_at=AT)
    changed = password_changed_letter(to="a@b.example", at=AT, url="https://app.example/x")

    assert (asked.subject, changed.subject) == (
        "Choose a new password",
        "Your password was changed",
    )
    assert URL in asked.text
    assert "10 March 2026, 12:00 UTC" in changed.text
    assert "https://app.example/x" in changed.text


def test_a_letter_does_not_show_itself():
    letter = Letter(to="ivy@acme.example", subject="s", text=URL, html=URL)

    assert repr(letter) == "Letter(…)"


def test_letters_that_come_again_say_how_they_stop_with_one_click():
    url = f"https://api.example/letters/{'x' * 200}"
    letter = digest_letter(to="ann@acme.example", parts=("Ann: won",), url=URL, stop_url=url)

    sent = message_of(letter, id=ID, sender=ACME, at=AT).as_bytes(policy=SMTP)

    # In one piece: an encoded word or a folded line would be no link for those who click it.
    assert f"\r\nList-Unsubscribe: <{url}>\r\n".encode() in sent
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in sent
    assert "List-Unsubscribe" not in received(an_invitation_letter())
