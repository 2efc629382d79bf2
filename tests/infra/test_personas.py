from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from domain.filters import parse
from domain.identity import system
from domain.ids import new_id
from domain.leads import LEAD_FIELDS, Lead
from domain.personas import (
    AssignLeads,
    Persona,
    PersonaDetails,
    archive_persona,
    assign_leads,
    create_persona,
    persona_for,
)
from domain.stages import Stage
from infra.personas import PersonaAssigner
from tests.world import World

COUNTRIES = ("DE", "FR", None)


async def add_leads(world: World, number: int) -> None:
    async with world.work() as work:
        await work.add_all(
            [
                Lead(
                    id=new_id(),
                    stage=Stage.LEAD,
                    stage_entered_at=world.now,
                    created_at=world.now,
                    updated_at=world.now,
                    country=COUNTRIES[each % 3],
                    score=each % 7,
                )
                for each in range(number)
            ]
        )


async def write(world: World, name: str, criterion: dict[str, Any]) -> Persona:
    details = PersonaDetails(name=name, job_title="Clerk", criterion=criterion)
    async with world.work() as work:
        return await create_persona(work, system(world.tenant.id), details)


async def belongings(world: World) -> Counter[str | None]:
    async with world.work() as work:
        names = {persona.id: persona.name for persona in await work.find(Persona)}
        leads = await work.find(Lead)
        assert [lead.persona_id for lead in leads] == [
            await persona_for(work, lead) for lead in leads
        ]
    return Counter(names.get(lead.persona_id) if lead.persona_id else None for lead in leads)


async def wants_all_leads_again(world: World, persona: Persona) -> None:
    """Archive a persona without assigning its leads, as a process that died at once would."""
    async with world.work() as work:
        stored = await work.get(Persona, persona.id)
        await work.save(replace(stored, archived_at=work.now, assigning_after=UUID(int=0)))


async def test_the_database_assigns_as_a_new_lead_would_be(world: World) -> None:
    await add_leads(world, 42)

    await write(world, "Good", {"score": {"gte": 5}})
    await write(world, "French", {"country": {"eq": "FR"}})
    await write(world, "Not German", {"not": {"country": {"eq": "DE"}}})

    assert await belongings(world) == {"Good": 12, "French": 10, "Not German": 10, None: 10}


@pytest.mark.parametrize("limit", [1, 4, 5, 10, 11])
async def test_batches_of_any_size_reach_every_lead_once(world: World, limit: int) -> None:
    await add_leads(world, 10)
    everybody = parse({"score": {"gte": 0}}, LEAD_FIELDS)
    persona = await write(world, "Nobody", {"score": {"lt": 0}})
    batches, after = 0, UUID(int=0)

    while True:
        async with world.work() as work:
            question = AssignLeads(rules=((persona.id, everybody),), after=after, limit=limit)
            last = await work.ask(question)
        batches += 1
        if last is None:
            break
        after = last

    async with world.work() as work:
        leads = await work.find(Lead)
    assert {(lead.persona_id, lead.version) for lead in leads} == {(persona.id, 2)}
    # A last batch that is exactly full is only known to be the last one by an empty one.
    assert batches == 10 // limit + 1


async def test_what_a_stopped_process_left_is_assigned_by_another(world: World) -> None:
    await add_leads(world, 21)
    french = await write(world, "French", {"country": {"eq": "FR"}})
    await write(world, "Everybody", {"score": {"gte": 0}})
    await wants_all_leads_again(world, french)
    actor = system(world.tenant.id)

    async with world.work() as work:
        more = await assign_leads(work, actor, limit=5)
    async with world.work() as work:
        half_done = (await work.get(Persona, french.id)).is_assigning
    await PersonaAssigner(world.database).assign_all()

    assert (more, half_done) == (True, True)
    assert await belongings(world) == {"Everybody": 21}
    async with world.work() as work:
        assert not any(persona.is_assigning for persona in await work.find(Persona))


async def test_two_processes_at_once_leave_every_lead_where_it_belongs(world: World) -> None:
    await add_leads(world, 100)
    french = await write(world, "French", {"country": {"eq": "FR"}})
    await write(world, "Everybody", {"score": {"gte": 0}})
    await wants_all_leads_again(world, french)

    await asyncio.gather(*(PersonaAssigner(world.database).assign_all() for _ in range(3)))

    assert await belongings(world) == {"Everybody": 100}
    async with world.work() as work:
        versions = Counter(lead.version for lead in await work.find(Lead))
    assert set(versions) == {2, 3}  # each was moved once by writing, once at most by archiving


async def test_no_tenant_assigns_anothers_leads(world: World, other_world: World) -> None:
    await add_leads(world, 3)
    await add_leads(other_world, 3)

    await write(world, "Everybody", {"score": {"gte": 0}})

    assert await belongings(world) == {"Everybody": 3}
    assert await belongings(other_world) == {None: 3}


async def test_archiving_everything_leaves_leads_with_nobody(world: World) -> None:
    await add_leads(world, 3)
    persona = await write(world, "Everybody", {"score": {"gte": 0}})

    async with world.work() as work:
        await archive_persona(work, system(world.tenant.id), persona.id)

    assert await belongings(world) == {None: 3}
