"""`smarketing import file`: reads a file in this process, as a job that can be gone on with."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from domain.audit import SYSTEM, Cause
from domain.errors import DomainError, Invalid, NotFound, Refusals
from domain.identity import system
from domain.import_jobs import open_import
from domain.imports import RowError
from domain.paging import LARGEST_PAGE, Listing, Order, PageRequest, read_cursor
from domain.uploads import ImportJob, ImportRowError, JobStatus
from infra.database import Database, Unavailable
from infra.importing.error_file import ErrorFile
from infra.importing.jobs import Importer
from infra.importing.reader import chunks_of
from infra.settings import Settings

# Exit codes: every row was taken; some rows were not, or it was interrupted; nothing can be done.
DONE, INCOMPLETE, UNUSABLE = 0, 1, 2

_TENANT = "SELECT tenant_id FROM directory WHERE slug = $1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFile:
    """What is to be imported, for whom, and how.  Rows left out go to the file `errors`."""

    path: Path
    mapping: Path
    tenant: str
    dry_run: bool = False
    errors: Path | None = None

    @property
    def error_path(self) -> Path:
        return self.errors or self.path.with_name(f"{self.path.stem}.errors.csv")


def import_file(
    file: ImportFile, *, settings: Settings, console: Console, cause: Cause = SYSTEM
) -> int:
    """Import a file, or go on with it, and return the exit code.

    The first Ctrl-C stops it after the batch in hand, the second at once; either way the same
    command goes on where it stopped.
    """
    try:
        return asyncio.run(_import(file, settings, console, cause))
    except KeyboardInterrupt:
        console.print("Stopped.  The same command goes on after the last batch that was taken.")
        return INCOMPLETE
    except Refusals as refusals:
        for refusal in refusals.refusals:
            console.print(_told(refusal), markup=False, style="red")
    except DomainError as refusal:
        console.print(_told(refusal), markup=False, style="red")
    except Unavailable as error:
        reason = error.__cause__ or error
        console.print(f"The database cannot be reached: {reason}", markup=False, style="red")
        console.print("Nothing is lost: the same command goes on where it stopped.")
    except (OSError, UnicodeDecodeError) as error:
        console.print(str(error), markup=False, style="red")
    return UNUSABLE


async def _import(file: ImportFile, settings: Settings, console: Console, cause: Cause) -> int:
    if file.error_path.resolve() in (file.path.resolve(), file.mapping.resolve()):
        raise Invalid("The file of errors would overwrite what is to be read.")
    mapping = file.mapping.read_text(encoding="utf-8")
    fingerprint = await asyncio.to_thread(_fingerprint, file.path)
    database = await Database.connect(
        settings.app_database_url, settings.platform_database_url, size=2
    )
    try:
        tenant_id = await database.platform.fetchval(_TENANT, file.tenant)
        if tenant_id is None:
            raise NotFound(f"tenant {file.tenant[:80]!r}")
        async with database.work(tenant_id, cause=cause) as work:
            job = await open_import(
                work,
                system(tenant_id),
                file_name=file.path.name,
                fingerprint=fingerprint,
                mapping=mapping,
                dry_run=file.dry_run,
                total_bytes=file.path.stat().st_size,
            )
        return await _read(file, database, tenant_id, job, console)
    finally:
        await database.close()


async def _read(
    file: ImportFile, database: Database, tenant_id: UUID, job: ImportJob, console: Console
) -> int:
    if job.last_line:
        console.print(f"Going on after line {job.last_line:,} ({job.rows:,} rows are done).")
    with _bar(console, job) as (bar, task):
        importer = Importer(database, tenant_id, job, progress=lambda job: _show(bar, task, job))
        with _stopping_on_interrupt(importer, console):
            job = await importer.run(_chunks(file.path))
        _show(bar, task, job)
    if job.failed:
        await _write_errors(file.error_path, database, tenant_id, job, importer)
    _summarise(file, job, console)
    if job.status is JobStatus.FAILED:
        return UNUSABLE
    return DONE if job.status is JobStatus.DONE and not job.failed else INCOMPLETE


def _fingerprint(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    for chunk in chunks_of(path):
        yield chunk


@contextmanager
def _stopping_on_interrupt(importer: Importer, console: Console) -> Iterator[None]:
    """Let the first Ctrl-C ask, and the second one insist.  Only the main thread hears either."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()

    def stop() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        console.print("Stopping after this batch; Ctrl-C again stops at once.")
        importer.stop()

    loop.add_signal_handler(signal.SIGINT, stop)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


@contextmanager
def _bar(console: Console, job: ImportJob) -> Iterator[tuple[Progress, TaskID]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[rows]} rows"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(
            job.file_name.replace("[", "\\["), total=job.total_bytes, rows=f"{job.rows:,}"
        )
        yield bar, task


def _show(bar: Progress, task: TaskID, job: ImportJob) -> None:
    bar.update(task, completed=job.done_bytes, rows=f"{job.rows:,}")


async def _write_errors(
    path: Path, database: Database, tenant_id: UUID, job: ImportJob, importer: Importer
) -> None:
    """Write all rows that this job has left out so far, whoever read them."""
    listing: Listing[ImportRowError] = Listing(
        kind=ImportRowError,
        equals={"job_id": job.id},
        order=(Order("line"),),
        page=PageRequest(size=LARGEST_PAGE),
    )
    with ErrorFile(path, encoding=importer.encoding, delimiter=importer.delimiter) as file:
        while True:
            async with database.work(tenant_id, read_only=True) as work:
                page = await work.ask(listing)
            for error in page.nodes:
                file.add(_row_error(error), importer.header)
            if not page.has_next_page:
                return
            cursor = read_cursor(page.cursors[-1], name="after")
            listing = Listing(
                kind=ImportRowError,
                equals={"job_id": job.id},
                order=(Order("line"),),
                page=PageRequest(size=LARGEST_PAGE, cursor=cursor),
            )


def _row_error(error: ImportRowError) -> RowError:
    fields = next(csv.reader(io.StringIO(error.row or "", newline="")), [])
    return RowError(
        line=error.line,
        column=error.column,
        code=error.code,
        message=error.message,
        row=tuple(fields),
    )


def _summarise(file: ImportFile, job: ImportJob, console: Console) -> None:
    if job.status is JobStatus.FAILED:
        console.print(job.error or "", markup=False, style="red")
    table = Table(title="Tried, nothing was kept" if job.dry_run else None)
    for name in ("rows", "created", "updated", "unchanged", "left out"):
        table.add_column(name, justify="right")
    counts = (job.rows, job.created, job.updated, job.unchanged, job.failed)
    table.add_row(*(f"{count:,}" for count in counts))
    console.print(table)
    if job.failed:
        console.print(
            f"The rows left out are in {os.fspath(file.error_path)}, each with the reason: "
            "mend them and import that file.",
            markup=False,
            soft_wrap=True,
        )
    if not job.status.is_over:
        console.print("Not finished: the same command goes on where it stopped.")
    if job.status is JobStatus.CANCELLED:
        console.print("Somebody cancelled this import.")


def _told(refusal: DomainError) -> str:
    where = ".".join(str(part) for part in refusal.path)
    return f"{where}: {refusal.message}" if where else refusal.message
