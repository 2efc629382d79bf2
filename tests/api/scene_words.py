"""What the teams of a scene have agreed to call things."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from domain.ids import new_id, public
from domain.lifecycle import StageDefinition
from domain.personas import Persona, PersonaAcknowledgement, PersonaVersion, Photo
from domain.stages import Side, Stage
from tests.api.scene_names import named
from tests.world import World

FIRST_PROMISE = {"score": {"gte": 1}}


async def the_words(world: World) -> dict[str, Any]:
    proposed = StageDefinition(
        id=new_id(),
        stage=Stage.MQL,
        number=1,
        words="Worth a call.",
        owner_side=Side.MARKETING,
        criterion=FIRST_PROMISE,
        effective_at=world.now,
        proposed_by=world.marketer.id,
        proposed_at=world.now,
        marketing_signed_by=world.marketer.id,
        marketing_signed_at=world.now,
    )
    agreed = replace(
        proposed,
        id=new_id(),
        stage=Stage.PROSPECT,
        sales_signed_by=world.rep.id,
        sales_signed_at=world.now,
    )
    told: dict[str, Any] = {
        "name": "Fiona",
        "job_title": "Founder",
        "goals": (),
        "challenges": (),
        "buying_questions": (),
        "criterion": FIRST_PROMISE,
        "number": 1,
    }
    persona = Persona(id=new_id(), rank=1, created_at=world.now, **told)
    version = PersonaVersion(
        id=new_id(), persona_id=persona.id, changed_by=None, changed_at=world.now, **told
    )
    read = PersonaAcknowledgement(
        id=new_id(),
        persona_id=persona.id,
        user_id=world.rep.id,
        number=1,
        acknowledged_at=world.now,
    )
    photo = Photo(
        id=new_id(),
        content_type="image/webp",
        width=1,
        height=1,
        content=b"x",
        created_at=world.now,
    )
    async with world.work() as work:
        await work.add_all([proposed, agreed, persona, version, read, photo])
    names = {"proposed definition": public("StageDefinition", proposed.id)}
    return names | named(agreed, persona, version, read, photo)
