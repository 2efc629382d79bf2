"""How a sweep goes on, and whom it leaves waiting.  What it tells is tested with the worker."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from typing_extensions import override

from domain import handoff_flow
from domain.ids import new_id
from domain.sla.agreement import CommitmentKind
from domain.sla.clocks import SlaClock
from infra.outbox import publish_all
from infra.sweeper import LIMIT, Sweeper, _Turn
from tests.agreements import a_commitment, a_sla, an_mql, sign
from tests.world import World

# Sweeps are counted here, and every sweep is of the whole database.
pytestmark = pytest.mark.usefixtures("nothing_else_due")


async def many_clocks(world: World, count: int, warn_minutes: tuple[int, ...]) -> None:
    """Promise an answer within an hour to so many leads."""
    sla = a_sla(world)
    promise = a_commitment(
        sla, CommitmentKind.RESPONSE, within_minutes=60, warn_minutes=warn_minutes
    )
    await sign(world, promise, sla=sla)
    leads = [an_mql(world.now, number) for number in range(count)]
    async with world.work() as work:
        await work.add_all(leads)
    async with world.work() as work:
        await handoff_flow.hand_off(work, world.actor(world.marketer), leads[0].id)
    async with world.work() as work:
        (clock,) = await work.find(SlaClock)
        await work.add_all([replace(clock, id=new_id(), lead_id=lead.id) for lead in leads[1:]])


async def waiting(world: World) -> int:
    """Return how many clocks have something due."""
    async with world.work() as work:
        clocks = await work.find(SlaClock)
    return sum(clock.next_at is not None and clock.next_at <= world.now for clock in clocks)


async def test_a_sweep_goes_on_though_a_batch_changes_no_state(world: World) -> None:
    """A second warning changes nothing but the next instant to look at."""
    await many_clocks(world, LIMIT + 1, (40, 20))
    sweeper = Sweeper(world.database)
    world.wait(minutes=20)
    assert await sweeper.sweep() == LIMIT + 1
    world.wait(minutes=20)

    assert await sweeper.sweep() == 0

    assert await waiting(world) == 0
    await leave_nothing(world)


async def leave_nothing(*worlds: World) -> None:
    """Let everything happen, lest the next test's sweep or relay finds it."""
    worlds[0].wait(days=1)
    await Sweeper(worlds[0].database).sweep()
    for world in worlds:
        await publish_all(world.database, world.tenant.id)


class Watched(Sweeper):
    """A sweeper that remembers whose turn it was."""

    turns: list[UUID]

    @override
    async def _sweep_batch(self, turn: _Turn) -> bool:
        self.turns.append(turn.tenant_id)
        return await super()._sweep_batch(turn)


async def test_a_tenant_with_very_much_due_keeps_nobody_else_waiting(
    world: World, other_world: World
) -> None:
    for each in (world, other_world):
        await many_clocks(each, LIMIT + 1, (40,))
    world.wait(minutes=20)
    sweeper = Watched(world.database)
    sweeper.turns = []

    await sweeper.sweep()

    a, b = world.tenant.id, other_world.tenant.id
    turns = [tenant_id for tenant_id in sweeper.turns if tenant_id in (a, b)]
    assert turns in ([a, b] * 3, [b, a] * 3)
    assert await waiting(world) == await waiting(other_world) == 0
    await leave_nothing(world, other_world)
