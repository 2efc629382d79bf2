"""Who says to have read a persona, and which version of it."""

from __future__ import annotations

import pytest

from domain.errors import DomainError, NotFound, PermissionDenied
from domain.identity import Actor, Role
from domain.ids import new_id
from domain.personas import NotCurrent, PersonaAcknowledgement, acknowledge_persona
from tests.domain.personas.building_personas import MIA, NOON, a_persona, a_work, an_actor


async def test_a_user_acknowledges_the_current_version_once() -> None:
    persona = a_persona()
    work, ana = a_work(persona), an_actor(Role.ANALYST)

    said = await acknowledge_persona(work, ana, persona.id, number=1)
    again = await acknowledge_persona(work, ana, persona.id, number=1)

    assert again == said
    assert await work.find(PersonaAcknowledgement) == [
        PersonaAcknowledgement(
            id=said.id,
            persona_id=persona.id,
            user_id=ana.user_id,  # type: ignore[arg-type]  # Ana is a user
            number=1,
            acknowledged_at=NOON,
        )
    ]


@pytest.mark.parametrize(
    ("actor", "number", "refusal"),
    [
        (MIA, 0, NotCurrent),
        (MIA, 2, NotCurrent),
        (an_actor(key=True), 1, PermissionDenied),
    ],
)
async def test_only_people_acknowledge_and_only_what_they_can_have_read(
    actor: Actor, number: int, refusal: type[DomainError]
) -> None:
    persona = a_persona()
    work = a_work(persona)

    with pytest.raises(refusal):
        await acknowledge_persona(work, actor, persona.id, number=number)

    assert (await work.find(PersonaAcknowledgement), work.events) == ([], [])


async def test_an_unknown_persona_is_not_found() -> None:
    work = a_work()

    with pytest.raises(NotFound):
        await acknowledge_persona(work, MIA, new_id(), number=1)
