"""What is refused of a persona, and that nothing came of it."""

from __future__ import annotations

from typing import Any

import pytest

from domain.ids import new_id, public
from domain.personas import Persona
from tests.api.personas.writing import (
    ACKNOWLEDGE,
    ARCHIVE,
    CARD,
    CREATE,
    HELGA,
    OTTO,
    UPDATE,
    change,
    stored,
    write,
)
from tests.world import World


@pytest.mark.parametrize(
    ("said", "code", "path"),
    [
        ({"name": " "}, "INVALID", ["name"]),
        ({"name": "a\x00b"}, "INVALID", ["name"]),
        ({"jobTitle": "x" * 201}, "INVALID", ["jobTitle"]),
        ({"goals": ["x"] * 21}, "INVALID", ["goals"]),
        ({"challenges": ["ok", "x" * 501]}, "INVALID", ["challenges", "1"]),
        ({"rank": 2**31 - 1}, "INVALID", ["rank"]),
        ({"criterion": {}}, "BAD_CRITERION", ["criterion"]),
        ({"criterion": {"stage": {"eq": "MQL"}}}, "BAD_CRITERION", ["criterion", "stage"]),
        (
            {"criterion": {"or": [{"email": {"contains": ""}}]}},
            "BAD_CRITERION",
            ["criterion", "or", "0", "email", "contains"],
        ),
    ],
)
async def test_a_persona_that_cannot_be_is_refused_with_the_way_to_the_fault(
    world: World, said: dict[str, Any], code: str, path: list[str]
) -> None:
    made = await world.data(CREATE, {"input": {**HELGA, **said}}, as_=world.marketer)
    id = await write(world, name="Otto")
    before = await stored(world, Persona)
    changed = await change(world, id, **said)

    refused = {"persona": None, "userErrors": [{"code": code, "path": path}]}
    assert made["personaCreate"] == refused
    assert changed == refused
    assert await stored(world, Persona) == before


async def test_two_personas_in_use_never_share_a_name(world: World) -> None:
    first = await write(world)

    second = await world.data(CREATE, {"input": HELGA}, as_=world.marketer)
    await world.data(ARCHIVE, {"id": first}, as_=world.marketer)
    await write(world)

    assert second["personaCreate"]["userErrors"] == [{"code": "ALREADY_EXISTS", "path": ["name"]}]


async def test_an_archived_persona_stays_as_it_is(world: World) -> None:
    id = await write(world)
    await world.data(ARCHIVE, {"id": id}, as_=world.marketer)
    before = await stored(world, Persona)

    answers = [
        await change(world, id, rank=5),
        (await world.data(ARCHIVE, {"id": id}, as_=world.marketer))["personaArchive"],
        (await world.data(ACKNOWLEDGE, {"id": id, "number": 1}))["personaAcknowledge"],
    ]

    assert [answer["userErrors"] for answer in answers] == [
        [{"code": "PERSONA_ARCHIVED", "path": ["persona"]}]
    ] * 3
    assert await stored(world, Persona) == before


async def test_another_tenants_persona_does_not_exist(world: World, other_world: World) -> None:
    theirs, unknown = await write(other_world), public("Persona", new_id())
    before = await stored(other_world, Persona)

    async def tried(id: str) -> list[dict[str, Any]]:
        return [
            await world.ask(UPDATE, {"input": {"persona": id, "rank": 3}}),
            await world.ask(ARCHIVE, {"id": id}),
            await world.ask(ACKNOWLEDGE, {"id": id, "number": 1}),
            await world.ask(CARD, {"id": id}),
        ]

    foreign, nowhere = await tried(theirs), await tried(unknown)

    assert foreign == nowhere
    assert foreign[-1] == {"data": {"persona": None}}
    assert [next(iter(each["data"].values()))["userErrors"][0]["code"] for each in foreign[:3]] == [
        "NOT_FOUND"
    ] * 3
    assert await stored(other_world, Persona) == before
    assert await stored(world, Persona) == []


async def test_an_id_of_another_kind_is_refused_by_name(world: World) -> None:
    id = public("Lead", new_id())

    changed = await change(world, id, rank=3)
    read = await world.ask(CARD, {"id": id})

    assert changed["userErrors"] == [{"code": "BAD_USER_INPUT", "path": ["persona"]}]
    assert read["errors"][0]["message"] == "expected a persona id, got a lead id"


@pytest.mark.parametrize("user", ["other_rep", "analyst"])
async def test_only_managers_write_personas(world: World, user: str) -> None:
    id = await write(world)
    before = await stored(world, Persona)

    answers = [
        await world.ask(CREATE, {"input": OTTO}, as_=getattr(world, user)),
        await world.ask(UPDATE, {"input": {"persona": id, "rank": 5}}, as_=getattr(world, user)),
        await world.ask(ARCHIVE, {"id": id}, as_=getattr(world, user)),
    ]

    assert [answer["errors"][0]["extensions"]["code"] for answer in answers] == ["FORBIDDEN"] * 3
    assert await stored(world, Persona) == before
