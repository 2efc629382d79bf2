import pytest

from tests.api.engine.world import Context, World, an_engine


@pytest.fixture
def world():
    return World()


@pytest.fixture
def context(world):
    return Context(world)


@pytest.fixture
async def engine():
    engine = an_engine()
    yield engine
    await engine.aclose()
