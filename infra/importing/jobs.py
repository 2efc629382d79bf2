"""Reading the files of import jobs, batch by batch, wherever the last reader stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from uuid import UUID

import structlog

from domain.audit import Cause
from domain.drafts import Draft
from domain.errors import AlreadyExists, DomainError, StaleWrite
from domain.identity import Actor, system
from domain.import_batches import BatchOfRows, import_batch, is_full, note_rehearsal, rehearse_batch
from domain.import_jobs import ClaimLost, NotUploaded, claim_import, end_import, leave_import
from domain.import_results import ImportedRow, refusal_text
from domain.imports import FactMapping, RowError, RowMapping
from domain.lead_import import import_draft
from domain.uploads import ImportJob, UploadChunk
from infra.database import CONNECTION_LOST, Database, PostgresWork
from infra.importing.mapping import load_mapping
from infra.importing.reader import Outcome, RowsReader
from infra.refusals import Busy
from infra.tracing import traced

log = structlog.get_logger(__name__)

# Small enough that nobody in the same process waits long for a batch to be written.
ROWS_A_BATCH = 100
MOST_TRIES = 3
POLL_SECONDS = 1.0
IMPORT = Cause(action="import")

Chunks = AsyncIterator[bytes]
Progress = Callable[[ImportJob], None]

# $1 replaces the database's clock.  Files that a command reads itself have no upload.
_TENANTS = """
SELECT DISTINCT tenant_id FROM import_jobs
WHERE status IN ('QUEUED', 'RUNNING') AND upload_id IS NOT NULL
  AND (claimed_until IS NULL OR claimed_until < coalesce($1, now()))
"""


class _Rehearsed(Exception):
    """Ends the transaction of a rehearsal, so that nothing of it is kept."""


class ImportLoop:
    """Reads uploads whenever there are any, for ever.  Any number of loops may run."""

    def __init__(self, database: Database, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._database = database
        self._poll = poll_seconds

    async def run(self) -> None:
        while True:
            if not await run_next(self._database):
                await asyncio.sleep(self._poll)


async def run_next(database: Database) -> bool:
    """Read one upload that nobody reads, to its end; return whether there was one."""
    at = database.clock() if database.clock else None
    for row in await database.platform.fetch(_TENANTS, at):
        tenant_id: UUID = row[0]
        async with database.work(tenant_id, cause=IMPORT) as work:
            job = await claim_import(work, system(tenant_id))
        if job is not None and job.upload_id is not None:
            chunks = uploaded_chunks(database, tenant_id, job.upload_id, size=job.total_bytes)
            await Importer(database, tenant_id, job).run(chunks)
            return True
    return False


async def uploaded_chunks(
    database: Database, tenant_id: UUID, upload_id: UUID, *, size: int
) -> Chunks:
    """Return the bytes of an upload, piece by piece.

    Raises:
        NotUploaded: if there are fewer than there should be: another job has used the file up.
    """
    position = sent = 0
    while sent < size:
        async with database.work(tenant_id, read_only=True) as work:
            found = await work.find(UploadChunk, upload_id=upload_id, position=position)
        if not found:
            raise NotUploaded("The file is no longer kept; send it again.")
        yield found[0].content
        position, sent = position + 1, sent + len(found[0].content)


class Importer:
    """Reads the file of one claimed job.

    `job` is as the last commit left it.  `stop` asks it to leave off after the batch in hand.
    """

    def __init__(
        self,
        database: Database,
        tenant_id: UUID,
        job: ImportJob,
        *,
        rows_a_batch: int = ROWS_A_BATCH,
        progress: Progress = lambda job: None,
    ) -> None:
        self.job = job
        self.header: tuple[str, ...] = ()
        self.encoding, self.delimiter = "utf-8", ","
        self._database = database
        self._tenant_id = tenant_id
        self._rows_a_batch = rows_a_batch
        self._progress = progress
        self._stopping = False
        self._mind: Draft | None = None

    def stop(self) -> None:
        self._stopping = True

    async def run(self, chunks: Chunks) -> ImportJob:
        """Read the file to its end, or as far as it goes, and return the job as it then is."""
        try:
            await self._read(chunks)
        except ClaimLost:
            log.info("import.claim_lost", job=str(self.job.id))
            async with self._database.work(self._tenant_id, read_only=True) as work:
                self.job = await work.get(ImportJob, self.job.id)
        except DomainError as refusal:
            await self._end(error=refusal_text([refusal]))
        except asyncio.CancelledError:
            with suppress(*CONNECTION_LOST, ClaimLost, DomainError):
                await asyncio.shield(self._leave())
            raise
        except CONNECTION_LOST:
            raise  # whoever comes next goes on with it
        except Exception as error:  # a job that cannot go on must say so, whatever it is
            log.exception("import.failed", job=str(self.job.id), error=type(error).__name__)
            await self._end(error="Something went wrong on our side; the rows before it are kept.")
        return self.job

    @property
    def _actor(self) -> Actor:
        return system(self._tenant_id)

    async def _read(self, chunks: Chunks) -> None:
        mapping = load_mapping(self.job.mapping)
        reader = RowsReader(
            mapping, total_bytes=self.job.total_bytes, start_after_line=self.job.last_line
        )
        async for outcomes in _batches(reader.read_async(chunks), self._rows_a_batch):
            self._note(reader)
            await self._take(mapping, BatchOfRows(outcomes, reader.bytes_read))
            self._progress(self.job)
            if self._stopping:
                return await self._leave()
        self._note(reader)
        await self._sample()
        await self._end()
        return None

    def _note(self, reader: RowsReader) -> None:
        """Note how the file is written, for the file of its errors."""
        self.header = reader.header
        self.encoding = reader.encoding or self.encoding
        self.delimiter = reader.delimiter or self.delimiter

    async def _take(self, mapping: RowMapping, batch: BatchOfRows) -> None:
        """Take a batch; where the database refuses it, find the row it refuses.

        A refusal may be nobody's fault: somebody else may just have made the same lead.  So halves
        are tried, and a row alone is tried again, before it is left out.
        """
        try:
            self.job = await self._commit(mapping, batch)
        except DomainError as refusal:
            if len(batch.outcomes) > 1:
                half = len(batch.outcomes) // 2
                await self._take(mapping, BatchOfRows(batch.outcomes[:half], self.job.done_bytes))
                await self._take(mapping, BatchOfRows(batch.outcomes[half:], batch.done_bytes))
            else:
                await self._take_alone(mapping, batch, refusal)

    async def _take_alone(
        self, mapping: RowMapping, batch: BatchOfRows, refusal: DomainError
    ) -> None:
        for _ in range(MOST_TRIES):
            if not isinstance(refusal, StaleWrite | AlreadyExists | Busy):
                break
            try:
                self.job = await self._commit(mapping, batch)
            except DomainError as again:
                refusal = again
            else:
                return
        (outcome,) = batch.outcomes
        left_out = RowError(
            line=outcome.line,
            column=None,
            code=refusal.code,
            message=refusal_text([refusal]),
            row=outcome.row,
        )
        self.job = await self._commit(mapping, BatchOfRows([left_out], batch.done_bytes))

    @traced("import rows")
    async def _commit(self, mapping: RowMapping, batch: BatchOfRows) -> ImportJob:
        if self.job.dry_run and isinstance(mapping, FactMapping):
            results = await self._rehearse(mapping, batch)
            async with self._work() as work:
                return await note_rehearsal(work, self._actor, self.job, mapping, batch, results)
        async with self._work() as work:
            if self.job.dry_run and (self._mind is None or is_full(self._mind)):
                self._mind = import_draft(work)
            return await import_batch(work, self._actor, self.job, mapping, batch, mind=self._mind)

    async def _rehearse(self, mapping: FactMapping, batch: BatchOfRows) -> Sequence[ImportedRow]:
        results: Sequence[ImportedRow] = ()
        with suppress(_Rehearsed):
            async with self._work() as work:
                results = await rehearse_batch(work, self._actor, mapping, batch)
                raise _Rehearsed
        return results

    def _work(self) -> AbstractAsyncContextManager[PostgresWork]:
        return self._database.work(self._tenant_id, by=self.job.created_by, cause=IMPORT)

    async def _sample(self) -> None:
        """Have PostgreSQL look at what has grown, so that figures are quick once the job is done.

        It does so by itself within a minute, which has to do where it is too busy now.
        """
        if self.job.dry_run:
            return
        table: str | None = ""
        with suppress(*CONNECTION_LOST):
            while table is not None:
                table = await self._database.platform.fetchval("SELECT app.sample($1)", table)

    async def _leave(self) -> None:
        async with self._work() as work:
            self.job = await leave_import(work, self._actor, self.job)

    async def _end(self, *, error: str | None = None) -> None:
        with suppress(ClaimLost):
            async with self._work() as work:
                self.job = await end_import(work, self._actor, self.job, error=error)


async def _batches(outcomes: AsyncIterator[Outcome], size: int) -> AsyncIterator[list[Outcome]]:
    batch: list[Outcome] = []
    async for outcome in outcomes:
        batch.append(outcome)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
