"""Pages far from the first cost no more than the first."""

from __future__ import annotations

from typing import Any

import pytest

from domain.ids import new_id
from domain.leads import Lead
from domain.paging import Listing, Order, PageRequest
from domain.stages import Stage
from tests.world import NOON, World


class Overheard:
    """A connection whose statements are explained and not asked."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.text = ""

    async def fetch(self, text: str, *values: Any) -> list[Any]:
        # Run as it is: the planner's choice depends on what other tests have stored.
        self.text = text
        found: list[Any] = await self._connection.fetch(text, *values)
        return found


@pytest.mark.parametrize(
    ("descending", "backward", "bound"),
    [
        (False, False, "created_at >="),
        (True, False, "created_at <="),
        (False, True, "created_at <="),
        (True, True, "created_at >="),
    ],
)
async def test_an_index_can_begin_at_the_cursor(
    world: World, descending: bool, backward: bool, bound: str
) -> None:
    page = PageRequest(cursor=(NOON.isoformat(), str(new_id())), backward=backward)
    listing: Listing[Lead] = Listing(
        kind=Lead, equals={"stage": Stage.MQL}, order=(Order("created_at", descending),), page=page
    )
    async with world.work() as work:
        overheard = Overheard(work.connection)
        work.connection = overheard
        await work.ask(listing)
        work.connection = overheard._connection

    # One plain bound beside the alternatives is what an index can begin at.
    assert f" AND leads.{bound} $" in overheard.text
