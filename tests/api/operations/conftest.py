"""The whole application, an office in it, and a front end that everybody shares."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from infra.database import Database
from infra.passwords import Passwords
from tests.api.offices import Office, open_office
from tests.api.operations.front_end import FrontEnd
from tests.api.sites import Site, a_site
from tests.conftest import DatabaseUrls
from tests.passwords import QUICK


@pytest.fixture(scope="module")
async def site(
    database_urls: DatabaseUrls, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    mails = tmp_path_factory.mktemp("mails").as_uri()
    async with a_site(database_urls, MAIL_URL=mails) as site:
        yield site


@pytest.fixture(scope="module")
async def office(database_urls: DatabaseUrls) -> AsyncIterator[Office]:
    database = await Database.connect(
        database_urls.app, database_urls.platform, size=2, wait_seconds=60
    )
    passwords = Passwords(QUICK)
    yield await open_office(database, passwords)
    passwords.close()
    await database.close()


@pytest.fixture(scope="module")
async def front_end(site: Site) -> AsyncIterator[FrontEnd]:
    front_end = FrontEnd(site.url)
    yield front_end
    await front_end.client.aclose()
