"""Sending files: announced first, then received, in pieces or whole, and kept once complete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.errors import DomainError, Invalid, PermissionDenied
from domain.events import PersonaChanged
from domain.identity import Actor, Permission, User, actor_of
from domain.ids import new_id
from domain.personas import Persona, PersonaArchived, Photo
from domain.ports import Question, Work
from domain.uploads import Upload, UploadChunk, UploadPurpose
from domain.values import require_text

# How long one may begin to send a file after having asked for the address.
UPLOAD_LIFE = timedelta(minutes=15)
CHUNK_BYTES = 1 << 20
LARGEST_IMPORT_BYTES = 256 << 20
# How long a file waits for its import; and how many old ones a new one makes room by.
KEPT = timedelta(days=1)
_MOST_DROPPED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusedUploads(Question[Sequence[UUID]]):
    """Files kept since before an instant that no import reads or is about to; the oldest first."""

    before: datetime
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadTicket:
    """Where to send a file, and until when one may begin to."""

    upload_id: UUID
    upload_url: str
    method: str
    max_bytes: int
    expires_at: datetime


class FileTooLarge(Invalid):
    """More bytes than are taken, or than were announced."""

    code = "FILE_TOO_LARGE"

    def __init__(self, most: int, *, path: tuple[str, ...] = ()) -> None:
        super().__init__(f"The file is larger than {most} bytes.", path=path)


class SizeMismatch(Invalid):
    """Fewer bytes came than were announced."""

    code = "SIZE_MISMATCH"

    def __init__(self, received: int, announced: int) -> None:
        super().__init__(f"{received} bytes came of {announced} announced; send the file again.")


class AlreadyUploaded(DomainError):
    """The file is complete."""

    code = "ALREADY_UPLOADED"

    def __init__(self) -> None:
        super().__init__("This file was sent already; ask for another address to send another.")


class UploadOvertaken(DomainError):
    """A later attempt to send the same file has begun."""

    code = "UPLOAD_OVERTAKEN"

    def __init__(self) -> None:
        super().__init__("Somebody has begun to send this file once more.")


async def request_photo_upload(work: Work, actor: Actor, persona_id: UUID) -> Upload:
    """Announce a photo of a persona."""
    actor.require(Permission.EDIT_PERSONAS)
    persona = await work.get(Persona, persona_id)
    if persona.archived_at is not None:
        raise PersonaArchived
    return await work.add(
        Upload(
            id=new_id(),
            purpose=UploadPurpose.PERSONA_PHOTO,
            file_name="photo",
            created_by=actor.user_id,
            created_at=work.now,
            persona_id=persona.id,
        )
    )


async def request_import_upload(work: Work, actor: Actor, *, file_name: str, size: int) -> Upload:
    """Announce a file to import, of a known size, and let go of old ones that nobody used."""
    actor.require(Permission.IMPORT_LEADS)
    name = require_text(file_name, name="The file's name", path=("fileName",))
    if size > LARGEST_IMPORT_BYTES:
        raise FileTooLarge(LARGEST_IMPORT_BYTES, path=("size",))
    if size < 1:
        raise Invalid("An empty file holds no leads.", path=("size",))
    for unused in await work.ask(UnusedUploads(before=work.now - KEPT, limit=_MOST_DROPPED)):
        await work.delete(UploadChunk, upload_id=unused)
    return await work.add(
        Upload(
            id=new_id(),
            purpose=UploadPurpose.IMPORT,
            file_name=name,
            created_by=actor.user_id,
            created_at=work.now,
            size=size,
        )
    )


async def sender_of(work: Work, upload: Upload) -> Actor:
    """Return who asked for an upload's address, with what he or she may do by now.

    Raises:
        PermissionDenied: if it is a user who has been made inactive.
    """
    if upload.created_by is None:
        permissions = frozenset({upload.purpose.needs})
        return Actor(tenant_id=work.tenant_id, user_id=None, permissions=permissions)
    sender = actor_of(await work.get(User, upload.created_by), work.tenant_id)
    if sender is None:
        raise PermissionDenied("Whoever asked for this address is no longer active.")
    return sender


async def begin_upload(work: Work, upload_id: UUID) -> Upload:
    """Begin to receive a file, afresh if an earlier attempt broke off, and overtake that one.

    Raises:
        AlreadyUploaded: if it is complete.
        PermissionDenied: if whoever asked for the address may not do so any more.
    """
    upload = await work.get(Upload, upload_id, lock=True)
    (await sender_of(work, upload)).require(upload.purpose.needs)
    if upload.completed_at is not None:
        raise AlreadyUploaded
    await work.delete(UploadChunk, upload_id=upload.id)
    return await work.save(upload)


async def keep_chunk(work: Work, upload: Upload, position: int, content: bytes) -> None:
    """Keep the next piece of a file that is being received."""
    await _current(work, upload)
    chunk = UploadChunk(id=new_id(), upload_id=upload.id, position=position, content=content)
    await work.add(chunk)


async def finish_upload(work: Work, upload: Upload, *, received: int) -> Upload:
    """Declare a file complete.

    Raises:
        SizeMismatch: if less came than was announced.
        UploadOvertaken: if a later attempt has begun.
    """
    await _current(work, upload)
    if received != upload.size:
        raise SizeMismatch(received, upload.size)
    return await work.save(replace(upload, completed_at=work.now))


async def keep_photo(work: Work, upload: Upload, photo: Photo, *, received: int) -> Persona:
    """Give a persona its photo, and let go of the one before.

    Raises:
        PersonaArchived: if the persona was archived in the meantime.
        UploadOvertaken: if a later attempt has begun.
    """
    await _current(work, upload)
    if upload.persona_id is None:
        raise ValueError("this file is no persona's photo")
    persona = await work.get(Persona, upload.persona_id, lock=True)
    if persona.archived_at is not None:
        raise PersonaArchived
    await work.add(photo)
    before = persona.photo_id
    persona = await work.save(replace(persona, photo_id=photo.id))
    if before is not None:
        await work.delete(Photo, id=before)
    await work.save(replace(upload, size=received, completed_at=work.now))
    work.record(PersonaChanged(at=work.now, by=upload.created_by, persona_id=persona.id))
    return persona


async def _current(work: Work, upload: Upload) -> None:
    """Refuse an attempt that a later one has overtaken, and hold off others until the end."""
    stored = await work.get(Upload, upload.id, lock=True)
    if stored.version != upload.version:
        raise UploadOvertaken
