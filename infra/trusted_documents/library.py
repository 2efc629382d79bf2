"""The uploaded documents as a running process knows them: as of a second or two ago."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

import asyncpg
import structlog

from infra.database import CONNECTION_LOST, Database, Unavailable
from infra.edge_limits import DocumentMode
from infra.trusted_documents.manifest import PREFIX

log = structlog.get_logger(__name__)

DEFAULT_CLIENT = "default"
"""Whose documents are meant by a client that gives no name, or one that nobody knows."""
FRESH_SECONDS = 1.0
NOTE_SECONDS = 30.0
MOST_CHARACTERS = 16_000_000
"""Of documents kept in a process."""
MOST_UNKNOWN = 10_000
LONGEST_ID = 200
_AWAY = (*CONNECTION_LOST, asyncpg.PostgresError)

_CLIENTS = "SELECT name, mode, revision FROM document_clients"
_BY_HASH = "SELECT text, sha256 FROM trusted_documents WHERE client = $1 AND sha256 = $2"
_BY_ALIAS = "SELECT text, sha256 FROM trusted_documents WHERE client = $1 AND alias = $2"
_USED = """
UPDATE trusted_documents SET used_on = $3
WHERE client = $1 AND sha256 = ANY($2) AND (used_on IS NULL OR used_on < $3)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTerms:
    """How a client may ask: as far as both the installation and its own mode let it."""

    client: str
    revision: UUID | None
    ids: bool
    texts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Client:
    mode: DocumentMode
    revision: UUID


@dataclass(frozen=True, slots=True)
class _Kept:
    """A document, or the knowledge that there is none."""

    text: str | None
    sha256: str = ""


class TrustedDocuments:
    """Looks documents up, and keeps what it has found until their client's documents change."""

    def __init__(
        self,
        database: Database,
        mode: DocumentMode,
        *,
        monotonic: Callable[[], float] = monotonic,
    ) -> None:
        self._database = database
        self._mode = mode
        self._monotonic = monotonic
        self._clients: Mapping[str, _Client] | None = None
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()
        self._kept: OrderedDict[tuple[str, UUID, str], _Kept] = OrderedDict()
        self._characters = 0
        self._asked_for: dict[str, set[str]] = {}

    async def terms(self, client: str | None) -> ClientTerms:
        """Return how a client, by the name it gives itself, may ask.

        Raises:
            Unavailable: if that cannot be found out, and was never known here.
        """
        clients = await self._fresh_clients()
        name = client if client and client in clients else DEFAULT_CLIENT
        known = clients.get(name)
        modes = {self._mode, known.mode} if known else {self._mode}
        return ClientTerms(
            client=name,
            revision=known.revision if known else None,
            ids=DocumentMode.OFF not in modes,
            texts=DocumentMode.ONLY not in modes,
        )

    async def text(self, terms: ClientTerms, document_id: str) -> str | None:
        """Return the document of an id; None if there is none for this client."""
        if terms.revision is None or len(document_id) > LONGEST_ID or "\0" in document_id:
            return None
        key = (terms.client, terms.revision, document_id)
        kept = self._kept.get(key)
        if kept is None:
            kept = await self._read_document(terms.client, document_id)
            self._keep(key, kept)
        else:
            self._kept.move_to_end(key)
        if kept.text is not None:
            self._asked_for.setdefault(terms.client, set()).add(kept.sha256)
        return kept.text

    async def run(self) -> None:
        """Note, for ever, on which day documents were last asked for."""
        while True:
            await asyncio.sleep(NOTE_SECONDS)
            await self.note()

    async def note(self) -> None:
        """Note that the documents asked for since the last time are in use today."""
        asked_for, self._asked_for = self._asked_for, {}
        try:
            today = (await self._database.now()).date()
            for client, hashes in asked_for.items():
                await self._database.platform.execute(_USED, client, list(hashes), today)
        except _AWAY as error:
            log.warning("trusted_documents.not_noted", error=type(error).__name__)

    async def _fresh_clients(self) -> Mapping[str, _Client]:
        if self._clients is None or self._monotonic() - self._read_at > FRESH_SECONDS:
            async with self._reading:
                if self._monotonic() - self._read_at > FRESH_SECONDS:
                    await self._read_clients()
        if self._clients is None:
            raise Unavailable("the trusted documents cannot be read")
        return self._clients

    async def _read_clients(self) -> None:
        try:
            rows = await self._database.platform.fetch(_CLIENTS, timeout=2)
        except _AWAY as error:
            # What was known last is in force until something newer can be read.
            log.warning("trusted_documents.unreachable", error=type(error).__name__)
        else:
            self._clients = {
                name: _Client(mode=DocumentMode(mode), revision=revision)
                for name, mode, revision in rows
            }
        if self._clients is not None:  # or it is tried again at once
            self._read_at = self._monotonic()

    async def _read_document(self, client: str, document_id: str) -> _Kept:
        named = document_id.removeprefix(PREFIX)
        wanted = _BY_ALIAS if named == document_id else _BY_HASH
        row = await self._database.platform.fetchrow(wanted, client, named)
        return _Kept(row["text"], row["sha256"]) if row else _Kept(None)

    def _keep(self, key: tuple[str, UUID, str], kept: _Kept) -> None:
        self._kept[key] = kept
        self._characters += len(kept.text or "")
        while self._characters > MOST_CHARACTERS or len(self._kept) > MOST_UNKNOWN:
            _, gone = self._kept.popitem(last=False)
            self._characters -= len(gone.text or "")
