"""One transaction for everything an operation does, whoever of its parts asks for one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from typing_extensions import override

from domain.audit import SYSTEM, Cause
from domain.errors import DomainError
from infra.database import CONNECTION_LOST, Database
from infra.pool import told_lost
from infra.refusals import Busy, told_refusals
from infra.work import PostgresWork


class OneTransaction(Database):
    """A database whose works of one tenant are parts of a transaction that is open already.

    A writing part is a savepoint: what is refused in it leaves the others as they are.  Its events
    and counters are written before it ends, so they go with it.  Parts take turns, because a
    connection runs one statement at a time; one part must not be opened within another.  What the
    audit log tells of them is written when the whole ends, because that keeps others waiting.
    """

    def __init__(self, on: Database, whole: PostgresWork) -> None:
        super().__init__(on.app, on.platform, clock=on.clock)
        self.whole = whole
        self.changed = False
        """Whether a writing part was carried out."""
        self.broken = False
        """Whether the transaction can only be rolled back."""
        self.gave_way = False
        """Whether a part was refused only because somebody else was at the same things."""
        self._on = on
        self._turns = asyncio.Lock()
        self._holder: asyncio.Task[Any] | None = None
        self._over = False

    @override
    @asynccontextmanager
    async def work(
        self,
        tenant_id: UUID,
        *,
        by: UUID | None = None,
        read_only: bool = False,
        cause: Cause = SYSTEM,
    ) -> AsyncIterator[PostgresWork]:
        """Run a block as a part of the transaction; another tenant's is none of ours."""
        if tenant_id != self.whole.tenant_id:
            other = self._on.work(tenant_id, by=by, read_only=read_only, cause=cause)
            async with other as work:
                yield work
            return
        followed = None if read_only else cause
        work = PostgresWork(self.whole.connection, tenant_id, self.whole.now, by, followed)
        part = self._reading() if read_only else self._writing(work)
        try:
            async with self._turn():
                with told_lost(work.connection), told_refusals():
                    async with part:
                        yield work
        except Busy:
            self.gave_way = True
            raise

    @override
    async def now(self) -> datetime:
        return await self._on.now()

    async def end(self, *, cancel: bool = False) -> None:
        """Begin no more parts, and return when none runs.

        A loader may still be at work for a resolver that has failed meanwhile; `cancel` does not
        wait for its statement.
        """
        self._over = True
        if cancel and self._holder is not None:
            self._holder.cancel()
        async with self._turns:
            pass

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._holder is not None and self._holder is asyncio.current_task():
            raise RuntimeError("a part of a transaction was opened within another")
        async with self._turns:
            if self._over:
                raise RuntimeError("the transaction that this was a part of is over")
            self._holder = asyncio.current_task()
            try:
                yield
            finally:
                self._holder = None

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[None]:
        """Read without a savepoint: what the database refuses here spoils the whole."""
        try:
            yield
        except DomainError:
            raise
        except BaseException:
            self.broken = True
            raise

    @asynccontextmanager
    async def _writing(self, work: PostgresWork) -> AsyncIterator[None]:
        await work.connection.execute("SAVEPOINT part")
        try:
            yield
            await work.flush_part()
            await work.connection.execute("RELEASE SAVEPOINT part")
        except BaseException:
            await self._undo_part()
            raise
        self.changed = True
        self.whole.trail.join(work.trail)
        self.whole.recorded = self.whole.recorded or work.recorded

    async def _undo_part(self) -> None:
        broken, self.broken = self.broken, True  # until it is done
        try:
            await self.whole.connection.execute(
                "ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part"
            )
        except CONNECTION_LOST:
            return
        self.broken = broken


@asynccontextmanager
async def one_transaction(
    database: Database, tenant_id: UUID, *, by: UUID | None
) -> AsyncIterator[OneTransaction]:
    """Run a block in which everything one tenant reads and writes is one transaction.

    When the block ends, what ran in it has ended too, whether it was waited for or not: nothing
    comes late to a connection that somebody else has by then.
    """
    opened: AbstractAsyncContextManager[PostgresWork] = database.work(tenant_id, by=by)
    async with opened as whole:
        one = OneTransaction(database, whole)
        try:
            yield one
        finally:
            await one.end(cancel=True)
