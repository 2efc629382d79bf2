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
        self.plan = ""

    async def fetch(self, text: str, *values: Any) -> list[Any]:
        await self._connection.execute("SET LOCAL enable_seqscan = off")
        await self._connection.execute("SET LOCAL enable_bitmapscan = off")
        rows = await self._connection.fetch(f"EXPLAIN (COSTS OFF) {text}", *values)
        self.plan = "\n".join(row[0] for row in rows)
        return []


@pytest.mark.parametrize(
    ("descending", "backward", "bound"),
    [
        (False, False, "created_at >="),
        (True, False, "created_at <="),
        (False, True, "created_at <="),
        (True, True, "created_at >="),
    ],
)
async def test_the_index_is_entered_at_the_cursor(
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

    (condition,) = [line for line in overheard.plan.splitlines() if "Index Cond" in line]
    assert bound in condition
