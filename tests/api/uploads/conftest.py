"""A tenant whose uploads are taken, and a persona without a photo."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import httpx
import pytest
from starlette.applications import Starlette

from api.uploads import upload_routes
from domain.ids import new_id
from domain.personas import Persona
from infra.database import Database
from infra.settings import Settings
from infra.signing import UrlSigner
from tests.api.uploads.sending import MAX_PHOTO_BYTES, PUBLIC_URL
from tests.world import World, make_world


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
