from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from domain.errors import DomainError, Invalid, NotFound, PermissionDenied
from domain.events import PersonaChanged
from domain.identity import ROLE_PERMISSIONS, Actor, Role, User
from domain.ids import new_id
from domain.personas import Persona, PersonaArchived, Photo
from domain.upload_flow import (
    KEPT,
    LARGEST_IMPORT_BYTES,
    AlreadyUploaded,
    FileTooLarge,
    SizeMismatch,
    UnusedUploads,
    UploadOvertaken,
    begin_upload,
    finish_upload,
    keep_chunk,
    keep_photo,
    request_import_upload,
    request_photo_upload,
)
from domain.uploads import Upload, UploadChunk, UploadPurpose
from tests.fakes import FakeWork

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
MIA = User(
    id=new_id(),
    account_id=new_id(),
    email="mia@example.com",
    name="Mia",
    role=Role.MANAGER,
    created_at=NOON,
)


def an_actor(role: Role = Role.MANAGER) -> Actor:
    return Actor(tenant_id=new_id(), user_id=MIA.id, permissions=ROLE_PERMISSIONS[role])


def a_persona(**more: Any) -> Persona:
    return Persona(
        id=new_id(),
        name="Helga",
        job_title="Head of IT",
        goals=(),
        challenges=(),
        buying_questions=(),
        criterion=None,
        rank=1,
        number=1,
        created_at=NOON,
        **more,
    )


def a_photo() -> Photo:
    return Photo(
        id=new_id(),
        content_type="image/webp",
        width=1,
        height=1,
        content=b"pixels",
        created_at=NOON,
    )


def an_upload(**more: Any) -> Upload:
    known: dict[str, Any] = {"purpose": UploadPurpose.IMPORT, "created_by": MIA.id, "size": 5}
    return Upload(id=new_id(), file_name="leads.csv", created_at=NOON, **{**known, **more})


def a_photo_upload(persona: Persona) -> Upload:
    return an_upload(purpose=UploadPurpose.PERSONA_PHOTO, persona_id=persona.id, size=0)


# --- Announcing


async def test_an_import_is_announced_with_its_size_and_makes_room() -> None:
    old = UploadChunk(id=new_id(), upload_id=new_id(), position=0, content=b"email")
    asked: list[UnusedUploads] = []

    def unused(question: UnusedUploads) -> list[UUID]:
        asked.append(question)
        return [old.upload_id]

    work = FakeWork(NOON, old, answers={UnusedUploads: unused})

    upload = await request_import_upload(work, an_actor(), file_name=" leads.csv ", size=5)

    assert upload == Upload(
        id=upload.id,
        purpose=UploadPurpose.IMPORT,
        file_name="leads.csv",
        created_by=MIA.id,
        created_at=NOON,
        size=5,
    )
    assert await work.find(Upload) == [upload]
    assert asked == [UnusedUploads(before=NOON - KEPT, limit=20)]
    assert await work.find(UploadChunk) == []


@pytest.mark.parametrize(
    ("name", "size", "refusal", "path"),
    [
        ("leads.csv", LARGEST_IMPORT_BYTES + 1, FileTooLarge, ("size",)),
        ("leads.csv", 0, Invalid, ("size",)),
        ("leads.csv", -1, Invalid, ("size",)),
        (" ", 5, Invalid, ("fileName",)),
        ("a\x00b", 5, Invalid, ("fileName",)),
        ("x" * 201, 5, Invalid, ("fileName",)),
    ],
)
async def test_a_file_that_cannot_be_imported_is_not_announced(
    name: str, size: int, refusal: type[DomainError], path: tuple[str, ...]
) -> None:
    work = FakeWork(NOON)

    with pytest.raises(refusal) as refused:
        await request_import_upload(work, an_actor(), file_name=name, size=size)

    assert refused.value.path == path
    assert await work.find(Upload) == []


async def test_members_announce_nothing() -> None:
    persona = a_persona()
    work, member = FakeWork(NOON, persona), an_actor(Role.MEMBER)

    with pytest.raises(PermissionDenied):
        await request_import_upload(work, member, file_name="leads.csv", size=5)
    with pytest.raises(PermissionDenied):
        await request_photo_upload(work, member, persona.id)

    assert await work.find(Upload) == []


async def test_a_photo_is_announced_for_a_persona_in_use() -> None:
    persona, archived = a_persona(), a_persona(archived_at=NOON)
    work = FakeWork(NOON, persona, archived)

    upload = await request_photo_upload(work, an_actor(), persona.id)

    assert (upload.purpose, upload.persona_id) == (UploadPurpose.PERSONA_PHOTO, persona.id)
    with pytest.raises(PersonaArchived):
        await request_photo_upload(work, an_actor(), archived.id)
    with pytest.raises(NotFound):
        await request_photo_upload(work, an_actor(), new_id())
    assert await work.find(Upload) == [upload]


# --- Receiving


async def test_a_file_is_kept_in_pieces_and_complete_at_the_end() -> None:
    upload = an_upload()
    work = FakeWork(NOON, MIA, upload)

    receiving = await begin_upload(work, upload.id)
    await keep_chunk(work, receiving, 0, b"abc")
    await keep_chunk(work, receiving, 1, b"de")
    done = await finish_upload(work, receiving, received=5)

    assert done == replace(upload, completed_at=NOON, version=3)
    chunks = await work.find(UploadChunk, upload_id=upload.id)
    assert [(chunk.position, chunk.content) for chunk in chunks] == [(0, b"abc"), (1, b"de")]


async def test_a_broken_attempt_is_repeated_from_the_beginning_and_overtaken() -> None:
    upload = an_upload()
    work = FakeWork(NOON, MIA, upload)
    broken = await begin_upload(work, upload.id)
    await keep_chunk(work, broken, 0, b"abc")

    again = await begin_upload(work, upload.id)
    await keep_chunk(work, again, 0, b"abcde")

    with pytest.raises(UploadOvertaken):
        await keep_chunk(work, broken, 1, b"de")
    with pytest.raises(UploadOvertaken):
        await finish_upload(work, broken, received=5)
    await finish_upload(work, again, received=5)
    assert [chunk.content for chunk in await work.find(UploadChunk)] == [b"abcde"]


async def test_less_than_was_announced_is_not_complete() -> None:
    upload = an_upload()
    work = FakeWork(NOON, MIA, upload)
    receiving = await begin_upload(work, upload.id)

    with pytest.raises(SizeMismatch):
        await finish_upload(work, receiving, received=4)

    assert await work.find(Upload) == [receiving]


@pytest.mark.parametrize(
    ("sender", "upload", "refusal"),
    [
        (MIA, an_upload(completed_at=NOON), AlreadyUploaded),
        (replace(MIA, active=False), an_upload(), PermissionDenied),
        (replace(MIA, role=Role.MEMBER), an_upload(), PermissionDenied),
    ],
)
async def test_a_file_is_received_only_once_and_from_who_may_still_send_it(
    sender: User, upload: Upload, refusal: type[DomainError]
) -> None:
    chunk = UploadChunk(id=new_id(), upload_id=upload.id, position=0, content=b"abc")
    work = FakeWork(NOON, sender, upload, chunk)

    with pytest.raises(refusal):
        await begin_upload(work, upload.id)

    assert (await work.find(Upload), await work.find(UploadChunk)) == ([upload], [chunk])


async def test_a_machine_that_asked_for_the_address_may_send() -> None:
    upload = an_upload(created_by=None)
    work = FakeWork(NOON, upload)

    assert await begin_upload(work, upload.id) == replace(upload, version=2)


# --- Photos


async def test_a_new_photo_takes_the_place_of_the_old_one() -> None:
    old, new = a_photo(), a_photo()
    persona = a_persona(photo_id=old.id)
    upload = a_photo_upload(persona)
    work = FakeWork(NOON, MIA, old, persona, upload)

    receiving = await begin_upload(work, upload.id)
    changed = await keep_photo(work, receiving, new, received=7)

    assert changed == replace(persona, photo_id=new.id, version=2)
    assert await work.find(Photo) == [new]
    assert await work.find(Upload) == [replace(upload, size=7, completed_at=NOON, version=3)]
    assert work.events == [PersonaChanged(at=NOON, by=MIA.id, persona_id=persona.id)]


async def test_a_photo_comes_too_late_for_an_archived_persona() -> None:
    persona = a_persona(archived_at=NOON)
    upload = a_photo_upload(persona)
    work = FakeWork(NOON, MIA, persona, upload)

    with pytest.raises(PersonaArchived):
        await keep_photo(work, upload, a_photo(), received=7)

    assert (await work.find(Persona), await work.find(Photo)) == ([persona], [])
