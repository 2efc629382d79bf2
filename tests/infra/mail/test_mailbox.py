from __future__ import annotations

from email.headerregistry import Address
from uuid import UUID

import pytest

from infra.mail import mailbox
from infra.mail.delivery import NotNow
from infra.mail.letters import Letter
from infra.mail.mailbox import FolderDelivery, KeptMessage
from infra.mail.message import message_of
from tests.world import NOON

ACME = Address("Acme", "sla", "acme.example")


def a_message(subject="Für Zoë", to="zoë@acme.example"):
    letter = Letter(to=to, subject=subject, text="Come.\nSoon.\n", html="<p>Come.</p>\n")
    return message_of(letter, id=UUID(int=7), sender=ACME, at=NOON)


async def test_what_is_delivered_can_be_read(tmp_path):
    box = FolderDelivery(tmp_path / "mail")

    await box.deliver(a_message())

    (kept,) = await box.messages()
    assert kept == KeptMessage(
        name=kept.name,
        to="zoë@acme.example",
        sender="Acme <sla@acme.example>",
        subject="Für Zoë",
        date="Tue, 10 Mar 2026 12:00:00 +0000",
        text="Come.\nSoon.",
        html="<p>Come.</p>",
    )
    assert await box.message(kept.name) == kept


async def test_the_newest_come_first_and_the_oldest_go(tmp_path, monkeypatch):
    monkeypatch.setattr(mailbox, "MOST_KEPT", 3)
    box = FolderDelivery(tmp_path)
    for number in range(5):
        await box.deliver(a_message(subject=f"{number}"))

    assert [kept.subject for kept in await box.messages()] == ["4", "3", "2"]


@pytest.mark.parametrize("name", ["0" * 32, "..", "../../etc/passwd", "", "x.eml"])
async def test_there_is_nothing_by_any_other_name(tmp_path, name):
    (tmp_path / "x.eml").write_text("Subject: x\n\nx")

    assert await FolderDelivery(tmp_path).message(name) is None


async def test_a_folder_that_cannot_be_written_means_another_try(tmp_path):
    (tmp_path / "mail").write_text("a file")

    with pytest.raises(NotNow):
        await FolderDelivery(tmp_path / "mail").deliver(a_message())
