"""Photos of personas are sent, drawn afresh and shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO

import httpx
import pytest
from PIL import Image

from domain.audit import AuditActorKind, AuditEntry, FieldChange
from domain.ids import public
from domain.personas import Persona, Photo
from domain.uploads import Upload
from tests.api.uploads.sending import (
    MAX_PHOTO_BYTES,
    PHOTO_URL,
    PUBLIC_URL,
    a_picture,
    photo_ticket,
    stored,
)
from tests.world import World


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
