"""Delivery to a real server, one that answers well and one that answers badly or not at all."""

from __future__ import annotations

import asyncio
from email.headerregistry import Address
from uuid import UUID

import pytest

from infra.mail.delivery import NotNow, Refused, SmtpDelivery
from infra.mail.letters import Letter
from infra.mail.message import message_of
from infra.mail.route import Security, SmtpRoute
from tests.infra.mail.conftest import a_post_office
from tests.world import NOON

LETTER = Letter(to="ivy@acme.example", subject="Join Acme", text="Come.\n", html="<p>Come.</p>\n")
ACME = Address("Acme", "sla", "acme.example")


def a_message(**more):
    letter = Letter(**{**{n: getattr(LETTER, n) for n in LETTER.__struct_fields__}, **more})
    return message_of(letter, id=UUID(int=7), sender=ACME, at=NOON)


def to(office, *, tls=None, **more):
    route = SmtpRoute(host="127.0.0.1", port=office.port, **{"security": Security.NONE, **more})
    return SmtpDelivery(route, seconds=60, tls=lambda: tls)


async def test_a_message_arrives_whole(office):
    await to(office).deliver(a_message())

    (message,) = office.messages
    assert office.to == ["ivy@acme.example"]
    assert message["Subject"] == "Join Acme"
    assert message["Message-ID"] == f"<{UUID(int=7).hex}@acme.example>"
    assert message.get_body(("plain",)).get_content().strip() == "Come."


async def test_an_address_beyond_ascii_arrives_where_it_is_understood(office):
    await to(office).deliver(a_message(to="zoë@bücher.example", subject="Für Zoë"))

    assert office.to == ["zoë@xn--bcher-kva.example"]
    assert office.messages[0]["Subject"] == "Für Zoë"


async def test_an_address_beyond_ascii_is_refused_for_good_where_it_is_not():
    async with a_post_office() as office:
        with pytest.raises(Refused):
            await to(office).deliver(a_message(to="zoë@acme.example"))

    assert office.messages == []


@pytest.mark.parametrize(
    ("at", "answer", "meaning"),
    [
        ("rcpt", "550 no such user", Refused),
        ("rcpt", "450 try later", NotNow),
        ("data", "554 looks like spam", Refused),
        ("data", "452 no room", NotNow),
        ("data", "421 going down", NotNow),
    ],
)
async def test_what_a_server_answers_is_for_good_or_for_now(office, at, answer, meaning):
    async def answered(server, envelope):
        return answer

    if at == "rcpt":
        office.on_rcpt = answer
    else:
        office.on_data = answered

    with pytest.raises(meaning) as failure:
        await to(office).deliver(a_message())

    assert "ivy" not in str(failure.value)
    assert office.messages == []


async def test_a_server_that_stalls_is_given_up_in_time(office):
    stalled = asyncio.Event()

    async def stall(server, envelope):
        await stalled.wait()
        return "250 at last"

    office.on_data = stall
    route = SmtpRoute(host="127.0.0.1", port=office.port, security=Security.NONE)

    with pytest.raises(NotNow):
        await SmtpDelivery(route, seconds=0.2).deliver(a_message())
    stalled.set()


async def test_an_answer_that_is_cut_off_means_another_try(office):
    async def cut(server, envelope):
        server.transport.abort()
        return "250 taken"

    office.on_data = cut

    with pytest.raises(NotNow):
        await to(office).deliver(a_message())

    assert len(office.messages) == 1


async def test_a_server_that_is_not_there_means_another_try():
    async with a_post_office() as office:
        gone = to(office)

    with pytest.raises(NotNow):
        await gone.deliver(a_message())


async def test_a_good_bye_that_fails_changes_nothing(office):
    async def hang_up(server, session, envelope):
        server.transport.abort()

    office.handle_QUIT = hang_up

    await to(office).deliver(a_message())

    assert len(office.messages) == 1


# Protected lines


async def test_starttls_protects_the_password(tls):
    async with a_post_office(tls_context=tls.serving, require_starttls=True) as office:
        known = {"username": "mailer", "password": "right"}
        delivery = to(office, tls=tls.trusting, security=Security.STARTTLS, **known)

        await delivery.deliver(a_message())

    assert office.users == [(b"mailer", b"right")]
    assert len(office.messages) == 1


async def test_tls_from_the_first_octet_on(tls):
    async with a_post_office(listening_tls=tls.serving) as office:
        await to(office, tls=tls.trusting, security=Security.TLS).deliver(a_message())

    assert len(office.messages) == 1


async def test_a_server_that_offers_no_starttls_is_told_nothing(tls):
    async with a_post_office(auth_require_tls=False) as office:
        known = {"username": "mailer", "password": "right"}
        delivery = to(office, tls=tls.trusting, security=Security.STARTTLS, **known)

        with pytest.raises((NotNow, Refused)):
            await delivery.deliver(a_message())

    assert (office.users, office.messages) == ([], [])


async def test_a_certificate_that_nobody_vouches_for_is_told_nothing(tls):
    async with a_post_office(tls_context=tls.serving) as office:
        route = SmtpRoute(
            host="127.0.0.1",
            port=office.port,
            security=Security.STARTTLS,
            username="mailer",
            password="right",
        )

        with pytest.raises(NotNow):
            await SmtpDelivery(route, seconds=60).deliver(a_message())

    assert (office.users, office.messages) == ([], [])


async def test_a_wrong_password_of_ours_is_not_the_letters_fault(tls):
    async with a_post_office(tls_context=tls.serving) as office:
        known = {"username": "mailer", "password": "wrong"}
        delivery = to(office, tls=tls.trusting, security=Security.STARTTLS, **known)

        with pytest.raises(NotNow, match="SMTPAuthenticationError 535"):
            await delivery.deliver(a_message())
