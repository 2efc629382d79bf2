"""Imports of files: started over an upload, followed live, cancelled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import strawberry

from api.context import Info
from api.errors import mutation, query, subscription
from api.filtering import collection, enum, order_input
from api.views import listed, related, shown, view
from domain import ids
from domain.identity import Permission, User
from domain.import_jobs import cancel_import, start_import
from domain.paging import Order
from domain.uploads import ImportJob, ImportRowError, JobStatus

enum(
    JobStatus,
    "How far a job has come.",
    QUEUED="It waits for its turn.",
    RUNNING="The file is being read.",
    DONE="The file was read to its end.",
    FAILED="It cannot go on, and says why; rows that were taken stay.",
    CANCELLED="Somebody stopped it; rows that were taken stay.",
)


@view(ImportRowError, description="A row of a file that was left out, and why.")
class ImportRowErrorView:
    line: int = shown("The line of the file on which the row begins, from 1.")
    column: str | None = shown("The column at fault, if it is one.")
    code: str = shown("What is wrong, for machines.")
    message: str = shown("What is wrong, for people.")
    row: str | None = shown("The row as it stands in the file, comma-separated.")


@view(ImportJob, description="The import of one file.")
class ImportJobView:
    file_name: str = shown("What the file is called.")
    mapping: str = shown("What its columns mean, in TOML.")
    dry_run: bool = shown("Whether the rows are only tried, and nothing is kept.")
    status: JobStatus = shown("How far it has come.")
    progress_share: Decimal = shown("How much of the file has been dealt with, from 0 to 1.")
    rows: int = shown("Rows dealt with so far.")
    created: int = shown("Rows of leads, or whatever the file is of, that were new.")
    updated: int = shown("Rows that said something new of what there was.")
    unchanged: int = shown("Rows that said nothing new.")
    failed: int = shown("Rows that were left out; see `errors`.")
    error: str | None = shown("Why it failed, if it did.")
    created_at: datetime = shown("When it was asked for.")
    started_at: datetime | None = shown("When reading began.")
    ended_at: datetime | None = shown("When it ended.")
    created_by = related(
        "api.identity.UserView", User, by="created_by", description="Who asked for it."
    )
    errors = listed(
        ImportRowErrorView,
        ImportRowError,
        by="job_id",
        order=(Order("line"),),
        description="The rows that were left out, in the order of the file.",
    )


_Which = Annotated[strawberry.ID, strawberry.argument(description="The import.")]
ImportJobOrder = order_input("ImportJob", {"CREATED_AT": "created_at"}, "How imports are ordered")


@strawberry.type
class Queries:
    import_jobs = collection(
        ImportJobView,
        ImportJob,
        description="Imports, the newest first.",
        default=(Order("created_at", descending=True),),
        order=ImportJobOrder,
        needs=Permission.IMPORT_LEADS,
    )("import_jobs")

    @query(
        "One import, or null if there is none of that id.",
        needs=Permission.IMPORT_LEADS,
        shows=ImportJobView | None,
    )
    async def import_job(self, info: Info, id: _Which) -> Any:
        return await info.context.load(ImportJob, _id(id, "id"))


@strawberry.input(description="A file and what its columns mean.")
class ImportStartInput:
    upload: strawberry.ID = shown("The file: an upload for an import that has been sent whole.")
    mapping: str = shown("What its columns mean, in TOML; see the guide on importing files.")
    dry_run: bool = shown("Only try the rows, and keep nothing.", default=False)


@strawberry.input(description="Which import is to stop.")
class ImportCancelInput:
    import_job: strawberry.ID = shown("The import; it must not have ended.")


@strawberry.type
class Mutations:
    @mutation(
        ImportJobView,
        "Import an uploaded file of leads with their history, or of companies, touches,"
        " opportunities or costs, in the background.",
        needs=Permission.IMPORT_LEADS,
    )
    async def import_start(self, info: Info, input: ImportStartInput) -> ImportJob:
        upload_id = ids.expect("Upload", input.upload, path=("upload",))
        async with info.context.writing() as work:
            return await start_import(
                work,
                info.context.actor,
                upload_id=upload_id,
                mapping=input.mapping,
                dry_run=input.dry_run,
            )

    @mutation(
        ImportJobView,
        "Stop an import.  Rows that were taken stay.",
        needs=Permission.IMPORT_LEADS,
    )
    async def import_cancel(self, info: Info, input: ImportCancelInput) -> ImportJob:
        async with info.context.writing() as work:
            return await cancel_import(work, info.context.actor, _id(input.import_job, "importJob"))


@strawberry.type
class Subscriptions:
    @subscription(
        "How far an import has come, until it has ended.",
        needs=Permission.IMPORT_LEADS,
        shows=ImportJobView,
    )
    async def import_progress(self, info: Info, import_job: _Which) -> AsyncIterator[Any]:
        job_id, actor = _id(import_job, "importJob"), info.context.actor
        with info.context.live.watch(actor.tenant_id) as watch:
            while True:
                async with info.context.work() as work:
                    now = await work.get(ImportJob, job_id)
                yield now
                if now.status.is_over:
                    return
                await watch.news()


def _id(text: str, name: str) -> UUID:
    return ids.expect("ImportJob", text, path=(name,))
