from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.identity import User
from domain.ids import new_id, public
from domain.leads import Lead
from domain.personas import Persona, PersonaVersion
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

    assert second["personaCreate"]["userErrors"] == [{"code": "ALREADY_EXISTS", "path": []}]


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
