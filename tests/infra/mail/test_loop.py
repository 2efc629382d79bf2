"""The loop from the queue to a real server: at least once, soon, and never for nothing."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from email.headerregistry import Address

import pytest
import structlog

from infra.mail.delivery import SmtpDelivery
from infra.mail.letters import Letter
from infra.mail.loop import MailLoop
from infra.mail.queue import MailQueue, ResetWanted
from infra.mail.route import Security, SmtpRoute
from tests.infra.mail.conftest import a_post_office, taken
from tests.world import NOON

LETTER = Letter(to="ivy@acme.example", subject="Join Acme", text="Come.\n", html="<p>Come.</p>\n")
ACME = Address("Acme", "sla", "acme.example")
WEEK = timedelta(days=7)


def a_loop(queue, office, answer_reset=None, **more):
    route = SmtpRoute(host="127.0.0.1", port=office.port, security=Security.NONE)
    return MailLoop(
        queue,
        SmtpDelivery(route, seconds=60),
        sender=ACME,
        answer_reset=answer_reset,
        **more,
    )


async def put(queue, database, errand=LETTER, **more):
    async with database.platform.acquire() as connection:
        await queue.put(connection, errand, **{"at": NOON, "expires_at": NOON + WEEK, **more})


async def waiting(database):
    return await database.platform.fetchval("SELECT count(*) FROM mails")


async def test_a_letter_is_sent_and_erased(queue, database, office):
    await put(queue, database)

    assert await a_loop(queue, office).run_due() == 1

    assert office.to == ["ivy@acme.example"]
    assert await waiting(database) == 0


async def test_a_letter_is_sent_soon_after_its_commit(queue, database, office):
    arrived = asyncio.Event()

    async def take(server, envelope):
        arrived.set()
        return "250 taken"

    office.on_data = take
    loop = asyncio.create_task(a_loop(queue, office, poll_seconds=0.01).run())
    await put(queue, database)

    await asyncio.wait_for(arrived.wait(), 60)
    loop.cancel()
    with suppress(asyncio.CancelledError):
        await loop


async def test_a_server_that_is_busy_is_asked_again_later(queue, database, office, clock):
    office.on_rcpt = "451 busy"
    await put(queue, database)
    loop = a_loop(queue, office)

    assert await loop.run_due() == 1
    office.on_rcpt = "250 fine"
    assert await loop.run_due() == 0
    clock["now"] += timedelta(seconds=15)
    assert await loop.run_due() == 1

    assert len(office.messages) == 1
    assert await waiting(database) == 0


async def test_what_a_server_refuses_is_not_sent_again(queue, database, office):
    office.on_rcpt = "550 no such user"
    await put(queue, database)

    with structlog.testing.capture_logs() as logs:
        await a_loop(queue, office).run_due()

    assert await waiting(database) == 0
    (line,) = logs
    assert (line["event"], line["code"], line["log_level"]) == ("mail.refused", 550, "warning")
    assert "ivy" not in repr(logs)


async def test_a_letter_whose_answer_was_lost_is_sent_again_as_the_same(
    queue, database, office, clock
):
    async def cut(server, envelope):
        server.transport.abort()
        return "250 taken"

    office.on_data = cut
    await put(queue, database)
    loop = a_loop(queue, office)
    await loop.run_due()
    office.on_data = taken
    clock["now"] += timedelta(minutes=1)

    await loop.run_due()

    first, second = office.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Date"] == second["Date"]
    assert await waiting(database) == 0


async def test_a_server_that_is_down_costs_no_letter(queue, database, clock):
    async with a_post_office() as office:
        loop = a_loop(queue, office)
    await put(queue, database)

    with structlog.testing.capture_logs() as logs:
        await loop.run_due()

    assert await waiting(database) == 1
    assert [line["event"] for line in logs] == ["mail.delayed"]


async def test_giving_up_is_said_loudly(queue, database):
    async with a_post_office() as office:
        loop = a_loop(queue, office)
    await put(queue, database, expires_at=NOON + timedelta(seconds=1))

    with structlog.testing.capture_logs() as logs:
        await loop.run_due()

    assert await waiting(database) == 0
    (line,) = logs
    assert (line["event"], line["log_level"], line["tries"]) == ("mail.given_up", "error", 1)


async def test_what_waited_until_its_link_was_dead_is_not_sent(queue, database, office):
    await put(queue, database, expires_at=NOON)

    with structlog.testing.capture_logs() as logs:
        await a_loop(queue, office).run_due()

    assert (await waiting(database), office.messages) == (0, [])
    assert [line["event"] for line in logs] == ["mail.too_late"]


async def test_a_bad_letter_keeps_no_other_from_leaving(queue, database, office):
    await put(queue, database, Letter(to="nobody", subject="", text="", html=""))
    await put(queue, database)

    await a_loop(queue, office).run_due()

    assert office.to == ["ivy@acme.example"]
    assert await waiting(database) == 1


async def test_a_letter_that_cannot_be_opened_is_dropped_and_said(queue, database, office):
    await put(MailQueue(database, b"the secret of before, as long as it"), database)

    with structlog.testing.capture_logs() as logs:
        await a_loop(queue, office).run_due()

    assert (await waiting(database), office.messages) == (0, [])
    assert [line["event"] for line in logs] == ["mail.unreadable"]


@pytest.mark.parametrize("letter", [LETTER, None])
async def test_a_reset_is_answered_only_when_it_is_taken_up(queue, database, office, letter):
    asked = []

    async def answer(taken, wanted):
        asked.append(wanted.email)
        return letter

    await put(queue, database, ResetWanted(email="ivy@acme.example"))

    await a_loop(queue, office, answer).run_due()

    assert asked == ["ivy@acme.example"]
    assert office.to == (["ivy@acme.example"] if letter else [])
    assert await waiting(database) == 0
