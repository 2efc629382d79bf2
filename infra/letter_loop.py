"""Letters that fall due: each queued in the transaction that keeps that it was."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, Protocol
from uuid import UUID

import structlog

from domain.audit import Cause
from infra.database import Database, PostgresWork, Unavailable
from infra.tracing import traced

log = structlog.get_logger(__name__)

POLL_SECONDS = 10.0


class Letters(Protocol):
    """One sort of letters."""

    @property
    def name(self) -> str: ...

    @property
    def tenants(self) -> str:
        """The question, put as the platform's role, which tenants have a letter due at $1."""

    async def due(self, work: PostgresWork, but: Collection[UUID]) -> tuple[UUID, Any] | None:
        """Return whose letter is due first, and what it is about, locked; some left out."""

    async def write(self, work: PostgresWork, about: Any) -> bool:
        """Queue a letter, if there is anything to say, and keep that it was; say if it was."""


class LetterLoop:
    """Queues the letters that are due.  Any number of processes may.

    A letter is queued in the transaction that keeps that it was, so each is queued exactly once,
    whoever dies in between.
    """

    def __init__(
        self, database: Database, letters: Letters, *, poll_seconds: float = POLL_SECONDS
    ) -> None:
        self._database = database
        self._letters = letters
        self._poll = poll_seconds

    async def run(self) -> None:
        """Queue what is due, for ever."""
        while True:
            await self.queue_due()
            await asyncio.sleep(self._poll)

    async def queue_due(self) -> None:
        """Queue all that is due now, one of each tenant in turn.

        One that cannot be written waits for the next time, and keeps nobody else's.
        """
        at = await self._database.now()
        rows = await self._database.platform.fetch(self._letters.tenants, at)
        failed: dict[UUID, set[UUID]] = {row[0]: set() for row in rows}
        tenants = list(failed)
        while tenants:
            tenants = [each for each in tenants if await self._queue_one(each, failed[each])]

    @traced("queue letter")
    async def _queue_one(self, tenant_id: UUID, failed: set[UUID]) -> bool:
        """Queue a tenant's letter that is due first; say whether there may be more."""
        trying: UUID | None = None
        cause = Cause(action=self._letters.name)
        try:
            async with self._database.work(tenant_id, cause=cause) as work:
                due = await self._letters.due(work, failed)
                if due is None:
                    return False
                trying, about = due
                written = await self._letters.write(work, about)
            log.info("letter.queued" if written else "letter.empty", kind=self._letters.name)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  # one bad letter must not stop the others
            # Without a traceback: what that says may quote the letter.
            log.warning(
                "letter.failed",
                kind=self._letters.name,
                tenant_id=str(tenant_id),
                error=type(error).__name__,
            )
            if trying is None:
                return False
            failed.add(trying)
        return True
