"""Files to import are sent, whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from domain.upload_flow import CHUNK_BYTES
from domain.uploads import Upload, UploadChunk
from tests.api.uploads.sending import IMPORT_UPLOAD, import_ticket, in_pieces, stored
from tests.world import World


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
