"""Uploading and removing documents, as the owner of the database: the service cannot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import uuid4

import asyncpg

from infra.edge_limits import DocumentMode
from infra.trusted_documents.manifest import Entry

# Any change gives the client another revision, by which running processes see it.
_TOUCH = """
INSERT INTO document_clients (name, mode, revision, created_at)
VALUES ($1, coalesce($2, 'allow'), $3, $4)
ON CONFLICT (name) DO UPDATE
SET mode = coalesce($2, document_clients.mode), revision = excluded.revision
"""
_ADD = """
INSERT INTO trusted_documents AS d (client, sha256, alias, text, added_at)
SELECT $1, sha256, alias, text, $5
FROM unnest($2::text[], $3::text[], $4::text[]) AS given (sha256, alias, text)
ON CONFLICT (client, sha256) DO UPDATE SET alias = coalesce(excluded.alias, d.alias)
WHERE excluded.alias IS NOT NULL AND d.alias IS DISTINCT FROM excluded.alias
RETURNING d.added_at = $5
"""
_REMOVE = """
DELETE FROM trusted_documents
WHERE client = $1 AND ($2::date IS NULL OR coalesce(used_on, added_at::date) < $2)
"""
_LIST = """
SELECT c.name, c.mode, count(d.sha256), max(d.added_at), max(d.used_on)
FROM document_clients c LEFT JOIN trusted_documents d ON d.client = c.name
GROUP BY c.name ORDER BY c.name
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an upload changed."""

    added: int
    unchanged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """One client's documents in numbers."""

    client: str
    mode: DocumentMode
    documents: int
    added_at: datetime | None
    used_on: date | None


class UnknownClient(Exception):
    """No documents were ever uploaded for a client of this name."""

    def __init__(self, client: str) -> None:
        super().__init__(f"There is no client {client[:80]!r}; `documents list` names them.")


class AliasTaken(Exception):
    """An id names another document already; documents of an id never change."""


class Keeper:
    """Changes what is trusted."""

    def __init__(self, owner_url: str) -> None:
        self._url = owner_url

    async def upload(self, client: str, entries: Sequence[Entry]) -> Change:
        """Add documents to a client's, all or none.  Those that are there already stay.

        Raises:
            AliasTaken: if an id of the manifest is that of another document.
        """
        now = datetime.now(UTC)
        async with self._transaction() as connection:
            await connection.execute(_TOUCH, client, None, uuid4(), now)
            try:
                rows = await connection.fetch(
                    _ADD,
                    client,
                    [entry.sha256 for entry in entries],
                    [entry.alias for entry in entries],
                    [entry.text for entry in entries],
                    now,
                )
            except asyncpg.UniqueViolationError as error:
                raise AliasTaken(
                    "An id of the manifest names another document already: give the new text"
                    " another id, or remove the old one."
                ) from error
        added = sum(row[0] for row in rows)
        return Change(added=added, unchanged=len(entries) - added)

    async def set_mode(self, client: str, mode: DocumentMode) -> None:
        """Say how a client may ask, whether or not it has documents yet."""
        async with self._transaction() as connection:
            await connection.execute(_TOUCH, client, mode.value, uuid4(), datetime.now(UTC))

    async def remove(self, client: str, *, unused_since: date | None = None) -> int:
        """Remove a client's documents, or those that nobody asked for since a day; return how many.

        Raises:
            UnknownClient: if there is none of this name.
        """
        async with self._transaction() as connection:
            if not await connection.fetchval(
                "SELECT 1 FROM document_clients WHERE name = $1", client
            ):
                raise UnknownClient(client)
            await connection.execute(_TOUCH, client, None, uuid4(), datetime.now(UTC))
            done: str = await connection.execute(_REMOVE, client, unused_since)
        return int(done.rpartition(" ")[2])

    async def shelves(self) -> Sequence[Shelf]:
        """Return every client's documents in numbers, by name."""
        async with self._transaction() as connection:
            rows = await connection.fetch(_LIST)
        return [
            Shelf(client=name, mode=DocumentMode(mode), documents=n, added_at=added, used_on=used)
            for name, mode, n, added, used in rows
        ]

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self._url, timeout=10)
        try:
            async with connection.transaction():
                yield connection
        finally:
            await connection.close()
