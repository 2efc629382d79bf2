"""The queue of letters, and the loops that fill it, for tests."""

from __future__ import annotations

import pytest

from domain.identity import User
from infra.database import Database
from infra.digests import Digests
from infra.letter_loop import LetterLoop
from infra.mail.letters import Letter
from infra.mail.queue import MailQueue
from infra.mail.stopping import LetterStops
from infra.mentions import MentionLetters
from infra.signing import UrlSigner

APP_URL, PUBLIC_URL = "https://app.example", "https://api.example"


class Post:
    """The queue of the tests' database, of which each test reads what is its own."""

    def __init__(self, database: Database) -> None:
        self.queue = MailQueue(database, b"s" * 32)
        self.database = database
        signer = UrlSigner(b"u" * 32)
        self.stops = LetterStops(database=database, signer=signer, public_url=PUBLIC_URL)

    def digests(self) -> LetterLoop:
        digests = Digests(queue=self.queue, stops=self.stops, app_url=APP_URL)
        return LetterLoop(self.database, digests)

    def mentions(self) -> LetterLoop:
        letters = MentionLetters(queue=self.queue, stops=self.stops, app_url=APP_URL)
        return LetterLoop(self.database, letters)

    async def letters(self, *to: User) -> list[Letter]:
        """Take the letters to some users out of the queue."""
        addresses, found = {user.email for user in to}, []
        while taken := await self.queue.take(100):
            for each in taken:
                if isinstance(each.errand, Letter) and each.errand.to in addresses:
                    found.append(each.errand)
                    await self.queue.done(each)
        return found


@pytest.fixture
def post(database: Database) -> Post:
    return Post(database)
