"""Asking where to send a file."""

from __future__ import annotations

from datetime import datetime

import strawberry

from api.context import Info
from api.errors import mutation
from api.filtering import enum
from api.types import Url
from api.uploads.routes import upload_url
from api.views import related, shown, view
from domain.identity import Permission
from domain.upload_flow import (
    LARGEST_IMPORT_BYTES,
    UPLOAD_LIFE,
    UploadTicket,
    request_import_upload,
)
from domain.uploads import Upload, UploadPurpose

enum(
    UploadPurpose,
    "What a file is for.",
    IMPORT="A file to import.",
    PERSONA_PHOTO="A photo of a persona.",
)


@view(Upload, description="A file that somebody sends.")
class UploadView:
    purpose: UploadPurpose = shown("What it is for.")
    file_name: str = shown("What it is called.")
    size: int = shown("How many bytes it has, or will have.")
    created_at: datetime = shown("When it was announced.")
    completed_at: datetime | None = shown("When it had come in whole; null until then.")


@view(UploadTicket, description="Where to send a file, and until when one may begin to.")
class UploadTicketView:
    upload_url: Url = shown("Send the file's bytes to this address; it needs no other credentials.")
    method: str = shown("The HTTP method to send it by: PUT.")
    max_bytes: int = shown("How many bytes are taken.")
    expires_at: datetime = shown("By when to begin; until it is complete, it may be sent again.")
    upload = related(UploadView, Upload, by="upload_id", description="The file.", required=True)


def ticket_for(info: Info, upload: Upload, *, max_bytes: int) -> UploadTicket:
    """Return where to send a file that was announced."""
    return UploadTicket(
        upload_id=upload.id,
        upload_url=upload_url(info.context.services, info.context.actor.tenant_id, upload),
        method="PUT",
        max_bytes=max_bytes,
        expires_at=upload.created_at + UPLOAD_LIFE,
    )


@strawberry.input(description="A file to import.")
class ImportUploadInput:
    file_name: str = shown("What it is called.")
    size: int = shown(f"How many bytes it has; at most {LARGEST_IMPORT_BYTES >> 20} MiB.")


@strawberry.type
class Mutations:
    @mutation(
        UploadTicketView,
        "Announce a file, and learn where to send it; then import it.",
        needs=Permission.IMPORT_LEADS,
    )
    async def import_upload(self, info: Info, input: ImportUploadInput) -> UploadTicket:
        async with info.context.writing() as work:
            upload = await request_import_upload(
                work, info.context.actor, file_name=input.file_name, size=input.size
            )
        return ticket_for(info, upload, max_bytes=upload.size)
