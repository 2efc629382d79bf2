import httpx
import pytest

from api.engine import Gauges
from tests.api.transport.sites import a_site


@pytest.fixture(scope="module")
async def open_site():
    async with a_site() as site:
        yield site


@pytest.fixture
async def site(open_site):
    """The site of the module, with a new world: starting a server for each test takes long."""
    open_site.world.__init__()
    open_site.door.sessions.clear()
    yield open_site
    open_site.world.gate.set()
    assert await open_site.settled() == Gauges()


@pytest.fixture
async def client():
    async with httpx.AsyncClient(timeout=60) as client:
        yield client
