"""Verifying a tenant's chain: reading it from its start, in bounded memory, while others write."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.audit import GENESIS, AuditEntry, Head, digest_of, next_hash
from infra.database import Database
from infra.rows import columns_of, table_of

_NAMES = ", ".join(f'"{column.name}"' for column in columns_of(AuditEntry))
_TABLE = table_of(AuditEntry).name
_ENTRIES = f"SELECT {_NAMES} FROM {_TABLE} WHERE tenant_id = $1 ORDER BY number, id"  # noqa: S608  # our own names
_HEAD = "SELECT number, hash FROM audit_heads WHERE tenant_id = $1"
_ROWS_A_FETCH = 500
# How far from its place an entry is looked for.
_FARTHEST = 100_000


class ChainFault(StrEnum):
    """What is wrong with a chain, from its first bad entry on."""

    MISSING = "MISSING"
    CHANGED = "CHANGED"
    MOVED = "MOVED"
    DOUBLED = "DOUBLED"
    UNLINKED = "UNLINKED"
    BEYOND_HEAD = "BEYOND_HEAD"
    WRONG_HEAD = "WRONG_HEAD"
    REWRITTEN = "REWRITTEN"


@dataclass(frozen=True, slots=True)
class BadEntry:
    """The first entry that is not as it was written, and what is wrong with it."""

    number: int
    fault: ChainFault
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found: how many entries are as they were written, up to which, and what is not."""

    entries: int
    last: Head
    bad: BadEntry | None = None


async def verify(database: Database, tenant_id: UUID, *, expected: Head | None = None) -> Verdict:
    """Hold every entry of a tenant against the one before it, and the last against the head.

    `expected` is a head that was noted earlier: whoever owns the database can rewrite all of a
    chain, but not so that an old entry keeps its hash.
    """
    async with _snapshot(database, tenant_id) as connection:
        row = await connection.fetchrow(_HEAD, tenant_id)
        check = _Check(tenant_id, Head(*row) if row else Head(), expected)
        async for entry in _entries(connection, tenant_id):
            if bad := check.entry(entry):
                return Verdict(check.entries, check.last, bad)
        return Verdict(check.entries, check.last, check.end())


async def head_of(database: Database, tenant_id: UUID) -> Head:
    """Return the newest entry's number and hash, to be noted elsewhere."""
    async with _snapshot(database, tenant_id) as connection:
        row = await connection.fetchrow(_HEAD, tenant_id)
    return Head(*row) if row else Head()


async def entries_of(database: Database, tenant_id: UUID) -> AsyncIterator[AuditEntry]:
    """Return a tenant's entries as they are now, in order."""
    async with _snapshot(database, tenant_id) as connection:
        async for entry in _entries(connection, tenant_id):
            yield entry


class _Check:
    """Goes from entry to entry."""

    def __init__(self, tenant_id: UUID, head: Head, expected: Head | None) -> None:
        self.entries = 0
        self.last = Head()
        self._tenant_id = tenant_id
        self._head = head
        self._expected = expected

    def entry(self, entry: AuditEntry) -> BadEntry | None:
        """Take the next entry, and say what is wrong with it."""
        bad = self._place(entry) or self._content(entry)
        if bad is None:
            self.entries, self.last = self.entries + 1, Head(entry.number, entry.hash)
            if self._expected and self._expected.number == entry.number:
                bad = self._noted()
        return bad

    def end(self) -> BadEntry | None:
        """Hold the last entry against the head, and what was noted against what there is."""
        last, head = self.last, self._head
        if last.number < head.number:
            return _bad(last.number + 1, ChainFault.MISSING, f"the newest are, up to {head.number}")
        if last.hash != head.hash:
            return _bad(head.number, ChainFault.WRONG_HEAD, "the head says another hash")
        if self._expected and self._expected.number > last.number:
            return _bad(last.number + 1, ChainFault.MISSING, "what was noted is not there any more")
        if self._expected and self._expected.number == 0:
            return self._noted(GENESIS)
        return None

    def _place(self, entry: AuditEntry) -> BadEntry | None:
        expected = self.last.number + 1
        if entry.number > self._head.number:
            return _bad(entry.number, ChainFault.BEYOND_HEAD, "the head does not know of it")
        if entry.number > expected:
            return _bad(expected, ChainFault.MISSING, f"the next has number {entry.number}")
        if entry.number < expected:
            return _bad(entry.number, ChainFault.DOUBLED, "there are two of this number")
        return None

    def _content(self, entry: AuditEntry) -> BadEntry | None:
        digest = digest_of(self._tenant_id, entry)
        if next_hash(entry.previous_hash, entry.number, digest) != entry.hash:
            return self._moved(entry, digest)
        if entry.previous_hash != self.last.hash:
            message = "it does not follow the entry before it: one of the two was put in"
            return _bad(entry.number, ChainFault.UNLINKED, message)
        return None

    def _moved(self, entry: AuditEntry, digest: bytes) -> BadEntry:
        """Tell an entry that stands in another's place from one that says something else."""
        nearby = range(max(1, entry.number - _FARTHEST), entry.number + _FARTHEST)
        for number in nearby:
            if next_hash(entry.previous_hash, number, digest) == entry.hash:
                return _bad(entry.number, ChainFault.MOVED, f"it was written as number {number}")
        return _bad(entry.number, ChainFault.CHANGED, "it does not say what it said")

    def _noted(self, found: bytes | None = None) -> BadEntry | None:
        found = found or self.last.hash
        if self._expected is None or self._expected.hash == found:
            return None
        message = "its hash is not the one that was noted: the log was rewritten"
        return _bad(self._expected.number, ChainFault.REWRITTEN, message)


def _bad(number: int, fault: ChainFault, message: str) -> BadEntry:
    return BadEntry(number, fault, message)


@asynccontextmanager
async def _snapshot(database: Database, tenant_id: UUID) -> AsyncIterator[Any]:
    """Read a tenant as it is at one instant, whoever writes meanwhile."""
    async with database.app.acquire(timeout=5) as connection:
        try:
            await connection.execute(
                f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT app.enter('{tenant_id}')"
            )
            yield connection
        finally:
            await connection.execute("ROLLBACK")


async def _entries(connection: Any, tenant_id: UUID) -> AsyncIterator[AuditEntry]:
    # As it stands there, whatever that is: the reader of entities takes only what can be.
    async for row in connection.cursor(_ENTRIES, tenant_id, prefetch=_ROWS_A_FETCH):
        yield AuditEntry(**row)
