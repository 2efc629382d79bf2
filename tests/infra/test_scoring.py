"""What scores beside the requests."""

from __future__ import annotations

from typing import Any

import asyncpg

from domain.grades import Grade
from domain.leads import Lead
from domain.scoring import PRESET, LeadGrading, activate_model, propose_model, rescore_soon
from infra.scoring import ScoreKeeper
from tests.agreements import an_mql
from tests.world import World


async def a_scored_lead(world: World) -> Lead:
    lead = an_mql(world.now)
    async with world.work() as work:
        await work.add(lead)
        model = await propose_model(work, world.actor(), name="Ours", terms=PRESET)
        await activate_model(work, world.actor(), model.id)
    return lead


async def test_a_tenant_that_cannot_be_scored_keeps_no_other_waiting(
    world: World, other_world: World, database_urls: Any
) -> None:
    broken, sound = await a_scored_lead(world), await a_scored_lead(other_world)
    owner = await asyncpg.connect(database_urls.owner)
    try:
        await owner.execute("SET row_security = off")
        await owner.execute(
            "UPDATE scoring_models SET terms = '{}' WHERE tenant_id = $1", world.tenant.id
        )
    finally:
        await owner.close()
    for each, lead in ((world, broken), (other_world, sound)):
        async with each.work() as work:
            await rescore_soon(work, [lead.id])

    await ScoreKeeper(world.database).score_all()

    async with other_world.work() as work:
        [kept] = await work.find(LeadGrading, lead_id=sound.id)
    assert (kept.changes_at, kept.grade) == (None, Grade.C3)
    async with world.work() as work:
        [waiting] = await work.find(LeadGrading, lead_id=broken.id)
    assert waiting.changes_at == world.now
