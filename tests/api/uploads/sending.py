"""What is asked for before a file is sent, and small files to send."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

from PIL import Image

from domain.ids import public
from domain.personas import Persona
from tests.world import World

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
