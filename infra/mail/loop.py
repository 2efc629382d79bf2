"""The loop that sends what waits in the queue."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from email.headerregistry import Address

import structlog

from infra.database import CONNECTION_LOST
from infra.mail.delivery import Delivery, NotNow, Refused
from infra.mail.letters import Letter
from infra.mail.message import message_of
from infra.mail.queue import MailQueue, ResetWanted, Taken
from infra.tracing import traced

log = structlog.get_logger(__name__)

AT_ONCE = 4
POLL_SECONDS = 1.0

AnswerReset = Callable[[Taken, ResetWanted], Awaitable[Letter | None]]
"""Returns the letter for somebody who asked for a new password; None if nobody is to get one."""


class MailLoop:
    """Sends whatever is due, for ever.  Any number of loops may run.

    A message is erased from the queue when a server has taken it, or will never take it.  Where
    the answer of a server was lost it is sent again, with the same Message-ID.
    """

    def __init__(
        self,
        queue: MailQueue,
        delivery: Delivery,
        *,
        sender: Address,
        answer_reset: AnswerReset,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._queue = queue
        self._delivery = delivery
        self._sender = sender
        self._answer_reset = answer_reset
        self._poll = poll_seconds

    async def run(self) -> None:
        while True:
            if not await self.run_due():
                await asyncio.sleep(self._poll)

    async def run_due(self) -> int:
        """Run what is due, as much as goes at once; return how much that was."""
        taken = await self._queue.take(AT_ONCE)
        ends = await asyncio.gather(*(self._run(each) for each in taken), return_exceptions=True)
        for end in ends:
            if end is not None:
                raise end
        return len(taken)

    async def _run(self, taken: Taken) -> None:
        try:
            await self._send(taken)
        except Refused as refusal:
            log.warning("mail.refused", mail=str(taken.id), code=refusal.code, tries=taken.tries)
            await self._queue.done(taken)
        except NotNow as fault:
            await self._put_back(taken, str(fault))
        except CONNECTION_LOST:
            raise  # the database's, not the server's: the lease runs out, and somebody goes on
        except Exception as error:  # noqa: BLE001  # one bad letter must not stop the others
            # Logged without a traceback: what that says may quote the letter.
            await self._put_back(taken, type(error).__name__)
        else:
            await self._queue.done(taken)

    @traced("send mail")
    async def _send(self, taken: Taken) -> None:
        letter = await self._letter(taken)
        if letter is None:
            return
        message = message_of(letter, id=taken.id, sender=self._sender, at=taken.created_at)
        await self._delivery.deliver(message)
        log.info("mail.sent", mail=str(taken.id), tries=taken.tries)

    async def _letter(self, taken: Taken) -> Letter | None:
        if taken.late:
            # The link in it is dead: to send it would only raise hopes.
            log.error("mail.too_late", mail=str(taken.id), tries=taken.tries)
            return None
        if taken.errand is None:
            log.error("mail.unreadable", mail=str(taken.id), hint="was SMARKETING_SECRET changed?")
            return None
        if isinstance(taken.errand, ResetWanted):
            return await self._answer_reset(taken, taken.errand)
        return taken.errand

    async def _put_back(self, taken: Taken, fault: str) -> None:
        again_at = await self._queue.again(taken)
        if again_at is None:
            log.error("mail.given_up", mail=str(taken.id), fault=fault, tries=taken.tries)
        else:
            log.warning("mail.delayed", mail=str(taken.id), fault=fault, tries=taken.tries)
