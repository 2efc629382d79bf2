"""Many leads in one request, on a real database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from domain.ids import public
from domain.leads import Lead, LeadExternalId
from domain.lifecycle import StageEntry
from domain.personas import Persona
from domain.stages import Stage
from tests.api.asking_leads import UPSERT, StatementCount, created, everything
from tests.domain.building_leads import a_definition, a_persona
from tests.world import NOON


async def test_every_row_is_answered_in_its_place(world):
    await created(world, email="ada@x.example", externalIds=[{"source": "crm", "value": "1"}])
    await created(world, email="bob@x.example")
    rows = [
        {"email": "New@x.example", "score": 1},
        {"externalIds": [{"source": "crm", "value": "1"}], "score": 6},
        {"email": "bob@x.example"},
        {"email": "not an address"},
        {"firstName": "Nameless"},
        {"email": "bob@x.example", "externalIds": [{"source": "crm", "value": "1"}]},
        {"email": "cy@x.example", "owner": {"id": "lead_1"}},
        {"email": "cy@x.example", "score": 5000},
        {"email": "cy@x.example", "firstName": "a\x00"},
    ]

    data = await world.data(UPSERT, {"rows": rows}, as_=world.marketer)

    answered = data["leadsUpsert"]["rows"]
    assert data["leadsUpsert"]["userErrors"] == []
    assert [(row["index"], row["outcome"], row["lead"]) for row in answered] == [
        (0, "CREATED", {"email": "new@x.example", "score": 1, "version": 1}),
        (1, "UPDATED", {"email": "ada@x.example", "score": 6, "version": 2}),
        (2, "UNCHANGED", {"email": "bob@x.example", "score": 0, "version": 1}),
        *((index, "REFUSED", None) for index in range(3, 9)),
    ]
    assert [row["userErrors"] for row in answered] == [
        [],
        [],
        [],
        [{"code": "INVALID", "path": ["rows", "3", "email"], "elementIndex": 3}],
        [{"code": "NO_IDENTITY", "path": ["rows", "4"], "elementIndex": 4}],
        [
            {
                "code": "DUPLICATE_LEAD",
                "path": ["rows", "5", "email"],
                "elementIndex": 5,
                "existing": {"email": "bob@x.example"},
            }
        ],
        [{"code": "BAD_USER_INPUT", "path": ["rows", "6", "owner", "id"], "elementIndex": 6}],
        [{"code": "INVALID", "path": ["rows", "7", "score"], "elementIndex": 7}],
        [{"code": "INVALID", "path": ["rows", "8", "firstName"], "elementIndex": 8}],
    ]


async def agree_on_everything(world) -> None:
    """Give the tenant definitions up to MQL and personas, which every row is held against."""
    since, rep = NOON - timedelta(days=365), world.rep.id
    signed = {"proposed_by": rep, "marketing_signed_by": rep, "sales_signed_by": rep}
    async with world.work() as work:
        for stage in (Stage.PROSPECT, Stage.LEAD, Stage.MQL):
            definition = a_definition(stage, {"score": {"gte": stage.rank}}, since)
            await work.add(replace(definition, **signed))
        await work.add_all([a_persona(n, {"score": {"gte": n}}) for n in (3, 2, 1)])


async def test_five_hundred_rows_take_a_fixed_number_of_statements(world, monkeypatch):
    await agree_on_everything(world)

    def rows(score, count):
        return [
            {
                "email": f"p{n}@x{n % 50}.example",
                "score": score,
                "company": {"domain": f"x{n % 50}.example"},
                "externalIds": [{"source": "crm", "value": str(n)}],
                "owner": {"id": public("User", world.rep.id)},
                "createdAt": (NOON - timedelta(hours=n)).isoformat(),
            }
            for n in range(count)
        ]

    async def upserted(score, count) -> tuple[list[str], int]:
        statements = StatementCount()
        with statements.of(monkeypatch):
            data = await world.data(UPSERT, {"rows": rows(score, count)}, as_=world.marketer)
        answered = data["leadsUpsert"]["rows"]
        assert [row["userErrors"] for row in answered] == [[]] * count
        return [row["outcome"] for row in answered], statements.count

    first, _ = await upserted(1, 1)
    more, few = await upserted(2, 10)
    all_new, many = await upserted(3, 500)
    again, none = await upserted(3, 500)

    assert (first, more) == (["CREATED"], ["UPDATED"] + ["CREATED"] * 9)
    assert all_new == ["UPDATED"] * 10 + ["CREATED"] * 490
    assert again == ["UNCHANGED"] * 500
    assert many == few <= 24
    assert none < many
    async with world.work() as work:
        leads = await work.find(Lead)
        entries = await work.find(StageEntry)
        personas = {persona.id: persona.rank for persona in await work.find(Persona)}
    assert {(lead.stage, personas[lead.persona_id]) for lead in leads} == {(Stage.MQL, 1)}
    assert len(entries) == 4 * 500


async def test_too_many_rows_are_refused_as_a_whole(world):
    rows = [{"email": f"{n}@x.example"} for n in range(501)]

    answer = await world.ask(UPSERT, {"rows": rows}, as_=world.marketer)

    assert answer["data"]["leadsUpsert"] == {
        "rows": None,
        "userErrors": [{"code": "ROWS_TOO_MANY", "path": ["rows"]}],
    }
    assert await everything(world) == [[]] * 5


async def test_the_same_rows_from_two_integrations_at_once_make_each_lead_once(world):
    rows = [
        {
            "email": f"p{n}@x.example",
            "company": {"domain": f"x{n % 7}.example"},
            "externalIds": [{"source": "crm", "value": str(n)}],
            "score": n,
        }
        for n in range(100)
    ]

    answers = await asyncio.gather(
        world.data(UPSERT, {"rows": rows}, as_=world.marketer),
        world.data(UPSERT, {"rows": rows[::-1]}, as_=world.rep),
    )

    outcomes = sorted(row["outcome"] for answer in answers for row in answer["leadsUpsert"]["rows"])
    assert outcomes == ["CREATED"] * 100 + ["UNCHANGED"] * 100
    leads, companies, names, *_ = await everything(world)
    assert [len(leads), len(companies), len(names)] == [100, 7, 100]


async def test_an_address_can_go_from_one_lead_to_another_within_a_request(world):
    for number, email in (("1", "ada@x.example"), ("2", "bob@x.example")):
        await created(world, email=email, externalIds=[{"source": "crm", "value": number}])

    def row(number, email):
        return {"externalIds": [{"source": "crm", "value": number}], "email": email}

    swap = [row("1", "t@x.example"), row("2", "ada@x.example"), row("1", "bob@x.example")]
    free = [row("1", "new@x.example"), row("3", "bob@x.example")]

    for rows in (swap, free):
        data = await world.data(UPSERT, {"rows": rows}, as_=world.marketer)
        assert [row["userErrors"] for row in data["leadsUpsert"]["rows"]] == [[]] * len(rows)

    async with world.work() as work:
        emails = {lead.id: lead.email for lead in await work.find(Lead)}
        names = {name.value: emails[name.lead_id] for name in await work.find(LeadExternalId)}
    assert names == {"1": "new@x.example", "2": "ada@x.example", "3": "bob@x.example"}
