"""A site, a tenant that lives now, and a client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.api.idempotency.asking import Client, a_client
from tests.api.sites import Site, a_site
from tests.world import World


@pytest.fixture(scope="module")
async def site(database_urls: Any) -> AsyncIterator[Site]:
    async with a_site(database_urls, WORKER="0") as site:
        yield site


@pytest.fixture
async def client(site: Site, today: World) -> AsyncIterator[Client]:
    async with a_client(site, today) as client:
        yield client
