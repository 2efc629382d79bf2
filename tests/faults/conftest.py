"""Tests that kill, stop and cut, on a PostgreSQL of their own.

They run one after the other, because each is about time, and two at once would disturb each other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infra.embedded import EmbeddedPostgres
from infra.migrate import upgrade
from infra.settings import APP_ROLE, PLATFORM_ROLE, role_password
from tests.conftest import DatabaseUrls
from tests.faults.places import OwnPostgres, a_tenant, behind_proxy
from tests.faults.proxy import FaultProxy
from tests.world import World


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.xdist_group("faults"))


@pytest.fixture(scope="session")
async def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OwnPostgres]:
    """A durable server, migrated, which the tests of this folder share."""
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres")) as server:
        owner = server.url()
        await upgrade(
            owner,
            app_password=role_password(owner, APP_ROLE),
            platform_password=role_password(owner, PLATFORM_ROLE),
        )
        yield OwnPostgres(server, DatabaseUrls.of(owner))


@pytest.fixture
async def postgres(own_postgres: OwnPostgres) -> AsyncIterator[OwnPostgres]:
    """The same server, which runs again after each test."""
    yield own_postgres
    own_postgres.go_on()
    if not own_postgres.processes:
        await own_postgres.start_again()


@pytest.fixture
async def tenant(postgres: OwnPostgres) -> AsyncIterator[World]:
    """A tenant, over connections that no fault is done to on purpose."""
    async with a_tenant(postgres.urls) as world:
        yield world


@pytest.fixture
async def line(postgres: OwnPostgres) -> AsyncIterator[tuple[FaultProxy, DatabaseUrls]]:
    """A proxy before the server, and the addresses that lead through it."""
    async with behind_proxy(postgres) as line:
        yield line
