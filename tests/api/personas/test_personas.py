"""Personas: what is said of them, and which leads they take."""

from __future__ import annotations

from domain.leads import Lead
from domain.stages import Stage
from tests.api.personas.writing import (
    ACKNOWLEDGE,
    ARCHIVE,
    CARD,
    CREATE,
    HELGA,
    LEAD_CREATE,
    OTTO,
    add_leads,
    belongings,
    change,
    stored,
    write,
)
from tests.world import World


async def test_a_persona_is_written_with_everything_there_is_to_say(world: World) -> None:
    answer = await world.data(CREATE, {"input": HELGA}, as_=world.marketer)

    persona = answer["personaCreate"]["persona"]
    assert persona.pop("id").startswith("persona_")
    assert persona == {
        **HELGA,
        "criterionText": 'job title contains "head"',
        "rank": 1,
        "number": 1,
        "createdAt": "2026-03-10T12:00:00Z",
        "archivedAt": None,
        "isAssigning": False,
        "photoUrl": None,
    }


async def test_leads_belong_to_the_first_persona_they_match_old_leads_and_new(
    world: World,
) -> None:
    await add_leads(
        world,
        {"email": "both@example.com", "job_title": "Head of Sales", "country": "DE"},
        {"email": "otto@example.com", "country": "DE"},
        {"email": "none@example.com"},
    )

    await write(world)
    await write(world, **OTTO)
    created = await world.data(
        LEAD_CREATE, {"input": {"email": "new@example.com", "country": "DE"}}
    )

    assert created["leadCreate"]["lead"] == {"persona": {"name": "Otto"}}
    assert await belongings(world) == {
        "both@example.com": "Helga",
        "otto@example.com": "Otto",
        "none@example.com": None,
        "new@example.com": "Otto",
    }


async def test_leads_move_when_criterion_rank_or_use_change(world: World) -> None:
    helga, otto = await write(world), await write(world, **OTTO)
    await add_leads(
        world,
        {"email": "both@example.com", "job_title": "Head of Sales", "country": "DE"},
        {"email": "clerk@example.com", "job_title": "Clerk"},
    )

    await change(world, helga, criterion={"jobTitle": {"contains": "clerk"}})
    assert await belongings(world) == {
        "both@example.com": "Otto",
        "clerk@example.com": "Helga",
    }

    await change(world, helga, criterion={"jobTitle": {"isNull": False}})
    await change(world, otto, rank=0)
    assert await belongings(world) == {"both@example.com": "Otto", "clerk@example.com": "Helga"}

    archived = await world.data(ARCHIVE, {"id": otto}, as_=world.marketer)
    assert archived["personaArchive"] == {
        "persona": {"archivedAt": "2026-03-10T12:00:02Z", "isAssigning": False},
        "userErrors": [],
    }
    assert await belongings(world) == {"both@example.com": "Helga", "clerk@example.com": "Helga"}

    await change(world, helga, criterion=None)
    assert await belongings(world) == {"both@example.com": None, "clerk@example.com": None}


async def test_a_lead_that_moves_is_not_saved_over_by_who_read_it_before(world: World) -> None:
    [lead] = await add_leads(world, {"email": "a@example.com", "job_title": "Head of IT"})

    await write(world)

    [moved] = await stored(world, Lead)
    assert (moved.version, moved.updated_at) == (lead.version + 1, lead.updated_at)


async def test_a_card_shows_its_leads_by_stage_its_versions_and_who_has_yet_to_read(
    world: World,
) -> None:
    id = await write(world)
    await add_leads(
        world,
        *(
            {"email": f"{number}@example.com", "job_title": "Head", "stage": stage}
            for number, stage in enumerate([Stage.LEAD, Stage.MQL, Stage.MQL, Stage.MQL])
        ),
    )
    await change(world, id, criterion={"jobTitle": {"startsWith": "head"}})
    await change(world, id, goals=["Sleep", "Fewer calls"])
    for user in (world.analyst, world.rep):
        await world.data(ACKNOWLEDGE, {"id": id, "number": 3}, as_=user)
        world.wait(minutes=1)

    card = await world.data(CARD, {"id": id, "stage": "MQL"}, as_=world.analyst)

    counts = {Stage.LEAD: 1, Stage.MQL: 3}
    assert card["persona"] == {
        "name": "Helga",
        "leadsByStage": [{"stage": stage.value, "count": counts.get(stage, 0)} for stage in Stage],
        "leads": {
            "totalCount": 3,
            "nodes": [{"email": "3@example.com"}, {"email": "2@example.com"}],
            "pageInfo": {"hasNextPage": True},
        },
        "versions": {
            "nodes": [
                {
                    "number": number,
                    "goals": goals,
                    "changedBy": {"name": "Mia"},
                    "changedAt": changed_at,
                }
                for number, goals, changed_at in [
                    (3, ["Sleep", "Fewer calls"], "2026-03-10T12:00:04Z"),
                    (2, ["Sleep at night"], "2026-03-10T12:00:04Z"),
                    (1, ["Sleep at night"], "2026-03-10T12:00:00Z"),
                ]
            ]
        },
        "acknowledgements": {
            "nodes": [
                {"number": 3, "user": {"name": "Sam"}},
                {"number": 3, "user": {"name": "Ana"}},
            ]
        },
        "outstanding": {
            "count": 3,
            "users": [{"name": "Mia"}, {"name": "Olive"}, {"name": "Rita"}],
        },
    }


async def test_the_same_card_shows_the_leads_of_two_stages_side_by_side(world: World) -> None:
    id = await write(world, criterion={"email": {"isNull": False}})
    await add_leads(
        world,
        {"email": "a@example.com", "stage": Stage.LEAD},
        {"email": "b@example.com", "stage": Stage.MQL},
    )
    await change(world, id, rank=3)

    card = await world.data(
        """query($id: ID!) { persona(id: $id) {
          leads: leads(stage: LEAD) { nodes { email } }
          mqls: leads(stage: MQL) { nodes { email } }
          all: leads { nodes { email } } } }""",
        {"id": id},
    )

    assert card["persona"] == {
        "leads": {"nodes": [{"email": "a@example.com"}]},
        "mqls": {"nodes": [{"email": "b@example.com"}]},
        "all": {"nodes": [{"email": "b@example.com"}, {"email": "a@example.com"}]},
    }


async def test_personas_are_listed_as_they_take_leads(world: World) -> None:
    helga = await write(world)
    await write(world, **OTTO)
    gone = await write(world, name="Gone", rank=0)
    await world.data(ARCHIVE, {"id": gone}, as_=world.marketer)
    await change(world, helga, rank=9)

    listed = await world.data(
        """{ personas { totalCount nodes { name rank leadsByStage { count }
             outstanding { count } } } }"""
    )

    nobody = [{"count": 0}] * len(Stage)
    assert listed["personas"] == {
        "totalCount": 2,
        "nodes": [
            {"name": "Otto", "rank": 2, "leadsByStage": nobody, "outstanding": {"count": 5}},
            {"name": "Helga", "rank": 9, "leadsByStage": nobody, "outstanding": {"count": 5}},
        ],
    }
