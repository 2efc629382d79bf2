"""Who has read which version of a persona."""

from __future__ import annotations

from dataclasses import replace

from domain.personas import PersonaVersion
from tests.api.personas.writing import ACKNOWLEDGE, ARCHIVE, CARD, OTTO, change, stored, write
from tests.world import World


async def test_nobody_has_to_read_an_archived_persona_nor_has_who_is_inactive(
    world: World,
) -> None:
    helga, otto = await write(world), await write(world, **OTTO)
    await world.data(ARCHIVE, {"id": otto}, as_=world.marketer)
    async with world.work() as work:
        await work.save(replace(world.rep, active=False))

    cards = [await world.data(CARD, {"id": id}) for id in (helga, otto)]

    assert [card["persona"]["outstanding"]["count"] for card in cards] == [4, 0]


async def test_an_acknowledgement_is_of_the_current_version_and_said_once(world: World) -> None:
    id = await write(world)
    first = await world.data(ACKNOWLEDGE, {"id": id, "number": 1}, as_=world.analyst)
    world.wait(minutes=1)
    again = await world.data(ACKNOWLEDGE, {"id": id, "number": 1}, as_=world.analyst)
    await change(world, id, goals=[])
    old = await world.data(ACKNOWLEDGE, {"id": id, "number": 1}, as_=world.rep)

    assert first == again
    assert first["personaAcknowledge"] == {
        "personaAcknowledgement": {
            "number": 1,
            "acknowledgedAt": "2026-03-10T12:00:00Z",
            "user": {"name": "Ana"},
            "persona": {"name": "Helga"},
        },
        "userErrors": [],
    }
    assert old["personaAcknowledge"] == {
        "personaAcknowledgement": None,
        "userErrors": [{"code": "NOT_CURRENT", "path": ["number"]}],
    }


async def test_an_update_that_says_nothing_new_makes_no_version(world: World) -> None:
    id = await write(world)

    same = await change(world, id, name="Helga", goals=["Sleep at night"])

    assert same["persona"]["number"] == 1
    assert len(await stored(world, PersonaVersion)) == 1
