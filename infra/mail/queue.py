"""Letters that wait to be sent: queued in the transaction of their cause, sealed, gone when sent.

A letter belongs to an account or to nobody yet, so the queue is the installation's, not a
tenant's.  The application can put letters in and never look at any; the platform's role takes them
out.  Their content is sealed with a key that the database does not know: a copy of the database
holds no address, and no link that opens anything.
"""

from __future__ import annotations

import hmac
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog
from typing_extensions import override

from domain.ids import new_id
from infra.database import Database
from infra.mail.letters import Letter
from infra.sealing import sealed, unsealed
from infra.secrets import derived_key

log = structlog.get_logger(__name__)

# As long as nobody else takes up what one process is at.
LEASE = timedelta(seconds=60)
MOST_TRIES = 12
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=15), timedelta(hours=1)

_PUT = """
INSERT INTO mails (id, sealed, about, created_at, due_at, expires_at, tries)
VALUES ($1, $2, $3, $4, $4, $5, 0) ON CONFLICT DO NOTHING
"""
# `tries` counts the attempts, and fences: who was slower than the lease finds another number.
# What an UPDATE returns is in no order, so the order is asked for once more.
_TAKE = """
WITH due AS MATERIALIZED (
  SELECT id, due_at FROM mails WHERE due_at <= $1 ORDER BY due_at, id LIMIT $3
  FOR UPDATE SKIP LOCKED
), taken AS (
  UPDATE mails m SET tries = tries + 1, due_at = $1 + $2 FROM due WHERE m.id = due.id
  RETURNING m.id, m.sealed, m.tries, m.created_at, m.expires_at, due.due_at AS was_due_at
)
SELECT id, sealed, tries, created_at, expires_at FROM taken ORDER BY was_due_at, id
"""
_DONE = "DELETE FROM mails WHERE id = $1 AND tries = $2"
_AGAIN = "UPDATE mails SET due_at = $3 WHERE id = $1 AND tries = $2"


class ResetWanted(msgspec.Struct, frozen=True, kw_only=True, tag="reset"):
    """Somebody asked for a new password for an address.  Whether it is anybody's is seen later."""

    email: str

    @override
    def __repr__(self) -> str:
        return "ResetWanted(…)"


Errand = Letter | ResetWanted
_ERRANDS: msgspec.json.Decoder[Errand] = msgspec.json.Decoder(Letter | ResetWanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """An errand that is this process's for the time of the lease; None if it cannot be read."""

    id: UUID
    errand: Errand | None
    tries: int
    created_at: datetime
    expires_at: datetime
    late: bool = False
    """Whether it was taken up only after its time."""


class MailQueue:
    """Puts errands in, and takes out what is due.  Any number of processes may take."""

    def __init__(self, database: Database, secret: bytes) -> None:
        self._database = database
        self._key = derived_key(secret, "mail v1")
        self._about = derived_key(secret, "what a mail is about v1")

    async def put(
        self,
        connection: Any,
        errand: Errand,
        *,
        at: datetime,
        expires_at: datetime,
        once_for: str | None = None,
    ) -> None:
        """Have an errand run if, and only if, the connection's transaction commits.

        `once_for` names what it is about: while one errand about it waits, another is left out.
        """
        id = new_id()
        seal = sealed(msgspec.json.encode(errand), key=self._key, about=id.bytes)
        about = once_for and hmac.digest(self._about, once_for.encode(), "sha256").hex()
        await connection.execute(_PUT, id, seal, about, at, expires_at)

    async def take(self, limit: int) -> Sequence[Taken]:
        """Take up to `limit` errands that are due, the longest waiting first."""
        at = await self._database.now()
        rows = await self._database.platform.fetch(_TAKE, at, LEASE, limit)
        return [
            Taken(
                id=row["id"],
                errand=self._opened(row["id"], row["sealed"]),
                tries=row["tries"],
                created_at=row["created_at"],
                expires_at=row["expires_at"],
                late=row["expires_at"] <= at,
            )
            for row in rows
        ]

    async def done(self, taken: Taken) -> None:
        """Erase an errand."""
        await self._database.platform.execute(_DONE, taken.id, taken.tries)

    async def again(self, taken: Taken) -> datetime | None:
        """Put an errand back for later; None if there is no later for it, and it is erased."""
        at = await self._database.now() + wait_after(taken.tries, random.random())  # noqa: S311  # spreads load
        if taken.tries >= MOST_TRIES or at >= taken.expires_at:
            await self.done(taken)
            return None
        await self._database.platform.execute(_AGAIN, taken.id, taken.tries, at)
        return at

    def _opened(self, id: UUID, seal: bytes) -> Errand | None:
        content = unsealed(seal, key=self._key, about=id.bytes)
        return None if content is None else _ERRANDS.decode(content)


def wait_after(tries: int, chance: float) -> timedelta:
    """Return how long to wait after so many tries: twice as long each time, spread by chance.

    Half of it is fixed and half by chance (0 to 1), so that what failed together does not come
    back together.
    """
    doubled: int = 2 ** min(tries - 1, 20)
    longest = min(_FIRST_WAIT * doubled, _LONGEST_WAIT)
    return longest / 2 + longest / 2 * chance
