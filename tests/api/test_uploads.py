from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image
from starlette.applications import Starlette

from api.uploads import upload_routes
from domain.audit import AuditActorKind, AuditEntry, FieldChange
from domain.ids import expect, new_id, public
from domain.personas import Persona, Photo
from domain.upload_flow import CHUNK_BYTES
from domain.uploads import Upload, UploadChunk
from infra.database import Database
from infra.settings import Settings
from infra.signing import Purpose, UrlSigner
from tests.world import World, make_world

PUBLIC_URL = "https://smarketing.example"
MAX_PHOTO_BYTES = 200_000
PHOTO_UPLOAD = """mutation($persona: ID!) { personaPhotoUpload(input: {persona: $persona}) {
  uploadTicket { uploadUrl method maxBytes expiresAt upload { id purpose completedAt } }
  userErrors { code path }
}}"""
IMPORT_UPLOAD = """mutation($name: String!, $size: Int!) {
  importUpload(input: {fileName: $name, size: $size}) {
    uploadTicket { uploadUrl method maxBytes expiresAt upload { id fileName size } }
    userErrors { code path }
}}"""
PHOTO_URL = "query($id: ID!) { persona(id: $id) { photoUrl } }"


@pytest.fixture
async def world(database: Database, clock: dict[str, datetime]) -> World:
    settings = Settings.from_env(
        {
            "DATABASE_URL": "postgresql://owner@127.0.0.1/nowhere",
            "SMARKETING_SECRET": "s" * 32,
            "PUBLIC_URL": PUBLIC_URL,
            "MAX_PHOTO_BYTES": str(MAX_PHOTO_BYTES),
        }
    )
    return await make_world(database, clock, settings=settings, signer=UrlSigner(settings.secret))


@pytest.fixture
async def web(world: World) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(Starlette(routes=[*upload_routes(world.services)]))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        yield client


@pytest.fixture
async def persona(world: World) -> Persona:
    async with world.work() as work:
        added: Persona = await work.add(
            Persona(
                id=new_id(),
                name="Helga",
                job_title="Head of IT",
                goals=(),
                challenges=(),
                buying_questions=(),
                criterion=None,
                rank=1,
                number=1,
                created_at=world.now,
            )
        )
    return added


def a_picture(width: int = 40, height: int = 30, color: str = "red") -> bytes:
    content = BytesIO()
    exif = Image.Exif()
    exif[0x9286] = "taken at home"
    Image.new("RGB", (width, height), color).save(content, "JPEG", exif=exif)
    return content.getvalue()


async def photo_ticket(world: World, persona: Persona) -> dict[str, Any]:
    answer = await world.data(
        PHOTO_UPLOAD, {"persona": public("Persona", persona.id)}, as_=world.marketer
    )
    assert answer["personaPhotoUpload"]["userErrors"] == []
    ticket: dict[str, Any] = answer["personaPhotoUpload"]["uploadTicket"]
    return ticket


async def import_ticket(world: World, size: int) -> dict[str, Any]:
    answer = await world.data(
        IMPORT_UPLOAD, {"name": "leads.csv", "size": size}, as_=world.marketer
    )
    assert answer["importUpload"]["userErrors"] == []
    ticket: dict[str, Any] = answer["importUpload"]["uploadTicket"]
    return ticket


async def stored(world: World, kind: type) -> list[Any]:
    async with world.work() as work:
        return list(await work.find(kind))


async def in_pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


# --- Photos


async def test_a_photo_is_sent_drawn_afresh_and_shown(
    world: World, web: httpx.AsyncClient, persona: Persona
) -> None:
    ticket = await photo_ticket(world, persona)
    upload = ticket["upload"].pop("id")
    url = ticket.pop("uploadUrl")
    assert ticket == {
        "method": "PUT",
        "maxBytes": MAX_PHOTO_BYTES,
        "expiresAt": "2026-03-10T12:15:00Z",
        "upload": {"purpose": "PERSONA_PHOTO", "completedAt": None},
    }
    assert url.startswith(f"{PUBLIC_URL}/uploads/")

    sent = a_picture()
    answer = await web.put(url, content=sent)
    shown = await world.data(PHOTO_URL, {"id": public("Persona", persona.id)}, as_=world.analyst)
    photo_url = shown["persona"]["photoUrl"]
    photo = await web.get(photo_url)

    assert (answer.status_code, answer.json()) == (
        200,
        {
            "upload": upload,
            "size": len(sent),
            "persona": public("Persona", persona.id),
            "photoUrl": photo_url,
            "width": 40,
            "height": 30,
        },
    )
    assert photo.status_code == 200
    assert dict(photo.headers) == {
        "content-type": "image/webp",
        "content-length": str(len(photo.content)),
        "cache-control": "private, max-age=3600, immutable",
        "content-disposition": "inline",
        "content-security-policy": "default-src 'none'; sandbox",
        "cross-origin-resource-policy": "cross-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "etag": photo.headers["etag"],
    }
    with Image.open(BytesIO(photo.content)) as image:
        assert (image.format, image.size) == ("WEBP", (40, 30))
    assert b"taken at home" not in photo.content
    [kept] = await stored(world, Upload)
    assert (kept.size, kept.completed_at) == (len(sent), world.now)


async def test_a_photo_is_told_in_the_audit_log_of_whoever_was_given_the_address(
    world: World, web: httpx.AsyncClient, persona: Persona
) -> None:
    ticket = await photo_ticket(world, persona)
    await web.put(ticket["uploadUrl"], content=a_picture(), headers={"User-Agent": "a camera"})

    (entry,) = [e for e in await stored(world, AuditEntry) if e.action == "upload"]
    photo = (await stored(world, Persona))[0].photo_id
    assert (entry.actor_kind, entry.actor_id) == (AuditActorKind.USER, world.marketer.id)
    assert (entry.actor_name, entry.user_agent) == ("Mia", "a camera")
    assert (entry.subject_kind, entry.subject_id) == ("Persona", persona.id)
    assert entry.changes == (
        FieldChange(field="photoId", before=None, after=public("Photo", photo)),
    )


async def test_a_photos_address_is_the_same_for_an_hour_and_then_ends(
    world: World, web: httpx.AsyncClient, persona: Persona
) -> None:
    await web.put((await photo_ticket(world, persona))["uploadUrl"], content=a_picture())
    ask = {"id": public("Persona", persona.id)}
    first = (await world.data(PHOTO_URL, ask))["persona"]["photoUrl"]

    world.wait(minutes=59)
    same = (await world.data(PHOTO_URL, ask))["persona"]["photoUrl"]
    world.wait(minutes=1)
    other = (await world.data(PHOTO_URL, ask))["persona"]["photoUrl"]
    unchanged = await web.get(
        first, headers={"If-None-Match": (await web.get(first)).headers["etag"]}
    )
    world.wait(hours=1)
    ended = await web.get(first)

    assert (first == same, first == other) == (True, False)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert (ended.status_code, ended.json()["error"]["code"]) == (403, "LINK_EXPIRED")


async def test_a_new_photo_takes_the_place_of_the_old_one(
    world: World, web: httpx.AsyncClient, persona: Persona
) -> None:
    ask = {"id": public("Persona", persona.id)}
    await web.put((await photo_ticket(world, persona))["uploadUrl"], content=a_picture())
    old = (await world.data(PHOTO_URL, ask))["persona"]["photoUrl"]

    await web.put(
        (await photo_ticket(world, persona))["uploadUrl"], content=a_picture(color="blue")
    )

    gone = await web.get(old)
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert len(await stored(world, Photo)) == 1


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "NOT_AN_IMAGE"),
        (b"<svg onload='alert(1)'/>", 422, "NOT_AN_IMAGE"),
        (a_picture()[:100], 422, "NOT_AN_IMAGE"),
        (b"\xff" * (MAX_PHOTO_BYTES + 1), 413, "FILE_TOO_LARGE"),
    ],
)
async def test_what_is_no_photo_is_refused_and_can_be_mended(
    world: World,
    web: httpx.AsyncClient,
    persona: Persona,
    content: bytes,
    status: int,
    code: str,
) -> None:
    url = (await photo_ticket(world, persona))["uploadUrl"]

    refused = await web.put(url, content=content)

    assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)
    assert (await stored(world, Persona), await stored(world, Photo)) == ([persona], [])
    assert (await web.put(url, content=a_picture())).status_code == 200


async def test_a_photo_that_hides_its_size_is_cut_off(
    world: World, web: httpx.AsyncClient, persona: Persona
) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 64 * 1024
            yield b"\xff" * 64 * 1024

    url = (await photo_ticket(world, persona))["uploadUrl"]
    refused = await web.put(url, content=endless())

    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "FILE_TOO_LARGE")
    assert taken <= MAX_PHOTO_BYTES + 2 * 64 * 1024


async def test_a_photo_is_sent_once(world: World, web: httpx.AsyncClient, persona: Persona) -> None:
    url = (await photo_ticket(world, persona))["uploadUrl"]
    await web.put(url, content=a_picture())
    before = await stored(world, Photo)

    again = await web.put(url, content=a_picture(color="blue"))

    assert (again.status_code, again.json()["error"]["code"]) == (409, "ALREADY_UPLOADED")
    assert await stored(world, Photo) == before


# --- Addresses


async def test_an_address_is_good_for_a_quarter_of_an_hour(
    world: World, web: httpx.AsyncClient, persona: Persona
) -> None:
    url = (await photo_ticket(world, persona))["uploadUrl"]
    world.wait(minutes=15)

    late = await web.put(url, content=a_picture())

    assert (late.status_code, late.json()["error"]["code"]) == (403, "LINK_EXPIRED")
    assert await stored(world, Persona) == [persona]


async def test_forged_addresses_and_those_of_another_purpose_are_refused(
    world: World, web: httpx.AsyncClient, persona: Persona
) -> None:
    url = (await photo_ticket(world, persona))["uploadUrl"]
    await web.put(url, content=a_picture())
    photo = (await world.data(PHOTO_URL, {"id": public("Persona", persona.id)}))["persona"][
        "photoUrl"
    ]
    token = url.rpartition("/")[2]
    forged = [
        await web.put(f"/uploads/{token[:-1]}{'A' if token[-1] != 'A' else 'B'}", content=b"x"),
        await web.put(f"/uploads/{photo.rpartition('/')[2]}", content=b"x"),
        await web.get(f"/photos/{token}"),
        await web.get("/photos/%00"),
        await web.put("/uploads/" + "x" * 5000, content=b"x"),
    ]

    assert [(each.status_code, each.json()["error"]["code"]) for each in forged] == [
        (403, "LINK_NOT_VALID")
    ] * 5


async def test_an_address_of_one_tenant_reaches_nothing_of_another(
    world: World, web: httpx.AsyncClient, other_world: World
) -> None:
    upload = await import_ticket(world, 5)
    upload_id = expect("Upload", upload["upload"]["id"])
    token = world.services.signer.sign(
        Purpose.UPLOAD,
        {"tenant": other_world.tenant.id.hex, "upload": upload_id.hex},
        expires_at=world.now.replace(hour=13),
    )

    answer = await web.put(f"/uploads/{token}", content=b"a,b\n1")

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert await stored(world, UploadChunk) == []


async def test_another_tenants_persona_gets_no_photo(
    world: World, other_world: World, persona: Persona
) -> None:
    other_world.services = world.services

    foreign, nowhere = [
        await other_world.ask(PHOTO_UPLOAD, {"persona": public("Persona", id)})
        for id in (persona.id, new_id())
    ]

    assert foreign == nowhere
    assert foreign["data"]["personaPhotoUpload"]["userErrors"][0]["code"] == "NOT_FOUND"
    assert await stored(other_world, Upload) == []


async def test_whoever_was_made_inactive_sends_nothing(
    world: World, web: httpx.AsyncClient, persona: Persona
) -> None:
    url = (await photo_ticket(world, persona))["uploadUrl"]
    async with world.work() as work:
        await work.save(replace(world.marketer, active=False))

    refused = await web.put(url, content=a_picture())

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert await stored(world, Persona) == [persona]


# --- Files of leads


async def test_a_file_is_kept_in_pieces_of_a_mebibyte(world: World, web: httpx.AsyncClient) -> None:
    content = bytes(range(256)) * (10 * CHUNK_BYTES // 1024)  # two and a half chunks
    ticket = await import_ticket(world, len(content))
    upload = ticket["upload"].pop("id")
    url = ticket.pop("uploadUrl")
    assert ticket == {
        "method": "PUT",
        "maxBytes": len(content),
        "expiresAt": "2026-03-10T12:15:00Z",
        "upload": {"fileName": "leads.csv", "size": len(content)},
    }

    answer = await web.put(url, content=in_pieces(content[:700_001], content[700_001:]))

    assert (answer.status_code, answer.json()) == (200, {"upload": upload, "size": len(content)})
    chunks = sorted(await stored(world, UploadChunk), key=lambda chunk: chunk.position)
    assert [len(chunk.content) for chunk in chunks] == [
        CHUNK_BYTES,
        CHUNK_BYTES,
        CHUNK_BYTES // 2,
    ]
    assert b"".join(chunk.content for chunk in chunks) == content
    [kept] = await stored(world, Upload)
    assert kept.completed_at == world.now


async def test_a_broken_upload_is_repeated_from_the_beginning(
    world: World, web: httpx.AsyncClient
) -> None:
    url = (await import_ticket(world, CHUNK_BYTES + 5))["uploadUrl"]
    content = b"a" * CHUNK_BYTES + b"b" * 5

    short = await web.put(url, content=in_pieces(content[:-1]))
    again = await web.put(url, content=in_pieces(content))

    assert (short.status_code, short.json()["error"]["code"]) == (422, "SIZE_MISMATCH")
    assert again.status_code == 200
    chunks = sorted(await stored(world, UploadChunk), key=lambda chunk: chunk.position)
    assert [chunk.content for chunk in chunks] == [content[:CHUNK_BYTES], b"bbbbb"]


async def test_of_two_attempts_at_once_the_later_one_counts(
    world: World, web: httpx.AsyncClient
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    content = b"x" * CHUNK_BYTES + b"y"
    url = (await import_ticket(world, len(content)))["uploadUrl"]

    async def slowly() -> AsyncIterator[bytes]:
        begun.set()
        yield b"z" * CHUNK_BYTES
        await go_on.wait()
        yield b"z"

    slow = asyncio.create_task(web.put(url, content=slowly()))
    await begun.wait()
    quick = await web.put(url, content=content)
    go_on.set()
    overtaken = await slow

    assert quick.status_code == 200
    assert (overtaken.status_code, overtaken.json()["error"]["code"]) == (
        409,
        "UPLOAD_OVERTAKEN",
    )
    chunks = sorted(await stored(world, UploadChunk), key=lambda chunk: chunk.position)
    assert b"".join(chunk.content for chunk in chunks) == content


@pytest.mark.parametrize("hidden", [False, True])
async def test_more_than_was_announced_is_refused(
    world: World, web: httpx.AsyncClient, hidden: bool
) -> None:
    url = (await import_ticket(world, 5))["uploadUrl"]

    refused = await web.put(url, content=in_pieces(b"abc", b"def") if hidden else b"abcdef")

    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "FILE_TOO_LARGE")
    [upload] = await stored(world, Upload)
    assert upload.completed_at is None


@pytest.mark.parametrize(
    ("name", "size", "code", "path"),
    [
        ("leads.csv", 256 * 1024 * 1024 + 1, "FILE_TOO_LARGE", ["size"]),
        ("leads.csv", 0, "INVALID", ["size"]),
        ("a\x00b", 5, "INVALID", ["fileName"]),
        ("x" * 201, 5, "INVALID", ["fileName"]),
    ],
)
async def test_a_file_that_cannot_be_imported_gets_no_address(
    world: World, name: str, size: int, code: str, path: list[str]
) -> None:
    answer = await world.data(IMPORT_UPLOAD, {"name": name, "size": size})

    assert answer["importUpload"] == {
        "uploadTicket": None,
        "userErrors": [{"code": code, "path": path}],
    }
    assert await stored(world, Upload) == []


async def test_members_get_no_address(world: World, persona: Persona) -> None:
    answers = [
        await world.ask(IMPORT_UPLOAD, {"name": "leads.csv", "size": 5}, as_=world.other_rep),
        await world.ask(
            PHOTO_UPLOAD, {"persona": public("Persona", persona.id)}, as_=world.other_rep
        ),
    ]

    codes = [answer["errors"][0]["extensions"]["code"] for answer in answers]
    assert codes == ["FORBIDDEN", "FORBIDDEN"]
    assert await stored(world, Upload) == []
