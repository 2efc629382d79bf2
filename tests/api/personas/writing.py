"""Two personas, how they are written, and the leads they may take."""

from __future__ import annotations

from typing import Any

from domain.identity import User
from domain.ids import new_id
from domain.leads import Lead
from domain.personas import Persona
from domain.stages import Stage
from tests.world import World

FIELDS = """name jobTitle goals challenges buyingQuestions criterion criterionText rank number
  createdAt archivedAt isAssigning photoUrl"""
CREATE = f"""mutation($input: PersonaCreateInput!) {{ personaCreate(input: $input) {{
  persona {{ id {FIELDS} }} userErrors {{ code path }}
}}}}"""
UPDATE = f"""mutation($input: PersonaUpdateInput!) {{ personaUpdate(input: $input) {{
  persona {{ {FIELDS} }} userErrors {{ code path }}
}}}}"""
ARCHIVE = """mutation($id: ID!) { personaArchive(input: {persona: $id}) {
  persona { archivedAt isAssigning } userErrors { code path }
}}"""
ACKNOWLEDGE = """mutation($id: ID!, $number: Int!) {
  personaAcknowledge(input: {persona: $id, number: $number}) {
    personaAcknowledgement { number acknowledgedAt user { name } persona { name } }
    userErrors { code path }
  }
}"""
CARD = """query($id: ID!, $stage: Stage) { persona(id: $id) {
  name leadsByStage { stage count }
  leads(first: 2, stage: $stage) { totalCount nodes { email } pageInfo { hasNextPage } }
  versions { nodes { number goals changedBy { name } changedAt } }
  acknowledgements { nodes { number user { name } } }
  outstanding { count users { name } }
}}"""
LEAD_CREATE = """mutation($input: LeadCreateInput!) { leadCreate(input: $input) {
  lead { persona { name } } userErrors { code } } }"""
HELGA: dict[str, Any] = {
    "name": "Helga",
    "jobTitle": "Head of IT",
    "goals": ["Sleep at night"],
    "challenges": ["No budget"],
    "buyingQuestions": ["What does it cost?"],
    "criterion": {"jobTitle": {"contains": "head"}},
}
OTTO: dict[str, Any] = {
    "name": "Otto",
    "jobTitle": "Owner",
    "criterion": {"country": {"eq": "DE"}},
}


async def write(world: World, as_: User | None = None, **said: Any) -> str:
    answer = await world.data(CREATE, {"input": {**HELGA, **said}}, as_=as_ or world.marketer)
    assert answer["personaCreate"]["userErrors"] == []
    id: str = answer["personaCreate"]["persona"]["id"]
    return id


async def change(world: World, id: str, **said: Any) -> dict[str, Any]:
    answer = await world.data(UPDATE, {"input": {"persona": id, **said}}, as_=world.marketer)
    payload: dict[str, Any] = answer["personaUpdate"]
    return payload


async def add_leads(world: World, *leads: dict[str, Any]) -> list[Lead]:
    async with world.work() as work:
        return [
            await work.add(
                Lead(
                    id=new_id(),
                    stage=lead.pop("stage", Stage.LEAD),
                    stage_entered_at=world.now,
                    created_at=world.wait(seconds=1),
                    updated_at=world.now,
                    **lead,
                )
            )
            for lead in leads
        ]


async def belongings(world: World) -> dict[str, str | None]:
    """Return the name of each lead's persona by the lead's address."""
    async with world.work() as work:
        names = {persona.id: persona.name for persona in await work.find(Persona)}
        return {
            lead.email: names.get(lead.persona_id) if lead.persona_id else None
            for lead in await work.find(Lead)
        }


async def stored(world: World, kind: type) -> list[Any]:
    async with world.work() as work:
        return list(await work.find(kind))
