"""Leads through the API, on a real database."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domain.goals.targets import MetricTally
from domain.ids import public
from domain.leads import Lead
from tests.api.asking_leads import (
    CREATE,
    LIST,
    LOG,
    UPDATE,
    UPSERT,
    StatementCount,
    codes,
    created,
    everything,
)
from tests.world import NOON


async def test_a_new_lead_is_answered_as_it_was_stored(world):
    data = await world.data(
        CREATE,
        {
            "input": {
                "email": "Ada@Engines.example",
                "firstName": " Ada ",
                "score": 12,
                "company": {"name": "Engines", "domain": "Engines.example"},
                "externalIds": [{"source": "HubSpot", "value": "47"}],
            }
        },
        as_=world.marketer,
    )

    lead = data["leadCreate"]["lead"]
    assert data["leadCreate"] == {
        "lead": {
            "id": lead["id"],
            "email": "ada@engines.example",
            "firstName": "Ada",
            "score": 12,
            "version": 1,
            "company": {"name": "Engines", "domain": "engines.example"},
            "externalIds": [{"source": "hubspot", "value": "47"}],
        },
        "userErrors": [],
    }


async def test_a_lead_shows_its_history_and_what_was_done_about_it(world):
    lead = await created(world, email="ada@x.example", createdAt="2018-02-26T10:00:00Z")
    for minutes in (2, 1):
        at = (NOON - timedelta(minutes=minutes)).isoformat()
        call = {"lead": {"id": lead["id"]}, "kind": "CALL", "occurredAt": at}
        assert codes(await world.ask(LOG, {"input": call}, as_=world.rep), "activityLog") == []

    data = await world.data(
        """query($ref: LeadRef!) { lead(ref: $ref) {
          stage stageEnteredAt createdAt updatedAt persona { name } owner { name }
          history { totalCount nodes { stage previous enteredAt } }
          activities(first: 1) { totalCount nodes { occurredAt user { name } } }
          handoffs { totalCount } clocks { totalCount } } }""",
        {"ref": {"id": lead["id"]}},
    )

    assert data["lead"] == {
        "stage": "VISITOR",
        "stageEnteredAt": "2018-02-26T10:00:00Z",
        "createdAt": "2018-02-26T10:00:00Z",
        "updatedAt": "2026-03-10T12:00:00Z",
        "persona": None,
        "owner": None,
        "history": {
            "totalCount": 1,
            "nodes": [{"stage": "VISITOR", "previous": None, "enteredAt": "2018-02-26T10:00:00Z"}],
        },
        "activities": {
            "totalCount": 2,
            "nodes": [{"occurredAt": "2026-03-10T11:59:00Z", "user": {"name": "Sam"}}],
        },
        "handoffs": {"totalCount": 0},
        "clocks": {"totalCount": 0},
    }


@pytest.mark.parametrize(
    "said", [{"email": "ADA@x.example"}, {"externalIds": [{"source": "CRM", "value": "1"}]}]
)
async def test_a_duplicate_is_answered_with_the_lead_there_is(world, said):
    ada = await created(world, email="ada@x.example", externalIds=[{"source": "crm", "value": "1"}])
    before = await everything(world)

    answer = await world.ask(CREATE, {"input": said}, as_=world.marketer)

    [error] = answer["data"]["leadCreate"]["userErrors"]
    assert answer["data"]["leadCreate"]["lead"] is None
    assert (error["__typename"], error["code"], error["existing"]) == (
        "DuplicateLeadError",
        "DUPLICATE_LEAD",
        {"id": ada["id"], "email": "ada@x.example"},
    )
    assert await everything(world) == before


async def test_of_people_who_store_the_same_lead_at_the_same_instant_one_wins(world):
    said = {
        "email": "ada@x.example",
        "company": {"domain": "x.example"},
        "externalIds": [{"source": "crm", "value": "1"}],
    }

    answers = await asyncio.gather(
        *(world.ask(CREATE, {"input": said}, as_=world.marketer) for _ in range(5))
    )

    payloads = [answer["data"]["leadCreate"] for answer in answers]
    [won] = [payload["lead"] for payload in payloads if payload["lead"]]
    lost = [payload["userErrors"][0] for payload in payloads if not payload["lead"]]
    assert [(error["code"], error["existing"]) for error in lost] == [
        ("DUPLICATE_LEAD", {"id": won["id"], "email": "ada@x.example"})
    ] * 4
    leads, companies, names, _, entries = await everything(world)
    assert [len(rows) for rows in (leads, companies, names, entries)] == [1, 1, 1, 1]
    async with world.work() as work:
        [tally] = await work.find(MetricTally, metric="LEADS_CREATED")
    assert tally.amount == 1


async def test_an_update_changes_what_is_said_and_null_takes_away(world):
    lead = await created(world, email="ada@x.example", firstName="Ada", score=5)
    said = {
        "lead": {"email": "ADA@x.example"},
        "firstName": None,
        "lastName": "King",
        "score": None,
        "externalIds": None,
        "owner": {"id": public("User", world.rep.id)},
        "version": 1,
    }

    data = await world.data(UPDATE, {"input": said}, as_=world.marketer)

    assert data["leadUpdate"] == {
        "lead": {
            "id": lead["id"],
            "email": "ada@x.example",
            "firstName": None,
            "lastName": "King",
            "score": 0,
            "version": 2,
            "owner": {"name": "Sam"},
            "company": None,
        },
        "userErrors": [],
    }


BY_RULE = """mutation($lead: ID!) {
  campaignCreate(input: {code: "spring", name: "Spring"}) { userErrors { code } }
  touchesRecord(input: {rows: [{kind: PAGE_VIEW, lead: {id: $lead}, utm: {campaign: "spring"}}]}) {
    userErrors { code }
  }
  personaCreate(input: {
    name: "Irish" jobTitle: "Buyer" rank: 1 criterion: {country: {eq: "IE"}}
  }) { userErrors { code } }
}"""


async def test_of_two_people_at_the_same_instant_one_wins_and_the_other_sees_the_current_lead(
    world,
):
    lead = await created(world, email="ada@x.example")

    def change(score):
        said = {"lead": {"id": lead["id"]}, "version": 1, "score": score}
        return world.ask(UPDATE, {"input": said}, as_=world.marketer)

    answers = await asyncio.gather(change(10), change(20))

    payloads = [answer["data"]["leadUpdate"] for answer in answers]
    [won] = [payload["lead"] for payload in payloads if payload["lead"]]
    [lost] = [payload for payload in payloads if not payload["lead"]]
    assert (won["score"], won["version"]) in {(10, 2), (20, 2)}
    assert lost["userErrors"] == [
        {
            "__typename": "StaleLeadError",
            "code": "STALE",
            "path": [],
            "current": {"id": lead["id"], "score": won["score"], "version": 2},
        }
    ]


async def test_what_follows_by_rule_makes_nobodys_edit_stale(world):
    """A touch gives the lead its campaign, and a new persona takes it: nobody said anything."""
    lead = await created(world, email="ada@x.example", country="IE")
    await world.data(BY_RULE, {"lead": lead["id"]})
    async with world.work() as work:
        [ruled] = await work.find(Lead)

    said = {"lead": {"id": lead["id"]}, "version": 1, "lastName": "King"}
    data = await world.data(UPDATE, {"input": said}, as_=world.marketer)

    assert (ruled.version, ruled.edition) == (3, 1)
    assert None not in {ruled.campaign_id, ruled.persona_id}
    assert data["leadUpdate"]["lead"]["version"] == 2
    async with world.work() as work:
        [stored] = await work.find(Lead)
    assert (stored.last_name, stored.campaign_id) == ("King", ruled.campaign_id)


async def test_changes_of_different_fields_at_the_same_instant_are_both_kept(world):
    lead = await created(world, email="ada@x.example")
    ref = {"lead": {"id": lead["id"]}}

    await asyncio.gather(
        world.data(UPDATE, {"input": {**ref, "firstName": "Ada"}}, as_=world.marketer),
        world.data(UPDATE, {"input": {**ref, "score": 7}}, as_=world.rep),
    )

    async with world.work() as work:
        [stored] = await work.find(Lead)
    assert (stored.first_name, stored.score, stored.version) == ("Ada", 7, 3)


async def test_an_address_of_another_lead_is_refused_with_that_lead(world):
    ada = await created(world, email="ada@x.example")
    bob = await created(world, email="bob@x.example")
    before = await everything(world)

    said = {"lead": {"id": ada["id"]}, "email": "bob@x.example"}
    data = await world.data(UPDATE, {"input": said}, as_=world.marketer)

    assert data["leadUpdate"] == {
        "lead": None,
        "userErrors": [
            {
                "__typename": "DuplicateLeadError",
                "code": "DUPLICATE_LEAD",
                "path": ["email"],
                "existing": {"id": bob["id"]},
            }
        ],
    }
    assert await everything(world) == before


async def test_leads_are_filtered_ordered_and_paged(world):
    for n in range(5):
        await created(world, email=f"p{n}@x.example", score=n, country="IE" if n % 2 else "DE")
        world.wait(minutes=1)

    newest = await world.data(LIST, {"first": 2})
    after = newest["leads"]["pageInfo"]["endCursor"]
    rest = await world.data(LIST, {"first": 10, "after": after})
    filtered = await world.data(
        LIST,
        {
            "filter": {"or": [{"country": {"eq": "IE"}}, {"score": {"gte": 4}}]},
            "order": [{"field": "SCORE", "direction": "DESC"}],
        },
    )

    def emails(answer):
        return [node["email"][:2] for node in answer["leads"]["nodes"]]

    assert (emails(newest), newest["leads"]["totalCount"]) == (["p4", "p3"], 5)
    assert (emails(rest), rest["leads"]["pageInfo"]["hasNextPage"]) == (["p2", "p1", "p0"], False)
    assert (emails(filtered), filtered["leads"]["totalCount"]) == (["p4", "p3", "p1"], 3)


async def test_an_order_names_a_field_once(world):
    order = [{"field": "SCORE", "direction": "DESC"}, {"field": "SCORE", "direction": "ASC"}]

    answer = await world.ask(LIST, {"order": order})

    (error,) = answer["errors"]
    assert error["message"] == "`orderBy` names a field more than once."
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_an_activity_is_answered_as_it_was_stored(world):
    lead = await created(world, email="ada@x.example")
    said = {"lead": {"email": "ada@x.example"}, "kind": "NOTE", "text": "Likes tea."}

    data = await world.data(LOG, {"input": said}, as_=world.rep)

    assert data["activityLog"] == {
        "activity": {
            "kind": "NOTE",
            "agency": "HUMAN",
            "answered": False,
            "occurredAt": "2026-03-10T12:00:00Z",
            "recordedAt": "2026-03-10T12:00:00Z",
            "text": "Likes tea.",
            "lead": {"id": lead["id"]},
            "user": {"name": "Sam"},
        },
        "userErrors": [],
    }


async def test_fifty_leads_are_shown_in_as_many_statements_as_one(world, monkeypatch):
    rows = [
        {
            "email": f"p{n}@x.example",
            "company": {"domain": f"x{n}.example"},
            "externalIds": [{"source": "crm", "value": str(n)}],
            "owner": {"id": public("User", world.rep.id)},
        }
        for n in range(50)
    ]
    await world.data(UPSERT, {"rows": rows}, as_=world.marketer)

    async def shown(count) -> int:
        statements = StatementCount()
        with statements.of(monkeypatch):
            data = await world.data(
                "query($first: Int) { leads(first: $first) { nodes { email owner { name } "
                "company { domain } externalIds { value } "
                "history(first: 2) { nodes { stage } } } } }",
                {"first": count},
            )
        assert len(data["leads"]["nodes"]) == count
        return statements.count

    assert await shown(50) == await shown(1)
