"""Opportunities through the API, one by one and in rows, on a real database."""

from __future__ import annotations

import asyncio
from typing import Any

from domain.customers import Customer, RevenueEvent
from domain.ids import new_id, public
from domain.leads import Lead
from domain.opportunities import Opportunity, OpportunityStep
from tests.agreements import add_mql, an_mql
from tests.api.asking_leads import StatementCount
from tests.api.dealing import accepted_lead, deal
from tests.world import World

DEAL = """opportunity { id name status amount { amount currency } stage { name } expectedCloseOn
  openedAt closedAt lostReason externalId { source value } version lead { email stage }
  owner { name } handoff { status } } userErrors { code path }"""
CREATE = f"""mutation($input: OpportunityCreateInput!) {{
  opportunityCreate(input: $input) {{ {DEAL} }} }}"""
UPDATE = f"""mutation($input: OpportunityUpdateInput!) {{
  opportunityUpdate(input: $input) {{ {DEAL} }} }}"""
ADVANCE = f"""mutation($input: OpportunityAdvanceInput!) {{
  opportunityAdvance(input: $input) {{ {DEAL} }} }}"""
WIN = f"""mutation($input: OpportunityWinInput!) {{
  opportunityWin(input: $input) {{ {DEAL} }} }}"""
LOSE = f"""mutation($input: OpportunityLoseInput!) {{
  opportunityLose(input: $input) {{ {DEAL} }} }}"""
REOPEN = f"""mutation($input: OpportunityReopenInput!) {{
  opportunityReopen(input: $input) {{ {DEAL} }} }}"""
UPSERT = """mutation($rows: [OpportunityRowInput!]!, $asHistory: Boolean! = false) {
  opportunitiesUpsert(input: {rows: $rows, asHistory: $asHistory}) { userErrors { code path }
    rows { index outcome opportunity { name status amount { amount } stage { name } version }
      userErrors { code path elementIndex } } } }"""
READ = """query($ref: OpportunityRef!) { opportunity(ref: $ref) { name
  steps { nodes { status at stage { name } by { name } } }
  revenue { nodes { kind amount { amount } customer { status lead { customer { id } } } } }
  lead { opportunities { totalCount } handoffs { nodes { opportunities { totalCount } } } } } }"""
LIST = """query($filter: OpportunityFilter) { opportunities(filter: $filter,
  orderBy: [{field: EXPECTED_CLOSE_ON}]) { totalCount nodes { name } } }"""


async def done(world: World, document: str, **input: Any) -> dict[str, Any]:
    data = await world.data(document, {"input": input}, as_=world.rep)
    (answer,) = data.values()
    found: dict[str, Any] = answer
    return found


def ref(lead: Lead) -> dict[str, str]:
    return {"id": public("Lead", lead.id)}


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


async def test_a_deal_is_opened_changed_moved_and_won(world: World) -> None:
    lead = await accepted_lead(world)
    name = {"source": "CRM", "value": "D-1"}
    told = {"name": "Big", "amount": euros("1000"), "expectedCloseOn": "2026-04-01"}

    opened = await done(world, CREATE, lead=ref(lead), externalId=name, **told)

    id = opened["opportunity"]["id"]
    assert opened == {
        "opportunity": {
            "id": id,
            "name": "Big",
            "status": "OPEN",
            "amount": euros("1000.00"),
            "stage": {"name": "Qualification"},
            "expectedCloseOn": "2026-04-01",
            "openedAt": "2026-03-10T12:00:00Z",
            "closedAt": None,
            "lostReason": None,
            "externalId": {"source": "crm", "value": "D-1"},
            "version": 1,
            "lead": {"email": lead.email, "stage": "OPPORTUNITY"},
            "owner": {"name": "Sam"},
            "handoff": {"status": "ACCEPTED"},
        },
        "userErrors": [],
    }
    world.wait(hours=1)
    changed = await done(
        world,
        UPDATE,
        opportunity={"externalId": name},
        name="Bigger",
        expectedCloseOn=None,
        owner={"email": world.other_rep.email},
        version=1,
    )
    assert (changed["opportunity"]["name"], changed["opportunity"]["owner"]) == (
        "Bigger",
        {"name": "Rita"},
    )
    moved = await done(world, ADVANCE, opportunity={"id": id}, stage={"name": "proposal"})
    assert moved["opportunity"]["stage"] == {"name": "Proposal"}
    world.wait(hours=1)
    won = await done(world, WIN, opportunity={"id": id}, amount=euros("1200.50"))
    assert (won["opportunity"]["status"], won["opportunity"]["closedAt"]) == (
        "WON",
        "2026-03-10T14:00:00Z",
    )
    assert won["opportunity"]["lead"]["stage"] == "CUSTOMER"

    read = (await world.data(READ, {"ref": {"externalId": name}}))["opportunity"]
    [revenue] = read["revenue"]["nodes"]
    customer = revenue["customer"]["lead"]["customer"]["id"]
    assert read == {
        "name": "Bigger",
        "steps": {
            "nodes": [
                {"status": status, "at": at, "stage": {"name": stage}, "by": {"name": "Sam"}}
                for status, at, stage in (
                    ("OPEN", "2026-03-10T12:00:00Z", "Qualification"),
                    ("OPEN", "2026-03-10T13:00:00Z", "Proposal"),
                    ("WON", "2026-03-10T14:00:00Z", "Proposal"),
                )
            ]
        },
        "revenue": {
            "nodes": [
                {
                    "kind": "NEW",
                    "amount": {"amount": "1200.50"},
                    "customer": {"status": "ACTIVE", "lead": {"customer": {"id": customer}}},
                }
            ]
        },
        "lead": {
            "opportunities": {"totalCount": 1},
            "handoffs": {"nodes": [{"opportunities": {"totalCount": 1}}]},
        },
    }


async def test_a_lost_deal_is_reopened(world: World) -> None:
    lead = await accepted_lead(world)
    opened = await done(world, CREATE, lead=ref(lead), name="Deal")
    id = {"id": opened["opportunity"]["id"]}

    lost = await done(world, LOSE, opportunity=id, reason="Too dear.")
    reopened = await done(world, REOPEN, opportunity=id)

    assert (lost["opportunity"]["status"], lost["opportunity"]["lostReason"]) == (
        "LOST",
        "Too dear.",
    )
    assert (reopened["opportunity"]["status"], reopened["opportunity"]["lostReason"]) == (
        "OPEN",
        None,
    )


async def test_deals_are_filtered_and_ordered(world: World) -> None:
    lead = await accepted_lead(world)
    for name, day in (("b", "2026-05-01"), ("a", "2026-04-01"), ("never", None)):
        await done(world, CREATE, lead=ref(lead), name=name, expectedCloseOn=day)

    filter = {"expectedCloseOn": {"isNull": False}, "leadId": {"eq": public("Lead", lead.id)}}
    found = (await world.data(LIST, {"filter": filter}))["opportunities"]

    assert found == {"totalCount": 2, "nodes": [{"name": "a"}, {"name": "b"}]}


async def test_two_who_bring_the_same_deal_at_once_make_one(world: World) -> None:
    lead = await accepted_lead(world)
    name = {"source": "crm", "value": "D-1"}

    one, other = await asyncio.gather(
        *(done(world, CREATE, lead=ref(lead), name="Deal", externalId=name) for _ in range(2))
    )

    refused = [each["userErrors"] for each in (one, other) if each["opportunity"] is None]
    assert refused == [[{"code": "DUPLICATE_OPPORTUNITY", "path": ["externalId"]}]]


async def test_another_tenants_deal_and_stage_do_not_exist(
    world: World, other_world: World
) -> None:
    theirs = await done(
        other_world, CREATE, lead=ref(await accepted_lead(other_world)), name="Deal"
    )
    async with other_world.work() as work:
        deal = (await work.find(Opportunity))[0]
    lead = await accepted_lead(world)

    won = await done(world, WIN, opportunity={"id": theirs["opportunity"]["id"]})
    opened = await done(
        world,
        CREATE,
        lead=ref(lead),
        name="Deal",
        stage={"id": public("PipelineStage", deal.stage_id)},
    )

    assert won["userErrors"] == [{"code": "NOT_FOUND", "path": ["opportunity"]}]
    assert opened["userErrors"] == [{"code": "NOT_FOUND", "path": ["stage"]}]
    async with world.work() as work:
        assert await work.find(Opportunity) == []
        assert (await work.get(Lead, lead.id)).stage == lead.stage


async def test_deals_are_listed_by_when_they_were_closed_page_by_page(world: World) -> None:
    lead = await accepted_lead(world)
    ids = [public("Opportunity", (await deal(world, lead.id)).id) for _ in range(4)]
    for id in (ids[1], ids[3], ids[0]):
        world.wait(hours=1)
        await done(world, WIN, opportunity={"id": id})
    document = """query($after: String) { opportunities(first: 2, after: $after,
      orderBy: [{field: CLOSED_AT, direction: DESC, nulls: LAST}]) {
        nodes { id } pageInfo { endCursor hasNextPage } } }"""

    first = (await world.data(document))["opportunities"]
    after = {"after": first["pageInfo"]["endCursor"]}
    second = (await world.data(document, after))["opportunities"]

    found = [node["id"] for node in (*first["nodes"], *second["nodes"])]
    assert found == [ids[0], ids[3], ids[1], ids[2]]
    assert not second["pageInfo"]["hasNextPage"]


def row(value: str, **more: Any) -> dict[str, Any]:
    return {"externalId": {"source": "crm", "value": value}, **more}


async def test_every_row_is_answered_in_its_place(world: World) -> None:
    lead, other = await accepted_lead(world), await accepted_lead(world)
    mql = await add_mql(world)
    stranger = {"id": public("Lead", new_id())}
    first = {"lead": {"email": lead.email}, "amount": "10", "currency": "EUR"}
    rows = [
        row("1", **first, name="One", stage={"name": "Proposal"}),
        row("2", **first, status="WON", openedAt="2026-03-01T00:00:00Z"),
        row("1", amount="11"),
        row("1", amount="11"),
        row("1", status="LOST", lostReason="Too dear."),
        row("1", status="OPEN"),
        row("1", lead=ref(other)),
        row("2", status="LOST", lostReason=" "),
        row("3", name="Nobody's"),
        row("3", lead=stranger),
        row("3", lead=ref(mql)),
        row("3", lead=ref(lead), amount="1"),
        row("3", lead=ref(lead), amount="1", currency="XXX"),
        row("3", lead=ref(lead), status="LOST"),
        row("3", lead=ref(lead), closedAt="2026-03-01T00:00:00Z"),
        row("3", lead=ref(lead), status="WON", closedAt="2026-03-01T00:00:00Z"),
        row("3", lead=ref(lead), status="WON", closedAt="2027-03-01T00:00:00Z"),
        row("3", lead=ref(lead), stage={"name": "Nowhere"}),
        row("3", lead=ref(lead), owner={"email": "nobody@x.example"}),
        row("3", lead={"id": "user_1"}),
        row(" ", lead=ref(lead)),
    ]

    data = await world.data(UPSERT, {"rows": rows}, as_=world.rep)

    answered = data["opportunitiesUpsert"]["rows"]
    told = [(one["index"], one["outcome"]) for one in answered]
    outcomes = ["CREATED", "CREATED", "UPDATED", "UNCHANGED", "UPDATED", "UPDATED"]
    assert told == list(enumerate([*outcomes, *["REFUSED"] * 15]))
    assert answered[0]["opportunity"] == {
        "name": "One",
        "status": "OPEN",
        "amount": {"amount": "11.00"},
        "stage": {"name": "Proposal"},
        "version": 1,
    }
    assert (answered[1]["opportunity"]["name"], answered[1]["opportunity"]["status"]) == (
        "2",
        "WON",
    )
    refusals = [(*one["userErrors"][0].values(),) for one in answered[6:]]
    assert refusals == [
        (code, ["rows", str(index), *path], index)
        for index, (code, path) in enumerate(
            [
                ("LEAD_DIFFERS", ["lead"]),
                ("LOST_REASON_NEEDED", ["lostReason"]),
                ("INVALID", ["lead"]),
                ("NOT_FOUND", ["lead"]),
                ("NEEDS_ACCEPTANCE", ["lead"]),
                ("CURRENCY_NEEDED", ["currency"]),
                ("UNKNOWN_CURRENCY", ["currency"]),
                ("LOST_REASON_NEEDED", ["lostReason"]),
                ("INVALID", ["closedAt"]),
                ("CLOSES_BEFORE_IT_OPENS", ["closedAt"]),
                ("INVALID", ["closedAt"]),
                ("NOT_FOUND", ["stage"]),
                ("NOT_FOUND", ["owner"]),
                ("BAD_USER_INPUT", ["lead", "id"]),
                ("INVALID", ["externalId", "value"]),
            ],
            start=6,
        )
    ]
    async with world.work() as work:
        assert len(await work.find(Opportunity)) == 2
        assert len(await work.find(OpportunityStep)) == 5
        assert len(await work.find(RevenueEvent)) == 1


async def test_a_history_is_taken_as_it_was_by_who_may_import(world: World) -> None:
    lead = await add_mql(world)
    told = {
        "lead": ref(lead),
        "amount": "5",
        "currency": "EUR",
        "openedAt": "2026-01-05T09:00:00Z",
        "status": "WON",
        "closedAt": "2026-02-05T09:00:00Z",
    }
    history = {"rows": [row("1", **told)], "asHistory": True}

    refused = await world.ask(UPSERT, history, as_=world.other_rep)
    data = await world.data(UPSERT, history, as_=world.marketer)

    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert data["opportunitiesUpsert"]["rows"][0]["outcome"] == "CREATED"
    async with world.work() as work:
        [customer] = await work.find(Customer)
    assert customer.bought_at.isoformat() == "2026-02-05T09:00:00+00:00"


async def test_five_hundred_rows_take_a_fixed_number_of_statements(
    world: World, monkeypatch: Any
) -> None:
    async def upserted(first: int, count: int) -> tuple[set[str], int]:
        leads = [an_mql(world.now) for _ in range(count)]
        async with world.work() as work:
            await work.add_all(leads)
        told = {"amount": "1", "currency": "EUR", "status": "WON"}
        rows = [row(f"{first + at}", lead=ref(lead), **told) for at, lead in enumerate(leads)]
        statements = StatementCount()
        with statements.of(monkeypatch):
            answer = await world.data(UPSERT, {"rows": rows, "asHistory": True}, as_=world.marketer)
        answered = answer["opportunitiesUpsert"]["rows"]
        return {one["outcome"] for one in answered}, statements.count

    await upserted(0, 1)  # makes the pipeline
    some, few = await upserted(10, 10)
    all_of_them, many = await upserted(1000, 500)

    assert some == all_of_them == {"CREATED"}
    assert many == few <= 32
    async with world.work() as work:
        assert len(await work.find(Customer)) == 511


async def test_too_many_rows_are_refused_as_a_whole(world: World) -> None:
    rows = [row(str(at), name="Deal") for at in range(501)]

    data = await world.data(UPSERT, {"rows": rows}, as_=world.rep)

    assert data["opportunitiesUpsert"] == {
        "rows": None,
        "userErrors": [{"code": "ROWS_TOO_MANY", "path": ["rows"]}],
    }
