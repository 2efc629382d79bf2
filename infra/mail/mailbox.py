"""The development mailbox: a folder of messages, so that every process of a checkout shares it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8, default
from pathlib import Path

from domain.ids import new_id
from infra.mail.delivery import NotNow

MOST_KEPT = 200
_NAME = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMessage:
    """One message as a person reads it."""

    name: str
    to: str
    sender: str
    subject: str
    date: str
    text: str
    html: str


class FolderDelivery:
    """Puts messages into the folder, and shows them.  The oldest go when there are too many."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def deliver(self, message: EmailMessage) -> None:
        try:
            await asyncio.to_thread(self._keep, message)
        except OSError as error:
            raise NotNow(type(error).__name__) from error

    async def messages(self) -> Sequence[KeptMessage]:
        """Return all that are kept, the newest first."""
        return await asyncio.to_thread(self._read_all)

    async def message(self, name: str) -> KeptMessage | None:
        """Return one of them."""
        if not _NAME.fullmatch(name):
            return None
        return await asyncio.to_thread(self._read, self._folder / f"{name}.eml")

    def _keep(self, message: EmailMessage) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{new_id().hex}.eml"
        # Written aside and renamed: nobody reads half a message.
        draft = path.with_suffix(".draft")
        draft.write_bytes(message.as_bytes(policy=SMTPUTF8))
        draft.rename(path)
        for old in self._paths()[MOST_KEPT:]:
            old.unlink(missing_ok=True)

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("*.eml"), reverse=True)

    def _read_all(self) -> list[KeptMessage]:
        found = (self._read(path) for path in self._paths())
        return [message for message in found if message is not None]

    def _read(self, path: Path) -> KeptMessage | None:
        try:
            message = message_from_bytes(path.read_bytes(), policy=default)
        except FileNotFoundError:
            return None
        return KeptMessage(
            name=path.stem,
            to=str(message["To"]),
            sender=str(message["From"]),
            subject=str(message["Subject"]),
            date=str(message["Date"]),
            text=_part(message, "plain"),
            html=_part(message, "html"),
        )


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    return "" if body is None else "\n".join(str(body.get_content()).splitlines())
