"""A hand-off keeps the brief as it was."""

from __future__ import annotations

from dataclasses import replace

import asyncpg
import pytest

from domain import handoff_flow
from domain.briefs import HandoffBrief
from domain.content import ContentAsset
from domain.ids import public
from domain.leads import Company, Lead
from domain.merging import merge_leads
from domain.personas import Persona
from domain.stages import Stage
from tests.agreements import an_mql
from tests.api.briefs.knowing import a_known_lead, brief_of, frozen
from tests.world import World


async def test_a_hand_off_keeps_what_was_known_then(world: World) -> None:
    lead = await a_known_lead(world)
    before = await brief_of(world, lead)
    async with world.work() as work:
        handoff = await handoff_flow.hand_off(work, world.actor(world.marketer), lead.id)

    world.wait(days=3)
    async with world.work() as work:
        now = await work.get(Lead, lead.id)
        await work.save(replace(now, first_name="Augusta", job_title="Retired"))
        persona = await work.get(Persona, lead.persona_id)
        await work.save(replace(persona, goals=("Wake up",), number=2))

    assert await frozen(world, handoff.id) == before
    assert (await brief_of(world, lead))["who"]["name"] == "Augusta Byron"


async def test_a_frozen_brief_stays_the_same_whatever_becomes_of_all_it_tells_of(
    world: World,
) -> None:
    """Assets, touches, the company, the scoring, and a merge that takes the lead away."""
    lead = await a_known_lead(world)
    async with world.work() as work:
        handoff = await handoff_flow.hand_off(work, world.actor(world.marketer), lead.id)
    before = await frozen(world, handoff.id)
    world.wait(days=3)
    winner = an_mql(world.now, 7, stage=Stage.SAL)
    async with world.work() as work:
        for each in await work.find(ContentAsset):
            await work.save(replace(each, title="Gone", topic=None, archived_at=world.now))
        company = await work.get(Company, lead.company_id)
        await work.save(replace(company, name="Umbrella"))
        await work.add(winner)
        await merge_leads(work, world.actor(), winner.id, [lead.id])
    assert await frozen(world, handoff.id) == before
    # Asked for by its old name, the lead is the winner now, with what it has read.
    now = await brief_of(world, lead)
    assert now["who"]["email"] == winner.email
    assert [each["title"] for each in now["read"]] == ["Gone", "Gone"]


async def test_what_was_known_cannot_be_rewritten_even_by_our_own_role(world: World) -> None:
    lead = await a_known_lead(world)
    async with world.work() as work:
        await handoff_flow.hand_off(work, world.actor(world.marketer), lead.id)
    for column in ("brief", "facts", "known", "made_at"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with world.work() as work:
                await work.connection.execute(f"UPDATE handoff_briefs SET {column} = {column}")


async def test_a_hand_off_of_the_past_pretends_to_no_knowledge(world: World) -> None:
    lead = await a_known_lead(world)
    async with world.work() as work:
        handoff = await handoff_flow.hand_off(
            work, world.actor(world.marketer), lead.id, routed=False
        )
    assert await frozen(world, handoff.id) is None
    async with world.work() as work:
        [kept] = await work.find(HandoffBrief, handoff_id=handoff.id)
    assert kept.facts["ORIGIN_SOURCE"] == "fair"


async def test_a_refused_hand_off_freezes_nothing(world: World) -> None:
    lead = await a_known_lead(world)
    async with world.work() as work:
        await work.save(replace(await work.get(Lead, lead.id), stage="LEAD"))
    data = await world.data(
        """mutation($id: ID!) { leadHandOff(input: {lead: {id: $id}}) { userErrors { code } } }""",
        {"id": public("Lead", lead.id)},
    )
    assert data["leadHandOff"]["userErrors"] == [{"code": "NOT_AN_MQL"}]
    async with world.work() as work:
        assert await work.find(HandoffBrief) == []
