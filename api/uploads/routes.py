"""Files over HTTP: sent by PUT to a signed address, photos shown by another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.cause import cause_of
from api.transport.sessions import request_id_of
from domain import ids
from domain.audit import AuditActorKind, Cause
from domain.errors import DomainError, NotFound, PermissionDenied, StaleWrite
from domain.identity import User
from domain.ids import new_id
from domain.personas import PersonaArchived, Photo
from domain.upload_flow import (
    CHUNK_BYTES,
    UPLOAD_LIFE,
    AlreadyUploaded,
    FileTooLarge,
    UploadOvertaken,
    begin_upload,
    finish_upload,
    keep_chunk,
    keep_photo,
)
from domain.uploads import Upload, UploadPurpose
from infra import photos
from infra.services import Services
from infra.signing import BadSignature, Purpose

# How long a sender may say nothing.
SILENCE_SECONDS = 30.0
# An address of a photo is good for one to two hours, and the same for an hour, so that it caches.
_PHOTO_HOUR = timedelta(hours=1)

_STATUS: dict[type[DomainError], int] = {
    BadSignature: 403,
    PermissionDenied: 403,
    NotFound: 404,
    AlreadyUploaded: 409,
    UploadOvertaken: 409,
    PersonaArchived: 409,
    StaleWrite: 409,
    FileTooLarge: 413,
    photos.ImageTooLarge: 413,
}
_PHOTO_HEADERS = {
    "Cache-Control": f"private, max-age={int(_PHOTO_HOUR.total_seconds())}, immutable",
    "Content-Disposition": "inline",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def upload_routes(services: Services) -> list[Route]:
    """Return the routes that take files and show photos."""
    files = _Files(services)
    return [
        Route("/uploads/{token}", files.receive, methods=["PUT"]),
        Route("/photos/{token}", files.show_photo, methods=["GET"]),
    ]


def upload_url(services: Services, tenant_id: UUID, upload: Upload) -> str:
    """Return the address a file may be sent to for a while after it was announced."""
    token = services.signer.sign(
        Purpose.UPLOAD,
        {"tenant": tenant_id.hex, "upload": upload.id.hex},
        expires_at=upload.created_at + UPLOAD_LIFE,
    )
    return f"{services.settings.public_url}/uploads/{token}"


def photo_url(services: Services, tenant_id: UUID, photo_id: UUID, *, now: datetime) -> str:
    """Return an address that shows a photo for an hour at least."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    token = services.signer.sign(
        Purpose.PHOTO,
        {"tenant": tenant_id.hex, "photo": photo_id.hex},
        expires_at=hour + 2 * _PHOTO_HOUR,
    )
    return f"{services.settings.public_url}/photos/{token}"


def largest_photo(services: Services) -> int:
    """Return how many bytes a photo may have."""
    return min(services.settings.max_photo_bytes, photos.MAX_UPLOAD_BYTES)


class _Files:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def receive(self, request: Request) -> Response:
        """Take a file.  What is refused, or breaks off, can be sent again to the same address."""
        try:
            tenant_id, upload_id = await self._signed(request, Purpose.UPLOAD, "upload")
            async with self._services.database.work(tenant_id, cause=_cause(request)) as work:
                upload = await begin_upload(work, upload_id)
            if upload.purpose is UploadPurpose.PERSONA_PHOTO:
                return await self._receive_photo(request, tenant_id, upload)
            return await self._receive_import(request, tenant_id, upload)
        except DomainError as refusal:
            return _refused(refusal)
        except TimeoutError:
            return _answer(408, "TIMED_OUT", "Nothing came for too long; send the file again.")
        except ClientDisconnect:
            return _answer(400, "BROKEN_OFF", "The file broke off; send it again.")

    async def _receive_photo(self, request: Request, tenant_id: UUID, upload: Upload) -> Response:
        most = largest_photo(self._services)
        content = bytearray()
        async for piece in _pieces(request, most):
            content += piece
        drawn = await photos.reencode(bytes(content))
        sender = await self._sender(request, tenant_id, upload)
        async with self._services.database.work(
            tenant_id, by=upload.created_by, cause=sender
        ) as work:
            photo = Photo(
                id=new_id(),
                content_type=photos.CONTENT_TYPE,
                width=drawn.width,
                height=drawn.height,
                content=drawn.content,
                created_at=work.now,
            )
            persona = await keep_photo(work, upload, photo, received=len(content))
            url = photo_url(self._services, tenant_id, photo.id, now=work.now)
        return JSONResponse(
            {
                "upload": ids.public("Upload", upload.id),
                "size": len(content),
                "persona": ids.public("Persona", persona.id),
                "photoUrl": url,
                "width": photo.width,
                "height": photo.height,
            }
        )

    async def _receive_import(self, request: Request, tenant_id: UUID, upload: Upload) -> Response:
        """Keep the file piece by piece: between pieces no connection is held, nor earlier ones."""
        database = self._services.database
        position = received = 0
        async for chunk in _chunks(_pieces(request, upload.size)):
            async with database.work(tenant_id, by=upload.created_by) as work:
                await keep_chunk(work, upload, position, chunk)
            position, received = position + 1, received + len(chunk)
        async with database.work(tenant_id, by=upload.created_by) as work:
            await finish_upload(work, upload, received=received)
        return JSONResponse({"upload": ids.public("Upload", upload.id), "size": received})

    async def show_photo(self, request: Request) -> Response:
        """Show a photo, which never changes: a new one has another address."""
        try:
            tenant_id, photo_id = await self._signed(request, Purpose.PHOTO, "photo")
            tag = f'"{photo_id.hex}"'
            if request.headers.get("if-none-match") == tag:
                return Response(status_code=304, headers={**_PHOTO_HEADERS, "ETag": tag})
            async with self._services.database.work(tenant_id, read_only=True) as work:
                photo = await work.get(Photo, photo_id)
        except DomainError as refusal:
            return _refused(refusal)
        headers = {**_PHOTO_HEADERS, "ETag": tag}
        return Response(photo.content, media_type=photo.content_type, headers=headers)

    async def _sender(self, request: Request, tenant_id: UUID, upload: Upload) -> Cause:
        """Return who was given the address that a file is sent to, and from where it is sent."""
        cause = _cause(request)
        if upload.created_by is None:
            return replace(cause, actor_kind=AuditActorKind.API_KEY, actor_name="an API key")
        async with self._services.database.work(tenant_id, read_only=True) as work:
            user = await work.get(User, upload.created_by)
        return replace(
            cause, actor_kind=AuditActorKind.USER, actor_id=user.id, actor_name=user.name
        )

    async def _signed(self, request: Request, purpose: Purpose, name: str) -> tuple[UUID, UUID]:
        """Return the tenant and the id that an address was signed for."""
        payload = self._services.signer.verify(
            purpose, request.path_params["token"], now=await self._services.database.now()
        )
        return UUID(hex=str(payload["tenant"])), UUID(hex=str(payload[name]))


def _cause(request: Request) -> Cause:
    return cause_of(request, request_id_of(request)).doing("upload")


async def _pieces(request: Request, most: int) -> AsyncIterator[bytes]:
    """Return a body as it comes.

    Raises:
        FileTooLarge: as soon as it is known to have more than `most` bytes.
        TimeoutError: if nothing comes for too long.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and (len(announced) > 15 or int(announced) > most):
        raise FileTooLarge(most)
    stream, received = request.stream(), 0
    while True:
        async with asyncio.timeout(SILENCE_SECONDS):
            piece = await anext(stream, None)
        if piece is None:
            return
        received += len(piece)
        if received > most:
            raise FileTooLarge(most)
        yield piece


async def _chunks(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Return the same bytes in chunks of one size, but for the last."""
    waiting = bytearray()
    async for piece in pieces:
        waiting += piece
        while len(waiting) >= CHUNK_BYTES:
            yield bytes(waiting[:CHUNK_BYTES])
            del waiting[:CHUNK_BYTES]
    if waiting:
        yield bytes(waiting)


def _refused(refusal: DomainError) -> Response:
    status = next((code for kind, code in _STATUS.items() if isinstance(refusal, kind)), 422)
    return _answer(status, refusal.code, refusal.message)


def _answer(status: int, code: str, message: str) -> Response:
    error = {"error": {"code": code, "message": message}}
    return JSONResponse(error, status_code=status, headers={"Cache-Control": "no-store"})
